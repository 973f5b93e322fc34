"""From rows of price files to oracle ticks, a window of time after the other.

Rows become the moments at which a price is known (a close only when its candle ends), moments of all symbols unite
into ticks, and at each tick every symbol has its last known price. Only the rows of one window and of the row groups
that reach past it are in memory; results do not depend on where windows or chunks end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.calendars import MINUTE_US, closed
from backtest.config import Calendar
from backtest.errors import PerpoolError
from backtest.price_checks import locate
from backtest.price_files import SECOND_US, Floats, Ints, iso
from backtest.price_quotes import PRICE_SCALE, Average, quoted, strict
from backtest.price_rows import Feed, Plan, Rows, row_windows
from kernels.codes import FLAG_CLOSED, FLAG_STALE
from kernels.state import Ticks

PATHS = ("close", "ohlc")
WINDOW_ROWS = 65_536  # fewer per window cost more in overhead than they save in memory
_MINUTES_AT_ONCE = 100_000  # of a calendar

_COLUMNS = {"price": ("price",), "close": ("close",), "ohlc": ("open", "high", "low", "close")}


@dataclass
class Moments:
    """When the quotes of one source are known, `times` (n,) µs, and what they are, `prices` (n, k) at 1e10.

    k: 1 for the price alone, 4 for price_quotes.PARTS, 0 where only times are asked for.
    """

    times: Ints
    prices: Ints


def delay_us(path: str, interval_us: int) -> int:
    """Time from a row's timestamp to the first price it gives."""
    return interval_us if path == "close" else 0


def timeline(plan: Plan) -> tuple[int, int, int]:
    """First tick, last tick (µs) and count, reading timestamps only; 0 ticks: (0, 0, 0).

    Refuses what can only be seen across files: a price given twice, candles that overlap, ticks in one second.
    """
    first = last = count = 0
    for since_us, until_us, moments in _windows(plan, WINDOW_ROWS, with_prices=False):
        ticks = _times_of_ticks(plan, moments, since_us, until_us)
        if not len(ticks):
            continue
        seconds = ticks // SECOND_US
        same = np.flatnonzero(seconds[1:] == seconds[:-1])
        if count and seconds[0] == last // SECOND_US:
            _refuse_same_second(last, int(ticks[0]))
        if len(same):
            _refuse_same_second(int(ticks[same[0]]), int(ticks[same[0] + 1]))
        first, last = (first if count else int(ticks[0])), int(ticks[-1])
        count += len(ticks)
    return first, last, count


def _refuse_same_second(one: int, other: int) -> None:
    raise PerpoolError(
        f"prices at {iso(one)} and {iso(other)} fall in the same second, and the venue clock counts whole seconds; "
        "round the timestamps of all symbols to whole seconds"
    )


def chunks(plan: Plan, ticks_per_chunk: int) -> Iterator[Ticks]:
    """Yield all ticks, `ticks_per_chunk` at a time, the last chunk shorter."""
    held: list[Ticks] = []
    room = ticks_per_chunk
    for ticks in _tick_windows(plan, max(ticks_per_chunk, WINDOW_ROWS)):
        at = 0
        while at < len(ticks.time_us):
            piece = Ticks(*(column[at : at + room] for column in ticks))
            at += len(piece.time_us)
            room -= len(piece.time_us)
            held.append(piece)
            if room == 0:
                yield _join(held)
                held, room = [], ticks_per_chunk
    if held:
        yield _join(held)


def _join(pieces: list[Ticks]) -> Ticks:
    return pieces[0] if len(pieces) == 1 else Ticks(*(np.concatenate(columns) for columns in zip(*pieces, strict=True)))


def _tick_windows(plan: Plan, window_rows: int) -> Iterator[Ticks]:
    width = 4 if plan.quotes else 1
    known = dict.fromkeys(plan.sources, (0, np.zeros((1, width), np.int64)))  # last moment and quotes so far
    for since_us, until_us, moments in _windows(plan, window_rows, with_prices=True):
        ticks = _times_of_ticks(plan, moments, since_us, until_us)
        if len(ticks):
            found = {source: _asof(ticks, its, known[source]) for source, its in moments.items()}
            yield _flagged(plan.feeds, ticks, found)
        for source, its in moments.items():
            if len(its.times):
                known[source] = int(its.times[-1]), its.prices[-1:]


def _flagged(feeds: tuple[Feed, ...], ticks: Ints, found: dict[str, tuple[Ints, Ints]]) -> Ticks:
    """Prices and flags of every feed at `ticks`. A closed market's old price is both closed and stale."""
    price = np.empty((len(ticks), len(feeds)), dtype=np.int64)
    flags = np.zeros((len(ticks), len(feeds)), dtype=np.uint8)
    hours = {calendar: closed(calendar, ticks) for calendar in {feed.calendar for feed in feeds} if calendar}
    for column, feed in enumerate(feeds):
        if feed.source is None:
            price[:, column] = feed.constant
        else:
            age, quotes = found[feed.source]
            price[:, column] = quotes[:, feed.part]
            flags[age > feed.max_staleness_us, column] = FLAG_STALE
        if feed.strict is not None:
            price[:, column] = strict(feed.part, price[:, column], feed.strict)
        if feed.calendar:
            flags[hours[feed.calendar], column] |= FLAG_CLOSED
    return Ticks(ticks, price, flags)


def _times_of_ticks(plan: Plan, moments: dict[str, Moments], since_us: int, until_us: int) -> Ints:
    """Every moment of any source in a window, and the last second of closed hours.

    Without that one, orders of the last closed minute, or of a whole weekend that the files leave out, would meet no
    closed market and wait for it to open.
    """
    ticks = _union(moments, plan.start_us, plan.end_us)
    low, high = max(since_us, plan.start_us), min(until_us, plan.end_us, plan.last_us + 1)
    quiet = [
        _reopenings(calendar, low, high) - SECOND_US
        for calendar in {feed.calendar for feed in plan.feeds}
        if calendar is not None and low < high
    ]
    if not any(len(times) for times in quiet):
        return ticks
    times = np.concatenate(quiet)
    after = np.searchsorted(ticks, times + SECOND_US)
    return np.unique(np.concatenate([ticks, times[after == np.searchsorted(ticks, times)]]))  # one tick a second


def _reopenings(calendar: Calendar, low_us: int, high_us: int) -> Ints:
    """The minutes at which closed hours end, their last second in [low, high), µs."""
    found = [np.empty(0, np.int64)]
    end = high_us // MINUTE_US + 1
    for start in range(low_us // MINUTE_US, end, _MINUTES_AT_ONCE):
        minutes = np.arange(start, min(start + _MINUTES_AT_ONCE, end) + 1, dtype=np.int64) * MINUTE_US
        shut = closed(calendar, minutes)
        opens = minutes[1:][shut[:-1] & ~shut[1:]]
        last = opens - SECOND_US
        found.append(opens[(last >= low_us) & (last < high_us)])
    return np.concatenate(found)


def _union(moments: dict[str, Moments], start_us: int, end_us: int) -> Ints:
    """Every moment of any source in [start, end), once, in order."""
    first, *others = [its.times for its in moments.values()]
    if any(not np.array_equal(first, times) for times in others):  # candles of one cadence agree: no sort
        first = np.unique(np.concatenate([first, *others]))
    low, high = np.searchsorted(first, [start_us, end_us])
    return first[low:high]


def _asof(ticks: Ints, its: Moments, known: tuple[int, Ints]) -> tuple[Ints, Ints]:
    """Age (µs) and quotes (n, k) of the last moment up to each tick; `known` is the last one before this window."""
    times = np.concatenate([[known[0]], its.times])
    prices = np.concatenate([known[1], its.prices])
    at = np.searchsorted(times[1:], ticks, side="right")
    return ticks - times[at], prices[at]


def _windows(plan: Plan, window_rows: int, *, with_prices: bool) -> Iterator[tuple[int, int, dict[str, Moments]]]:
    """Yield start and end (µs) of each window and the moments of each source in it: all, in order."""
    columns = _COLUMNS[plan.path] if with_prices else ()
    extra = plan.quotes.columns if plan.quotes and with_prices else ()
    averages = {source: Average(plan.quotes.ema_us if plan.quotes else 0) for source in plan.sources}
    width = (4 if plan.quotes else 1) if with_prices else 0
    late = {source: Moments(np.empty(0, np.int64), np.empty((0, width), np.int64)) for source in plan.sources}
    previous: dict[str, int] = {}
    since_us = plan.look_back_us
    for until_us, rows in row_windows(plan, window_rows, (*columns, *extra)):
        ready: dict[str, Moments] = {}
        for source, its in rows.items():
            _check_gaps(plan, source, its.times, previous)
            moments = _moments(its, plan, source, averages[source], with_prices=with_prices)
            times = np.concatenate([late[source].times, moments.times])
            prices = np.concatenate([late[source].prices, moments.prices])
            cut = int(np.searchsorted(times, until_us))
            ready[source] = Moments(times[:cut], prices[:cut])
            late[source] = Moments(times[cut:], prices[cut:])
        yield since_us, until_us, ready
        since_us = until_us


def _check_gaps(plan: Plan, source: str, times: Ints, previous: dict[str, int]) -> None:
    """Rows of a source, now in order across files, are distinct, and candles do not overlap."""
    if not len(times):
        return
    interval = plan.intervals[source]
    least = max(interval, 1)
    gaps = np.diff(times, prepend=previous.get(source, times[0] - least))
    previous[source] = int(times[-1])
    at = int(gaps.argmin())
    if gaps[at] >= least:
        return
    here, before = int(times[at]), int(times[at] - gaps[at])
    if here == before:
        places = " and ".join(locate(plan.dataset, source, here))
        raise PerpoolError(f"{source} has two prices at {iso(here)}: {places}; keep one row per symbol and timestamp")
    places = " and ".join(locate(plan.dataset, source, before) + locate(plan.dataset, source, here))
    raise PerpoolError(
        f"candles of {source} open at {iso(before)} and {iso(here)} ({places}), closer than their interval of "
        f"{interval / SECOND_US:g} s; give files of one interval"
    )


def _moments(rows: Rows, plan: Plan, source: str, average: Average, *, with_prices: bool) -> Moments:
    """When each row's prices are known: the close at the candle's end, or four prices along the candle.

    What a row says beside the price holds where its close is known. Along a candle, before that, low and high are the
    price (or what the average makes of it), and the average goes on.
    """
    times = _times(rows.times, plan.path, plan.intervals[source])
    if not with_prices:
        return Moments(times, np.empty((len(times), 0), np.int64))
    n_columns = len(_COLUMNS[plan.path])
    prices, extra = rows.prices[:, :n_columns], rows.prices[:, n_columns:]
    if plan.path == "ohlc":
        prices = _along(prices)
        spread = np.full((len(times), extra.shape[1]), np.nan)
        spread[3::4] = extra
        extra = spread
    scaled = np.rint(prices * PRICE_SCALE).astype(np.int64).reshape(-1)
    if plan.quotes is None:
        return Moments(times, scaled[:, None])
    return Moments(times, quoted(plan.quotes, times, scaled, extra, average))


def _times(opens: Ints, path: str, interval: int) -> Ints:
    if path != "ohlc":
        return opens + delay_us(path, interval)
    steps = np.array([0, interval // 3, 2 * interval // 3, interval - SECOND_US])
    along: Ints = opens[:, None] + steps
    return along.reshape(-1)


def _along(candles: Floats) -> Floats:
    """Open, low and high in the order of the candle's direction, close: (n, 4) from open, high, low, close."""
    start, high, low, end = candles.T
    rising = end >= start
    return np.column_stack([start, np.where(rising, low, high), np.where(rising, high, low), end])
