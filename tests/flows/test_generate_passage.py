"""First passages: the search against a plain loop, and the orders that go out when a price is reached."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.flows.config import FlowConfig
from backtest.flows.passage import first_at_most, reached, trailing_highs
from backtest.flows.prices_seen import Seen
from backtest.flows.sections import (
    AddedCollateral,
    Foresight,
    Holding,
    Leverage,
    MarketShare,
    PartialClose,
    StopLoss,
)
from tests.flows.fake_prices import MINUTE, T0, FakePrices, orders_of, us, walk

PRICES = walk(11, 2_000, 2)
TWO = (MarketShare(market="SOL"), MarketShare(market="BTC"))
values = st.lists(st.integers(-50, 50), min_size=1, max_size=70)


@settings(max_examples=200, deadline=None)
@given(given_values=values, queries=st.lists(st.tuples(st.integers(0, 80), st.integers(-60, 60)), max_size=20))
def test_first_at_most_is_that_of_a_loop(given_values: list[int], queries: list[tuple[int, int]]) -> None:
    n = len(given_values)
    starts = [min(start, n) for start, _ in queries]
    expected = [
        next((at for at in range(start, n) if given_values[at] <= level), n)
        for start, (_, level) in zip(starts, queries, strict=True)
    ]
    levels = np.array([level for _, level in queries], np.int64)
    assert first_at_most(np.array(given_values), np.array(starts, np.int64), levels).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(given_values=values, data=st.data())
def test_trailing_highs_are_those_of_a_loop(given_values: list[int], data: st.DataObject) -> None:
    first = sorted(data.draw(st.integers(0, at)) for at in range(len(given_values)))
    first = [min(begin, at) for at, begin in enumerate(first)]
    expected = [max(given_values[begin : at + 1]) for at, begin in enumerate(first)]
    assert trailing_highs(np.array(given_values), np.array(first)).tolist() == expected


def test_reached_looks_at_its_market_and_its_side() -> None:
    price = np.array([[100, 103, 97, 105], [10, 9, 11, 12]])
    given_seen = Seen(T0 + np.arange(4) * MINUTE, price)
    market, rising = np.array([0, 0, 1, 1, 0]), np.array([True, False, True, False, True])
    level = np.array([104, 98, 11, 8, 103])
    start = np.array([0, 0, 0, 0, 2])
    assert reached(given_seen, market, rising, start, level).tolist() == [3, 2, 2, 4, 3]


# --- by hand from the orders --------------------------------------------------------------------------------------


class Life:
    """One position of the generated orders, walked tick by tick."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        first = rows[0]
        self.rows = rows
        self.opened = first["at"]
        self.closed = next((row["at"] for row in rows if row["action"] == "close"), 2**62)
        self.leverage, self.collateral = first["leverage"], first["collateral_usd"]
        self.sign = 1 if first["side"] == "long" else -1
        self.price = PRICES[:, 0 if first["market"] == "SOL" else 1].tolist()
        self.entry = -(-self.opened // MINUTE)  # the first tick at or after the open

    def passage(self, start: int, gain: float) -> int | None:
        """The first tick from `start` before the close with this gain over the size (or loss), and none after it."""
        target = self.price[self.entry] * (1 + self.sign * gain)
        side = self.sign if gain > 0 else -self.sign
        for tick in range(start, len(self.price)):
            if tick * MINUTE >= self.closed:
                return None
            if side * self.price[tick] >= side * target:
                return tick
        return None


def lives(config: FlowConfig) -> list[Life]:
    orders = orders_of(FakePrices(PRICES, symbols=("SOL", "BTC")), config)
    orders = orders.with_columns(pl.Series("at", us(orders["timestamp"])))
    return [Life(list(rows.iter_rows(named=True))) for _, rows in orders.group_by("position_id", maintain_order=True)]


def config(**given: Any) -> FlowConfig:
    return FlowConfig(
        positions=400,
        markets=TWO,
        holding=Holding(hours=8.0, sigma=1.0),
        leverage=Leverage(min=5.0, max=25.0),
        **{"partial_close": PartialClose(share=0.0), "added_collateral": AddedCollateral(share=0.0)} | given,
    )


def test_a_part_is_taken_off_when_the_gain_is_first_there() -> None:
    found = lives(config(partial_close=PartialClose(share=1.0, min=0.25, max=0.5, at_gain=0.2)))
    taken = 0
    for life in found:
        parts = [row for row in life.rows if row["action"] == "decrease"]
        expected = life.passage(life.entry + 1, 0.2 / life.leverage)
        assert [row["at"] for row in parts] == ([] if expected is None else [expected * MINUTE])
        assert all(0.25 <= row["fraction"] <= 0.5 for row in parts)
        taken += len(parts)
    assert 100 < taken < 350


@pytest.mark.parametrize("times", [1, 3])
def test_collateral_comes_when_liquidation_is_near(times: int) -> None:
    more = AddedCollateral(share=0.0, min=0.2, max=0.3, near_liquidation=1.0, at=0.5, times=times)
    stop = StopLoss(share=0.0, liquidation_leverage=100.0, cost=0.003)
    counts = []
    for life in lives(config(added_collateral=more, stop_loss=stop)):
        deposits = [row for row in life.rows if row["action"] == "deposit_collateral"]
        margin, start, expected = 1.0, life.entry + 1, []
        for number in range(times):
            way = margin / life.leverage - 0.01 - 0.003
            tick = life.passage(start, -0.5 * way)
            if tick is None:
                break
            expected.append(tick * MINUTE)
            start = tick + 1
            if number < len(deposits):
                margin += deposits[number]["collateral_usd"] / life.collateral
        assert [row["at"] for row in deposits] == expected
        assert all(0.19 < row["collateral_usd"] / life.collateral < 0.31 for row in deposits)
        counts.append(len(deposits))
    assert max(counts) == times
    assert counts.count(0) > 50


def test_a_position_opened_with_a_tick_has_that_ticks_price() -> None:
    """Opened at 100 with 10x: a gain of 0.1 is there at 101, which is the next tick."""
    price = np.array([[100], [101], [102], [104]]) * 10**10
    knows = Foresight(seconds=60.0, threshold_bps=99.5, hold_seconds=600.0)
    ten = Leverage(distribution="discrete", values=(10,))
    part = PartialClose(share=1.0, at_gain=0.1)
    flow = FlowConfig(markets=TWO[:1], foresight=knows, leverage=ten, partial_close=part)
    orders = orders_of(FakePrices(price, symbols=("SOL",)), flow)
    assert us(orders.filter(pl.col("action") == "open")["timestamp"]).tolist() == [0, 2 * MINUTE]
    assert us(orders.filter(pl.col("action") == "decrease")["timestamp"]).tolist() == [MINUTE, 3 * MINUTE]


def test_the_share_that_defends() -> None:
    half = AddedCollateral(share=0.0, near_liquidation=0.5, at=0.3)
    everyone = AddedCollateral(share=0.0, near_liquidation=1.0, at=0.3)
    some, all_of_them = (
        sum(len(life.rows) > 2 for life in lives(config(added_collateral=more))) for more in (half, everyone)
    )
    assert some / all_of_them == pytest.approx(0.5, abs=0.12)
