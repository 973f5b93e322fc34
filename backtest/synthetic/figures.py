"""What a history is like, in a few numbers, so that a new one can be held against the old one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from backtest.price_files import Floats, Ints, iso
from backtest.synthetic.tracks import Track, returns_of, steps_per_year


@dataclass(frozen=True)
class Figures:
    """One symbol. None: not defined, because the price does not move.

    first, last: times of the rows; first_price, last_price: US dollars
    volatility: standard deviation of log returns, per year of 365 days
    kurtosis: of log returns, in excess of the normal distribution's 3
    worst_step: the largest fall from one row to the next, a fraction (-0.1 is -10 %)
    drawdown: the largest fall from an earlier high, a fraction, of closes
    """

    rows: int
    first: str
    last: str
    first_price: float
    last_price: float
    volatility: float
    kurtosis: float | None
    worst_step: float
    drawdown: float


def figures(track: Track) -> Figures:
    """The figures of two rows or more."""
    close = track.close
    returns = np.diff(np.log(close))
    spread = float(returns.std())
    high = np.maximum.accumulate(close)
    return Figures(
        rows=len(close),
        first=iso(int(track.times[0])),
        last=iso(int(track.times[-1])),
        first_price=float(close[0]),
        last_price=float(close[-1]),
        volatility=spread * math.sqrt(steps_per_year(track.times)),
        kurtosis=float((((returns - returns.mean()) / spread) ** 4).mean() - 3) if spread else None,
        worst_step=min(0.0, math.expm1(float(returns.min()))),
        drawdown=float((close / high - 1).min()),
    )


def correlation(tracks: Mapping[str, Track]) -> list[list[float | None]]:
    """Of log returns between the timestamps that all symbols have, (S, S); None where a price does not move."""
    times: Ints = reduce(np.intersect1d, (track.times for track in tracks.values()))
    if len(times) < 3:
        return [[None] * len(tracks) for _ in tracks]
    shared = {symbol: track.rows(np.searchsorted(track.times, times)) for symbol, track in tracks.items()}
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 of a price that does not move
        found: Floats = np.atleast_2d(np.corrcoef(returns_of(shared), rowvar=False))
    return [[value if math.isfinite(value) else None for value in row] for row in found.tolist()]
