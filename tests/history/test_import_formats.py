"""Every format by hand: the rows that a small file gives, whatever its line ends, headers, units and wrapping."""

import json
from pathlib import Path

import polars as pl
import pytest

from backtest.history.bars import KLINE
from backtest.prices import SymbolSource, open_prices
from tests.history.imports import (
    BARS,
    MS0,
    bars,
    csv,
    gzipped,
    imported,
    klines,
    minute,
    nothing_left,
    ohlcv,
    rows,
    write_feather,
    written,
    zipped,
)

HEADER = ",".join(KLINE) + "\n"


def candles(out: Path, expected: pl.DataFrame) -> None:
    assert rows(out).equals(expected)
    assert nothing_left(out.parent)
    found = open_prices(out, [SymbolSource("SOL", "SOL", 2**60)])
    assert found.span.n_ticks == len(expected)


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
@pytest.mark.parametrize("header", ["", HEADER])
def test_binance_in_any_unit_with_and_without_names(tmp_path, unit, header):
    imported(tmp_path / "out", "binance", written(tmp_path / "a.csv", header + klines(unit=unit)))
    candles(tmp_path / "out", bars())


def test_binance_in_seconds(tmp_path):
    text = csv([(MS0 // 1_000 + 60 * at, *row, 0, 0, 0, 0, 0, 0) for at, row in enumerate(BARS)])
    imported(tmp_path / "out", "binance", written(tmp_path / "a.csv", text))
    candles(tmp_path / "out", bars())


@pytest.mark.parametrize(
    "text",
    [
        klines().replace("\n", "\r\n"),
        "\ufeff" + klines(),
        "\ufeff" + HEADER + klines(),
        klines() + "\n\r\n",
        klines().rstrip("\n"),
        klines().replace("\n", "\n\n"),
        klines().replace("101.5", '"101.5"').replace("99.5", " 99.5 "),
    ],
)
def test_text_that_editors_make(tmp_path, text):
    imported(tmp_path / "out", "binance", written(tmp_path / "a.csv", text))
    candles(tmp_path / "out", bars())


def test_zip_gzip_and_a_zip_of_several(tmp_path):
    imported(tmp_path / "one", "binance", zipped(tmp_path / "a.zip", {"a.csv": klines()}))
    candles(tmp_path / "one", bars())
    imported(tmp_path / "two", "binance", gzipped(tmp_path / "a.csv.gz", klines()))
    candles(tmp_path / "two", bars())
    parts = {"b.csv": klines(2, first=1), "a.csv": HEADER + klines(1), "README.txt": "x", "__MACOSX/a.csv": "y"}
    imported(tmp_path / "three", "binance", zipped(tmp_path / "b.zip", parts))
    candles(tmp_path / "three", bars())


@pytest.mark.parametrize(
    "content",
    [
        ohlcv(),
        "\n".join(json.dumps(row) for row in ohlcv()) + "\n",
        csv(ohlcv()),
        csv(ohlcv(), "timestamp,open,high,low,close,volume"),
        csv(ohlcv(), "Date,Open,High,Low,Close,Volume"),
        csv([(minute(at).isoformat(), *row) for at, row in enumerate(BARS)], "datetime,open,high,low,close,volume"),
        csv([(f"{minute(at):%Y-%m-%dT%H:%M:%S.000Z}", *row) for at, row in enumerate(BARS)]),
        csv([(f"2025-01-01 02:0{at}+02:00", *row) for at, row in enumerate(BARS)]),
    ],
)
def test_ccxt(tmp_path, content):
    report = imported(tmp_path / "out", "ccxt", written(tmp_path / "a.json", content))
    candles(tmp_path / "out", bars())
    assert report.naive == []


def test_times_without_a_zone_are_utc_and_that_is_said(tmp_path):
    file = written(tmp_path / "a.csv", csv([(f"2025-01-01 00:0{at}:00", *row) for at, row in enumerate(BARS)]))
    assert imported(tmp_path / "out", "ccxt", file).naive == [str(file)]
    candles(tmp_path / "out", bars())


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize(("time", "zone"), [("date", "UTC"), ("timestamp", "America/New_York")])
def test_freqtrade(tmp_path, unit, time, zone):
    frame = bars().with_columns(pl.col("timestamp").dt.cast_time_unit(unit).dt.convert_time_zone(zone))
    frame = frame.rename({"timestamp": time}).with_columns(note=pl.lit("x"))
    imported(tmp_path / "feather", "freqtrade", write_feather(tmp_path / "a.feather", frame))
    candles(tmp_path / "feather", bars())
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=2)
    imported(tmp_path / "parquet", "freqtrade", tmp_path / "a.parquet")
    candles(tmp_path / "parquet", bars())


@pytest.mark.parametrize("volume", [True, False])
def test_tradingview(tmp_path, volume):
    answer = {"s": "ok", "t": [MS0 // 1_000 + 60 * at for at in range(3)]}
    answer |= {letter: [row[at] for row in BARS] for at, letter in enumerate("ohlcv" if volume else "ohlc")}
    imported(tmp_path / "out", "tradingview", written(tmp_path / "a.json", answer))
    candles(tmp_path / "out", bars() if volume else bars().drop("volume"))


QUOTES = [(100, 101, 99, 100, 5, 102, 103, 101, 101, 5), (100, 104, 100, 103, 5, 101, 106, 101, 104, 5)]
MIDS = {"open": [101.0, 100.5], "high": [102.0, 105.0], "low": [100.0, 100.5], "close": [100.5, 103.5]}


@pytest.mark.parametrize(
    ("outer", "inner", "times"),
    [
        ("sol.zip", "sol.csv", ["20250101 00:00", "20250101 00:01"]),
        ("20250101_quote.zip", "sol_minute_quote.csv", [0, 60_000]),
        ("sol.zip", "20250101_sol_minute_quote.csv", [0, 60_000]),
    ],
)
def test_lean_quote_bars_become_mid_prices(tmp_path, outer, inner, times):
    text = csv([(time, *row) for time, row in zip(times, QUOTES, strict=True)])
    imported(tmp_path / "out", "lean", zipped(tmp_path / outer, {inner: text}))
    expected = bars(2).select("timestamp").with_columns(pl.Series(name, values) for name, values in MIDS.items())
    candles(tmp_path / "out", expected.with_columns(confidence=pl.Series([0.5, 0.5])))


def test_lean_rows_without_a_side_are_dropped_on_demand(tmp_path):
    lines = [("20250101 00:00", *QUOTES[0]), ("20250101 00:01", *[""] * 4, 0, *QUOTES[1][5:])]
    file = written(tmp_path / "sol.csv", csv([*lines, ("20250101 00:02", *QUOTES[1])]))
    report = imported(tmp_path / "out", "lean", file, repair="drop-incomplete")
    assert report.symbols[0].repairs == {"drop-incomplete": 1}
    assert rows(tmp_path / "out")["open"].to_list() == [101.0, 100.5]


def test_lean_trade_bars(tmp_path):
    text = csv([(f"20250101 00:0{at}", *row) for at, row in enumerate(BARS)])
    imported(tmp_path / "out", "lean", written(tmp_path / "sol.csv", text))
    candles(tmp_path / "out", bars())


ROUNDS = [
    (7, 10_300_000_000, 1735689720),
    (5, 10_100_000_000, 1735689660),
    (6, 10_200_000_000, 1735689660),
    (4, 10_000_000_000, 1735689600),
    (3, 0, 0),
]


def rounds(given: list[tuple[int, int, int]]) -> str:
    phase = 6 << 64
    lines = [
        (at, phase + number, answer, time, time, phase + number) for at, (number, answer, time) in enumerate(given)
    ]
    return csv(lines, ",round,answer,start,update,answeredInRound")


@pytest.mark.parametrize("turned", [False, True])
def test_chainlink_keeps_the_highest_round_whatever_the_order_of_the_file(tmp_path, turned):
    file = written(tmp_path / "a.csv", rounds(ROUNDS[::-1] if turned else ROUNDS))
    report = imported(tmp_path / "out", "chainlink", file, repair="keep-last,drop-zero")
    prices = pl.Series("price", [100.0, 102.0, 103.0])
    assert rows(tmp_path / "out").equals(bars().select("timestamp").with_columns(prices))
    assert report.symbols[0].repairs == {"drop-zero": 1, "keep-last": 1}
    assert open_prices(tmp_path / "out", [SymbolSource("SOL", "SOL", 2**60)]).span.n_ticks == 3


def test_chainlink_decimals_equal_rounds_and_other_names(tmp_path):
    text = csv([(1, 5 * 10**18, 1735689600), (2, 5 * 10**18, 1735689600)], "roundId,answer,updatedAt")
    imported(tmp_path / "out", "chainlink", written(tmp_path / "a.csv", text), decimals=18)
    assert rows(tmp_path / "out")["price"].to_list() == [5.0]


TABLE = csv([(f"{minute(at):%FT%TZ}", row[3], row[2]) for at, row in enumerate(BARS)], "when;last;bid", ";")
MAPPED = {"timestamp": "when", "price": "last"}


@pytest.mark.parametrize(("delimiter", "end"), [(",", "\n"), (";", "\r\n"), ("\t", "\n")])
def test_columns_by_name_and_by_map(tmp_path, delimiter, end):
    text = TABLE.replace(";", delimiter).replace("\n", end)
    imported(tmp_path / "out", "columns", written(tmp_path / "a.csv", text), mapping=MAPPED)
    expected = bars().select("timestamp", pl.col("close").alias("price"), pl.col("low").alias("min"))
    assert rows(tmp_path / "out").equals(expected)
    imported(tmp_path / "bare", "columns", tmp_path / "a.csv", mapping=MAPPED | {"min": ""})
    assert rows(tmp_path / "bare").columns == ["timestamp", "price"]


def test_columns_of_many_symbols(tmp_path):
    frame = pl.concat([bars().with_columns(coin=pl.lit(coin)) for coin in ("SOL", "USDC/USD")]).sort("timestamp")
    file = written(tmp_path / "a.csv", frame.with_columns(pl.col("timestamp").dt.epoch("s")).write_csv())
    report = imported(tmp_path / "all", "columns", file, symbol=None, mapping={"symbol": "coin"})
    assert [found.symbol for found in report.symbols] == ["SOL", "USDC/USD"]
    assert rows(tmp_path / "all", "USDC/USD").equals(bars())
    candles(tmp_path / "all", bars())
    imported(tmp_path / "one", "columns", file, mapping={"symbol": "coin"})
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["SOL.parquet"]


@pytest.mark.parametrize(
    "times",
    [
        pl.col("timestamp").dt.epoch("ms"),
        pl.col("timestamp").dt.cast_time_unit("ns"),
        pl.col("timestamp").dt.replace_time_zone(None),
        pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S"),
        pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
)
def test_columns_of_parquet_and_feather(tmp_path, times):
    frame = bars().with_columns(times, pl.col("volume").cast(pl.Int32), pl.col("close").cast(pl.Decimal(18, 6)))
    frame.write_parquet(tmp_path / "a.parquet")
    imported(tmp_path / "parquet", "columns", tmp_path / "a.parquet")
    candles(tmp_path / "parquet", bars().with_columns(pl.col("volume").cast(pl.Int32).cast(pl.Float64)))
    imported(tmp_path / "feather", "columns", write_feather(tmp_path / "a.feather", frame))
    imported(tmp_path / "twice", "columns", tmp_path / "a.parquet", mapping={"ema": "close"})
    assert rows(tmp_path / "twice")["ema"].equals(rows(tmp_path / "twice")["close"])
    assert rows(tmp_path / "feather").equals(rows(tmp_path / "parquet"))
