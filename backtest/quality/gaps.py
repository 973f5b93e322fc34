"""Rows that ought to be there and are not: the cadence of a history, its gaps, and the hours in which none is due.

Times are microseconds UTC, sorted, each once. Closed hours are spans (starts, ends), sorted, apart, ends exclusive.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from backtest.calendars import MINUTE_US, closed, local_times
from backtest.config import Calendar
from backtest.price_files import Ints

Spans: TypeAlias = tuple[Ints, Ints]

REGULAR_SHARE = 0.5  # of the steps that are as long as the commonest, for rows to be due at all
WEEKLY_SHARE = 0.8  # of the weeks in which a slot is empty, for it to be closed
WEEKLY_WEEKS = 4
ZONES = ("UTC", "America/New_York", "Europe/London")
_SLOT_US = 30 * MINUTE_US
_SLOTS = 7 * 24 * 2
_TO_MONDAY_US = 3 * 24 * 60 * MINUTE_US  # 1970-01-01 was a Thursday
_MINUTES_AT_ONCE = 1_000_000
NO_SPANS: Spans = (np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True)
class Gaps:
    """Gaps by the step that they follow.

    after: index of the last row before each gap (G,)
    missing: rows that are missing in open hours (G,)
    asleep: rows that closed hours account for (G,)
    """

    after: npt.NDArray[np.intp]
    missing: Ints
    asleep: Ints


def cadence_us(times: Ints) -> tuple[int, float]:
    """The most common step between rows (of equals the shortest) and its share of the steps; (0, 0) without steps."""
    steps = np.diff(times)
    if not len(steps):
        return 0, 0.0
    kinds, counts = np.unique(steps, return_counts=True)
    at = int(counts.argmax())
    return int(kinds[at]), float(counts[at] / len(steps))


def find_gaps(times: Ints, cadence: int, shut: Spans) -> Gaps:
    """The gaps between rows a `cadence` apart; steps are rounded to whole cadences, so jitter is no gap."""
    steps = np.diff(times)
    rows = np.floor_divide(2 * steps + cadence, 2 * cadence) - 1  # rows that would fit in between
    after = np.flatnonzero(rows > 0)
    asleep = _due_within(times[after], rows[after], cadence, shut)
    return Gaps(after, rows[after] - asleep, asleep)


def _due_within(before: Ints, rows: Ints, cadence: int, shut: Spans) -> Ints:
    """How many of the `rows` that are due after each time of `before` (G,), a `cadence` apart, fall in closed hours."""
    starts, ends = shut
    first = np.searchsorted(ends, before, "right")
    overlaps = np.maximum(np.searchsorted(starts, before + (rows + 1) * cadence) - first, 0)
    gap = np.repeat(np.arange(len(before)), overlaps)  # one pair of gap and span for each overlap
    span = np.arange(len(gap)) - np.repeat(np.cumsum(overlaps) - overlaps, overlaps) + np.repeat(first, overlaps)

    def due_before(moment: Ints) -> Ints:
        found: Ints = np.clip((moment - before[gap] + cadence - 1) // cadence - 1, 0, rows[gap])
        return found

    within = due_before(ends[span]) - due_before(starts[span])
    return np.bincount(gap, within, len(before)).astype(np.int64)


def calendar_spans(calendar: Calendar, first_us: int, last_us: int) -> Spans:
    """The closed hours of a calendar from the minute of `first_us` to that of `last_us`."""
    edges: list[Ints] = []
    was_shut = np.zeros(1, np.bool_)
    begin, end = first_us // MINUTE_US, last_us // MINUTE_US + 1
    for at in range(begin, end, _MINUTES_AT_ONCE):
        minutes = np.arange(at, min(at + _MINUTES_AT_ONCE, end), dtype=np.int64) * MINUTE_US
        shut = np.concatenate([was_shut, closed(calendar, minutes)])
        edges.append(minutes[shut[1:] != shut[:-1]])
        was_shut = shut[-1:]
    if was_shut[0]:
        edges.append(np.array([end * MINUTE_US]))
    turns = np.concatenate(edges)
    return turns[::2], turns[1::2]


def weekly_spans(times: Ints) -> Spans:
    """Half hours of the week without a row in most weeks: what looks like closed market hours.

    A half hour is closed when it is empty in WEEKLY_SHARE of the weeks that hold it whole, at least WEEKLY_WEEKS, by
    the clock of any of ZONES: hours that move with daylight saving stand still on the clock of their exchange.
    """
    first, last = int(times[0]) // _SLOT_US + 1, int(times[-1]) // _SLOT_US  # the whole half hours in between
    if last - first < (WEEKLY_WEEKS - 1) * _SLOTS:
        return NO_SPANS
    slots = np.arange(first, last, dtype=np.int64) * _SLOT_US
    filled = times // _SLOT_US - first
    empty = np.ones(len(slots), np.bool_)
    empty[filled[(filled >= 0) & (filled < len(slots))]] = False
    shut = np.zeros(len(slots), np.bool_)
    for zone in ZONES:
        of_week = (local_times(zone, slots) + _TO_MONDAY_US) // _SLOT_US % _SLOTS
        weeks = np.bincount(of_week, minlength=_SLOTS)
        share = np.bincount(of_week, empty, _SLOTS) / np.maximum(weeks, 1)
        shut |= ((weeks >= WEEKLY_WEEKS) & (share >= WEEKLY_SHARE))[of_week]
    edges = np.diff(shut.astype(np.int8), prepend=0, append=0)
    return (np.flatnonzero(edges == 1) + first) * _SLOT_US, (np.flatnonzero(edges == -1) + first) * _SLOT_US
