"""Position histories for tests: rows as a CSV file, and the orders that an import makes of them."""

from pathlib import Path
from typing import Any

import polars as pl

from backtest.flows.history_columns import parse_map, parse_names
from backtest.flows.importing import Imported, Options, import_history

HEAD = "id,opened,closed,market,side,size,collateral,status"
ROW = "1,2025-01-01T00:00:00Z,2025-01-01T02:00:00Z,SOL,long,500,100,closed"


def write(path: Path, *lines: str, head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def imported(*files: Path, mapping: str = "", market_map: str = "", **options: Any) -> Imported:
    """Import into `orders.parquet` beside the first file."""
    given = Options(mapping=parse_map(mapping), market_map=parse_names(market_map), **options)
    return import_history(list(files), files[0].parent / "orders.parquet", given)


def orders_of(folder: Path) -> pl.DataFrame:
    """The written orders, names as text and amounts as floats."""
    frame = pl.read_parquet(folder / "orders.parquet")
    return frame.with_columns(
        pl.col("action", "market", "side").cast(pl.String), pl.col("size_usd", "collateral_usd").cast(pl.Float64)
    )
