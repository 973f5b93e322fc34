"""How bad a horizon may be for LPs: value at risk and expected shortfall by a stationary block bootstrap of a run.

The returns of the LP token between samples, with what a venue pays to LPs beside the pool, are drawn in blocks of
geometric length (Politis and Romano, 1994), so that what hangs together in time stays together.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from backtest.errors import PerpoolError, UsageError
from backtest.rundir import load_manifest, rules_of
from backtest.scenario import duration_us

LEVELS = (0.95, 0.99)
HORIZONS = ("1d", "7d", "30d")
MEAN_BLOCK = "1d"
FEWEST_STEPS = 30
_MOST_DRAWS = 10_000_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """LP returns of a run: simple returns (n,) over steps of `step_us`; `days` they cover, `left_out` other steps."""

    step_us: int
    returns: Floats
    days: float
    left_out: int


@dataclass(frozen=True)
class Tail:
    """One horizon. Losses are positive fractions of the position; a negative one is a gain.

    windows: how many horizons fit into the history one after the other: the sample that all this rests on
    worst: the worst return over a window of the history itself, steps side by side
    """

    horizon: str
    steps: int
    windows: float
    mean: float
    value_at_risk: dict[str, float]
    expected_shortfall: dict[str, float]
    worst: float


def lp_history(run: str | Path) -> History:
    """Returns between the samples of a run, rewards included; steps of another length than the usual are left out.

    Raises PerpoolError for a run that is too short, or whose LP token was worth nothing.
    """
    path = Path(run)
    load_manifest(path)
    lp = pq.read_table(path / "lp.parquet", columns=["timestamp", "lp_price_usd"])
    times = lp["timestamp"].cast("int64").to_numpy()
    price = np.array([float(value) for value in lp["lp_price_usd"].to_pylist()], np.float64)
    if not (price > 0).all():
        raise PerpoolError(f"{path}: the LP token was worth nothing at a sample, so it has no returns from there on")
    gaps = np.diff(times)
    if len(gaps) < FEWEST_STEPS:
        raise PerpoolError(
            f"{path}: too few steps between samples to draw from, {len(gaps)} of {FEWEST_STEPS}; make the run longer, "
            "or its --sample-interval shorter"
        )
    step_us = int(np.median(gaps))
    usual = gaps == step_us
    returns = (price[1:] + _rewards(path, times)) / price[:-1] - 1
    kept = returns[usual]
    return History(step_us, kept, len(kept) * step_us / 86_400e6, int((~usual).sum()))


def _rewards(path: Path, times: npt.NDArray[np.int64]) -> Floats:
    """Dollars that an LP token earned beside the pool between samples, (n - 1,)."""
    earned = np.zeros(len(times) - 1)
    rules = rules_of(load_manifest(path))
    if all((rule.get("mechanisms") or {}).get("fee_booking") != "reserve" for rule in rules):
        return earned
    from backtest import warehouse

    con = warehouse.open_run(path)
    try:
        rows = con.sql(
            "SELECT epoch_us(timestamp), sum(reward_per_token) FROM rewards "
            "WHERE reward_per_token IS NOT NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
    finally:
        con.close()
    for at_us, dollars in rows:
        step = int(np.searchsorted(times, at_us, side="left")) - 1  # a sample is taken after its tick
        if 0 <= step < len(earned):
            earned[step] += float(dollars)
    return earned


def tail_risk(
    history: History,
    horizons: tuple[str, ...] = (),
    *,
    draws: int = 10_000,
    seed: int = 0,
    mean_block: str = MEAN_BLOCK,
) -> list[Tail]:
    """One Tail per horizon; empty: those of HORIZONS that fit into the history.

    Raises UsageError for a horizon shorter than a step or longer than the history, or for too few draws.
    """
    if not 100 <= draws <= _MOST_DRAWS:
        raise UsageError(f"--draws {draws:,} is not between 100 and {_MOST_DRAWS:,}")
    block = max(duration_us(mean_block) / history.step_us, 1.0)
    fit = [item for item in HORIZONS if history.step_us <= duration_us(item) <= len(history.returns) * history.step_us]
    found = []
    for number, horizon in enumerate(horizons or fit):
        steps = duration_us(horizon) // history.step_us
        if not 1 <= steps <= len(history.returns):
            raise UsageError(
                f"--horizons {horizon}: the run has {history.days:,.1f} days of samples {history.step_us / 1e6:,.0f} s "
                "apart; give a horizon of at least a step and at most the run"
            )
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        found.append(_tail(history, horizon, steps, np.expm1(_draw(rng, history.returns, steps, draws, block))))
    return found


def _draw(rng: np.random.Generator, returns: Floats, steps: int, draws: int, mean_block: float) -> Floats:
    """Log returns (draws,) over `steps`: blocks begin anywhere and go on at the beginning where the history ends."""
    n = len(returns)
    logs = np.log1p(returns)
    sums = np.concatenate([[0.0], np.cumsum(np.concatenate([logs, logs]))])
    total = np.zeros(draws)
    left = np.full(draws, steps)
    while (left > 0).any():
        starts = rng.integers(0, n, draws)
        lengths = np.minimum(rng.geometric(1 / mean_block, draws), left)
        rounds, rest = np.divmod(lengths, n)
        total += rounds * sums[n] + sums[starts + rest] - sums[starts]
        left -= lengths
    return total


def _tail(history: History, horizon: str, steps: int, drawn: Floats) -> Tail:
    drawn = np.sort(drawn)
    worst = {level: max(math.ceil(round((1 - level) * len(drawn), 6)), 1) for level in LEVELS}
    logs = np.concatenate([[0.0], np.cumsum(np.log1p(history.returns))])
    return Tail(
        horizon=horizon,
        steps=steps,
        windows=len(history.returns) / steps,
        mean=float(drawn.mean()),
        value_at_risk={f"{level:g}": -float(drawn[count - 1]) for level, count in worst.items()},
        expected_shortfall={f"{level:g}": -float(drawn[:count].mean()) for level, count in worst.items()},
        worst=float(np.expm1((logs[steps:] - logs[:-steps]).min())),
    )
