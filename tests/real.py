"""`make real`: ALP through 2024 on real 5-minute prices with a million generated positions, then the audit.

The price files are not part of the project; they are looked for in $PERPOOL_REAL_DATA, else in ../shared/data.
"""

import os
import sys
import tempfile
from pathlib import Path

import polars as pl

SYMBOLS = ("SOL", "BTC", "BONK")
OUT = Path("runs/real-2024")
CRASH_DAY = """
SELECT date_trunc('hour', timestamp) AS hour, market_symbol AS market,
       count(*) AS liquidations,
       count(*) FILTER (WHERE side = 'long') AS longs,
       sum(size_usd)::DECIMAL(18, 0) AS size_usd, min(price_usd)::DOUBLE AS lowest_price,
       sum(bad_debt_usd)::DECIMAL(18, 0) AS bad_debt_usd
FROM liquidations WHERE timestamp >= '2024-08-05' AND timestamp < '2024-08-06'
GROUP BY ALL ORDER BY liquidations DESC LIMIT 12
"""


def real_data() -> Path:
    """Folder of the real price files, there or not."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    return Path(os.environ.get("PERPOOL_REAL_DATA", default))


def candles(folder: str, files: dict[str, str], target: Path) -> Path:
    """Write the candles of `files` (symbol -> name of its Feather file) as one Parquet file in the project's shape."""
    frames = [
        pl.read_ipc(real_data() / folder / f"{name}.feather").select(
            pl.col("date").cast(pl.Datetime("us", "UTC")).alias("timestamp"),
            pl.lit(symbol).alias("symbol"),
            *("open", "high", "low", "close", "volume"),
        )
        for symbol, name in files.items()
    ]
    path = target / f"{folder}.parquet"
    pl.concat(frames).sort("timestamp", "symbol").write_parquet(path)
    return path


def candles_2024(target: Path) -> Path:
    """The 2024 candles of all symbols."""
    return candles("binance_5m_2024", {symbol: f"{symbol}_USDT-5m" for symbol in SYMBOLS}, target)


def main() -> int:
    """Convert, run, audit; 0 when everything holds or there is no data."""
    if not (real_data() / "binance_5m_2024").is_dir():
        print(f"skipped: no real prices in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds them")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        prices = candles_2024(Path(folder))
        import subprocess

        command = [sys.executable, "-m", "backtest.cli"]
        steps = (
            ["run", "real-2024", "--prices", str(prices), "--out", str(OUT), "--overwrite"],
            ["audit", str(OUT)],
            ["sql", str(OUT), CRASH_DAY],
        )
        for step in steps:
            print(f"\n$ perpool {' '.join(step[:2])} ...", flush=True)
            code = subprocess.run([*command, *step], check=False).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
