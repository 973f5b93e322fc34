"""Candles of an exchange into a dataset: what is there already is not asked for again, and nothing is filled in.

A stretch of time counts as known when a page of it lies in the journal (`pages`), or when the file's provenance
says that it was fetched from the same market before. The rest is asked for page by page, then written in one go.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from backtest.errors import PerpoolError, UsageError
from backtest.fetching.calls import Say, Unanswered
from backtest.fetching.market import Market
from backtest.fetching.merge import joined, present, scratch
from backtest.fetching.pages import SCHEMA, Span, drop, journal, keep, page_of, pages, reread
from backtest.fetching.result import Fetched, result_of
from backtest.history.store import check_symbol, file_of, write_symbol
from backtest.price_files import iso

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Job:
    """Candles of `market` with start <= open time < end, ms on the grid of the interval; folder: of the journal."""

    market: Market
    start: int
    end: int
    folder: Path
    progress: Progress
    say: Say

    def candles(self, spans: Iterable[tuple[int, int]]) -> int:
        """How many candles fit into disjoint `spans` of (first, next), ms."""
        return sum(after - first for first, after in spans) // self.market.step_ms


def fetch(
    market: Market,
    start_us: int,
    end_us: int,
    out: Path,
    symbol: str | None = None,
    progress: Progress = lambda done, total: None,
    say: Say = lambda text: None,
) -> Fetched:
    """Bring the candles of `market` that open at start_us <= time < end_us (µs since 1970) into the dataset `out`.

    symbol: their name there, default: the market's base currency; progress: called with candles done and expected.
    Raises PerpoolError when the exchange cannot be asked, answers nonsense, or contradicts the file; the pages until
    then stay in the journal.
    """
    name = check_symbol(symbol or market.base)
    start, end = (-(-time // (1000 * market.step_ms)) * market.step_ms for time in (start_us, end_us))
    if start >= end:
        raise UsageError(f"no candle opens from {iso(start_us)} to before {iso(end_us)}; give an END after START")
    closed = market.closed_ms(end)
    if start >= closed:
        raise PerpoolError(f"{market.source}: no candle is closed after {_iso(start)} yet; give an earlier START")
    folder = journal(out, market.exchange.id, market.symbol, market.interval)
    job = _Job(market, start, closed, folder, progress, say)
    with scratch(folder) as place:
        there = present(out, name, market.step_ms, place)
        kept = _kept(job)
        asked = _ask_all(job, [*kept, *_fetched_before(there.provenance, market.source)])
        rows = joined(there, _gathered(job, [*kept, *asked]), market.source, place)
        times = rows.select(pl.col("timestamp").dt.epoch("ms")).collect().to_series()
        inside = times.filter(times.is_between(start, closed, closed="left")).to_list()
        done = [page for page in (*kept, *asked) if page.first >= start and page.next <= closed]
        if not inside:
            drop(done)
            raise PerpoolError(
                f"{market.source}: the exchange has no candles from {_iso(start)} to {_iso(closed)}; "
                "take dates at which the market was open"
            )
        result = result_of(
            inside,
            (start, closed),
            market.step_ms,
            source=market.source,
            symbol=name,
            file=str(file_of(out, name)),
            forming=closed < end,
            new=len(times) - sum(piece.rows for piece in there.pieces),
            total=len(times),
        )
        if kept or asked:
            write_symbol(out, name, rows, [*there.provenance, _entry(result)])
        drop(done)
    return result


def _kept(job: _Job) -> list[Span]:
    """The pages of earlier calls that hold something of this one; broken ones are removed."""
    found = [page for page in pages(job.folder) if page.first < job.end and page.next > job.start]
    broken = [page for page in found if reread(page, job.market.step_ms, job.market.source) is None]
    for page in broken:
        job.say(f"{page.file}: is broken and will be fetched again")
    drop(broken)
    return [page for page in found if page not in broken]


def _fetched_before(provenance: Iterable[Mapping[str, Any]], source: str) -> list[Span]:
    """The stretches of time that the file has from this very source."""
    return [Span(_ms(entry["from"]), _ms(entry["to"])) for entry in provenance if entry.get("source") == source]


def _ask_all(job: _Job, known: list[Span]) -> list[Span]:
    """Ask for what is not `known`, page by page; the pages, which are in the journal too."""
    unknown = list(_unknown(known, job.start, job.end))
    total = job.candles([(job.start, job.end)])
    done = total - job.candles(unknown)
    if 0 < done < total:
        job.say(f"{job.market.source}: {done:,} of {total:,} candles are there from before")
    asked: list[Span] = []
    if unknown:
        job.progress(done, total)
    try:
        for first, after in unknown:
            for page in _ask(job, first, after):
                asked.append(page)
                done += job.candles([page[:2]])
                job.progress(done, total)
    except Unanswered as error:
        raise PerpoolError(f"{error} ({_resume(done, total)})" if done else str(error)) from None
    except PerpoolError:
        raise
    except BaseException:  # Ctrl-C, a full disk
        job.say(_resume(done, total))
        raise
    return asked


def _resume(done: int, total: int) -> str:
    return f"{done:,} of {total:,} candles are kept, and the same command goes on from there"


def _unknown(known: Iterable[Span], start: int, end: int) -> Iterator[tuple[int, int]]:
    """What of start..end no span of `known` covers."""
    at = start
    for span in sorted(known, key=lambda span: span.first):
        if span.first > at:
            yield at, min(span.first, end)
        at = max(at, span.next)
        if at >= end:
            return
    yield at, end


def _ask(job: _Job, first: int, after: int) -> Iterator[Span]:
    """Pages that cover first..after, in order.

    An exchange may answer with fewer candles than it was asked for, or with none where it has a gap: the next page
    starts behind the last candle, or behind the stretch that was asked for.
    """
    step, at = job.market.step_ms, first
    while at < after:
        wanted = min(job.market.page_rows, (after - at) // step)
        rows = page_of(job.market.candles(at, wanted), at, after, step, job.market.source)
        times = rows["timestamp"].dt.epoch("ms")
        upto = times[-1] + step if len(times) else at + wanted * step
        yield keep(job.folder, at, upto, rows)
        at = upto


def _gathered(job: _Job, found: list[Span]) -> pl.DataFrame:
    """The candles of start..end in pages, each once, by time."""
    frames, at = [pl.DataFrame(schema=SCHEMA)], job.start
    for page in sorted(found):
        assert page.file is not None
        frames.append(pl.read_parquet(page.file).filter(_within(max(at, page.first), job.end)))
        at = max(at, page.next)
    return pl.concat(frames)


def _entry(result: Fetched) -> dict[str, Any]:
    """What the file says of these rows."""
    import ccxt

    return {
        "source": result.source,
        "from": result.start,
        "to": result.end,
        "rows": result.rows,
        "first": result.first,
        "last": result.last,
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "ccxt": ccxt.__version__,
    }


def _within(first: int, after: int) -> pl.Expr:
    return pl.col("timestamp").dt.epoch("ms").is_between(first, after, closed="left")


def _iso(time_ms: int) -> str:
    return iso(time_ms * 1000)


def _ms(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
