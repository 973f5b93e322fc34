"""Price histories as a run sees them: checked once, then streamed as oracle ticks.

`open_prices` reads every row of the symbols in use, refuses what is wrong with one message, and returns a
`TickSource` that knows its span and yields ticks chunk by chunk in bounded memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backtest import ticks
from backtest.config import Calendar
from backtest.errors import PerpoolError, UsageError
from backtest.price_checks import HIGHEST_PRICE, LOWEST_PRICE, Dataset, scan
from backtest.price_files import SECOND_US, find_files, fingerprint, iso
from backtest.price_quotes import ONE_DOLLAR, PARTS, PRICE_SCALE, Quotes
from backtest.price_rows import Feed, Plan
from kernels.state import Ticks

__all__ = ["PriceSpan", "SymbolSource", "TickSource", "fingerprint", "open_prices"]

_SHORTEST_OHLC_US = 4 * SECOND_US  # four ticks need four seconds
_OPEN_END_US = 2**62


@dataclass(frozen=True)
class SymbolSource:
    """What one price symbol of a protocol reads.

    symbol: name in the protocol, such as `jitoSOL`
    source: symbol in the price files, or a constant price in US dollars such as 1.0
    max_staleness_us: a price older than this is flagged stale; a constant never is
    part: what of the source's quote: price, low, high or ema (price_quotes.PARTS)
    strict_usd: for a strict stable, how far from a dollar it is still worth one; None: taken as quoted
    calendar: market hours (backtest.calendars) outside of which ticks are flagged closed; None: always open
    """

    symbol: str
    source: str | float
    max_staleness_us: int
    part: str = "price"
    strict_usd: float | None = None
    calendar: Calendar | None = None


@dataclass(frozen=True)
class PriceSpan:
    """First and last tick (µs since the epoch, UTC, both included) and the number of ticks."""

    start_us: int
    end_us: int
    n_ticks: int


@dataclass(frozen=True)
class TickSource:
    """Checked prices, ready to stream. `symbols` are the columns of the ticks; `path` is how candles become ticks."""

    symbols: tuple[str, ...]
    span: PriceSpan
    files: tuple[Path, ...]
    path: str
    _plan: Plan = field(repr=False)

    def chunks(self, ticks_per_chunk: int) -> Iterator[Ticks]:
        """Yield every tick in order, `ticks_per_chunk` at a time, the last chunk shorter; may be called again.

        Per chunk: `time_us` int64 (T,), `price` int64 (T, S) = rint(price * 1e10), `flags` uint8 (T, S) with
        FLAG_STALE where the price is older than its symbol allows and FLAG_CLOSED outside of its market hours; a
        market that was closed for long is both. Arrays are C-contiguous and writable.
        """
        if ticks_per_chunk < 1:
            raise UsageError(f"ticks_per_chunk is {ticks_per_chunk}; give 1 or more")
        return ticks.chunks(self._plan, ticks_per_chunk)


def open_prices(
    paths: str | Path | Sequence[str | Path],
    symbols: Sequence[SymbolSource],
    *,
    path: str = "close",
    start_us: int | None = None,
    end_us: int | None = None,
    interval_us: int | None = None,
    quotes: Quotes | None = None,
) -> TickSource:
    """Check price files and plan their ticks: one per timestamp of any symbol in use, in [start, end), µs.

    Ticks begin when every symbol has a price; rows before `start_us` still give the first prices. `path` is `close`
    (one tick when a candle ends) or `ohlc` (open, then low and high in the order of the candle's direction, then
    close one second before its end). `interval_us` overrides the candle length, else the most common gap per symbol.
    `quotes`: how the parts beside the price come about; needed where a symbol asks for one.

    Raises PerpoolError on faults of the files, UsageError on arguments that cannot be served.
    """
    _check_arguments(symbols, path, start_us, end_us, interval_us)
    assert quotes or all(item.part == "price" for item in symbols)
    sources = list(dict.fromkeys(item.source for item in symbols if isinstance(item.source, str)))
    files = tuple(find_files(paths))
    dataset = scan(files, sources, quotes.columns if quotes else ())
    mode = path if dataset.candles else "price"
    if path == "ohlc" and not dataset.candles:
        raise UsageError(f"{files[0]}: holds one price per row, so the path ohlc is not possible; use the path close")
    intervals = {source: _interval(dataset, source, interval_us) for source in sources}
    if mode == "ohlc":
        _check_ohlc(intervals)
    begins = {source: dataset.spans[source][0] + ticks.delay_us(mode, intervals[source]) for source in sources}
    plan = Plan(
        dataset,
        tuple(_feed(item) for item in symbols),
        mode,
        intervals,
        # an average depends on all prices before, and must not on where row groups begin
        _look_back(dataset, mode, intervals, None if quotes and quotes.averaged else start_us),
        max(begins.values()) if start_us is None else max(start_us, *begins.values()),
        _OPEN_END_US if end_us is None else end_us,
        quotes,
    )
    first, last, count = ticks.timeline(plan) if plan.start_us < plan.end_us else (0, 0, 0)
    if not count:
        raise PerpoolError(_no_overlap(dataset, mode, intervals, start_us, end_us))
    return TickSource(tuple(item.symbol for item in symbols), PriceSpan(first, last, count), files, path, plan)


def _check_arguments(
    symbols: Sequence[SymbolSource], path: str, start_us: int | None, end_us: int | None, interval_us: int | None
) -> None:
    if path not in ticks.PATHS:
        raise UsageError(f"price path {path!r} is unknown; use one of {', '.join(ticks.PATHS)}")
    if start_us is not None and end_us is not None and start_us >= end_us:
        raise UsageError(f"start {iso(start_us)} is not before end {iso(end_us)}; the end is exclusive")
    if interval_us is not None and interval_us <= 0:
        raise UsageError(f"candle interval {interval_us} us is not above zero; give the length of a candle")
    seen: set[str] = set()
    for item in symbols:
        if item.symbol in seen:
            raise UsageError(f"price symbol {item.symbol} is named twice; name each symbol once")
        seen.add(item.symbol)
        if item.max_staleness_us < 0:
            raise UsageError(f"max_staleness of {item.symbol} is {item.max_staleness_us} us; give 0 or more")
        if not isinstance(item.source, str) and not LOWEST_PRICE < item.source < HIGHEST_PRICE:
            raise UsageError(
                f"constant price of {item.symbol} is {item.source}; give US dollars between "
                f"{LOWEST_PRICE:g} and {HIGHEST_PRICE:g}"
            )
    if not any(isinstance(item.source, str) for item in symbols):
        raise UsageError("no symbol reads its price from the files, so there are no ticks; name at least one source")


def _feed(item: SymbolSource) -> Feed:
    band = None if item.strict_usd is None else round(item.strict_usd * ONE_DOLLAR)
    part = PARTS.index(item.part)
    if isinstance(item.source, str):
        return Feed(item.source, 0, item.max_staleness_us, part, band, item.calendar)
    return Feed(None, round(item.source * PRICE_SCALE), item.max_staleness_us, part, band, item.calendar)


def _interval(dataset: Dataset, source: str, given_us: int | None) -> int:
    """Candle length of `source`, µs: as given, else its most common gap (of equals the shortest); 0 for the long form.

    Each symbol has its own, so that the close of a 30-minute candle is not known a minute after it opens.
    """
    if not dataset.candles:
        return 0
    if given_us is not None:
        return given_us
    gaps = dataset.gaps[source]
    if not gaps:
        raise PerpoolError(f"{source} has a single candle, so its interval is unknown; give two or more")
    return min(gaps, key=lambda gap: (-gaps[gap], gap))


def _check_ohlc(intervals: dict[str, int]) -> None:
    for source, interval in intervals.items():
        if interval < _SHORTEST_OHLC_US:
            raise PerpoolError(
                f"candles of {source} last {interval / SECOND_US:g} s, but the path ohlc makes four ticks of each and "
                "needs 4 s or more; use the path close"
            )


def _look_back(dataset: Dataset, mode: str, intervals: dict[str, int], start_us: int | None) -> int:
    """Timestamp from which rows matter: for each symbol, one that surely gives a price at or before the start."""
    if start_us is None:
        return min(first for first, _ in dataset.spans.values())
    bounds: list[int] = []
    for source, (first, _) in dataset.spans.items():
        latest = start_us - ticks.delay_us(mode, intervals[source])
        begins = [group.spans[source][0] for group in dataset.groups if source in group.spans]
        bounds.append(max((begin for begin in begins if begin <= latest), default=first))
    return min(bounds)


def _no_overlap(
    dataset: Dataset, mode: str, intervals: dict[str, int], start_us: int | None, end_us: int | None
) -> str:
    spans = ", ".join(
        f"{source} {iso(first + ticks.delay_us(mode, intervals[source]))} to "
        f"{iso(last + ticks.delay_us(mode, intervals[source]))}"
        for source, (first, last) in dataset.spans.items()
    )
    limits = [f"from {iso(start_us)}"] if start_us is not None else []
    limits += [f"before {iso(end_us)}"] if end_us is not None else []
    asked = f" {' '.join(limits)}" if limits else ""
    return f"no tick{asked} has a price of every symbol; prices reach: {spans}; change the dates or add prices"
