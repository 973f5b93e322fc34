"""The quality report on real histories: weekends of gold, untraded minutes, a crash within a candle, oracle rounds.

The files are not part of the project: $PERPOOL_REAL_DATA, else ../shared/data, holds them.
"""

import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from backtest.calendars import closed
from backtest.prices import open_prices
from backtest.quality.check import check
from backtest.quality.hours import read_hours
from backtest.quality.limits import Limits, Rules, verdicts
from backtest.quality.report import Report, SymbolReport
from backtest.quality.rows import survey
from tests.price_data import sources
from tests.real import real_data
from tests.shell import perpool

OHLC = ("open", "high", "low", "close")


def source(name: str) -> Path:
    path = real_data() / name
    if not path.exists():
        pytest.skip(f"no {name} in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds real prices")
    return path


def put_down(folder: Path, symbol: str, frame: pl.DataFrame, times: str) -> Path:
    """Write candles in the project's shape."""
    columns = [name for name in (*OHLC, "volume") if name in frame.columns]
    time = pl.col(times).cast(pl.Datetime("us", "UTC")).alias("timestamp")
    file = folder / f"{symbol}.parquet"
    frame.select(time, pl.lit(symbol).alias("symbol"), *columns).write_parquet(file)
    return file


def metals(folder: Path) -> Path:
    for symbol in ("XAU", "XAG"):
        frame = pl.read_ipc(source(f"gold_1m_2025/{symbol}_USDT_USDT-1m-futures.feather"))
        put_down(folder, symbol, frame, "date")
    return folder


def gold_hours(folder: Path) -> Path:
    """Middle prices of LEAN's hours: time, bid (open, high, low, close, size), ask (the same)."""
    with zipfile.ZipFile(source("gold_hour_lean/xauusd.zip")) as archive:
        raw = pl.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), has_header=False)
    names = raw.columns
    middle = {name: (pl.col(names[1 + at]) + pl.col(names[6 + at])) / 2 for at, name in enumerate(OHLC)}
    time = pl.col(names[0]).str.to_datetime("%Y%m%d %H:%M", time_zone="UTC")
    return put_down(folder, "XAUUSD", raw.select(time.alias("at"), **middle), "at")


def failed(report: Report) -> list[str]:
    return [one.name for one in verdicts(report, Limits(), Rules()) if not one.passed]


def only(path: Path, **options) -> SymbolReport:
    (one,) = check(survey(path), **options).symbols
    return one


def test_weekends_of_gold_are_told_from_its_weeks(tmp_path):
    report = check(survey(gold_hours(tmp_path)))
    (one,) = report.symbols
    assert (one.rows, one.faults, one.gaps.hours) == (76_499, {}, "weekly")
    weeks = 675  # of 2006-03-20 to 2019-02-25; every one has its weekend
    assert one.gaps.closed == weeks
    assert weeks * 49 < one.gaps.closed_rows < weeks * 51
    assert 0.95 < one.gaps.coverage < 0.97  # holidays, and a daily break of the last years only
    assert one.gaps.longest[0].after == "2016-12-09T21:00:00Z"
    assert failed(report) == ["missing"]


def test_weekends_of_gold_in_its_exact_hours(tmp_path):
    """The calendar knows the daily break; of what remains most are holidays before its first."""
    file = gold_hours(tmp_path)
    exact = only(file, calendars=read_hours(["XAUUSD=adrena-rwalp"], ["XAUUSD"])).gaps
    told = only(file).gaps
    assert (exact.hours, told.hours) == ("given", "weekly")
    assert exact.missing < told.missing
    assert exact.closed > 1_400  # daily breaks too
    assert exact.due + exact.asleep_rows == 76_499 + exact.missing


def test_a_perpetual_on_gold_trades_through_closed_hours(tmp_path):
    calendars = read_hours(["adrena-rwalp"], ["XAG", "XAU"])
    found = {one.symbol: one for one in check(survey(metals(tmp_path)), calendars=calendars).symbols}
    assert {symbol: one.rows for symbol, one in found.items()} == {"XAG": 61_349, "XAU": 100_345}
    for symbol, one in found.items():
        times = pl.read_parquet(tmp_path / f"{symbol}.parquet")["timestamp"].dt.epoch("us").to_numpy()
        assert one.gaps.asleep_rows == closed(calendars[symbol], times).sum() > 19_000
        assert (one.gaps.missing, one.gaps.coverage, one.gaps.hours) == (0, 1.0, "given")


def test_gold_in_the_hours_of_its_market_misses_nothing(tmp_path):
    calendars = read_hours(["adrena-rwalp"], ["XAG", "XAU"])
    for file in sorted(metals(tmp_path).glob("*.parquet")):
        frame = pl.read_parquet(file)
        shut = closed(calendars[file.stem], frame["timestamp"].dt.epoch("us").to_numpy())
        frame.filter(~pl.Series(shut)).write_parquet(file)
    exact = check(survey(tmp_path), calendars=calendars)
    assert [(one.gaps.missing, one.gaps.coverage, one.gaps.asleep_rows) for one in exact.symbols] == [(0, 1.0, 0)] * 2
    told = {one.symbol: one.gaps for one in check(survey(tmp_path)).symbols}
    assert {gaps.hours for gaps in told.values()} == {"weekly"}
    assert told["XAG"].missing == 0
    assert told["XAU"].missing == 2 * 23 * 60  # Christmas and New Year, Thursdays less the break that each day has


def test_minutes_without_a_trade(tmp_path):
    for symbol in ("BTCUSD", "BTCUSDC"):
        frame = pl.read_csv(source(f"usdc_depeg_1m/binance_{symbol}_1m_20230301_20230321.csv"))
        time = pl.col("open_time").str.to_datetime("%Y-%m-%d %H:%M:%S%z")
        put_down(tmp_path, symbol, frame.with_columns(time), "open_time")
    found = {one.symbol: one for one in check(survey(tmp_path)).symbols}
    assert round(found["BTCUSDC"].untraded_rows / found["BTCUSDC"].rows, 2) == 0.43
    assert found["BTCUSD"].untraded_rows == 72
    assert found["BTCUSDC"].largest[0].time == "2023-03-14T14:24:00Z"


def test_a_candle_of_three_hundred_percent_is_listed(tmp_path):
    """On 10 October 2025 BONK fell by three quarters and came back within half an hour."""
    one = only(
        put_down(tmp_path, "BONK", pl.read_parquet(source("binance_30m_bonk/BONKUSDT_30m.parquet")), "timestamp")
    )
    assert one.largest[0].time == "2025-10-10T21:00:00Z"
    assert (one.largest[0].column, round(one.largest[0].size, 2)) == ("low", -0.52)
    assert one.faults == {}


@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL", "BONK"])
def test_candles_of_an_exchange_pass(tmp_path, symbol):
    frame = pl.read_ipc(source(f"binance_5m_2024/{symbol}_USDT-5m.feather"))
    report = check(survey(put_down(tmp_path, symbol, frame, "date")))
    assert failed(report) == []
    assert report.symbols[0].gaps.coverage == 1.0


def test_oracle_rounds_as_they_come_and_repaired(tmp_path):
    (tmp_path / "in").mkdir()
    for symbol in ("btc", "eth"):
        (file,) = source("chainlink_rounds").glob(f"{symbol}_usd*.csv")
        rounds = pl.read_csv(file).select(
            pl.from_epoch("update", "s").dt.replace_time_zone("UTC").alias("timestamp"),
            pl.lit(symbol.upper()).alias("symbol"),
            price=pl.col("answer") / 1e8,
        )
        rounds.write_parquet(tmp_path / "in" / f"{symbol.upper()}.parquet")
    found = {one.symbol: one for one in check(survey(tmp_path / "in")).symbols}
    counts = {kind: fault.rows for kind, fault in found["BTC"].faults.items()}
    assert counts == {"zero": 1, "time": 1, "unsorted": 10_690, "conflict": 7}
    assert not found["BTC"].span.regular
    out = tmp_path / "out"
    done = perpool("prices", "check", tmp_path / "in", "--repair", "drop-zero,keep-last,sort", "--out", out)
    assert (done.code, done.err) == (0, "")
    open_prices(out, sources("BTC", "ETH"))
