"""A price dataset on disk: a folder with one Parquet file per symbol, and in each file where its rows come from.

The files have the shape that a run reads (`backtest.price_files`): candles or prices, sorted by time, UTC. What was
done to get them stands in the file's metadata under `perpool.provenance`: a JSON list, oldest entry first.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError, UsageError
from backtest.price_files import CANDLES, LONG
from backtest.whole_file import replacing

PROVENANCE = "perpool.provenance"
ROW_GROUP_ROWS = 262_144
EXTRA = ("volume", "min", "max", "confidence", "ema")
ORDER = ("timestamp", "symbol", *CANDLES, *LONG, *EXTRA)
SCHEMA: dict[str, pl.DataType] = {name: pl.Float64() for name in ORDER} | {
    "timestamp": pl.Datetime("us", "UTC"),
    "symbol": pl.String(),
}
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:+-]*")


def check_symbol(symbol: str) -> str:
    """`symbol`, if it can name prices and a file; else UsageError."""
    if not _SYMBOL.fullmatch(symbol):
        raise UsageError(f"{symbol!r} is no symbol; use letters, digits and . _ / : + -, such as SOL or USDC/USD")
    return symbol


def file_of(folder: Path, symbol: str) -> Path:
    """The file of `symbol` in a dataset: `USDC/USD` lies in `USDC-USD.parquet`."""
    return folder / f"{re.sub('[/:]', '-', check_symbol(symbol))}.parquet"


def provenance_of(file: Path) -> list[dict[str, Any]]:
    """What the file says of its rows, oldest first; empty for a file that perpool did not write."""
    try:
        raw = (pq.read_metadata(file).metadata or {}).get(PROVENANCE.encode())
    except (pa.ArrowException, OSError):
        raise PerpoolError(f"{file}: not a readable Parquet file; take it out of the dataset") from None
    entries: list[dict[str, Any]] = json.loads(raw) if raw else []
    return entries


def in_order(columns: Sequence[str]) -> list[str]:
    """The columns of a dataset among `columns`, in the order of its files."""
    return [name for name in ORDER if name in columns]


def write_symbol(
    folder: Path, symbol: str, rows: pl.DataFrame | pl.LazyFrame, provenance: Sequence[Mapping[str, Any]]
) -> Path:
    """Write the rows of one symbol, already sorted and checked, so that the file is either whole or untouched.

    rows: `timestamp` and the columns of one shape (no `symbol`: it is filled in), sorted by timestamp, no repeats
    """
    lazy = rows.lazy()
    columns = in_order([*lazy.collect_schema().names(), "symbol"])
    lazy = lazy.with_columns(symbol=pl.lit(symbol)).select(pl.col(name).cast(SCHEMA[name]) for name in columns)
    target = file_of(folder, symbol)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(target) as part:
        lazy.sink_parquet(
            part,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
            metadata={PROVENANCE: json.dumps(list(provenance))},
        )
    return target
