"""`make real` and `make compare`: real 5-minute prices, generated orders, and the audit of every run.

The price files are not part of the project; they are looked for in $PERPOOL_REAL_DATA, else in ../shared/data.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
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

VENUES = ("alp", "jlp", "glp")  # of the scenarios btc-2025-...
OUT_2025 = Path("runs/2025")
SPAN_2025 = ("2025-01-01", "2026-01-01")
# What an LP earned, and what the assets of the pool did; the year is one row of `attribution` a run.
EARNED = """
SELECT h.run, asset_drift_usd::INT AS assets_usd,
       (a.open_fee_usd + a.exit_fee_usd + a.borrow_fee_usd - to_others_usd)::INT AS fees_joined_usd,
       h.rewards_usd::INT AS rewards_usd, -a.trader_pnl_usd::INT AS from_traders_usd,
       (a.confiscated_usd - a.bad_debt_usd - a.liquidator_usd)::INT AS liquidations_usd,
       a.spread_usd::INT AS spread_usd,
       (100 * (a.change_usd - a.lp_flow_usd - asset_drift_usd + h.rewards_usd) / aum_start_usd)::DECIMAL(9, 2)
           AS earned_percent
FROM attribution('1 year') a JOIN headlines h USING (run) ORDER BY earned_percent
"""


def real_data() -> Path:
    """Folder of the real price files, there or not."""
    return Path(os.environ.get("PERPOOL_REAL_DATA", ROOT.parent / "shared" / "data"))


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


def candles_2025(target: Path) -> Path:
    """The candles of 2025 of what the pools of the compared venues hold."""
    return candles("binance_5m_2025", {symbol: f"{symbol}_USDT-5m" for symbol in ("SOL", "BTC", "ETH")}, target)


def perpool(steps: Sequence[Sequence[str]]) -> int:
    """Run the commands one after the other up to the first that fails; its exit code."""
    for step in steps:
        print(f"\n$ perpool {' '.join(step[:2])} ...", flush=True)
        code = subprocess.run([sys.executable, "-m", "backtest.cli", *step], check=False).returncode
        if code:
            return code
    return 0


def year_2024(folder: Path) -> int:
    """ALP through 2024 with a million positions, audited, and the day of the crash."""
    prices = candles_2024(folder)
    return perpool(
        (
            ("run", "real-2024", "--prices", str(prices), "--out", str(OUT), "--overwrite"),
            ("audit", str(OUT)),
            ("sql", str(OUT), CRASH_DAY),
        )
    )


def year_2025(folder: Path) -> int:
    """The same orders in ALP, JLP and GLP through 2025, each run audited, then side by side."""
    OUT_2025.mkdir(parents=True, exist_ok=True)
    prices, orders = str(candles_2025(folder)), str(OUT_2025 / "orders.parquet")
    flow = str(ROOT / "configs" / "flows" / "btc-2025.toml")
    start, end = SPAN_2025
    steps: list[Sequence[str]] = [
        ("flow", "generate", flow, "--prices", prices, "--start", start, "--end", end, "--out", orders)
    ]
    outs = [str(OUT_2025 / venue) for venue in VENUES]
    for venue, out in zip(VENUES, outs, strict=True):
        given = ("--prices", prices, "--orders", orders)
        steps += [("run", f"btc-2025-{venue}", *given, "--out", out, "--overwrite"), ("audit", out)]
    return perpool([*steps, ("compare", *outs), ("sql", *outs, EARNED)])


def main(what: str = "2024") -> int:
    """Convert, run, audit; 0 when everything holds or there is no data."""
    folder, year = {"2024": ("binance_5m_2024", year_2024), "compare": ("binance_5m_2025", year_2025)}[what]
    if not (real_data() / folder).is_dir():
        print(f"skipped: no {folder} in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds it")
        return 0
    with tempfile.TemporaryDirectory() as target:
        return year(Path(target))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
