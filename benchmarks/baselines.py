"""The tick-major scans that the standing book is measured against: every open position looked at, every tick.

Each does per position what a straightforward backtester does: interest accrued since the snapshot, price PnL,
equity, and the test against the minimum margin. They hold float64 columns prepared once (quantity instead of a
division, fixed fees taken off the collateral), only find what is due, and settle nothing: a head start.
"""

from typing import NamedTuple

import numpy as np

from kernels._jit import formula

_RATE = 1e9


class ScanColumns(NamedTuple):
    """Open longs, float64 arrays of shape (n,), dollars."""

    quantity: np.ndarray  # size / entry price
    size: np.ndarray
    own: np.ndarray  # collateral less the fixed fees
    floor: np.ndarray  # minimum margin
    snapshot: np.ndarray  # borrow index, 1e9


@formula()
def scan_block(columns, first, last, price, index, hits):
    """Positions in [first, last) that are due at this tick, written to `hits` (n,); returns how many.

    The common case, nothing due in a block, is one vectorised pass without a branch.
    """
    found = 0
    for start in range(first, last, 1024):
        stop = min(start + 1024, last)
        due = 0
        for i in range(start, stop):
            accrued = columns.size[i] * (index - columns.snapshot[i]) * (1.0 / _RATE)
            equity = columns.own[i] + (columns.quantity[i] * price - columns.size[i]) - accrued
            due += not equity > columns.floor[i]
        if due == 0:
            continue
        for i in range(start, stop):
            accrued = columns.size[i] * (index - columns.snapshot[i]) * (1.0 / _RATE)
            equity = columns.own[i] + (columns.quantity[i] * price - columns.size[i]) - accrued
            if not equity > columns.floor[i]:
                hits[found] = i
                found += 1
    return found


@formula()
def scan_ticks(columns, prices, indices, hits):
    """`scan_block` over all rows at each tick, keeping every row: for timing. Returns the sum of hits."""
    total = 0
    for t in range(prices.shape[0]):
        total += scan_block(columns, 0, columns.size.shape[0], prices[t], indices[t], hits)
    return total


@formula()
def scan_life(columns, prices, indices, hits, due_tick):
    """First tick at which each position is due, -1 for never: the scan as a backtest, for parity with the engine."""
    due_tick[:] = -1
    for t in range(prices.shape[0]):
        found = scan_block(columns, 0, columns.size.shape[0], prices[t], indices[t], hits)
        for k in range(found):
            if due_tick[hits[k]] < 0:
                due_tick[hits[k]] = t


def numpy_tick(columns: ScanColumns, price: float, index: float, scratch: list[np.ndarray]) -> np.ndarray:
    """The same in NumPy, with preallocated results."""
    equity, accrued, safe = scratch
    np.multiply(columns.quantity, price, out=equity)
    np.subtract(equity, columns.size, out=equity)
    np.add(equity, columns.own, out=equity)
    np.subtract(index, columns.snapshot, out=accrued)
    np.multiply(accrued, columns.size, out=accrued)
    np.multiply(accrued, 1.0 / _RATE, out=accrued)
    np.subtract(equity, accrued, out=equity)
    np.greater(equity, columns.floor, out=safe)
    return np.flatnonzero(np.logical_not(safe, out=safe))


class PolarsScan:
    """The same as one lazy Polars query per tick, on Polars' own threads."""

    def __init__(self, columns: ScanColumns) -> None:
        import polars as pl

        self._pl = pl
        self._frame = pl.DataFrame(columns._asdict()).with_row_index("row").lazy()

    def tick(self, price: float, index: float) -> np.ndarray:
        """Rows due at this tick."""
        col = self._pl.col
        accrued = col("size") * (index - col("snapshot")) / _RATE
        equity = col("own") + (col("quantity") * price - col("size")) - accrued
        return self._frame.filter(equity <= col("floor")).select("row").collect()["row"].to_numpy()


class DuckDBScan:
    """The same as one prepared DuckDB query per tick over an in-memory table, on DuckDB's own threads."""

    _QUERY = f"""
        SELECT row FROM book
        WHERE own + (quantity * $price - size) - size * ($index - snapshot) / {_RATE} <= floor
    """

    def __init__(self, columns: ScanColumns) -> None:
        import duckdb
        import pyarrow as pa

        self._connection = duckdb.connect()
        rows = pa.table({**columns._asdict(), "row": np.arange(len(columns.size))})
        self._connection.register("arrived", rows)
        self._connection.execute("CREATE TABLE book AS SELECT * FROM arrived").fetchall()

    def tick(self, price: float, index: float) -> np.ndarray:
        """Rows due at this tick."""
        found = self._connection.execute(self._QUERY, {"price": price, "index": index}).fetchnumpy()
        return np.asarray(found["row"])

    def close(self) -> None:
        """Let go of the table."""
        self._connection.close()
