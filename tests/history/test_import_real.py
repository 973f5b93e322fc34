"""Real files of each kind, imported, compared with what they say, and read as a run reads them.

They are not part of the project: $PERPOOL_REAL_DATA, else ../shared/data, holds them.
"""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from backtest.prices import SymbolSource, open_prices
from tests.history.imports import imported, real, rows
from tests.shell import perpool

BTC_ROUNDS = ("chainlink_rounds", "btc_usd_0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c.csv")
ETH_ROUNDS = ("chainlink_rounds", "eth_usd_0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419.csv")


def ticks(out: Path, symbol: str = "SOL") -> int:
    return open_prices(out, [SymbolSource(symbol, symbol, 2**60)]).span.n_ticks


def test_feather_of_freqtrade(tmp_path):
    file = real("binance_5m_2025", "SOL_USDT-5m.feather")
    found = imported(tmp_path / "out", "freqtrade", file).symbols[0]
    assert (found.total, found.interval_s, found.repairs) == (119_795, 300.0, {})
    raw = pl.read_ipc(file)
    names = ["open", "high", "low", "close", "volume"]
    assert rows(tmp_path / "out").select(names).equals(raw.select(names))
    crash = rows(tmp_path / "out").filter(pl.col("timestamp") == datetime(2025, 10, 10, 21, 25, tzinfo=UTC))
    assert crash["low"].item() == 168.79
    assert ticks(tmp_path / "out") == 119_795


def test_a_year_in_two_files_of_one_folder(tmp_path):
    whole = pl.read_ipc(real("binance_5m_2024", "BTC_USDT-5m.feather"))
    folder = tmp_path / "months"
    folder.mkdir()
    for number, (first, last) in enumerate([(0, 40_000), (39_000, len(whole))]):
        whole[first:last].write_ipc(folder / f"{number}.feather")
    found = imported(tmp_path / "out", "freqtrade", folder).symbols[0]
    assert found.new == found.total == len(whole) == ticks(tmp_path / "out")
    assert rows(tmp_path / "out").select("close").equals(whole.select("close"))


def test_parquet_of_bonk_with_its_candle_of_three_hundred_percent(tmp_path):
    imported(tmp_path / "out", "freqtrade", real("binance_30m_bonk", "BONKUSDT_30m.parquet"))
    widest = rows(tmp_path / "out").select((pl.col("high") / pl.col("low") - 1).max()).item()
    assert len(rows(tmp_path / "out")) == 39_899 and round(widest, 2) == 3.09
    assert ticks(tmp_path / "out") == 39_899


def test_lean_quotes_of_gold(tmp_path):
    found = imported(tmp_path / "out", "lean", real("gold_hour_lean", "xauusd.zip"), symbol="XAU").symbols[0]
    assert (found.total, found.interval_s) == (76_499, 3_600.0)
    first = rows(tmp_path / "out", "XAU").row(0)  # 20060320 00:00,552.8,554.7,552.4,554.2,0,555.3,557.2,554.9,556.7,0
    assert first[0] == datetime(2006, 3, 20, tzinfo=UTC)
    assert first[1:] == pytest.approx((554.05, 555.95, 553.65, 555.45, 1.25), abs=1e-9)
    assert ticks(tmp_path / "out", "XAU") == 76_499


@pytest.mark.parametrize(
    ("file", "repair", "message"),
    [
        (
            BTC_ROUNDS,
            "",
            "line 10693, column update: is 0, which is no time; --repair drop-zero drops rounds and candles that "
            "never were",
        ),
        (
            BTC_ROUNDS,
            "drop-zero",
            "2023-05-10T17:18:35Z is there twice with different price, 27112.45 and 27294.768072; remove one row, or "
            "keep the last with --repair keep-last",
        ),
        (
            ETH_ROUNDS,
            "drop-zero",
            "2023-04-19T08:12:11Z is there twice with different price, 2034.1049 and 2022.8761; remove one row, or "
            "keep the last with --repair keep-last",
        ),
    ],
)
def test_chainlink_says_what_would_mend_it(tmp_path, file, repair, message):
    path = real(*file)
    found = perpool(
        *("prices", "import", "chainlink", path, "--symbol", "BTC", "--out", tmp_path / "out"),
        *(["--repair", repair] if repair else []),
    )
    assert found == (1, "", f"error: {path}: {message}\n")


@pytest.mark.parametrize(("file", "equal", "total"), [(BTC_ROUNDS, 7, 10_684), (ETH_ROUNDS, 5, 11_101)])
def test_chainlink_repaired(tmp_path, file, equal, total):
    found = imported(tmp_path / "out", "chainlink", real(*file), repair="drop-zero,keep-last").symbols[0]
    assert (found.total, found.repairs) == (total, {"drop-zero": 1, "keep-last": equal})
    assert found.interval_s is None and ticks(tmp_path / "out") == total


def test_chainlink_keeps_the_later_of_two_rounds_of_one_second(tmp_path):
    imported(tmp_path / "out", "chainlink", real(*BTC_ROUNDS), repair="drop-zero,keep-last")
    at = rows(tmp_path / "out").filter(pl.col("timestamp") == datetime(2023, 5, 10, 17, 18, 35, tzinfo=UTC))
    assert at["price"].item() == 27294.768072


def test_csv_of_the_depeg_and_the_same_through_ccxt(tmp_path):
    file = real("usdc_depeg_1m", "binance_BTCUSD_1m_20230301_20230321.csv")
    imported(tmp_path / "mapped", "columns", file, mapping={"timestamp": "open_time"})
    imported(tmp_path / "ccxt", "ccxt", file)
    assert rows(tmp_path / "mapped").equals(rows(tmp_path / "ccxt"))
    assert ticks(tmp_path / "ccxt") == 30_240


def test_a_table_that_is_no_price_table_is_refused(tmp_path):
    file = real("gmx_v2_ethusd_minutes", "arbitrum_gmxv2_ETHUSD_2025-07-01.minute.csv")
    found = perpool("prices", "import", "columns", file, "--symbol", "ETH", "--out", tmp_path / "out")
    assert found.code == 2 and found.err.count("\n") == 1 and "which column holds" in found.err


def test_the_report_of_the_command(tmp_path, monkeypatch):
    file = real(*BTC_ROUNDS)
    monkeypatch.chdir(tmp_path)
    shutil.copy(file, "btc.csv")
    words = "prices import chainlink btc.csv --symbol BTC --out feeds --repair drop-zero,keep-last"
    found = perpool(words)
    assert found.code == 0 and found.err == ""
    assert "in feeds, one file per symbol" in found.out and "drop-zero 1, keep-last 7" in " ".join(found.out.split())
    assert found.out.splitlines()[-2:] == [
        "  perpool prices check feeds          gaps, duplicates, stale prices, outliers",
        "  perpool run --prices feeds          replay a venue over it",
    ]
    again = json.loads(perpool(words + " --json").out)
    assert again == {"out": "feeds", "files": ["btc.csv"], "skipped": ["btc.csv"], "naive": [], "symbols": []}
    assert "1 file already there, skipped" in perpool(words).out
