"""A run as a value in Python: its frames are its files, its days are those of the metrics, its faults are one line."""

import re
import sys
import warnings
from decimal import Decimal

import polars as pl
import pyarrow.parquet as pq
import pytest

import backtest
from backtest import PerpoolError, UsageError, columns
from tests import handmade
from tests.handmade import PRICE, at
from tests.readme import README
from tests.shell import write_world


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return handmade.write(tmp_path_factory.mktemp("runs") / "hand")


@pytest.fixture
def result(path):
    return backtest.load(path)


def test_frames_are_the_files(result):
    for name in columns.TABLES:
        frame = getattr(result, name)
        file = pq.read_table(result.path / f"{name}.parquet")
        assert frame.columns == file.column_names
        assert frame.to_dicts() == file.to_pylist()
        assert result.arrow(name) == file
        assert result.scan(name).collect().equals(frame)
        assert getattr(result, name) is frame  # read once


def test_money_is_exact(result):
    assert result.positions["pnl_usd"].to_list() == [Decimal(1_000), Decimal(-1_500), Decimal(0)]
    assert result.events["exit_fee_usd"].sum() == Decimal(16)
    assert result.lp["timestamp"].dtype == pl.Datetime("us", "UTC")
    assert result.pool["owned_units"].dtype == pl.Int64


def test_sql_over_the_run(result):
    found = result.sql("SELECT run, side, pnl_usd FROM trader_pnl('1 month') ORDER BY side")
    assert found.rows() == [("hand", "long", Decimal(1_000)), ("hand", "short", Decimal(-1_500))]
    assert result.sql("SET threads = 1").is_empty()


def test_returns_of_the_days(result):
    first, second = (row["lp_price"] / PRICE for row in handmade.tables()["lp"][1:])
    found = result.returns()
    assert found.schema == {"day": pl.Date, "lp_return": pl.Float64}
    assert [day.isoformat() for day in found["day"]] == ["2024-01-01", "2024-01-02"]
    assert found["lp_return"].to_list() == pytest.approx([first - 1, second / first - 1])


def test_returns_go_into_a_tear_sheet(result):
    series = result.returns_pandas()
    assert list(series) == result.returns()["lp_return"].to_list()
    assert (series.name, series.index.name, series.index.tz) == ("hand", "day", None)
    assert [str(day) for day in series.index] == ["2024-01-01 00:00:00", "2024-01-02 00:00:00"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import empyrical

        assert empyrical.cum_returns_final(series) == pytest.approx(handmade.tables()["lp"][2]["lp_price"] / PRICE - 1)
        assert empyrical.aggregate_returns(series, "monthly").index.to_list() == [(2024, 1)]


def test_without_pandas_the_error_says_what_to_do(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PerpoolError, match=r"^returns_pandas needs pandas, .*; install pandas, or use returns\(\)"):
        result.returns_pandas()


@pytest.mark.usefixtures("kernels_compiled")
def test_the_example_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    (example,) = [
        text for text in re.findall(r"```python\n(.*?)```", README.read_text(), re.S) if "backtest.run(" in text
    ]
    shown: dict[str, object] = {}
    exec(example, shown)
    made, found = shown["result"], backtest.load("runs/mine")
    assert isinstance(made, backtest.RunResult)
    assert made == found and made.summary == found.summary and made.metrics == found.metrics
    assert made.summary.opened == 1
    assert found.positions["outcome"].to_list() == ["close"]


@pytest.mark.parametrize("call", ["scan", "arrow"])
def test_an_unknown_table_names_the_nearest(result, call):
    with pytest.raises(UsageError) as caught:
        getattr(result, call)("event")
    assert str(caught.value) == (
        "'event' is not a table of a run (did you mean 'events'?); sql() reads views, such as trades"
    )


def test_faults_of_runs_and_queries_are_one_line(tmp_path, result):
    with pytest.raises(
        PerpoolError, match=r"no does not exist; give the run directory that `perpool run --out` wrote$"
    ):
        backtest.load(tmp_path / "no")
    with pytest.raises(PerpoolError, match=r'Table with name trade does not exist! Did you mean "trades"\?') as caught:
        result.sql("FROM trade")
    assert "\n" not in str(caught.value)


def test_a_day_that_began_with_nothing_is_null(tmp_path):
    rows = handmade.tables()
    rows["lp"] = [row | {"lp_price": 0} for row in rows["lp"]]
    found = backtest.load(handmade.write(tmp_path / "run", rows))
    assert found.returns()["lp_return"].to_list() == [None, None]
    assert found.returns_pandas().isna().all()
    assert found.lp["timestamp"].to_list()[0].timestamp() * 1e6 == at(1, 0)
