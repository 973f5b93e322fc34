"""The portable database: one file, real tables, the same answers as `perpool sql`."""

import duckdb
import pytest
from click.testing import CliRunner

from backtest import warehouse
from backtest.cli import perpool
from backtest.errors import PerpoolError
from backtest.export import export
from tests import handmade


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
        for name in [*warehouse.BASE, *warehouse.VIEWS, *(f"{macro}('1 day')" for macro in warehouse.MACROS)]:
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
