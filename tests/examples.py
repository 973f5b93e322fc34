"""The files that the examples of the command line name: two days of the bundled sample in August 2024, logs, runs."""

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import polars as pl

from backtest.history.store import write_symbol
from tests.shell import ROOT, perpool

MADE_OF = {"BTCUSD": ("BTC", 1.0), "BTCUSDC": ("BTC", 1.001), "EUR/USD": ("USDC", 1.08)}  # and a factor
METALS = ("XAU", "XAG", "WTI")
SUSPECT = (*METALS, "DAI", "USDT")  # closed at night, or still for hours: `prices check` says so
MINUTES = 10


def build(root: Path) -> None:
    """Write everything into an empty folder."""
    sample = pl.read_parquet(ROOT / "data" / "sample" / "prices.parquet")
    start = sample["timestamp"].min()
    sample = sample.filter(pl.col("timestamp") < start + timedelta(days=2))
    (root / "data" / "sample").mkdir(parents=True)
    sample.write_parquet(root / "data" / "sample" / "prices.parquet")
    august = sample.with_columns(pl.col("timestamp") - start + pl.datetime(2024, 8, 1, time_zone="UTC"))
    for (symbol,), rows in august.partition_by("symbol", as_dict=True).items():
        if symbol not in SUSPECT:
            write_symbol(root / "prices", str(symbol), rows.drop("symbol"), [])
    for symbol, (source, factor) in MADE_OF.items():
        rows = august.filter(pl.col("symbol") == source).drop("symbol")
        write_symbol(root / "prices", symbol, rows.with_columns(pl.col("price") * factor), [])
    _metals(root / "metals", august)
    _downloads(root)
    _logs(root)
    given = ("--prices", root / "prices", "--positions", 200)
    for name in ("orders", "real", "generated"):
        assert perpool("flow", "generate", *given, "--out", root / f"{name}.parquet").code == 0
    for number, name in enumerate(("alp", "sample", "a", "b")):
        written = ("--snapshot", "12h", "--out", root / "runs" / name)
        assert perpool("run", "adrena-alp", *given, "--seed", number, *written).code == 0
    dearer = ("--seed", 0, "--set", "market.*.close_bps=20", "--out", root / "runs" / "dearer")
    assert perpool("run", "adrena-alp", *given, *dearer).code == 0


def _metals(folder: Path, august: pl.DataFrame) -> None:
    """What adrena-rwalp trades, on a Thursday outside of the daily break of its hours."""
    morning = (pl.col("timestamp").dt.day() == 1) & (pl.col("timestamp").dt.hour() < 12)
    for symbol in METALS:
        write_symbol(folder, symbol, august.filter(morning & (pl.col("symbol") == "BTC")).drop("symbol"), [])


def _downloads(root: Path) -> None:
    """A month of klines (its first minutes), a feed's rounds, and a table of two symbols."""
    first = 1_735_689_600  # 2025-01-01
    klines = io.StringIO()
    for minute in range(MINUTES):
        opened = (first + 60 * minute) * 1_000_000
        csv.writer(klines).writerow([opened, 190, 191, 189, 190.5, 7, opened + 59_999_999, 1330, 5, 3, 570, 0])
    with zipfile.ZipFile(root / "SOLUSDT-1m-2025-01.zip", "w") as archive:
        archive.writestr("SOLUSDT-1m-2025-01.csv", klines.getvalue())
    rounds = [f"{9 - n},{n},{94_000 * 10**8 + n},{first + 60 * n},{first + 60 * n},{n}" for n in range(9, 0, -1)]
    (root / "btc_usd.csv").write_text("\n".join([",round,answer,start,update,answeredInRound", *rounds]) + "\n")
    rows = [
        f"2025-01-01T00:{minute:02}:00Z,{symbol},{price},{price},{price},{price}"
        for minute in range(MINUTES)
        for symbol, price in (("ETH", 3_300), ("BTC", 94_000))
    ]
    (root / "all.csv").write_text("\n".join(["open_time,symbol,open,high,low,close", *rows]) + "\n")


def _logs(root: Path) -> None:
    """Two position histories."""
    (root / "positions.csv").write_text(
        "open_time,close_time,market,side,size_usd,collateral_usd\n"
        "2024-08-01T01:00:00Z,2024-08-01T05:00:00Z,SOL,long,1000,100\n"
    )
    (root / "history.json").write_text(
        '[{"openTime": "2024-08-01T01:00:00Z", "closeTime": "2024-08-01T05:00:00Z", "market": "SOL-PERP", '
        '"side": "short", "sizeUsd": 1000000000, "collateralUsd": 100}]'
    )
