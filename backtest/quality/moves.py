"""Prices that look wrong beside their neighbours: those that stand still, and those that jump and come back.

These are suspicions, not faults: a venue may be quiet, and a market may really crash and recover within a candle.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from backtest.price_files import CANDLES, Floats

SMALLEST_JUMP = 0.02
AROUND = 101  # rows
TO_SIGMA = 1.4826  # the standard deviation of a normal distribution over its median absolute deviation

Prices = Mapping[str, Floats]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Still:
    """Runs of rows whose price does not move: how many runs, rows in them, and start and rows of the longest."""

    runs: int
    rows: int
    longest_at: int
    longest: int


@dataclass(frozen=True)
class Jumps:
    """Rows that lie apart from both neighbours: their places, and how far in natural logarithms (+ above, - below).

    wick: whether it is the high or the low of a candle, not its close
    """

    at: Places
    size: Floats
    wick: npt.NDArray[np.bool_]


def find_still(prices: Prices, least: int) -> Still:
    """Runs of `least` rows or more, each with the price of the row before (candles: all four the close before)."""
    last = prices["close" if "close" in prices else "price"]
    unmoved = np.zeros(len(last), np.bool_)
    unmoved[1:] = last[1:] == last[:-1]
    for name in CANDLES if "close" in prices else ():
        unmoved &= prices[name] == last
    edges = np.diff(unmoved.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    lengths = ends - starts
    starts, lengths = starts[lengths >= least], lengths[lengths >= least]
    if not len(starts):
        return Still(0, 0, 0, 0)
    longest = int(lengths.argmax())
    return Still(len(starts), int(lengths.sum()), int(starts[longest]), int(lengths[longest]))


def find_jumps(prices: Prices, sigmas: float) -> Jumps:
    """Rows more than `sigmas` robust standard deviations of a step, and at least SMALLEST_JUMP, from both neighbours.

    Of prices and closes: up and back down, or down and back up, by the smaller of the two steps. Of highs and lows:
    beyond the bodies (open to close) of the candle and of the candles at its sides. The deviation is that of the steps
    of AROUND rows in the middle of which the row lies, so that a wild day is measured by its own kind.
    """
    last = np.log(prices["close" if "close" in prices else "price"])
    steps = np.diff(last)
    size = np.zeros(len(last))
    there, back = steps[:-1], steps[1:]
    size[1:-1] = np.where(there * back < 0, np.sign(there) * np.minimum(np.abs(there), np.abs(back)), 0.0)
    wick = np.zeros(len(last), np.bool_)
    if "close" in prices:
        beyond = _wicks(prices)
        wick = np.abs(beyond) > np.abs(size)
        size = np.where(wick, beyond, size)
    at = np.flatnonzero(np.abs(size) > np.maximum(sigmas * _deviations(steps), np.log1p(SMALLEST_JUMP)))
    return Jumps(at, size[at], wick[at])


def _deviations(steps: Floats) -> Floats:
    """Robust standard deviation of the steps (T - 1,) around each row (T,); their median is taken to be 0."""
    sizes = pl.Series(np.append(np.abs(steps), np.nan), nan_to_null=True)
    middle = sizes.rolling_median(AROUND, min_samples=1, center=True)
    return TO_SIGMA * middle.fill_null(0.0).to_numpy()


def _wicks(prices: Prices) -> Floats:
    """How far the high or the low of each candle, whichever is further, lies beyond the bodies around it."""
    tops = _around(np.maximum(prices["open"], prices["close"]), np.maximum)
    floors = _around(np.minimum(prices["open"], prices["close"]), np.minimum)
    above, below = np.log(prices["high"] / tops), np.log(floors / prices["low"])
    beyond: Floats = np.where(above >= below, np.maximum(above, 0.0), -np.maximum(below, 0.0))
    return beyond


def _around(values: Floats, extreme: np.ufunc) -> Floats:
    """The extreme of each value and the values at its sides."""
    found = values.copy()
    found[1:] = extreme(found[1:], values[:-1])
    found[:-1] = extreme(found[:-1], values[1:])
    return found
