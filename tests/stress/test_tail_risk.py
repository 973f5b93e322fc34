"""Value at risk and expected shortfall of LPs: cases that fit on paper, and what a run of few days cannot say."""

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.errors import PerpoolError, UsageError
from backtest.runner import run
from backtest.summary import summarise
from backtest.tail_risk import History, lp_history, tail_risk
from tests.shell import perpool, write_world

pytestmark = pytest.mark.usefixtures("kernels_compiled")

HOUR_US = 3_600 * 10**6


def history(returns: list[float], step_us: int = HOUR_US) -> History:
    return History(step_us, np.array(returns), len(returns) * step_us / 86_400e6, 0)


# --- on paper ---------------------------------------------------------------------------------------------------------


def test_returns_that_are_always_the_same_have_no_tail() -> None:
    (tail,) = tail_risk(history([0.001] * 100), ("1d",), draws=500)
    gain = 1.001**24 - 1
    assert (tail.steps, tail.windows) == (24, pytest.approx(100 / 24))
    assert tail.mean == tail.worst == pytest.approx(gain)
    for losses in (tail.value_at_risk, tail.expected_shortfall):
        assert losses == {"0.95": pytest.approx(-gain), "0.99": pytest.approx(-gain)}


def test_single_draws_are_as_frequent_as_in_the_history() -> None:
    """One step in 50 loses 10 %: all of the worst hundredth, and two fifths of the worst twentieth."""
    (tail,) = tail_risk(history([-0.1] + [0.01] * 49), ("1h",), draws=200_000, mean_block="1h")
    assert tail.value_at_risk == {"0.95": pytest.approx(-0.01), "0.99": pytest.approx(0.1)}
    assert tail.expected_shortfall["0.95"] == pytest.approx(0.4 * 0.1 - 0.6 * 0.01, abs=2e-3)
    assert tail.expected_shortfall["0.99"] == pytest.approx(0.1)
    assert tail.worst == pytest.approx(-0.1)


def test_blocks_keep_neighbours_together() -> None:
    """Falls and rises in turn: independent draws pile up to four falls in four, long blocks never."""
    turns = history([-0.1, 0.1] * 100)
    (apart,) = tail_risk(turns, ("4h",), draws=20_000, mean_block="1h")
    (whole,) = tail_risk(turns, ("4h",), draws=20_000, mean_block="1000d")
    pairs = [math.prod(1 + move for move in moves) - 1 for moves in product((-0.1, 0.1), repeat=4)]
    assert apart.value_at_risk["0.99"] == pytest.approx(-min(pairs))  # one of sixteen
    assert whole.value_at_risk["0.99"] == pytest.approx(1 - 0.99**2)


def test_a_block_goes_on_at_the_beginning() -> None:
    """A horizon as long as the history, in one block: always the whole of it, wherever it begins."""
    moves = history([0.01 * number for number in range(40)])
    (tail,) = tail_risk(moves, ("40h",), draws=300, mean_block="10000d")
    assert tail.mean == pytest.approx(np.prod(1 + moves.returns) - 1)
    assert tail.value_at_risk["0.99"] == pytest.approx(-tail.mean)


def test_the_worst_window_of_the_history() -> None:
    (tail,) = tail_risk(history([0.1, -0.2, -0.3, 0.1] + [0.0] * 40), ("2h",), draws=100)
    assert tail.worst == pytest.approx(0.8 * 0.7 - 1)


def test_seeds() -> None:
    moves = history(np.random.default_rng(1).normal(0, 0.01, 500).tolist())
    assert tail_risk(moves, draws=500, seed=1) == tail_risk(moves, draws=500, seed=1)
    assert tail_risk(moves, draws=500, seed=1) != tail_risk(moves, draws=500, seed=2)
    assert [tail.horizon for tail in tail_risk(moves, draws=500)] == ["1d", "7d"]  # 30 days do not fit into 21


FAULTS = {
    "long": (
        {"horizons": ("30d",)},
        "--horizons 30d: the run has 20.8 days of samples 3,600 s apart; give a horizon of",
    ),
    "short": (
        {"horizons": ("1m",)},
        "--horizons 1m: the run has 20.8 days of samples 3,600 s apart; give a horizon of",
    ),
    "word": ({"horizons": ("week",)}, '"week" is not a duration; write a whole number and a unit'),
    "few": ({"draws": 99}, "--draws 99 is not between 100 and 10,000,000"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_tails_that_cannot_be(fault: str) -> None:
    given, message = FAULTS[fault]
    with pytest.raises(UsageError) as caught:
        tail_risk(history([0.0] * 500), **given)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


# --- of a run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sample", "gmx-v1"])
def test_returns_of_a_run_make_up_its_return(name: str, tmp_path: Path) -> None:
    """Compounded they are the return of the LP price; rewards beside the pool (GMX) come on top."""
    given = {"start": "2025-02-14", "end": "2025-02-21", "positions": 300}
    result = run(name, out=tmp_path / "run", **given)
    found = lp_history(result.path)
    assert (found.step_us, found.left_out) == (HOUR_US, 1)  # the run's last sample is five minutes early
    prices = pl.read_parquet(result.path / "lp.parquet")["lp_price_usd"].cast(pl.Float64)
    plain = prices[-2] / prices[0] - 1
    compounded = float(np.prod(1 + found.returns)) - 1
    totals = {key: 0 for key in ("volume_usd", "n_open", "n_closed", "n_liquidated", "rejected", "pending")}
    summary = summarise(result.path, totals)
    if summary.rewards:
        assert compounded - plain == pytest.approx(summary.lp_return_with_rewards - summary.lp_return, rel=0.2)
        assert compounded > plain
    else:
        assert compounded == pytest.approx(plain, rel=1e-12)
    assert (summary.rewards > 0) == (name == "gmx-v1")


def test_the_command(tmp_path: Path) -> None:
    run("sample", out=tmp_path / "run", start="2025-02-14", end="2025-02-21", positions=100)
    page = perpool("stress", tmp_path / "run", "--tail", "--draws", "500")
    assert (page.code, page.err) == (0, "")
    assert "drawn from 167 returns of 1 h over 7.0 days" in page.out
    assert "500 draws, blocks of 1d on average, seed 0" in page.out
    assert "Nothing worse than these 7.0 days can be drawn" in page.out
    words = ("stress", tmp_path / "run", "--tail", "--draws", "500", "--horizons", "2h,1d", "--json")
    found = json.loads(perpool(*words).out)
    assert [row["horizon"] for row in found["horizons"]] == ["2h", "1d"]
    assert found == json.loads(perpool(*words).out)


def test_a_run_that_is_too_short(tmp_path: Path) -> None:
    write_world(tmp_path)
    result = run(tmp_path / "scenario.toml", out=tmp_path / "run")
    with pytest.raises(PerpoolError, match=r"run: too few steps between samples to draw from, 1 of 30; make the run"):
        lp_history(result.path)
