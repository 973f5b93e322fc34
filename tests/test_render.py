"""Results as table, CSV, JSON and Parquet: every digit kept, rare values and empty results well formed."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backtest import render, warehouse
from tests import handmade


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return handmade.write(tmp_path_factory.mktemp("runs") / "hand")


def test_formats_keep_every_digit(path):
    sql = "SELECT timestamp, side, price_usd, pnl_usd, order_id, 0.5::DOUBLE AS half FROM events WHERE seq = 9"
    assert b"".join(warehouse.query([path], sql, "csv")) == (
        b"timestamp,side,price_usd,pnl_usd,order_id,half\n2024-01-02T09:00:00Z,short,2300.0000000000,-1500.000000,,0.5\n"
    )
    text = b"".join(warehouse.query([path], sql, "json")).decode()
    assert '"pnl_usd": -1500.000000' in text
    assert json.loads(text)[0]["order_id"] is None
    data = pq.read_table(pa.BufferReader(b"".join(warehouse.query([path], sql, "parquet"))))
    assert data.to_pylist()[0]["pnl_usd"] == -1_500
    table = b"".join(warehouse.query([path], sql)).decode().splitlines()
    assert table[0].split() == ["timestamp", "side", "price_usd", "pnl_usd", "order_id", "half"]
    assert table[2].split() == ["2024-01-02T09:00:00Z", "short", "2300.0000000000", "-1500.000000", "0.5"]


def test_formats_of_rare_values(path):
    sql = (
        "SELECT 0.0000000001::DECIMAL(18,10) AS tiny, 'a,\"b\"' AS text, 'nan'::DOUBLE AS nan, "
        "[1.50::DECIMAL(4,2)] AS list, "
        "DATE '2024-01-01' AS day, TIMESTAMPTZ '2024-01-01 00:00:00.25+00' AS at, true AS yes, NULL AS nothing"
    )
    [row] = json.loads(b"".join(warehouse.query([path], sql, "json")))
    assert row | {"list": row["list"][0]} == {
        "tiny": 1e-10,
        "text": 'a,"b"',
        "nan": None,
        "list": 1.5,
        "day": "2024-01-01",
        "at": "2024-01-01T00:00:00.25Z",
        "yes": True,
        "nothing": None,
    }
    found = list(csv.reader(io.StringIO(b"".join(warehouse.query([path], sql, "csv")).decode())))[1]
    assert found == ["0.0000000001", 'a,"b"', "nan", "[1.50]", "2024-01-01", "2024-01-01T00:00:00.25Z", "true", ""]


def test_an_empty_result_is_still_well_formed(path):
    empty = "FROM liquidations WHERE false"
    assert json.loads(b"".join(warehouse.query([path], empty, "json"))) == []
    assert b"".join(warehouse.query([path], empty, "csv")).startswith(b"run,timestamp")
    assert b"timestamp" in b"".join(warehouse.query([path], empty))
    assert pq.read_table(pa.BufferReader(b"".join(warehouse.query([path], empty, "parquet")))).num_rows == 0


def test_a_long_table_says_what_it_leaves_out(path, monkeypatch):
    monkeypatch.setattr(render, "MAX_TABLE_ROWS", 5)
    lines = b"".join(warehouse.query([path], "SELECT seq FROM events")).decode().splitlines()
    assert lines[-1] == "first 5 of 13 rows; --format csv writes them all"
    assert len(lines) == 2 + 5 + 1
