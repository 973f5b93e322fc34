"""From rows of price files to oracle ticks, a window of time after the other.

Rows become the moments at which a price is known (a close only when its candle ends), moments of all symbols unite
into ticks, and at each tick every symbol has its last known price. Only the rows of one window and of the row groups
that reach past it are in memory; results do not depend on where windows or chunks end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.errors import PerpoolError
from backtest.price_checks import DAY_US, Dataset, RowGroup, locate
from backtest.price_files import SECOND_US, Floats, Ints, decode, floats, iso, open_file, times_us
from kernels.codes import FLAG_STALE
from kernels.state import Ticks

PRICE_SCALE = 1e10
PATHS = ("close", "ohlc")
WINDOW_ROWS = 65_536  # fewer per window cost more in overhead than they save in memory

_COLUMNS = {"price": ("price",), "close": ("close",), "ohlc": ("open", "high", "low", "close")}


@dataclass(frozen=True)
class Feed:
    """One symbol of the protocol: a symbol of the files (`source`), or a constant price at 1e10."""

    source: str | None
    constant: int
    max_staleness_us: int


@dataclass(frozen=True)
class Plan:
    """What decides the ticks of a run. `path` is `price`, `close` or `ohlc`; ticks lie in [start, end), µs."""

    dataset: Dataset
    feeds: tuple[Feed, ...]
    path: str
    intervals: dict[str, int]  # candle length per source, µs; 0 for the long form
    look_back_us: int  # earliest row that any tick needs
    start_us: int
    end_us: int

    @property
    def sources(self) -> list[str]:
        """The symbols read from files, each once, in the order of first use."""
        return list(dict.fromkeys(feed.source for feed in self.feeds if feed.source is not None))


@dataclass
class Rows:
    """Rows of one source in order of time: `times` (n,) µs, `prices` (n, columns) US dollars; 0 columns: times only."""

    times: Ints
    prices: Floats


@dataclass
class Moments:
    """When the price of one source is known, `times` (n,) µs, and what it is, `prices` (n,) at 1e10 (or empty)."""

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
    for moments in _windows(plan, WINDOW_ROWS, with_prices=False):
        ticks = _union(moments, plan.start_us, plan.end_us)
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
    known = dict.fromkeys(plan.sources, (0, 0))  # last moment and price so far
    for moments in _windows(plan, window_rows, with_prices=True):
        ticks = _union(moments, plan.start_us, plan.end_us)
        price = np.empty((len(ticks), len(plan.feeds)), dtype=np.int64)
        flags = np.zeros((len(ticks), len(plan.feeds)), dtype=np.uint8)
        for column, feed in enumerate(plan.feeds):
            if feed.source is None:
                price[:, column] = feed.constant
            else:
                age, price[:, column] = _asof(ticks, moments[feed.source], known[feed.source])
                flags[age > feed.max_staleness_us, column] = FLAG_STALE
        for source, its in moments.items():
            if len(its.times):
                known[source] = int(its.times[-1]), int(its.prices[-1])
        if len(ticks):
            yield Ticks(ticks, price, flags)


def _union(moments: dict[str, Moments], start_us: int, end_us: int) -> Ints:
    """Every moment of any source in [start, end), once, in order."""
    first, *others = [its.times for its in moments.values()]
    if any(not np.array_equal(first, times) for times in others):  # candles of one cadence agree: no sort
        first = np.unique(np.concatenate([first, *others]))
    low, high = np.searchsorted(first, [start_us, end_us])
    return first[low:high]


def _asof(ticks: Ints, its: Moments, known: tuple[int, int]) -> tuple[Ints, Ints]:
    """Age (µs) and price at 1e10 of the last moment up to each tick; `known` is the last one before this window."""
    times = np.concatenate([[known[0]], its.times])
    prices = np.concatenate([[known[1]], its.prices])
    at = np.searchsorted(times[1:], ticks, side="right")
    return ticks - times[at], prices[at]


def _windows(plan: Plan, window_rows: int, *, with_prices: bool) -> Iterator[dict[str, Moments]]:
    """Yield the moments of each source, window by window: complete up to the window's end, none after it."""
    late = {source: Moments(np.empty(0, np.int64), np.empty(0, np.int64)) for source in plan.sources}
    previous: dict[str, int] = {}
    for until_us, rows in _row_windows(plan, window_rows, _COLUMNS[plan.path] if with_prices else ()):
        ready: dict[str, Moments] = {}
        for source, its in rows.items():
            _check_gaps(plan, source, its.times, previous)
            moments = _moments(its, plan.path, plan.intervals[source])
            times = np.concatenate([late[source].times, moments.times])
            prices = np.concatenate([late[source].prices, moments.prices])
            cut = int(np.searchsorted(times, until_us))
            ready[source] = Moments(times[:cut], prices[:cut])
            late[source] = Moments(times[cut:], prices[cut:])
        yield ready


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


def _moments(rows: Rows, path: str, interval: int) -> Moments:
    """When each row's prices are known: the close at the candle's end, or four prices along the candle."""
    if path != "ohlc":
        return Moments(rows.times + delay_us(path, interval), _scaled(rows.prices).reshape(-1))
    steps = np.array([0, interval // 3, 2 * interval // 3, interval - SECOND_US])
    times = (rows.times[:, None] + steps).reshape(-1)
    prices = _scaled(rows.prices)
    if prices.size:
        start, high, low, end = prices.T
        rising = end >= start
        prices = np.column_stack([start, np.where(rising, low, high), np.where(rising, high, low), end])
    return Moments(times, prices.reshape(-1))


def _scaled(prices: Floats) -> Ints:
    return np.rint(prices * PRICE_SCALE).astype(np.int64)


def _row_windows(plan: Plan, window_rows: int, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Rows]]]:
    """Yield (end of window µs, rows per source before it); each row group is read once, when its time comes."""
    groups = [
        group for group in plan.dataset.groups if group.last_us >= plan.look_back_us and group.first_us < plan.end_us
    ]
    groups.sort(key=lambda group: (-group.first_us, group.file, group.index))
    pending = {source: [_no_rows(columns)] for source in plan.sources}
    for until_us in _window_ends(plan, window_rows):
        while groups and groups[-1].first_us < until_us:
            for source, rows in _read(groups.pop(), plan.sources, columns):
                pending[source].append(rows)
        ready: dict[str, Rows] = {}
        for source, parts in pending.items():
            rows = _merged(parts)
            cut = int(np.searchsorted(rows.times, until_us))
            ready[source] = Rows(rows.times[:cut], rows.prices[:cut])
            pending[source] = [Rows(rows.times[cut:], rows.prices[cut:])]
        yield until_us, ready


def _window_ends(plan: Plan, window_rows: int) -> list[int]:
    """Ends of windows, at midnights UTC, such that a window holds about `window_rows` rows; the last takes all."""
    ends: list[int] = []
    held = 0
    per_row = 4 if plan.path == "ohlc" else 1
    for day, rows in sorted(plan.dataset.rows_per_day.items()):
        if held and held + rows * per_row > window_rows and day * DAY_US > plan.look_back_us:
            ends.append(day * DAY_US)
            held = 0
        held += rows * per_row
    return [end for end in ends if end < plan.end_us] + [plan.end_us]


def _no_rows(columns: tuple[str, ...]) -> Rows:
    return Rows(np.empty(0, np.int64), np.empty((0, len(columns))))


def _read(group: RowGroup, sources: list[str], columns: tuple[str, ...]) -> Iterator[tuple[str, Rows]]:
    """Decode one row group and part it by source."""
    wanted = ["timestamp", *columns] if group.sole else ["timestamp", "symbol", *columns]
    with open_file(group.file) as parquet:
        table = parquet.read_row_group(group.index, columns=wanted).combine_chunks()
    for batch in table.to_batches():
        codes = None if group.sole else decode(batch, sources)[0]
        for code, source in enumerate(sources):
            if source not in group.spans:
                continue
            mine = batch
            if codes is not None:
                mine = batch.take(np.flatnonzero(codes == code))
            prices = [floats(mine.column(name)) for name in columns]
            times = times_us(mine.column("timestamp"))
            yield source, Rows(times, np.column_stack(prices) if prices else np.empty((len(times), 0)))


def _merged(parts: list[Rows]) -> Rows:
    parts = [part for part in parts if len(part.times)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    prices = np.concatenate([part.prices for part in parts])
    if (np.diff(times) < 0).any():  # files that lie beside each other in time
        order = np.argsort(times, kind="stable")
        times, prices = times[order], prices[order]
    return Rows(times, prices)
