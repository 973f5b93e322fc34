"""Foresight: opportunities as a loop finds them, and what they earn on a venue with and without delay."""

from pathlib import Path

import numpy as np
import pytest

from backtest.errors import UsageError
from backtest.flows.config import FlowConfig
from backtest.flows.sections import Foresight, MarketShare
from backtest.runner import run
from tests.flows.fake_prices import MINUTE, SECOND, FakePrices, opens_of, orders_of, us, walk

TWO = (MarketShare(market="SOL", weight=2.0), MarketShare(market="BTC", weight=2.0))
PRICES = walk(7, 2_000, 2)


def toxic(prices: np.ndarray = PRICES, positions: int = 10**6, **given: float) -> FlowConfig:
    knows = Foresight(**({"seconds": 150.0, "threshold_bps": 40.0, "hold_seconds": 120.0} | given))
    return FlowConfig(name="toxic", positions=positions, markets=TWO[: prices.shape[1]], foresight=knows)


def test_every_move_above_the_costs_is_traded_in_its_direction() -> None:
    opens = opens_of(toxic(), PRICES)
    expected = []
    for tick in range(len(PRICES)):
        later = min(tick + 2, len(PRICES) - 1)  # 150 seconds reach two ticks a minute apart
        for column, market in enumerate(("SOL", "BTC")):
            move = PRICES[later, column] / PRICES[tick, column] - 1.0
            if abs(move) > 0.004:
                expected.append((tick * MINUTE, market, "long" if move > 0 else "short"))
    found = list(zip(us(opens["timestamp"]).tolist(), opens["market"], opens["side"], strict=True))
    assert found == expected
    assert len(found) > 500


def test_positions_are_closed_when_it_says() -> None:
    orders = orders_of(PRICES, toxic())
    ends = {row["position_id"]: row["timestamp"] for row in orders.filter(action="close").iter_rows(named=True)}
    opens = orders.filter(action="open").select("position_id", "timestamp").rows()
    assert {(ends[key] - at).total_seconds() for key, at in opens if key in ends} == {120.0}
    assert len(ends) > 500


def test_a_share_of_the_opportunities_by_weight() -> None:
    everything = opens_of(toxic(), PRICES)
    some = opens_of(toxic(share=0.25), PRICES)
    assert some.height / everything.height == pytest.approx(0.25, abs=0.03)
    lopsided = FlowConfig(
        name="toxic",
        positions=10**6,
        markets=(MarketShare(market="SOL", weight=4.0), MarketShare(market="BTC", weight=1.0)),
        foresight=Foresight(seconds=150.0, threshold_bps=40.0),
    )
    counts = dict(opens_of(lopsided, PRICES)["market"].value_counts().iter_rows())
    of_all = dict(everything["market"].value_counts().iter_rows())
    assert counts["SOL"] == of_all["SOL"]
    assert counts["BTC"] / of_all["BTC"] == pytest.approx(0.25, abs=0.04)


def test_positions_are_a_limit_and_the_first_ones() -> None:
    everything, some = opens_of(toxic(), PRICES), opens_of(toxic(positions=50), PRICES)
    assert some.equals(everything.head(50))


@pytest.mark.parametrize(("step", "n", "cadence"), [(300, 50, "one tick every 300 seconds"), (60, 1, "a single tick")])
def test_prices_that_are_too_far_apart(step: int, n: int, cadence: str) -> None:
    prices = FakePrices(walk(1, n, 2), step * SECOND, ("SOL", "BTC"))
    with pytest.raises(UsageError) as caught:
        orders_of(prices, toxic(seconds=5.0))
    assert str(caught.value) == (
        f"toxic: foresight.seconds = 5 reaches no later price, because the prices have {cadence}; give finer prices, "
        "--path ohlc where they are candles, or more seconds"
    )


def test_an_opportunity_at_the_end_is_none() -> None:
    price = np.array([[100.0], [100.0], [110.0]]) * 1e10
    opens = opens_of(toxic(price, seconds=60.0), FakePrices(price.astype(np.int64), MINUTE, ("SOL",)))
    assert us(opens["timestamp"]).tolist() == [MINUTE]


@pytest.mark.parametrize(("delay", "earns"), [("0s", True), ("5m", False)])
def test_it_earns_more_than_its_costs_unless_execution_is_delayed(delay: str, earns: bool, tmp_path: Path) -> None:
    result = run("sample", flow="toxic", execution_delay=delay, out=tmp_path / "run").summary
    assert result.opened == result.closed > 400
    costs = result.trader_pnl - result.trader_net
    assert costs > 0.0005 * result.volume / 2  # ten basis points at the close
    assert (result.trader_net > 0.0) == earns
    assert (result.trader_pnl > 4.0 * costs) == earns
