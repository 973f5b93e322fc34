"""Nobody knows the future: other prices after a moment change no order up to it, numbers included."""

from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.assets import shipped
from backtest.flows.config import FlowConfig, load_flow
from backtest.flows.generate import generate, write_orders
from backtest.flows.sections import (
    AddedCollateral,
    Arrival,
    Foresight,
    Liquidity,
    PartialClose,
    Side,
)
from backtest.orders import Names, OrderSource
from tests.flows.fake_prices import MINUTE, T0, FakePrices, orders_of, walk

TICKS = 600
STEP = 30 * MINUTE  # twelve and a half days
NAMES = Names(("USDC", "SOL", "BTC", "BONK"), (6, 9, 8, 5), ("SOL", "BTC", "BONK"), (1, 2, 3), (0, 0, 0))
POPULATIONS = ("retail", "degens", "whales", "carry", "toxic", "uniform")

arrivals = st.builds(
    Arrival,
    pattern=st.just("hour_of_week"),
    hours=st.lists(st.integers(0, 5), min_size=24, max_size=24).filter(sum).map(tuple),
    volatility_sensitivity=st.sampled_from([0.0, 0.5, 2.0]),
    volatility_window=st.floats(0.5, 48.0),
    volatility_average=st.floats(0.1, 5.0),
    cap=st.floats(1.0, 8.0),
)
sides = st.builds(
    Side,
    bias=st.sampled_from(["none", "momentum", "contrarian"]),
    strength=st.floats(0.0, 3.0),
    look_back=st.floats(0.5, 48.0),
)
flows = st.builds(
    FlowConfig,
    name=st.just("any"),
    seed=st.integers(0, 2**32),
    positions=st.integers(1, 200),
    long_share=st.floats(0.0, 1.0),
    arrival=arrivals,
    side=sides,
    partial_close=st.builds(PartialClose, share=st.just(1.0), at_gain=st.sampled_from([0.0, 0.05, 0.5])),
    added_collateral=st.builds(
        AddedCollateral,
        share=st.just(0.5),
        near_liquidation=st.just(1.0),
        at=st.floats(0.05, 1.0),
        times=st.integers(1, 3),
    ),
    liquidity=st.builds(
        Liquidity,
        deposits=st.integers(0, 30),
        style=st.sampled_from(["steady", "yield", "panic"]),
        withdrawn_share=st.just(1.0),
        hold_days=st.just(1.0),
        window=st.floats(0.1, 5.0),
        target_yield=st.floats(1e-4, 1.0),
        drawdown=st.floats(1e-3, 0.1),
        delay_hours=st.floats(0.0, 10.0),
    ),
)


def until(orders: pl.DataFrame, moment: int) -> pl.DataFrame:
    return orders.filter(pl.col("timestamp").to_physical() <= moment)


def check(configs: list[FlowConfig], cut: int, foresight_us: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The orders of two histories that part after tick `cut`, after checking that they agree until it."""
    before = walk(1, TICKS, sigma=0.01)
    after = before.copy()
    after[cut + 1 :] = walk(2, TICKS, sigma=0.02)[cut + 1 :]
    one, other = (orders_of(FakePrices(price, STEP), *configs) for price in (before, after))
    moment = T0 + cut * STEP + STEP - 1 - foresight_us  # the last instant before the histories part
    columns = sorted({*one.columns} & {*other.columns})  # LPs may be there in one of them only
    assert until(one, moment).select(columns).equals(until(other, moment).select(columns))
    for name in {*one.columns} ^ {*other.columns}:
        assert until(one if name in one.columns else other, moment)[name].null_count() == until(one, moment).height
    return one, other


@settings(max_examples=100, deadline=None)
@given(config=flows, cut=st.integers(0, TICKS - 2))
def test_prices_after_a_moment_change_no_order_up_to_it(config: FlowConfig, cut: int) -> None:
    check([config], cut)


@settings(max_examples=40, deadline=None)
@given(config=flows, seconds=st.integers(1_800, 40_000), share=st.floats(0.05, 1.0), cut=st.integers(20, TICKS - 2))
def test_foresight_ends_where_it_says(config: FlowConfig, seconds: int, share: float, cut: int) -> None:
    knows = Foresight(seconds=float(seconds), threshold_bps=20.0, hold_seconds=3_600.0, share=share)
    check([config, FlowConfig(name="toxic", positions=10**6, foresight=knows)], cut, seconds * 1_000_000)


@pytest.mark.parametrize("name", POPULATIONS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, TICKS - 2))
def test_shipped_populations(name: str, seed: int, cut: int) -> None:
    config = load_flow(shipped("flows")[name], seed=seed, positions=200)
    if config.foresight:  # these ticks are half an hour apart
        config = msgspec.structs.replace(config, foresight=Foresight(seconds=3_600.0, share=0.5))
    check([config], cut, 3_600_000_000 if config.foresight else 0)


@pytest.mark.parametrize(
    "change",
    [
        {"arrival": Arrival(volatility_sensitivity=2.0)},
        {"side": Side(bias="momentum", strength=3.0)},
        {"partial_close": PartialClose(share=1.0, at_gain=0.05)},
        {"added_collateral": AddedCollateral(near_liquidation=1.0, at=0.1)},
        {"liquidity": Liquidity(deposits=30, style="panic", withdrawn_share=1.0, drawdown=0.02, delay_hours=0.1)},
        {"foresight": Foresight(seconds=3_600.0)},
    ],
)
def test_what_looks_at_prices_does_change_later(change: dict[str, Any]) -> None:
    config = FlowConfig(positions=20_000 if "foresight" in change else 300, **change)
    one, other = check([config], 200, 3_600_000_000 if "foresight" in change else 0)
    kept = ["timestamp", "action", "side"]
    late = pl.col("timestamp").to_physical() > T0 + 200 * STEP
    assert not one.filter(late).select(kept).equals(other.filter(late).select(kept))


@settings(max_examples=30, deadline=None)
@given(config=flows)
def test_whatever_is_drawn_can_be_read(config: FlowConfig, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("orders") / "orders.parquet"
    prices = FakePrices(walk(1, TICKS, sigma=0.01), STEP)
    table = generate([config, FlowConfig(positions=20)], prices)
    write_orders(table, path)
    assert sum(part.due_us.size for part in OrderSource(path, NAMES).remaining()) == table.num_rows
