"""The registry of output columns: it agrees with the kernels' records, and converts there and back without loss."""

import numpy as np
import pyarrow as pa
import pytest

from backtest import columns
from backtest.columns import Labels
from backtest.errors import PerpoolError
from kernels import codes
from tests import handmade


@pytest.mark.parametrize("table", columns.TABLES)
def test_the_registry_lists_every_field_of_the_record_in_its_order(table):
    assert tuple(c.field for c in columns.TABLES[table]) == columns.RECORDS[table].names


@pytest.mark.parametrize("table", columns.TABLES)
def test_every_column_has_a_unit_and_a_meaning_in_the_schema(table):
    for field in columns.schema(table):
        assert field.metadata[b"unit"]
        assert field.metadata[b"doc"]


def test_types_follow_from_names():
    found = {c.name: str(c.type) for c in columns.TABLES["events"]}
    assert found["timestamp"] == "timestamp[us, tz=UTC]"
    assert found["pnl_usd"] == "decimal64(18, 6)"
    assert found["price_usd"] == found["custody_price_usd"] == "decimal64(18, 10)"
    assert found["owned_units"] == found["lp_units"] == found["order_id"] == "int64"
    assert found["kind"].startswith("dictionary<values=string, indices=int8")


@pytest.mark.parametrize("table", columns.TABLES)
def test_conversion_there_and_back(table):
    rows = handmade.records(table, handmade.tables()[table]).view(np.int64).reshape(-1, len(columns.TABLES[table]))
    data = columns.to_table(table, np.ascontiguousarray(rows.T), handmade.LABELS)
    assert data.schema.equals(columns.schema(table), check_metadata=True)
    np.testing.assert_array_equal(columns.to_records(table, data, handmade.LABELS), rows)


def test_money_and_time_share_memory_with_the_records():
    width = len(columns.TABLES["lp"])
    rows = np.arange(width * 4, dtype=np.int64).reshape(width, 4)
    data = columns.to_table("lp", rows, handmade.LABELS)
    for i in range(width):
        assert data.column(i).chunk(0).buffers()[1].address == rows[i].ctypes.data


def test_absent_becomes_null_and_codes_become_names():
    data = _event(kind=codes.K_GENESIS, market=-1, side=-1, order_id=-1, price=0, lp_account=0).to_pylist()[0]
    assert data["kind"] == "genesis"
    assert data["market"] is data["side"] is data["order_id"] is data["price_usd"] is None
    assert data["lp_account"] == 0
    assert data["pnl_usd"] == 0


def test_a_position_still_open_has_no_closing_time_or_price_whichever_way_it_is_said():
    rows = np.zeros((2, len(columns.TABLES["positions"])), np.int64)
    names = columns.RECORDS["positions"].names
    for field in ("closed_at", "close_price"):
        rows[1, names.index(field)] = -1
    columns.canonical("positions", rows)
    found = columns.to_table("positions", np.ascontiguousarray(rows.T), handmade.LABELS).to_pylist()
    assert [row["closed_at"] for row in found] == [None, None]
    assert [row["close_price_usd"] for row in found] == [None, None]


def test_outcome_means_something_else_in_rejections():
    assert columns.names_of("rejections", "outcome", handmade.LABELS) == ("rejected", "pending")
    assert columns.names_of("positions", "outcome", handmade.LABELS) == codes.OUTCOMES


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pnl_usd": 10**18}, "events.parquet: column pnl_usd, row 0 of its block: 1000000000000000000 does not fit"),
        ({"price": -(10**18)}, "column price_usd, row 0"),
        ({"kind": len(codes.KINDS)}, "column kind, row 0"),
        ({"kind": -1}, "column kind, row 0"),
        ({"custody": 2}, "column custody, row 0"),
        ({"market": -2}, "column market, row 0"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(fields, message):
    with pytest.raises(PerpoolError, match=message):
        _event(**fields)


def test_more_markets_than_int8_counts():
    labels = Labels(tuple(f"M{i}" for i in range(300)), ("C",))
    rows = np.zeros((13, 1), np.int64)
    rows[1] = 299
    assert columns.to_table("markets", rows, labels).to_pylist()[0]["market"] == "M299"


def test_the_wrong_shape_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="C-contiguous int64"):
        columns.to_table("lp", np.zeros((4, 23), np.int64), handmade.LABELS)


def test_a_file_with_a_missing_or_foreign_column_is_refused():
    data = _event()
    with pytest.raises(PerpoolError, match="column seq is missing"):
        columns.to_records("events", data.drop_columns("seq"), handmade.LABELS)
    with pytest.raises(PerpoolError, match="column seq is string"):
        columns.to_records("events", data.set_column(0, "seq", pa.array(["0"])), handmade.LABELS)
    with pytest.raises(PerpoolError, match="holds 'BTC', unknown to the manifest"):
        columns.to_records("markets", _market("BTC"), handmade.LABELS)


def _event(**fields: int) -> pa.Table:
    row = handmade.event(0, 0, custody=0) | fields
    rows = handmade.records("events", [row]).view(np.int64).reshape(1, -1)
    return columns.to_table("events", np.ascontiguousarray(rows.T), handmade.LABELS)


def _market(symbol: str) -> pa.Table:
    return columns.to_table("markets", np.zeros((13, 1), np.int64), Labels((symbol,), ("C",)))
