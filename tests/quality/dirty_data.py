"""Price histories for the tests of the quality report: clean ones, and what is done to them."""

from pathlib import Path

import numpy as np
import polars as pl

from backtest.quality.check import check
from backtest.quality.report import Report, SymbolReport
from backtest.quality.rows import survey
from tests.price_data import MINUTE, T0

DAY = 24 * 60 * MINUTE
NOW = T0 + 400 * DAY
CANDLES = ("open", "high", "low", "close")


def walk(count: int, seed: int = 0) -> np.ndarray:
    """Prices (count,) that move by 0.05 % to 0.2 % at every step, up or down."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.0005, 0.002, count) * rng.choice([-1, 1], count)
    return 100 * np.exp(np.cumsum(steps))


def prices(count: int, seed: int = 0, step: int = MINUTE) -> pl.DataFrame:
    """Clean rows of `timestamp` (µs) and `price`, one per `step` from T0."""
    times = T0 + np.arange(count, dtype=np.int64) * step
    return pl.DataFrame({"timestamp": times, "price": walk(count, seed)})


def candles(count: int, seed: int = 0, step: int = MINUTE) -> pl.DataFrame:
    """Clean candles with a volume, one per `step` from T0; each opens where the one before closed."""
    close = walk(count, seed)
    opens = np.append(100.0, close[:-1])
    high, low = np.maximum(opens, close) * 1.0002, np.minimum(opens, close) * 0.9998
    times = T0 + np.arange(count, dtype=np.int64) * step
    columns = {"open": opens, "high": high, "low": low, "close": close, "volume": np.ones(count)}
    return pl.DataFrame({"timestamp": times} | columns)


def put(frame: pl.DataFrame, column: str, values: dict[int, float | int | None]) -> pl.DataFrame:
    """`frame` with other values in some rows of a column."""
    cells = frame[column].to_list()
    for row, value in values.items():
        cells[row] = value
    return frame.with_columns(pl.Series(column, cells, frame[column].dtype))


def write(folder: Path, symbol: str, frame: pl.DataFrame, name: str = "", unit: str = "us") -> Path:
    """Write rows as they are to `folder`, in a file of the symbol's name unless another is given."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name or symbol}.parquet"
    moments = pl.col("timestamp").cast(pl.Datetime("us", "UTC")).dt.cast_time_unit(unit)  # type: ignore[arg-type]
    frame.select(moments, pl.lit(symbol).alias("symbol"), pl.exclude("timestamp")).write_parquet(file)
    return file


def report(paths: Path | list[Path], **options) -> Report:
    """The report over files, in a world where it is 400 days after T0."""
    return check(survey(paths), now_us=NOW, **options)


def of(folder: Path, frame: pl.DataFrame, symbol: str = "SOL", **options) -> SymbolReport:
    """The report over the rows of one symbol."""
    return report(write(folder, symbol, frame), **options).symbols[0]


def counts(one: SymbolReport) -> dict[str, int]:
    """Rows of each fault that was found."""
    return {kind: fault.rows for kind, fault in one.faults.items()}
