"""Price import: a year of 1-minute candles of three symbols in one CSV of 110 MB, into a dataset.

Three figures: seconds; the same against Polars alone turning that file into one Parquet file, which neither checks, nor
sorts, nor reads times; and the peak memory of a fresh process that imports.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from backtest.errors import PerpoolError
from backtest.history.importing import import_prices

from . import worlds
from .timing import Say, fresh_process, interleaved

MINUTES = 525_600  # a year
_SYMBOLS = {
    "SOL": (150.0, 0.0005),
    "BTC": (60_000.0, 0.0003),
    "ETH": (3_000.0, 0.0004),
}  # first price, sigma per minute
_REPEATS = 3
_PROCESS = """
import json, sys
from importlib import import_module
from pathlib import Path
from backtest.history.importing import import_prices
import_prices("columns", [sys.argv[1]], Path(sys.argv[2]))
print(json.dumps(import_module(sys.argv[3]).peak_bytes()))
"""


def run(full: bool, say: Say) -> dict[str, Any]:
    """Parity of what is imported and what was written, then seconds of both in turn, and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, out, copy = folder / "prices.csv", folder / "dataset", folder / "copy.parquet"
        say("price import: writing a year of minutes")
        write_csv(file, MINUTES)

        def imported() -> None:
            shutil.rmtree(out, ignore_errors=True)
            import_prices("columns", [file], out)

        say(f"price import: {file.stat().st_size / 1e6:,.0f} MB of CSV, and Polars alone")
        alone = {"import": imported, "polars": lambda: pl.scan_csv(file).sink_parquet(copy, compression="zstd")}
        taken = interleaved(alone, _REPEATS)
        _check_parity(copy, out)
        fresh = fresh_process(["-c", _PROCESS, str(file), str(folder / "fresh"), f"{__package__}.timing"])
        return {
            "rows": MINUTES * len(_SYMBOLS),
            "bytes_read": file.stat().st_size,
            "seconds": taken["import"],
            "polars_seconds": taken["polars"],
            "speed_to_polars": taken["polars"] / taken["import"],
            "peak_bytes": json.loads(fresh.splitlines()[-1]),
            "note": "import: hash, read, check, sort, write a file per symbol; polars: scan_csv to sink_parquet",
        }


def write_csv(target: Path, minutes: int) -> None:
    """`minutes` candles of each symbol from 2025 on, in the order of time: ISO times, symbol, OHLCV."""
    tables = []
    for number, (symbol, (first, sigma)) in enumerate(_SYMBOLS.items()):
        ticks = worlds.walk(minutes, seed=number, sigma=sigma, first=first, step_s=60)
        close = (ticks.price[:, 0] / worlds.PRICE_SCALE).round(4)
        begin = np.concatenate([close[:1], close[:-1]])
        columns = {
            "timestamp": pl.from_epoch(pl.Series(ticks.time_us), "us").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "symbol": [symbol] * minutes,
            "open": begin,
            "high": (np.maximum(begin, close) * 1.0005).round(4),
            "low": (np.minimum(begin, close) * 0.9995).round(4),
            "close": close,
            "volume": np.random.default_rng(number).exponential(10.0, minutes).round(4),
        }
        tables.append(pl.DataFrame(columns))
    pl.concat(tables).sort("timestamp", maintain_order=True).write_csv(target)


def _check_parity(copy: Path, out: Path) -> None:
    """The dataset holds the numbers of the file as Polars reads them."""
    raw = pl.scan_parquet(copy).drop("timestamp")
    for symbol in _SYMBOLS:
        same = pl.scan_parquet(out / f"{symbol}.parquet").drop("timestamp").collect()
        if not same.equals(raw.filter(pl.col("symbol") == symbol).collect()):
            raise PerpoolError(f"price import: the rows of {symbol} are not those of the file; please report it")


def main() -> None:
    """Print the figures as JSON: `python -m benchmarks.prices_import`."""
    print(json.dumps(run(False, lambda text: None), indent=2))


if __name__ == "__main__":
    main()
