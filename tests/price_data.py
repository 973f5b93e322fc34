"""Small price files for tests, written from rows."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from backtest.prices import SymbolSource

S = 1_000_000
MINUTE = 60 * S
T0 = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * S
NEVER_STALE = 2**60


def stamps(times_us, unit="us", zone="UTC"):
    return pl.Series("timestamp", times_us, dtype=pl.Int64).cast(pl.Datetime("us", zone)).dt.cast_time_unit(unit)


def write_prices(file: Path, rows, unit="us", zone="UTC", **options) -> Path:
    """Write rows of (time µs, symbol, price)."""
    times, symbols, prices = zip(*rows, strict=True)
    pl.DataFrame(
        {"timestamp": stamps(times, unit, zone), "symbol": symbols, "price": pl.Series(prices, dtype=pl.Float64)}
    ).write_parquet(file, **options)
    return file


def write_candles(file: Path, rows) -> Path:
    """Write rows of (time µs, symbol, open, high, low, close)."""
    times, symbols, *prices = zip(*rows, strict=True)
    columns = dict(zip(("open", "high", "low", "close"), prices, strict=True))
    pl.DataFrame({"timestamp": stamps(times), "symbol": symbols, **columns}).write_parquet(file)
    return file


def sources(*names: str, stale: int = NEVER_STALE) -> list[SymbolSource]:
    return [SymbolSource(name, name, stale) for name in names]
