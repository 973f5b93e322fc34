"""Markouts: on paper, from the ticks of a run, and where a run has none."""

import numpy as np
import pytest

from backtest.markouts import MarketTicks, Markout, Opens, markout, overall
from backtest.metrics import of_run
from backtest.runner import run
from tests.shell import MINUTE, OPEN, T0, write_orders, write_prices, write_world


@pytest.fixture
def world(tmp_path, monkeypatch, kernels_compiled):
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    return tmp_path


def ticks(prices: list[float], step_us: int = MINUTE, stale: tuple[int, ...] = ()) -> MarketTicks:
    fresh = np.array([number not in stale for number in range(len(prices))])
    return MarketTicks(T0 + np.arange(len(prices)) * step_us, np.array(prices), fresh)


def opens(*rows: tuple[int, float, float]) -> Opens:
    """Rows of tick number (of minutes), dollars, side."""
    at, size, side = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return Opens(T0 + at.astype(np.int64) * MINUTE, size, side)


def test_a_markout_is_weighted_by_dollars_and_signed_by_side():
    """100 to 101: a long of 300 gains 100 bps, a short of 100 loses them: (300 - 100) / 400 of 100 bps."""
    found = markout("SOL", 1, opens((0, 300.0, 1.0), (0, 100.0, -1.0)), ticks([100.0, 101.0]))
    assert (found.market, found.minutes, found.opened_usd) == ("SOL", 1, 400.0)
    assert found.bps == pytest.approx(50.0)


def test_the_price_is_the_first_at_or_after_the_horizon_and_no_older():
    every_90_s = ticks([100.0, 102.0, 104.0, 110.0], step_us=90_000_000)
    assert markout("SOL", 1, opens((0, 1.0, 1.0)), every_90_s).bps == pytest.approx(200.0)  # 90 s
    assert markout("SOL", 5, opens((0, 1.0, 1.0)), every_90_s).bps is None  # the last tick is at 270 s
    assert markout("SOL", 1, opens((0, 1.0, 1.0)), ticks([100.0, 101.0], 3 * MINUTE)).bps is None  # over 2 minutes
    assert markout("SOL", 1, opens((0, 1.0, 1.0)), ticks([100.0, 101.0], 2 * MINUTE)).bps == pytest.approx(100.0)


def test_an_old_price_is_no_price():
    found = markout("SOL", 1, opens((0, 300.0, 1.0), (1, 100.0, 1.0)), ticks([100.0, 101.0, 99.0], stale=(1,)))
    assert found.opened_usd == 100.0
    assert found.bps == pytest.approx((99 / 101 - 1) * 1e4)


def test_all_markets_together_are_weighted_by_dollars():
    found = [
        Markout("A", 5, 300.0, 10.0),
        Markout("B", 5, 100.0, -2.0),
        Markout("C", 5, 0.0, None),
    ]
    assert overall(found, 5) == 7.0
    assert overall(found, 1) is None


def test_markouts_of_a_run(world):
    """100, 101, 102, 100, ...: a long at 100 sees 101, 102 (minute 5) and 101 (minute 10); a short at minute 1 (101)
    of the same 500 dollars sees 102, 100 and 102. A deposit of margin opens nothing."""
    short = OPEN | {"position_id": 8, "side": "short"}
    more = {"action": "deposit_collateral", "position_id": 7, "collateral_usd": 5.0}
    write_orders(
        world / "orders.parquet", [OPEN, short | {"timestamp": T0 + MINUTE}, more | {"timestamp": T0 + 2 * MINUTE}]
    )
    found = run("scenario.toml", out="out").metrics
    expected = [(1 / 100 - 1 / 101) / 2, (2 / 100 + 1 / 101) / 2, (1 / 100 - 1 / 101) / 2]
    assert [item.bps for item in found.markouts] == pytest.approx([move * 1e4 for move in expected])
    assert [item.opened_usd for item in found.markouts] == pytest.approx([1_000.0] * 3)
    assert [found.values[f"markout_{minutes}m_bps"] for minutes in (1, 5, 10)] == [item.bps for item in found.markouts]
    assert found.note == ""


def test_flow_that_knows_the_price_ahead_shows_in_the_markouts(tmp_path, kernels_compiled):
    """Who trades on the next five minutes gains at least the threshold of the shipped flow; who does not, nothing."""
    informed, blind = (
        run("sample", flow=flow, positions=300, out=tmp_path / flow).metrics for flow in ("toxic", "uniform")
    )
    assert informed.values["markout_5m_bps"] > 20 > abs(blind.values["markout_5m_bps"])


def test_without_the_price_files_there_are_no_markouts(world):
    result = run("scenario.toml", out="out")
    write_prices(world / "prices.parquet", [100.0] * 30)
    assert of_run("out").note == f"no markouts: {world / 'prices.parquet'} has changed since the run"
    (world / "prices.parquet").unlink()
    found = of_run(result.path)
    assert found.note == f"no markouts: {world / 'out'}: the price files of the run are gone"
    assert found.markouts == () and found.values["markout_5m_bps"] is None and found.values["days"] is not None
