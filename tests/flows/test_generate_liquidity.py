"""LPs: blind ones, those who follow the yield of the volume before, and those who leave after a fall."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from backtest.flows.config import FlowConfig
from backtest.flows.sections import Arrival, Dollars, Holding, Leverage, Liquidity, MarketShare
from tests.flows.fake_prices import DAY, HOUR, FakePrices, orders_of, us

ONE = (MarketShare(market="SOL"),)
TWO = (MarketShare(market="SOL"), MarketShare(market="BTC"))


def hourly(*prices: np.ndarray) -> FakePrices:
    return FakePrices(np.rint(np.stack(prices, 1) * 1e10).astype(np.int64), HOUR, ("SOL", "BTC")[: len(prices)])


def pool(**given: Any) -> Liquidity:
    return Liquidity(**{"deposits": 2_000, "withdrawn_share": 1.0} | given)


def accounts(orders: pl.DataFrame) -> pl.DataFrame:
    """Per account: when tokens came and went [us since T0], null for never, and how many of each."""
    lps = orders.filter(pl.col("lp_account").is_not_null())
    added = lps.filter(pl.col("action") == "add_liquidity").select("lp_account", "timestamp", "amount")
    removed = lps.filter(pl.col("action") == "remove_liquidity").select("lp_account", "timestamp", "amount")
    both = added.join(removed, on="lp_account", how="left", suffix="_out", validate="1:1")
    return both.with_columns(
        at=pl.Series(us(both["timestamp"])), out=both["timestamp_out"].to_physical() - both["timestamp"].to_physical()
    )


def test_steady_lps_come_evenly_and_hold_exponentially() -> None:
    flat = hourly(np.full(400 * 24, 100.0))
    found = accounts(
        orders_of(flat, FlowConfig(positions=0, markets=ONE, liquidity=pool(hold_days=10.0, withdrawn_share=0.5)))
    )
    assert found.height == 2_000
    assert found["out"].drop_nulls().len() / 2_000 == pytest.approx(0.5 * 0.975, abs=0.03)  # ten of 400 days are cut
    assert found["out"].drop_nulls().to_numpy().mean() / DAY == pytest.approx(10.0, rel=0.07)
    kept = found.drop_nulls("amount_out")
    assert kept["amount_out"].to_numpy() == pytest.approx(0.9 * kept["amount"].to_numpy(), abs=0.006)


def test_panicking_lps_leave_after_the_fall_and_only_then() -> None:
    price = np.full(60 * 24, 100.0)
    price[30 * 24 : 32 * 24] = 89.0  # the fall of 11 % lasts two days
    found = accounts(
        orders_of(
            hourly(price),
            FlowConfig(
                positions=0,
                markets=ONE,
                liquidity=pool(style="panic", drawdown=0.1, window=3.0, delay_hours=6.0, withdrawn_share=0.8),
            ),
        )
    )
    left = found.drop_nulls("out").with_columns(when=pl.col("at") + pl.col("out"))
    before = left.filter(pl.col("at") < 30 * DAY)
    assert before["when"].min() >= 30 * DAY
    assert (before["when"] - 30 * DAY).mean() / HOUR == pytest.approx(6.0, rel=0.1)  # type: ignore[operator]
    assert before.height / found.filter(pl.col("at") < 30 * DAY).height == pytest.approx(0.8, abs=0.04)
    assert left.filter(pl.col("at") >= 32 * DAY).height == 0


def test_the_basket_is_of_equal_parts_unless_one_market_is_watched() -> None:
    falling = np.concatenate([np.full(240, 100.0), np.full(240, 84.0)])
    config = FlowConfig(positions=0, markets=TWO, liquidity=pool(style="panic", drawdown=0.1, window=3.0))
    prices = hourly(falling, np.full(480, 5.0))
    assert accounts(orders_of(prices, config))["out"].drop_nulls().is_empty()  # half of 16 % is 8 %
    for market, leaves in (("SOL", True), ("BTC", False)):
        watched = pool(style="panic", drawdown=0.1, window=3.0, watch=market)
        found = accounts(orders_of(prices, FlowConfig(positions=0, markets=TWO, liquidity=watched)))
        assert found["out"].drop_nulls().is_empty() != leaves
    deep = pool(style="panic", drawdown=0.08, window=3.0)
    found = accounts(orders_of(prices, FlowConfig(positions=0, markets=TWO, liquidity=deep)))
    assert not found["out"].drop_nulls().is_empty()


def test_a_slow_fall_is_no_panic() -> None:
    price = 100.0 * np.exp(np.linspace(0.0, -0.3, 60 * 24))  # 0.5 % a day: 3.4 % within a week
    config = FlowConfig(positions=0, markets=ONE, liquidity=pool(style="panic", drawdown=0.05, window=7.0))
    assert accounts(orders_of(hourly(price), config))["out"].drop_nulls().is_empty()


BUSY = tuple(10.0 if day < 2 else 0.0 for day in range(7))  # volume on Mondays and Tuesdays only


def yielding(**given: Any) -> pl.DataFrame:
    """Five weeks from a Wednesday; 1,000 dollars per order, 2,000 positions closed within the hour."""
    config = FlowConfig(
        positions=2_000,
        markets=ONE,
        arrival=Arrival(pattern="hour_of_week", days=BUSY),
        size=Dollars(distribution="discrete", values=(1_000,)),
        leverage=Leverage(distribution="discrete", values=(10,)),
        holding=Holding(distribution="exponential", hours=0.1),
        liquidity=pool(style="yield", window=1.0, **given),
    )
    return orders_of(hourly(np.full(35 * 24, 100.0)), config)


def test_lps_come_in_proportion_to_the_yield_of_the_day_before() -> None:
    orders = yielding(fee_bps=10.0, pool_usd=5e4, target_yield=1.0, cap=5.0, withdrawn_share=0.0)
    trades = orders.filter(pl.col("action").is_in(["open", "close"]))
    hour = us(trades["timestamp"]) // HOUR
    traded = np.bincount(hour, minlength=35 * 24) * 1_000.0
    sums = np.concatenate([[0.0], np.cumsum(traded)])
    whole = np.arange(35 * 24)
    past = np.minimum(whole, 24)
    yearly = (sums[whole] - sums[whole - past]) / np.maximum(past, 1) * 24 * 365 * 10e-4 / 5e4
    multiple = np.minimum(yearly / 1.0, 5.0)
    came = np.bincount(us(accounts(orders)["timestamp"]) // HOUR, minlength=35 * 24)[: 35 * 24]
    for group in (multiple == 0.0, multiple <= 0.2, (multiple > 0.2) & (multiple < 2.0), multiple >= 2.0):
        assert group.sum() > 20
        expected = 2_000 / (35 * 24) * multiple[group].sum()
        assert came[group].sum() == pytest.approx(expected, abs=4 * expected**0.5 + 1)


def test_lps_leave_when_the_yield_has_fallen() -> None:
    found = accounts(yielding(fee_bps=10.0, pool_usd=5e4, target_yield=1.0, cap=5.0, leave_below=0.5))
    at = found["at"].to_numpy()
    weekday = (at // DAY + 2) % 7  # 0 is Monday
    during = found.filter((weekday == 1) & (at % DAY > 12 * HOUR) & (at < 28 * DAY))  # Tuesday afternoon: full yield
    assert during.height > 100
    gone = (during["at"] + during["out"]).to_numpy()
    assert ((gone // DAY + 2) % 7 == 2).mean() > 0.95  # on Wednesday, as the day before empties
    assert (gone % HOUR == 0).all()


def test_a_yield_does_not_see_the_hour_it_is_in() -> None:
    early = accounts(yielding(fee_bps=10.0, pool_usd=5e4, target_yield=1.0, cap=50.0, withdrawn_share=0.0))
    first_trade = 5 * DAY  # from Wednesday to Monday nothing is traded
    assert early.filter(pl.col("at") < first_trade + HOUR).is_empty()
