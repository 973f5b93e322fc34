"""Exports: a database file with the same answers as `perpool sql`, or a folder of files with the same rows."""

import csv
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from backtest import warehouse
from backtest.cli import perpool
from backtest.errors import PerpoolError, UsageError
from backtest.export import TABLES, export
from tests import handmade, shell


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return handmade.write(tmp_path_factory.mktemp("runs") / "hand")


def rows(con, name):
    return con.sql(f"FROM {name} ORDER BY ALL").to_arrow_table().to_pylist()


def test_export_is_one_file_with_the_same_answers(tmp_path, path):
    out = export([path], tmp_path / "deep" / "hand.duckdb")
    assert [file.name for file in out.parent.iterdir()] == ["hand.duckdb"]
    here = warehouse.open_run(path)
    with duckdb.connect(str(out), read_only=True) as there:
        there.execute("SET TimeZone = 'UTC'")
        kinds = dict(there.sql("SELECT table_name, table_type FROM information_schema.tables").fetchall())
        assert kinds["events"] == kinds["lp"] == "BASE TABLE"
        for name in [*TABLES, *(f"{macro}('1 day')" for macro in warehouse.MACROS)]:
            assert rows(there, name) == rows(here, name), name
    with pytest.raises(PerpoolError, match=r"already exists; .*--overwrite"):
        export([path], out)
    assert export([path], out, overwrite=True) == out
    with pytest.raises(PerpoolError, match="is a directory"):
        export([path], tmp_path)


def test_an_export_that_fails_leaves_nothing(tmp_path):
    out = handmade.write(tmp_path / "run")
    (out / "lp.parquet").write_bytes(b"PAR1 broken PAR1")
    with pytest.raises(PerpoolError, match="cannot open"):
        export([out], tmp_path / "x.duckdb")
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_the_export_command(tmp_path, path):
    found = CliRunner().invoke(perpool, ["export", str(path), str(tmp_path / "x.duckdb")])
    assert (found.exit_code, found.stdout) == (0, f"{tmp_path / 'x.duckdb'}\n")
    assert "Example:" in CliRunner().invoke(perpool, ["export", "--help"]).stdout


def test_a_folder_of_parquet_has_the_rows_of_sql(tmp_path, path):
    out = export([path], tmp_path / "deep" / "tables", "parquet")
    assert [file.name for file in out.parent.iterdir()] == ["tables"]
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{table}.parquet" for table in TABLES)
    here = warehouse.open_run(path)
    for name in TABLES:
        file = out / f"{name}.parquet"
        assert here.sql(f"SELECT * FROM '{file}' ORDER BY ALL").to_arrow_table().to_pylist() == rows(here, name), name
        kinds = [kind for (kind,) in here.sql(f"SELECT column_type FROM (DESCRIBE FROM '{file}')").fetchall()]
        assert kinds == [kind for (kind,) in here.sql(f"SELECT column_type FROM (DESCRIBE FROM {name})").fetchall()]
    assert pl.read_parquet(out / "positions.parquet")["pnl_usd"].sum() == Decimal(-500)


def test_a_folder_of_csv_keeps_every_digit_and_the_zone(tmp_path, path):
    out = export([path], tmp_path / "tables", "csv")
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{table}.csv" for table in TABLES)
    for name in ("lp", "events"):
        with (out / f"{name}.csv").open(newline="") as stream:
            found = list(csv.DictReader(stream))
        expected = warehouse.open_run(path).sql(f"FROM {name}").to_arrow_table().to_pylist()
        assert [{key: _text(value) for key, value in row.items()} for row in expected] == found
    times = pl.read_csv(out / "lp.csv", try_parse_dates=True)["timestamp"]
    assert times.to_list()[0] == datetime(2024, 1, 1, tzinfo=UTC)


def _text(value):
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return "" if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


def test_many_runs_in_one_folder(tmp_path, path):
    out = export([path, handmade.write(tmp_path / "other")], tmp_path / "tables", "csv")
    assert pl.read_csv(out / "lp.csv")["run"].to_list() == ["hand"] * 3 + ["other"] * 3


def test_only_an_earlier_export_is_replaced(tmp_path, path):
    out = export([path], tmp_path / "tables", "csv")
    with pytest.raises(PerpoolError, match=r"tables already holds an export; .*--overwrite to replace it$"):
        export([path], out, "csv")
    export([path], out, "parquet", overwrite=True)
    assert {file.suffix for file in out.iterdir()} == {".parquet"}
    (out / "thesis.tex").write_text("mine")
    with pytest.raises(
        PerpoolError, match=r"tables holds thesis.tex, which is not of an export; choose another folder$"
    ):
        export([path], out, "parquet", overwrite=True)
    assert (out / "thesis.tex").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["tables"]
    (tmp_path / "empty").mkdir()
    assert export([path], tmp_path / "empty", "parquet").is_dir()


@pytest.mark.parametrize("fmt", ["csv", "parquet"])
def test_a_folder_that_fails_leaves_nothing_and_what_was_there(tmp_path, path, fmt):
    out = export([path], tmp_path / "tables", fmt)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    broken = handmade.write(tmp_path / "run")
    (broken / "lp.parquet").write_bytes(b"PAR1 broken PAR1")
    with pytest.raises(PerpoolError, match="cannot open"):
        export([broken], out, fmt, overwrite=True)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run", "tables"]


@pytest.mark.parametrize(
    ("name", "fmt", "kind", "message"),
    [
        ("x.duckdb", "csv", UsageError, "x.duckdb: --format csv writes a folder, one file per table; name it without "),
        ("x.csv", "csv", UsageError, "x.csv: --format csv writes a folder, one file per table; name it without .csv"),
        (
            "notes",
            "parquet",
            PerpoolError,
            "notes is a file, and --format parquet writes a folder; choose another name",
        ),
        ("x", "xlsx", UsageError, "unknown format 'xlsx'; choose one of duckdb, csv, parquet"),
    ],
)
def test_names_and_formats_that_cannot_be(tmp_path, path, name, fmt, kind, message):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(kind) as caught:
        export([path], tmp_path / name, fmt)
    assert message in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["notes"]


def test_the_export_command_writes_folders(tmp_path, path):
    out = tmp_path / "tables"
    found = shell.perpool("export", path, out, "--format", "csv")
    assert (found.code, found.out) == (0, f"{out}\n")
    assert (out / "overview.csv").read_text().startswith("run,day,tvl_usd,")
    found = shell.perpool("export", path, out, "--format", "csv")
    assert (found.code, found.out) == (1, "") and found.err.startswith(f"error: {out} already holds an export; ")
    assert shell.perpool("export", path, out, "--format", "parquet", "--overwrite").code == 0
