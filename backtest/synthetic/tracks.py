"""The prices of one symbol in memory, and what is asked of several of them: one clock, returns, steps a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from backtest.errors import PerpoolError
from backtest.price_files import CANDLES, SECOND_US, Floats, Ints, Places

YEAR_US = 365 * 86_400 * SECOND_US
LEAST_SHARED = 0.5  # of the rows of the shortest history; fewer, and the symbols are not on one clock
_UNITS = (("d", 86_400 * SECOND_US), ("h", 3_600 * SECOND_US), ("m", 60 * SECOND_US), ("s", SECOND_US), ("us", 1))


@dataclass(frozen=True)
class Track:
    """Prices of one symbol, in order of time.

    times: (T,) µs since the epoch; a candle has the time at which it opens
    columns: open, high, low, close or price, and volume, min, max, confidence where known, each (T,); NaN: not known
    step_us: length of a candle, or the usual time between two prices
    """

    times: Ints
    columns: dict[str, Floats]
    step_us: int

    @property
    def candles(self) -> bool:
        """True for candles, False for prices."""
        return "close" in self.columns

    @property
    def close(self) -> Floats:
        """The last price of every row, US dollars, (T,)."""
        return self.columns["close" if self.candles else "price"]

    @property
    def first(self) -> float:
        """The price at the first row's timestamp, US dollars."""
        return float(self.columns["open" if self.candles else "price"][0])

    def rows(self, which: Places | slice) -> "Track":
        """These rows only."""
        return replace(
            self, times=self.times[which], columns={name: values[which] for name, values in self.columns.items()}
        )


def joint(history: Mapping[str, Track]) -> dict[str, Track]:
    """The rows at timestamps that all symbols have; PerpoolError where the symbols are not on one clock."""
    steps = {symbol: track.step_us for symbol, track in history.items()}
    fine, coarse = (choose(steps, key=lambda symbol: steps[symbol]) for choose in (min, max))
    if steps[fine] != steps[coarse]:
        raise PerpoolError(
            f"{fine} has a row every {told(steps[fine])}, {coarse} every {told(steps[coarse])}; "
            f"put them on one clock with --every {told(steps[coarse])}, or choose others with --symbols"
        )
    times: Ints = reduce(np.intersect1d, (track.times for track in history.values()))
    shortest = min(history, key=lambda symbol: len(history[symbol].times))
    rows = len(history[shortest].times)
    if len(times) < LEAST_SHARED * rows:
        raise PerpoolError(
            f"{', '.join(history)} have {len(times):,} timestamps in common, of the {rows:,} of {shortest}; "
            "put them on one clock with --every, such as --every 1h, or choose others with --symbols"
        )
    return {symbol: track.rows(np.searchsorted(track.times, times)) for symbol, track in history.items()}


def returns_of(tracks: Mapping[str, Track]) -> Floats:
    """Log returns from row to row, (T - 1, symbols); the tracks share their times."""
    return np.diff(np.log(np.column_stack([track.close for track in tracks.values()])), axis=0)


def walk(tracks: Mapping[str, Track], times: Ints, log_returns: Floats) -> dict[str, Track]:
    """Prices from the first price of each of `tracks` along `log_returns` (T - 1, symbols), at `times` (T,)."""
    with np.errstate(over="ignore"):  # what grows beyond any price is refused where the path is checked
        growth = np.exp(np.cumsum(np.vstack([np.zeros(len(tracks)), log_returns]), axis=0))
        paths = growth * [track.first for track in tracks.values()]
    return {
        symbol: Track(times, {"price": paths[:, at]}, track.step_us)
        for at, (symbol, track) in enumerate(tracks.items())
    }


def held(price: float, times: Ints, like: Track) -> Track:
    """A constant price at `times`, in the shape of `like`."""
    names: Sequence[str] = CANDLES if like.candles else ("price",)
    return Track(times, {name: np.full(len(times), price) for name in names}, like.step_us)


def steps_per_year(times: Ints) -> float:
    """Rows in a year of 365 days, closed hours and gaps included."""
    return (len(times) - 1) * YEAR_US / float(times[-1] - times[0])


def told(duration_us: int) -> str:
    """A duration in its largest whole unit, as the command line takes it: `90s`, `5m`, `1d`."""
    name, unit = next((name, unit) for name, unit in _UNITS if duration_us % unit == 0)
    return f"{duration_us // unit}{name}"
