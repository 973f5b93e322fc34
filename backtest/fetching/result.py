"""What a fetch has left behind, in figures: the span, what is new, and the gaps of the exchange."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from backtest.price_files import iso


@dataclass(frozen=True)
class Gap:
    """Candles that the exchange does not have: the open time of the first, and how many in a row."""

    first: str
    candles: int


@dataclass(frozen=True)
class Fetched:
    """Times are ISO 8601, UTC; `first` and `last` are open times of candles.

    start, end: what is there, end exclusive; forming: END lay later, but what opens at `end` is not closed yet
    rows: candles from start to end; new: candles that the file did not have; total: all that it has now
    missing, gaps: candles between first and last that the exchange does not have
    missing_before, missing_after: those from start to first, and from last to end
    """

    source: str
    symbol: str
    file: str
    start: str
    end: str
    forming: bool
    rows: int
    new: int
    total: int
    first: str
    last: str
    missing_before: int
    missing: int
    missing_after: int
    gaps: tuple[Gap, ...]


def result_of(
    times_ms: Sequence[int],
    span_ms: tuple[int, int],
    step_ms: int,
    *,
    source: str,
    symbol: str,
    file: str,
    forming: bool,
    new: int,
    total: int,
) -> Fetched:
    """The figures of the candles that open at `times_ms` (rising, at least one) in `span_ms`, end exclusive."""
    start, end = span_ms
    gaps = tuple(
        Gap(_iso(one + step_ms), (two - one) // step_ms - 1) for one, two in pairwise(times_ms) if two - one > step_ms
    )
    return Fetched(
        source=source,
        symbol=symbol,
        file=file,
        start=_iso(start),
        end=_iso(end),
        forming=forming,
        rows=len(times_ms),
        new=new,
        total=total,
        first=_iso(times_ms[0]),
        last=_iso(times_ms[-1]),
        missing_before=(times_ms[0] - start) // step_ms,
        missing=sum(gap.candles for gap in gaps),
        missing_after=(end - times_ms[-1]) // step_ms - 1,
        gaps=gaps,
    )


def _iso(time_ms: int) -> str:
    return iso(time_ms * 1000)
