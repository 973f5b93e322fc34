"""One file to import: its rows by symbol, repaired, checked, sorted, and laid down as pieces."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl

from backtest.errors import PerpoolError, UsageError
from backtest.history import repairs as mending
from backtest.history.formats import Format
from backtest.history.pieces import Piece, keep, times_of
from backtest.history.row_checks import first_fault
from backtest.history.rows import Options, Place, Rows, refuse
from backtest.history.store import check_symbol
from backtest.history.times import local_change
from backtest.price_files import Ints, iso


@dataclass
class Intake:
    """The rows of one symbol in one file.

    gaps: how often each distance between neighbours (µs) occurs
    repairs: rows that each repair touched; `sort` counts rows out of order
    naive: the file says no zone
    """

    pieces: list[Piece] = field(default_factory=list)
    gaps: Counter[int] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    naive: bool = False
    last_us: int | None = None  # of the row before, in file order
    latest_us: int | None = None


def take(
    file: Path, kind: Format, options: Options, repairs: Collection[str], scratch: Path, found: dict[str, Intake]
) -> Iterator[int]:
    """Read `file` and lay its rows down in `scratch`, in `found` by symbol; yields the rows of each batch when done.

    Raises PerpoolError for the first fault met.
    """
    drops = [name for name in repairs if name != "sort"]  # rows are sorted in any case
    for rows in _ahead(kind.read(file, options)):
        for symbol, frame in _by_symbol(file, rows, options.symbol):
            intake = found.setdefault(symbol, Intake(repairs=Counter(dict.fromkeys(repairs, 0))))
            _add(intake, symbol, frame, rows, drops, file, scratch)
        yield len(rows.frame)
    for symbol in [symbol for symbol, intake in found.items() if not intake.pieces]:
        del found[symbol]
    if not found:
        of = f" of {options.symbol}" if options.symbol else ""
        raise PerpoolError(f"{file}: no rows{of} to import; check its column symbol, if it has one, and the repairs")


def _ahead(batches: Iterator[Rows]) -> Iterator[Rows]:
    """The same batches, each read while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (rows := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield rows


def _by_symbol(file: Path, rows: Rows, wanted: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
    frame = rows.frame
    if "symbol" not in frame.columns:
        if wanted is None:
            raise UsageError(f"{file}: does not say of which symbol its rows are; give --symbol, such as --symbol SOL")
        yield wanted, frame
        return
    if frame["symbol"].null_count():
        at = int(frame["symbol"].is_null().arg_max() or 0)
        refuse(rows.place, at, "symbol", "is missing; name the symbol of every row")
    if wanted is not None:
        frame = frame.filter(pl.col("symbol").cast(pl.String) == wanted)
    for (symbol,), part in frame.partition_by("symbol", as_dict=True, include_key=False, maintain_order=True).items():
        try:
            yield check_symbol(str(symbol)), part
        except UsageError as error:
            raise PerpoolError(f"{file}: column symbol: {error}") from None


def _add(
    intake: Intake,
    symbol: str,
    frame: pl.DataFrame,
    rows: Rows,
    drops: Collection[str],
    file: Path,
    scratch: Path,
) -> None:
    def place(row: int) -> str:
        return rows.place(_row_of(rows, symbol, drops, row))

    frame, counts = mending.apply(frame, drops)
    intake.repairs.update(counts)
    if fault := first_fault(frame):
        refuse(place, fault.row, _name(rows, fault.column), fault.problem)
    if frame.is_empty():
        return
    times = times_of(frame)
    if rows.naive:
        _check_zone(intake, times, place, _name(rows, "timestamp"))
    intake.naive |= rows.naive
    highest = np.maximum.accumulate(times if intake.latest_us is None else np.maximum(times, intake.latest_us))
    late = int((times < highest).sum())
    intake.last_us, intake.latest_us = int(times[-1]), int(highest[-1])
    if late:
        intake.repairs["sort"] += late
        frame = frame.sort("timestamp", maintain_order=True)
        times = times_of(frame)
    steps = np.diff(times)
    intake.gaps.update(_counts(steps[steps > 0]))
    intake.pieces.append(keep(frame, scratch / f"{uuid4().hex}.arrow", str(file)))


def _name(rows: Rows, column: str) -> str:
    return rows.names.get(column, column)


def _row_of(rows: Rows, symbol: str, drops: Collection[str], row: int) -> int:
    """The row of the batch that is row `row` of what the repairs leave of the symbol."""
    frame = rows.frame.with_row_index("row")
    if "symbol" in frame.columns:
        frame = frame.filter(pl.col("symbol").cast(pl.String) == symbol).drop("symbol")
    kept, _ = mending.apply(frame, drops)
    return int(kept["row"][row])


def _counts(values: Ints) -> Mapping[int, int]:
    kinds, counts = np.unique(values, return_counts=True)
    return dict(zip(kinds.tolist(), counts.tolist(), strict=True))


def _check_zone(intake: Intake, times: Ints, place: Place, column: str) -> None:
    """Times without a zone must not jump as local ones do."""
    before = times[:0] if intake.last_us is None else np.array([intake.last_us])
    sequence = np.concatenate([before, times])
    at = local_change(sequence)
    if at is not None:
        refuse(
            place,
            at - len(before),
            column,
            f"{iso(int(sequence[at]))} comes after {iso(int(sequence[at - 1]))}, a jump as of clocks that "
            "change for summer: the times look local. Convert them to UTC; if they are, say so with a Z behind each",
        )
