"""Snapshots of the whole book in the middle of a run: when they are due, and the file that each becomes.

A snapshot lies in `book/<time>.parquet` of the run directory, with the columns of the table `book`. It is a view of the
run, no result: the result hash does not know of it.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from backtest import columns
from backtest.columns import BOOK, Int64, Labels
from backtest.errors import UsageError
from backtest.flows.config import utc_us
from backtest.price_files import iso
from backtest.scenario import duration_us
from kernels import state

MOST = 10_000  # in one run; each is a file


def moments(wanted: str | tuple[str, ...], start_us: int, end_us: int) -> list[int]:
    """When snapshots are due within the ticks of a run (both ends included), µs, rising.

    wanted: a duration (its multiples since 1970, and the end of the run), or times; empty: none

    Raises UsageError where no time lies in the run, or where there would be more than MOST.
    """
    if not wanted:
        return []
    if isinstance(wanted, tuple):
        times = sorted({time for time in map(utc_us, wanted) if time <= end_us})
        if not times or times[-1] < start_us:
            raise UsageError(
                f"snapshot: none of {', '.join(wanted)} lies between the first tick, {iso(start_us)}, and the last, "
                f"{iso(end_us)}; give a time within the run"
            )
        return [time for time in times if time >= start_us]
    step_us = duration_us(wanted)
    count = end_us // step_us - (start_us - 1) // step_us
    if count > MOST:
        raise UsageError(
            f'snapshot = "{wanted}" makes {count:,} snapshots, and a run keeps {MOST:,} at most; give a longer interval'
        )
    first = -(-start_us // step_us) * step_us
    return [*range(first, end_us, step_us), end_us]


def file_name(at_us: int) -> str:
    """Name of the file of a snapshot: its time to the second, without what some file systems refuse."""
    return f"{iso(at_us - at_us % 1_000_000).replace(':', '')}.parquet"


def book_files(run: Path) -> list[Path]:
    """The snapshots of a run directory, the oldest first."""
    return sorted((run / BOOK).glob("*.parquet"))


def in_order(found: npt.NDArray[Any]) -> Int64:
    """Records of kernels.state.MARK by market, side and age, as int64 of shape (n_fields, n), contiguous."""
    order = np.lexsort((found["position_no"], found["side"], found["market"]))
    rows = found.view(np.int64).reshape(len(found), len(state.MARK.names or ()))
    return np.ascontiguousarray(rows[order].T)


def write_book(folder: Path, at_us: int, found: npt.NDArray[Any], labels: Labels, compression: str) -> dict[str, Any]:
    """Write one snapshot; returns its time, file, rows, bytes and the hash of its records, for the manifest."""
    folder.mkdir(exist_ok=True)
    records = in_order(found)
    path = folder / file_name(at_us)
    spec = columns.SPECS[BOOK]
    pq.write_table(
        columns.to_table(BOOK, records, labels),
        path,
        compression=compression,
        compression_level=1 if compression == "zstd" else None,
        use_dictionary=[column.name for column in spec if column.kind == "code"],
        column_encoding={column.name: "DELTA_BINARY_PACKED" for column in spec if column.kind != "code"},
        store_decimal_as_integer=True,
    )
    return {
        "time": iso(at_us),
        "file": f"{BOOK}/{path.name}",
        "rows": records.shape[1],
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(records.data).hexdigest(),
    }
