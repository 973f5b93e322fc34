"""Order files read as a stream of integer batches, in the order in which they fall due.

Files are Parquet with the columns of `order_schema`. They are read in the order given, one batch at a time, so
memory is bounded by a batch plus what a caller asks for at once. Everything that is wrong with them is a
`PerpoolError` that names file, row (from 0, in its file), column and value.
"""

import difflib
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.order_checks import Batch, Int
from backtest.order_convert import convert, freeze
from backtest.order_schema import BY_NAME, COLUMNS, REQUIRED_COLUMNS, TYPES, Names, accepts, schema_table
from backtest.price_files import iso
from kernels.state import Orders

__all__ = ["Names", "OrderSource", "check_columns", "empty_orders", "open_parquet", "order_files", "schema_table"]

_ARRANGE = "give the files in the order of their times, or sort their rows into one"
_SORT = 'sort the rows, e.g. pl.read_parquet(file).sort("timestamp", "order_id").write_parquet(file)'


def empty_orders() -> Orders:
    """No orders: read-only int64 arrays of length 0."""
    return freeze(Orders(*[np.empty(0, np.int64) for _ in Orders._fields]))


class _Last(NamedTuple):
    """The last row read."""

    due_us: int
    order_id: int
    path: Path
    row: int


class OrderSource:
    """Orders of one or more Parquet files, given out once each, in (due time, order_id) order.

    `paths`: a file, a folder (its *.parquet by name), a glob, or a sequence of these, read in that order.
    Raises `PerpoolError` at once for files that cannot be orders, and while reading at the first bad row.
    """

    def __init__(
        self,
        paths: str | Path | Sequence[str | Path],
        names: Names,
        *,
        execution_delay_us: int = 0,
        rows_per_batch: int = 262_144,
    ) -> None:
        self.files = order_files(paths)
        self._rows_of: list[int] = []
        for path in self.files:
            with open_parquet(path) as parquet:
                check_columns(path, parquet.schema_arrow)
                self._rows_of.append(parquet.metadata.num_rows)
        self.n_rows = sum(self._rows_of)
        self._names = names
        self._delay_us = execution_delay_us
        self._rows_per_batch = rows_per_batch
        self._last: _Last | None = None
        self._ids_increase = True
        self._duplicate: tuple[Path, int] | None = None
        self._batches = self._read()
        self._held = empty_orders()

    def take_due(self, until_us: int, limit: int) -> Orders:
        """All orders not yet given with due time <= `until_us` [us], in (due_us, order_id) order.

        If there are more than `limit`, a first part that ends where the due time changes: orders of one due
        time are never split, so a call may give more than `limit` when a single due time has more.
        """
        limit = max(limit, 1)
        self._hold(limit, until_us)
        due = self._held.due_us
        n = int(np.searchsorted(due, until_us, side="right"))
        if n > limit:
            cut = int(np.searchsorted(due, due[limit], side="left"))
            if cut == 0:  # the first due time alone exceeds the limit
                self._hold(self.n_rows, int(due[0]))
                cut = int(np.searchsorted(self._held.due_us, due[0], side="right"))
            n = cut
        return self._give(n)

    def peek_due_us(self) -> int | None:
        """Due time of the next order [us], None when there is none left."""
        if not self._held.due_us.size:
            self._held = next(self._batches, self._held)
        return int(self._held.due_us[0]) if self._held.due_us.size else None

    def remaining(self) -> Iterator[Orders]:
        """Every order that was not taken, batch by batch; nothing is left afterwards."""
        while self.peek_due_us() is not None:
            yield self._give(self._held.due_us.size)

    def _hold(self, limit: int, until_us: int) -> None:
        """Read on until more than `limit` rows are held, or one that is due after `until_us`, or all."""
        pieces, rows = [self._held], self._held.due_us.size
        while rows <= limit and (not rows or pieces[-1].due_us[-1] <= until_us):
            piece = next(self._batches, None)
            if piece is None:
                break
            pieces = [*pieces, piece] if rows else [piece]
            rows += piece.due_us.size
        if len(pieces) > 1:
            self._held = freeze(Orders(*[np.concatenate(column) for column in zip(*pieces, strict=True)]))
        else:
            self._held = pieces[0]

    def _give(self, n: int) -> Orders:
        given = Orders(*[column[:n] for column in self._held])
        self._held = Orders(*[column[n:] for column in self._held])
        return given

    def _read(self) -> Iterator[Orders]:
        """Converted, checked, non-empty batches of all files, in order."""
        for path in self.files:
            first_row = 0
            for rows in _record_batches(path, self._rows_per_batch):
                yield self._checked(rows, path, first_row)
                first_row += rows.num_rows

    def _checked(self, rows: pa.RecordBatch, path: Path, first_row: int) -> Orders:
        batch = Batch.of(rows, self._names)
        orders = convert(batch, self._delay_us)
        self._check_order(batch, orders.due_us, orders.order_id, path, first_row)
        if batch.fault_row >= 0:
            column, problem = batch.fault
            raise PerpoolError(f"{path}: row {first_row + batch.fault_row}, column '{column}': {problem}")
        return orders

    def _check_order(self, batch: Batch, due: Int, ids: Int, path: Path, first_row: int) -> None:
        """(timestamp, order_id) must increase strictly over the stream, and no id come twice."""
        last = self._last or _Last(-(2**62), -1, path, -1)
        previous_due = np.concatenate([[last.due_us], due[:-1]])
        previous_id = np.concatenate([[last.order_id], ids[:-1]])
        if self._ids_increase and bool((ids <= previous_id).any()):
            self._ids_increase = False
            if batch.fault_row < 0:  # else the file is refused anyway, and may have ids that are none
                self._duplicate = _first_duplicate(self.files, self._rows_of)

        def unsorted(row: int) -> str:
            here = f"({iso(int(due[row]) - self._delay_us)}, order_id {ids[row]})"
            before = f"({iso(int(previous_due[row]) - self._delay_us)}, order_id {previous_id[row]})"
            if row == 0 and last.path != path:
                return f"{here} does not come after {before} of {last.path}, row {last.row}; {_ARRANGE}"
            return f"{here} does not come after {before} of row {first_row + row - 1}; {_SORT}"

        if self._duplicate is not None and self._duplicate[0] == path:
            again = np.arange(first_row, first_row + ids.size) == self._duplicate[1]
            batch.flag(
                again, "order_id", lambda row: f"{ids[row]} was used by an earlier row; give every order its own id"
            )
        batch.flag((due < previous_due) | ((due == previous_due) & (ids <= previous_id)), "timestamp", unsorted)
        self._last = _Last(int(due[-1]), int(ids[-1]), path, first_row + ids.size - 1)


# --- files --------------------------------------------------------------------------------------------------


def order_files(paths: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    """The files that `paths` names, in order: a file as it is, a folder or a glob sorted by name."""
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise PerpoolError("no order files given; name a Parquet file, a folder or a glob")
    return tuple(file for entry in given for file in _expand(Path(entry)))


def _expand(entry: Path) -> list[Path]:
    if entry.is_file():
        return [entry]
    pattern = str(entry / "**" / "*.parquet") if entry.is_dir() else str(entry)
    files = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file())
    if not files:
        found = "the folder holds no *.parquet file" if entry.is_dir() else "no such file"
        raise PerpoolError(f"{entry}: {found}; give a Parquet file of orders (`perpool flow generate` writes one)")
    return files


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file of orders; a `PerpoolError` if it is something else."""
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _record_batches(path: Path, rows_per_batch: int) -> Iterator[pa.RecordBatch]:
    with open_parquet(path) as parquet:
        batches = parquet.iter_batches(rows_per_batch)
        while True:
            try:
                rows = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(path, error) from None
            if rows is None:
                return
            if rows.num_rows:
                yield rows


def _unreadable(path: Path, error: Exception) -> PerpoolError:
    reason = str(error).split(". ")[0].splitlines()[0]
    return PerpoolError(f"{path}: cannot be read as Parquet ({reason}); write the orders as a Parquet file")


def check_columns(path: Path, schema: pa.Schema) -> None:
    """Refuse unknown, doubled and missing columns, and types that a column cannot have."""
    for name in schema.names:
        if name not in BY_NAME:
            close = difflib.get_close_matches(name, BY_NAME, 1, cutoff=0.5)
            hint = f"did you mean '{close[0]}'? Rename" if close else f"known: {', '.join(BY_NAME)}. Rename"
            raise PerpoolError(f"{path}: column '{name}' is not part of the order schema; {hint} or drop it")
        if schema.names.count(name) > 1:
            raise PerpoolError(f"{path}: column '{name}' is there twice; drop one")
    for name in REQUIRED_COLUMNS:
        if name not in schema.names:
            column = BY_NAME[name]
            raise PerpoolError(f"{path}: column '{name}' is missing; add it: {TYPES[column.kind]}, {column.doc}")
    for column in COLUMNS:
        if column.name not in schema.names:
            continue
        given = schema.field(column.name).type
        if pa.types.is_timestamp(given) and given.tz is None and column.kind == "time":
            raise PerpoolError(
                f"{path}: column '{column.name}' has type {given} without a time zone; write timestamps in UTC, "
                'e.g. pl.col("timestamp").dt.replace_time_zone("UTC")'
            )
        if not accepts(column.kind, given):
            unit = f" in {column.unit}" if column.unit else ""
            raise PerpoolError(
                f"{path}: column '{column.name}' has type {given}; write it as {TYPES[column.kind]}{unit}"
            )


def _first_duplicate(files: Sequence[Path], rows_of: Sequence[int]) -> tuple[Path, int] | None:
    """File and row of the first order_id that an earlier row has used; None if all differ."""
    order_id = pl.col("order_id").cast(pl.Int64, strict=False)
    ids = pl.concat([pl.scan_parquet(path, glob=False).select(order_id) for path in files])
    counts = ids.select(pl.col("order_id").n_unique().alias("unique"), pl.len().alias("rows"))
    unique, rows = counts.collect(engine="streaming").row(0)
    if unique == rows:
        return None
    again = pl.col("order_id").is_first_distinct().not_() & pl.col("order_id").is_not_null()
    found = ids.with_row_index().filter(again).select("index").head(1).collect()
    row = int(found.item()) if found.height else -1
    for path, rows in zip(files, rows_of, strict=True):
        if 0 <= row < rows:
            return path, row
        row -= rows
    return None
