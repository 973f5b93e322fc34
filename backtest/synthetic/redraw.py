"""The methods that make new prices: what each fits to a history, and the path that it draws."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.errors import PerpoolError, UsageError
from backtest.price_files import Floats, Ints
from backtest.synthetic import bootstrap, garch, gbm
from backtest.synthetic.tracks import Track, returns_of, steps_per_year, told, walk

METHODS = ("bootstrap", "gbm", "garch", "none")
LEAST_ROWS = 30
DEFAULT_BLOCK_US = 86_400_000_000

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """A method with its numbers; None: not given.

    block_us: mean length of a block (bootstrap), default a day
    drift: growth of expected prices per year (gbm), default that of the history
    innovations: t or normal (garch), default t
    """

    name: str
    seed: int = 0
    block_us: int | None = None
    drift: float | None = None
    innovations: str | None = None

    def __post_init__(self) -> None:
        for option, owner in (("block", "bootstrap"), ("drift", "gbm"), ("innovations", "garch")):
            given = self.block_us if option == "block" else getattr(self, option)
            if given is not None and owner != self.name:
                raise UsageError(f"--{option} belongs to --method {owner}, not to {self.name}; leave it out")
        if self.drift is not None and not math.isfinite(self.drift):
            raise UsageError(f"--drift {self.drift} is no growth a year; give a number such as 0 or 0.5")

    @property
    def stream(self) -> np.random.Generator:
        """The random numbers of this seed and method, the same on every call."""
        seed = np.random.SeedSequence(self.seed, spawn_key=(METHODS.index(self.name),))
        return np.random.Generator(np.random.PCG64(seed))


def redraw(method: Method, history: Mapping[str, Track], times: Ints) -> tuple[dict[str, Track], Parameters]:
    """Prices at `times` (T,) that begin as `history`, rows at common times, does; and the numbers that were fitted."""
    rows = len(next(iter(history.values())).times)
    if rows < LEAST_ROWS:
        raise PerpoolError(
            f"the history has {rows} rows at common timestamps, too few to learn from; give {LEAST_ROWS} or more"
        )
    return _DRAW[method.name](method, history, times)


def _bootstrap(method: Method, history: Mapping[str, Track], times: Ints) -> tuple[dict[str, Track], Parameters]:
    first = next(iter(history.values()))
    steps, block_us = len(first.times) - 1, method.block_us or DEFAULT_BLOCK_US
    mean_block = block_us / first.step_us
    if not 1 <= mean_block <= steps:
        raise UsageError(
            f"--block {told(block_us)} is not possible: the history has {steps:,} steps of {told(first.step_us)}; "
            "give one step at least and the whole history at most"
        )
    drawn = bootstrap.draw(method.stream, len(times) - 1, steps, mean_block)
    return bootstrap.follow(history, times, drawn), {"block": told(block_us), "mean_block_steps": mean_block}


def _gbm(method: Method, history: Mapping[str, Track], times: Ints) -> tuple[dict[str, Track], Parameters]:
    motion = gbm.fit(returns_of(history))
    per_year = steps_per_year(times)
    if method.drift is not None:
        motion = motion.with_drift(method.drift / per_year)
    paths = walk(history, times, gbm.simulate(method.stream, motion, len(times) - 1))
    deviation = np.sqrt(np.diag(motion.covariance))
    numbers = {"drift_per_year": motion.drift * per_year, "volatility_per_year": deviation * np.sqrt(per_year)}
    return paths, {"symbols": _by_symbol(history, numbers), "covariance_per_step": motion.covariance.tolist()}


def _garch(method: Method, history: Mapping[str, Track], times: Ints) -> tuple[dict[str, Track], Parameters]:
    model = garch.fit(list(history), returns_of(history), method.innovations or garch.INNOVATIONS[0])
    paths = walk(history, times, garch.simulate(method.stream, model, len(times) - 1))
    numbers = {name: getattr(model, name) for name in ("mean", "omega", "alpha", "beta")}
    numbers["volatility_per_year"] = np.sqrt(model.variance * steps_per_year(times))
    return paths, {
        "symbols": _by_symbol(history, numbers),
        "correlation": model.correlation.tolist(),
        "degrees_of_freedom": model.dof,
    }


def _by_symbol(history: Mapping[str, Track], numbers: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
    return {symbol: {name: float(values[at]) for name, values in numbers.items()} for at, symbol in enumerate(history)}


_DRAW: dict[str, Callable[[Method, Mapping[str, Track], Ints], tuple[dict[str, Track], Parameters]]] = {
    "bootstrap": _bootstrap,
    "gbm": _gbm,
    "garch": _garch,
}
