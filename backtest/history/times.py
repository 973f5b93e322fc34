"""Times of a file as microseconds in UTC: numbers by their size, text as it is; and times that look local."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from backtest.history.rows import Place, refuse
from backtest.price_files import Ints

UTC_US = pl.Datetime("us", "UTC")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_BEGINS = (10**11, 10**14, 10**17)  # from here on a number of this size is ms, us, ns: any time from 1973 to 5138
_EARLIEST_S = 10**8  # 1973; below are dates such as 20250131 and days of spreadsheets
_EPOCH_WEEKDAY, _SUNDAY = 3, 6  # 1970-01-01 was a Thursday; Monday is 0
_CHANGE_MONTHS = (3, 4, 9, 10, 11)
_LATEST_CHANGE_HOUR = 4


@dataclass
class Clock:
    """Reads the time column of one file; remembers the unit in which its numbers began."""

    column: str
    unit: str = ""

    def read(self, raw: pl.Series, place: Place) -> pl.Series:
        """The times (n,), µs in UTC; null where there is none. Numbers of another size than the first are refused."""
        if not raw.dtype.is_integer():
            zoned = raw if raw.dtype.time_zone else raw.dt.replace_time_zone("UTC")  # type: ignore[attr-defined]
            return zoned.dt.cast_time_unit("us").dt.convert_time_zone("UTC")
        known = raw.drop_nulls()
        known = known.filter(known != 0)  # a zero is no time in any unit
        if len(known):
            self._check(raw, int(known[0]), place)
        return from_epoch(raw, self.unit or "s")

    def _check(self, raw: pl.Series, first: int, place: Place) -> None:
        self.unit = self.unit or unit_of(first)
        if 0 < first < _EARLIEST_S:
            at = int((raw == first).arg_max() or 0)
            problem = f"{first} is no number of seconds since 1970; write dates as ISO 8601, such as 2025-01-31"
            refuse(place, at, self.column, problem)
        sizes = np.searchsorted(_BEGINS, np.abs(raw.fill_null(0).to_numpy()), side="right")
        odd = (sizes != list(_NAMES).index(self.unit)) & (raw.fill_null(0).to_numpy() != 0)
        if odd.any():
            at = int(odd.argmax())
            value = int(raw[at])
            refuse(
                place,
                at,
                self.column,
                f"{value} is a time in {_NAMES[unit_of(value)]}, but the file began in {_NAMES[self.unit]}; "
                "give one unit per file",
            )


def unit_of(value: int) -> str:
    """The unit of a time since 1970, by its size."""
    return list(_NAMES)[int(np.searchsorted(_BEGINS, abs(value), side="right"))]


def from_epoch(values: pl.Series, unit: str) -> pl.Series:
    """Numbers of `unit` since 1970 as times in µs; finer ones are cut, and those beyond any calendar are the last."""
    if unit == "ns":
        return (values // 1_000).cast(UTC_US)
    scale = {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]
    limit = 2**62 // scale
    return (values.cast(pl.Int64).clip(-limit, limit) * scale).cast(UTC_US)


def local_change(times: Ints) -> int | None:
    """The row at which times (n,), µs in file order, jump by an hour as clocks do in spring or autumn; None: none."""
    steps = np.diff(times)
    moved = steps[steps != 0]
    if not len(moved):
        return None
    sizes, counts = np.unique(np.abs(moved), return_counts=True)
    interval = int(sizes[counts.argmax()])
    if interval > HOUR_US:
        return None
    direction = 1 if (moved > 0).sum() * 2 >= len(moved) else -1
    jumps = np.isin(steps * direction, (HOUR_US + interval, interval - HOUR_US))
    later = np.maximum(times[1:], times[:-1]) if direction < 0 else times[1:]
    found = np.flatnonzero(jumps & _may_change(later))
    return int(found[0]) + 1 if len(found) else None


def _may_change(times: Ints) -> np.ndarray:
    """Whether clocks are changed at about such times: in the night to a Sunday of spring or autumn."""
    months = times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    weekdays = (times // DAY_US + _EPOCH_WEEKDAY) % 7
    night = times % DAY_US <= _LATEST_CHANGE_HOUR * HOUR_US
    found: np.ndarray = np.isin(months, _CHANGE_MONTHS) & (weekdays == _SUNDAY) & night
    return found
