"""Rows of price files in order of time, a window after the other: each row group is read once, when its time comes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.config import Calendar
from backtest.price_checks import DAY_US, Dataset, RowGroup
from backtest.price_files import Floats, Ints, decode, floats, open_file, times_us
from backtest.price_quotes import Quotes


@dataclass(frozen=True)
class Feed:
    """One price symbol of the protocol: a symbol of the files (`source`), or a constant price at 1e10.

    part: column of the source's quote (price_quotes.PARTS)
    strict: band around a dollar, at 1e10, in which a strict stable is worth one dollar; None: taken as quoted
    calendar: market hours outside of which ticks are flagged closed; None: always open
    """

    source: str | None
    constant: int
    max_staleness_us: int
    part: int = 0
    strict: int | None = None
    calendar: Calendar | None = None


@dataclass(frozen=True)
class Plan:
    """What decides the ticks of a run. `path` is `price`, `close` or `ohlc`; ticks lie in [start, end), µs.

    `quotes`: how low, high and average prices come about; None: nobody asks for them.
    """

    dataset: Dataset
    feeds: tuple[Feed, ...]
    path: str
    intervals: dict[str, int]  # candle length per source, µs; 0 for the long form
    look_back_us: int  # earliest row that any tick needs
    start_us: int
    end_us: int
    quotes: Quotes | None = None

    @property
    def sources(self) -> list[str]:
        """The symbols read from files, each once, in the order of first use."""
        return list(dict.fromkeys(feed.source for feed in self.feeds if feed.source is not None))

    @property
    def last_us(self) -> int:
        """When the last price of any source comes, µs."""
        ends = {source: span[1] for source, span in self.dataset.spans.items()}
        return max(ends[source] + self.intervals[source] for source in self.sources)


@dataclass
class Rows:
    """Rows of one source in order of time: `times` (n,) µs, `prices` (n, columns) US dollars; 0 columns: times only."""

    times: Ints
    prices: Floats


def row_windows(plan: Plan, window_rows: int, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Rows]]]:
    """Yield (end of window µs, rows per source before it). A column that a file does not have is NaN."""
    groups = [
        group for group in plan.dataset.groups if group.last_us >= plan.look_back_us and group.first_us < plan.end_us
    ]
    groups.sort(key=lambda group: (-group.first_us, group.file, group.index))
    pending = {source: [_no_rows(columns)] for source in plan.sources}
    for until_us in _window_ends(plan, window_rows):
        while groups and groups[-1].first_us < until_us:
            group = groups.pop()
            for source, rows in _read(group, plan.sources, columns, plan.dataset.named(group.file, columns)):
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


def _read(
    group: RowGroup, sources: list[str], columns: tuple[str, ...], named: dict[str, str]
) -> Iterator[tuple[str, Rows]]:
    """Decode one row group and part it by source; `named` is what this file calls the columns that it has."""
    wanted = ["timestamp", *named.values()] if group.sole else ["timestamp", "symbol", *named.values()]
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
            times = times_us(mine.column("timestamp"))
            prices = np.full((len(times), len(columns)), np.nan)
            for at, column in enumerate(columns):
                if column in named:
                    prices[:, at] = floats(mine.column(named[column]))
            yield source, Rows(times, prices)


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
