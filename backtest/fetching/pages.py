"""Pages of candles as an exchange answers them: checked, and kept on disk until a fetch is whole.

A page is a Parquet file `<first>-<next>.page` in `DIR/.fetch/<exchange>_<symbol>_<interval>/`: all candles that the
exchange has with first <= open time < next, ms since 1970. It is written beside and renamed, so it is whole or absent.
The name does not end with .parquet: a run that reads DIR does not see it.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from backtest.errors import PerpoolError
from backtest.history.row_checks import Fault, first_fault
from backtest.history.store import SCHEMA as TYPES
from backtest.price_files import CANDLES, iso
from backtest.whole_file import replacing

FOLDER = ".fetch"
COLUMNS = ("timestamp", *CANDLES, "volume")
SCHEMA = {name: TYPES[name] for name in COLUMNS}
_NAME = re.compile(r"(\d+)-(\d+)\.page")


class Span(NamedTuple):
    """Open times from `first` to before `next`, ms, whose candles are known; file: the page that holds them."""

    first: int
    next: int
    file: Path | None = None


def journal(out: Path, exchange: str, symbol: str, interval: str) -> Path:
    """The folder of the pages of one market, in the folder of the dataset."""
    return out / FOLDER / f"{exchange}_{re.sub('[/:]', '-', symbol)}_{interval}"


def pages(folder: Path) -> list[Span]:
    """The pages in a journal, by time."""
    found = [(_NAME.fullmatch(file.name), file) for file in folder.glob("*.page")]
    return sorted(Span(int(name[1]), int(name[2]), file) for name, file in found if name)


def keep(folder: Path, first: int, after: int, rows: pl.DataFrame) -> Span:
    """Put a page into the journal."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{first}-{after}.page"
    with replacing(file) as part:
        rows.write_parquet(part)
    return Span(first, after, file)


def reread(page: Span, step_ms: int, source: str) -> pl.DataFrame | None:
    """The candles of a page in the journal; None if the file is broken."""
    assert page.file is not None
    try:
        rows = pl.read_parquet(page.file)
        if rows.schema != SCHEMA:
            return None
        check(rows, step_ms, source)
    except (PerpoolError, pl.exceptions.PolarsError, OSError):
        return None
    inside = rows["timestamp"].dt.epoch("ms").is_between(page.first, page.next, closed="left").all()
    return rows if inside else None


def drop(done: Iterable[Span]) -> None:
    """Remove pages from their journal."""
    for page in done:
        if page.file is not None:
            page.file.unlink(missing_ok=True)


def page_of(answer: Sequence[Any], first: int, after: int, step_ms: int, source: str) -> pl.DataFrame:
    """The candles with first <= open time < after in an answer of ccxt, sorted and checked, `SCHEMA`.

    answer: lists of [ms, open, high, low, close, volume]; raises PerpoolError naming time, column and value
    """
    types = SCHEMA | {"timestamp": pl.Datetime("ms", "UTC")}
    try:
        rows = pl.DataFrame([row[: len(COLUMNS)] for row in answer], schema=types, orient="row", strict=False)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        raise PerpoolError(f"{source}: the exchange answers what are no candles; take another exchange") from None
    rows = rows.filter(pl.col("timestamp").dt.epoch("ms").is_between(first, after, closed="left"))
    rows = rows.cast(SCHEMA).unique(maintain_order=True).sort("timestamp")  # type: ignore[arg-type]
    check(rows, step_ms, source)
    return rows


def check(rows: pl.DataFrame, step_ms: int, source: str) -> None:
    """Refuse candles that no run would take, that are off the grid of the interval, or that are there twice."""
    times = rows["timestamp"].dt.epoch("us")
    fault = first_fault(rows)
    if (odd := times % (step_ms * 1000) != 0).any():
        fault = Fault(int(odd.arg_max() or 0), "timestamp", "is not a multiple of the interval")
    elif (twice := (times.diff() == 0).fill_null(False)).any():
        fault = Fault(int(twice.arg_max() or 0), "timestamp", "is there twice, with different values")
    if fault is not None:
        problem = fault.problem.partition(";")[0]  # what follows is for files, which can be repaired
        raise PerpoolError(
            f"{source}: candle {iso(times[fault.row])}, column {fault.column}: {problem}; "
            "fetch up to it and from after it, or take another exchange"
        )
