"""Feather and Parquet files from elsewhere, a batch of rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.history.rows import BATCH_ROWS, Place, numbered

SUFFIXES = (".feather", ".arrow", ".parquet")


def names_of(file: Path) -> list[str]:
    """The names of the columns of a Feather or Parquet file."""
    with ExitStack() as opened:
        return list(_open(file, opened).schema_arrow.names if _is_parquet(file) else _open(file, opened).schema.names)


def batches(file: Path, columns: list[str]) -> Iterator[tuple[pl.DataFrame, Place]]:
    """The columns of a Feather (Arrow IPC) or Parquet file; and how to name a row of each batch."""
    first = 0
    with ExitStack() as opened:
        data = _open(file, opened)
        try:
            for batch in _batches(data, columns):
                yield pl.DataFrame(pl.from_arrow(batch)), numbered(file, first)
                first += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(file, error) from None
    if not first:
        raise PerpoolError(f"{file}: the file has no rows; get it again or leave it out")


def numbers(frame: pl.DataFrame, names: Sequence[str], file: Path) -> pl.DataFrame:
    """`frame` with the columns `names` as float64; PerpoolError for one that holds no numbers."""
    for name in names:
        if not frame.schema[name].is_numeric() and frame.schema[name] != pl.Null:
            raise PerpoolError(
                f"{file}: column {name} has type {frame.schema[name]}; expected numbers: write it again as such"
            )
    return frame.with_columns(pl.col(name).cast(pl.Float64) for name in dict.fromkeys(names))


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _open(file: Path, opened: ExitStack) -> Any:
    if file.stat().st_size == 0:
        raise PerpoolError(f"{file}: the file is empty (0 bytes); get it again or leave it out")
    try:
        if _is_parquet(file):
            return opened.enter_context(pq.ParquetFile(file))
        return opened.enter_context(pa.ipc.open_file(opened.enter_context(pa.memory_map(str(file)))))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None


def _batches(data: Any, columns: list[str]) -> Iterator[pa.RecordBatch]:
    if isinstance(data, pq.ParquetFile):
        yield from data.iter_batches(BATCH_ROWS, columns=columns)
        return
    for number in range(data.num_record_batches):
        batch = data.get_batch(number).select(columns)
        for start in range(0, len(batch), BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


def _unreadable(file: Path, error: Exception) -> PerpoolError:
    reason = " ".join(str(error).split()).rstrip(".")
    return PerpoolError(f"{file}: is no whole Feather or Parquet file ({reason}); get it again")
