"""Price files into memory: checked as a run checks them, one track per symbol."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.price_checks import Dataset, locate, scan
from backtest.price_files import Ints, find_files, iso, shape_of
from backtest.synthetic.tracks import Track, told

_SIDES = ("min", "max")


def load(paths: Sequence[str], symbols: Sequence[str]) -> dict[str, Track]:
    """Read the rows of `symbols` (empty: all that the files have) with volume, min, max and confidence.

    An `ema` is left out, because a run works it out from the prices; so is a confidence that some of the files lack.
    Raises PerpoolError where a run would refuse the files, or a symbol has a single row.
    """
    files = list(find_files(paths))
    for file in files:
        shape_of(file)
    wanted = list(symbols) or _all_symbols(files)
    sure = all("confidence" in pq.read_schema(file).names for file in files)
    dataset = scan(files, wanted, (*_SIDES, "confidence") if sure else _SIDES)
    lazy = pl.concat([_rows(file, dataset) for file in files], how="diagonal")
    rows = lazy.filter(pl.col("symbol").is_in(wanted)).collect()
    parts = rows.sort("symbol", "timestamp").partition_by("symbol", as_dict=True, include_key=False)
    return {symbol: _track(dataset, symbol, parts[(symbol,)]) for symbol in wanted}


def _all_symbols(files: Sequence[Path]) -> list[str]:
    found = pl.concat([pl.scan_parquet(file, glob=False).select(pl.col("symbol").cast(pl.String)) for file in files])
    return found.unique().drop_nulls().collect()["symbol"].sort().to_list()


def _rows(file: Path, dataset: Dataset) -> pl.LazyFrame:
    frame = pl.scan_parquet(file, glob=False)
    schema = frame.collect_schema()
    names: Mapping[str, str] = {name: name for name in dataset.columns} | dict(dataset.quotes.get(file, {}))
    if "volume" in schema and schema["volume"].is_numeric():
        names = {**names, "volume": "volume"}
    return frame.select(
        pl.col("timestamp").cast(pl.Datetime("us", "UTC")).dt.epoch("us"),
        pl.col("symbol").cast(pl.String),
        *(pl.col(there).cast(pl.Float64).alias(name) for name, there in names.items()),
    )


def _track(dataset: Dataset, symbol: str, rows: pl.DataFrame) -> Track:
    times: Ints = rows["timestamp"].to_numpy()
    if len(times) < 2:
        raise PerpoolError(f"{symbol} has a single row, at {iso(int(times[0]))}; give a history of two rows or more")
    gaps, counts = np.unique(np.diff(times), return_counts=True)
    step = int(gaps[counts.argmax()])
    _check_clock(dataset, symbol, times, step)
    columns = {
        name: rows[name].fill_null(np.nan).to_numpy()
        for name in rows.columns
        if name != "timestamp" and rows[name].null_count() < len(rows)  # a column of another symbol's file
    }
    return Track(times, columns, step)


def _check_clock(dataset: Dataset, symbol: str, times: Ints, step_us: int) -> None:
    """Across files the times are distinct and candles do not overlap, as in a run."""
    gaps = np.diff(times)
    at = int(gaps.argmin())
    before, here = int(times[at]), int(times[at + 1])
    if before == here:
        places = " and ".join(locate(dataset, symbol, here))
        raise PerpoolError(f"{symbol} has two prices at {iso(here)}: {places}; keep one row per symbol and timestamp")
    if dataset.candles and gaps[at] < step_us:
        places = " and ".join(locate(dataset, symbol, before) + locate(dataset, symbol, here))
        raise PerpoolError(
            f"candles of {symbol} open at {iso(before)} and {iso(here)} ({places}), closer than their interval of "
            f"{told(step_us)}; give files of one interval"
        )
