"""Gold and silver in market hours on real minutes: what a closed market must not do, on weekends that did move.

The prices are not part of the project: $PERPOOL_REAL_DATA, else ../shared/data, holds them as Feather files of minutes
around the clock, so a weekend is closed by the calendar and not by a gap.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from backtest.audit import audit
from backtest.calendars import closed
from backtest.config import Calendar
from backtest.errors import UsageError
from backtest.runner import RunResult, run
from backtest.setup import open_setup
from tests.real import candles, real_data

SCENARIO = "rwalp"
FOLDER = "gold_1m_2025"
# What a closed market still lets happen.
QUIET = {"genesis", "deposit_collateral", "withdraw_collateral", "set_triggers", "cancel_limit", "resolve_borrow"}
QUIET |= {"add_liquidity", "remove_liquidity", "distribute_fees", "parameters"}


def hours() -> Calendar:
    """The calendar of gold in the shipped protocol."""
    protocol = open_setup(SCENARIO, prices="p.parquet").resolved.protocol
    return protocol.calendar[next(row.calendar for row in protocol.market if row.symbol == "XAU")]


def shut(times: pl.Series) -> np.ndarray:
    return closed(hours(), times.dt.epoch("us").to_numpy())


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (real_data() / FOLDER).is_dir():
        pytest.skip(f"no {FOLDER} in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds real prices")
    names = {symbol: f"{symbol}_USDT_USDT-1m-futures" for symbol in ("XAU", "XAG")}
    return candles(FOLDER, names, tmp_path_factory.mktemp("metals"))


@pytest.fixture(scope="module")
def result(prices: Path, tmp_path_factory: pytest.TempPathFactory, kernels_compiled: None) -> RunResult:
    return run(SCENARIO, prices=str(prices), out=tmp_path_factory.mktemp("runs") / "rwalp")


def table(result: RunResult, name: str) -> pl.DataFrame:
    return pl.read_parquet(result.path / f"{name}.parquet")


def test_a_weekend_neither_opens_nor_closes_nor_liquidates(result: RunResult) -> None:
    events = table(result, "events").with_columns(pl.col("kind").cast(pl.String))
    asleep = events.filter(pl.Series(shut(events["timestamp"])))
    assert set(asleep["kind"]) <= QUIET
    busy = events.filter(~pl.Series(shut(events["timestamp"])))["kind"].value_counts()
    counts: dict[str, Any] = dict(busy.rows())
    assert counts["open"] > 500 and counts["liquidation"] > 10 and counts["close"] > 500


def test_what_is_refused_as_closed_came_while_it_was(result: RunResult) -> None:
    refused = table(result, "rejections").with_columns(pl.col("reason").cast(pl.String))
    away = refused.filter(pl.col("reason") == "market_closed")
    assert len(away) > 100
    assert shut(away["timestamp"]).all()
    opened = table(result, "events").with_columns(pl.col("kind").cast(pl.String)).filter(pl.col("kind") == "open")
    assert set(opened["timestamp"].dt.weekday()) >= {1, 2, 3, 4, 5}


def test_positions_that_a_weekend_ruined_go_when_the_market_opens(result: RunResult) -> None:
    """The prices of this weekend moved; who they ruined is liquidated at the first open minutes, not before."""
    gone = table(result, "events").with_columns(pl.col("kind").cast(pl.String)).filter(pl.col("kind") == "liquidation")
    before = gone["timestamp"].dt.offset_by("-5m")
    assert shut(before).any()


def test_both_markets_have_the_hours_of_their_calendar(result: RunResult) -> None:
    assert {row["symbol"] for row in result.manifest["markets"]} == {"XAU", "XAG"}
    found = table(result, "markets")
    assert set(found["market"].cast(pl.String)) == {"XAU", "XAG"}


def test_the_books_balance(result: RunResult) -> None:
    assert [(check.name, check.rows) for check in audit(result.path) if not check.passed] == []


def test_weekends_that_the_files_leave_out_are_closed_all_the_same(prices: Path, tmp_path: Path) -> None:
    """The same positions open, whether the minutes of closed hours are in the files or not."""
    frame = pl.read_parquet(prices)
    gaps = frame.filter(~pl.Series(shut(frame["timestamp"].dt.offset_by("1m"))))  # a candle's price comes at its end
    assert len(gaps) < len(frame)
    gaps.write_parquet(tmp_path / "p.parquet")
    whole = run(SCENARIO, prices=str(prices), out=tmp_path / "whole", markets=("XAG",))
    orders = str(whole.path / "orders.parquet")
    cut = run(SCENARIO, prices=str(tmp_path / "p.parquet"), orders=orders, out=tmp_path / "cut", markets=("XAG",))
    opened = [
        table(one, "events").with_columns(pl.col("kind").cast(pl.String)).filter(pl.col("kind") == "open")
        for one in (whole, cut)
    ]
    assert opened[0]["order_id"].to_list() == opened[1]["order_id"].to_list()


def test_markets_without_prices_are_left_out_by_name(prices: Path) -> None:
    with pytest.raises(UsageError, match="arguments: markets: GOLD is not a market of"):
        open_setup(SCENARIO, prices=str(prices), markets=("GOLD",))
