"""Faults of price files."""

import polars as pl

from tests.faults.changes import (
    INF,
    NAN,
    RUN,
    Fault,
    both,
    candles,
    changed,
    copied,
    cut,
    folder,
    prices,
    scrambled,
    written,
)
from tests.shell import MINUTE, T0

FILL = "remove the row or fill in the price in US dollars"

PRICES = {
    "nan": Fault(f"prices.parquet: row 2, column price: nan is not a price; {FILL}", prices(1.0, 1.0, NAN)),
    "infinite": Fault(f"prices.parquet: row 1, column price: inf is not a price; {FILL}", prices(1.0, INF)),
    "negative": Fault(f"prices.parquet: row 0, column price: -1.0 is not a price above zero; {FILL}", prices(-1.0)),
    "zero": Fault(f"prices.parquet: row 1, column price: 0.0 is not a price above zero; {FILL}", prices(1.0, 0.0)),
    "null": Fault(f"prices.parquet: row 1, column price: is null; {FILL}", prices(1.0, None)),
    "wrong unit": Fault(
        "prices.parquet: row 0, column price: 1000000000.0 is outside the range of prices, 1e-10 to 9e+07 US dollars; "
        "check the unit: whole dollars per whole token",
        prices(1e9),
    ),
    "two in one second": Fault(
        "prices at 2025-01-01T00:00:00Z and 2025-01-01T00:00:00.300000Z fall in the same second, and the venue clock "
        "counts whole seconds; round the timestamps of all symbols to whole seconds",
        prices(1.0, 1.0, step_us=300_000),
    ),
    "duplicate": Fault(
        "prices.parquet: row 1, column timestamp: 2025-01-01T00:00:00Z repeats the previous time of SOL; keep one row "
        "per symbol and timestamp",
        prices(1.0, 1.0, step_us=0),
    ),
    "unsorted": Fault(
        "prices.parquet: row 1, column timestamp: 2024-12-31T23:59:00Z comes after 2025-01-01T00:00:00Z of SOL; sort "
        "the file by timestamp",
        prices(1.0, 1.0, step_us=-MINUTE),
    ),
    "duplicate across files": Fault(
        "SOL has two prices at 2025-01-01T00:00:00Z: prices.parquet row 0 and q.parquet row 0; keep one row per symbol "
        "and timestamp",
        copied("prices.parquet", "q.parquet"),
        f"{RUN} --prices prices.parquet --prices q.parquet",
    ),
    "naive": Fault(
        "prices.parquet: column timestamp has no time zone (timestamp[us]); if the times are UTC, say so: "
        "pl.col('timestamp').dt.replace_time_zone('UTC')",
        changed(pl.col("timestamp").dt.replace_time_zone(None)),
    ),
    "integer times": Fault(
        "prices.parquet: column timestamp has type int64; expected a timestamp in UTC. Convert it first, for example "
        "pl.from_epoch('timestamp', 'ms').dt.replace_time_zone('UTC')",
        changed(pl.col("timestamp").dt.epoch("ms")),
    ),
    "times in another unit": Fault(
        f"prices.parquet: row 0, column timestamp: {T0} ms since 1970 is not between 1970 and 2200; check the unit the "
        "times were written in",
        changed(pl.col("timestamp").dt.epoch("us").cast(pl.Datetime("ms", "UTC"))),
    ),
    "text for a price": Fault(
        "prices.parquet: column price has type large_string; expected a number, US dollars per token: "
        "pl.col('price').cast(pl.Float64)",
        changed(pl.col("price").cast(pl.String)),
    ),
    "null symbol": Fault(
        "prices.parquet: row 0, column symbol: is null; name the symbol of every row",
        changed(pl.lit(None, pl.String).alias("symbol")),
    ),
    "unknown symbol": Fault(
        "prices.parquet: no prices for SOL; the column symbol holds BTC; add the missing prices or map the symbol to "
        "one of these",
        changed(pl.lit("BTC").alias("symbol")),
    ),
    "missing column": Fault(
        "prices.parquet: column symbol is missing (there are: timestamp, price); price files hold timestamp, symbol, "
        "price or timestamp, symbol, open, high, low, close",
        lambda: pl.read_parquet("prices.parquet").drop("symbol").write_parquet("prices.parquet"),
    ),
    "no rows": Fault(
        "prices.parquet: the file has no rows; write it again or leave it out",
        lambda: pl.read_parquet("prices.parquet").clear().write_parquet("prices.parquet"),
    ),
    "empty file": Fault(
        "prices.parquet: the file is empty (0 bytes); write it again or leave it out", written("prices.parquet", "")
    ),
    "no Parquet": Fault(
        "prices.parquet: not a readable Parquet file; convert it to Parquet first", written("prices.parquet", "a,b\n")
    ),
    "cut off": Fault("prices.parquet: not a readable Parquet file; convert it to Parquet first", cut("prices.parquet")),
    "damaged pages": Fault(
        "prices.parquet: row group 0 cannot be read (...); write the file again", scrambled("prices.parquet")
    ),
    "impossible candle": Fault(
        "prices.parquet: row 0, column high: 9.0 is below the low of the same candle, 9.5 US dollars; repair or remove "
        "the candle",
        candles(10.0, 9.0, 9.5, 9.8),
    ),
    "single candle": Fault(
        "SOL has a single candle, so its interval is unknown; give two or more",
        both(prices(1.0), candles(1.0, 1.0, 1.0, 1.0)),
    ),
    "two shapes": Fault(
        "prices.parquet holds prices but q.parquet holds candles; give one shape per run: convert one of them, or name "
        "only the files that belong together",
        candles(1.0, 1.0, 1.0, 1.0, "q.parquet"),
        f"{RUN} --prices prices.parquet --prices q.parquet",
    ),
    "a path through prices": Fault(
        "prices.parquet: holds one price per row, so the path ohlc is not possible; use the path close",
        args=f"{RUN} --path ohlc",
        code=2,
    ),
    "no file": Fault("none.parquet: no such price file or folder; check the path", args=f"{RUN} --prices none.parquet"),
    "no match": Fault("x*.parquet: no file matches; check the pattern", args=f"{RUN} --prices 'x*.parquet'"),
    "empty folder": Fault(
        "bare: the folder holds no *.parquet files; name a folder with price files",
        folder("bare"),
        f"{RUN} --prices bare",
    ),
    "no overlap": Fault(
        "no tick from 2030-01-01T00:00:00Z has a price of every symbol; prices reach: SOL 2025-01-01T00:00:00Z to "
        "2025-01-01T00:19:00Z; change the dates or add prices",
        args=f"{RUN} --start 2030-01-01",
    ),
    "ends before it begins": Fault(
        "no tick before 2020-01-01T00:00:00Z has a price of every symbol; prices reach: SOL 2025-01-01T00:00:00Z to "
        "2025-01-01T00:19:00Z; change the dates or add prices",
        args=f"{RUN} --end 2020-01-01",
    ),
}
