"""Derived symbols by hand: rows that have a partner, highs and lows, untraded candles, what is refused."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from backtest.history import store
from backtest.history.derive import derive
from backtest.prices import SymbolSource, open_prices
from tests.history.imports import bars, imported, minute, nothing_left, real, rows
from tests.shell import perpool

STEP = [  # open, high, low, close, volume
    (10.0, 12.0, 9.0, 11.0, 5.0),
    (11.0, 11.0, 8.0, 8.0, 1.0),
    (8.0, 16.0, 8.0, 12.0, 2.0),
]


def candles(folder: Path, symbol: str, values: list[tuple[float, ...]], minutes: list[int] | None = None) -> None:
    names = ["open", "high", "low", "close", "volume"][: len(values[0])]
    frame = pl.DataFrame(values, schema=names, orient="row")
    times = pl.Series("timestamp", [minute(at) for at in minutes or range(len(values))], pl.Datetime("us", "UTC"))
    store.write_symbol(folder, symbol, frame.insert_column(0, times), [{"source": f"{symbol}.csv"}])


def quotes(folder: Path, symbol: str, prices: dict[int, float]) -> None:
    times = pl.Series("timestamp", [minute(at) for at in prices], pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"timestamp": times, "price": list(prices.values())})
    store.write_symbol(folder, symbol, frame, [{"source": f"{symbol}.csv"}])


def ohlc(folder: Path, symbol: str) -> list[tuple[float, ...]]:
    return rows(folder, symbol).select("open", "high", "low", "close").rows()


def test_prices_of_the_times_that_all_have(tmp_path):
    quotes(tmp_path, "SOL", {0: 100.0, 1: 110.0, 3: 120.0, 4: 90.0})
    quotes(tmp_path, "EUR/USD", {1: 1.1, 2: 1.2, 3: 1.25})
    (found,) = derive(tmp_path, ['SOL-EUR = SOL / "EUR/USD"'])
    assert rows(tmp_path, "SOL-EUR").rows() == [(minute(1), 110.0 / 1.1), (minute(3), 96.0)]
    assert (found.rows, found.lonely, found.untraded) == (2, {"SOL": 2, "EUR/USD": 1}, 0)
    assert (found.first, found.last) == ("2025-01-01T00:01:00Z", "2025-01-01T00:03:00Z")
    assert found.file == str(tmp_path / "SOL-EUR.parquet") and nothing_left(tmp_path)


def test_one_symbol_keeps_its_extremes(tmp_path):
    candles(tmp_path, "SOL", STEP)
    derive(tmp_path, ["double = SOL * 2", "short = 20 - SOL", "inverse = 1 / SOL", "hill = SOL * (20 - SOL)"])
    assert ohlc(tmp_path, "double") == [(20.0, 24.0, 18.0, 22.0), (22.0, 22.0, 16.0, 16.0), (16.0, 32.0, 16.0, 24.0)]
    assert ohlc(tmp_path, "short") == [(10.0, 11.0, 8.0, 9.0), (9.0, 12.0, 9.0, 12.0), (12.0, 12.0, 4.0, 8.0)]
    assert ohlc(tmp_path, "inverse")[0] == (1 / 10, 1 / 9, 1 / 12, 1 / 11)
    # Over 9..12 and 8..11 it turns at 10, so that its extremes are not those of the price; over 8..16 too.
    assert ohlc(tmp_path, "hill") == [(100.0, 100.0, 99.0, 99.0), (99.0, 99.0, 96.0, 96.0), (96.0, 96.0, 96.0, 96.0)]
    assert rows(tmp_path, "double").columns == ["timestamp", "open", "high", "low", "close"]


def test_several_symbols_have_no_extremes_of_their_own(tmp_path):
    candles(tmp_path, "SOL", STEP)
    candles(tmp_path, "BTC", [(2.0, 4.0, 1.0, 2.0, 1.0)] * 3)
    derive(tmp_path, ["x = SOL / BTC"])
    assert ohlc(tmp_path, "x") == [(5.0, 5.5, 5.0, 5.5), (5.5, 5.5, 4.0, 4.0), (4.0, 6.0, 4.0, 6.0)]
    assert open_prices(tmp_path, [SymbolSource("x", "x", 2**60)]).span.n_ticks == 3


def test_untraded_candles_are_left_out_unless_kept(tmp_path):
    candles(tmp_path, "SOL", STEP)
    candles(tmp_path, "BTC", [(2.0, 2.0, 2.0, 2.0, volume) for volume in (1.0, 0.0, 1.0)])
    (found,) = derive(tmp_path, ["x = SOL / BTC"])
    assert (found.rows, found.untraded) == (2, 1) and ohlc(tmp_path, "x") == [
        (5.0, 5.5, 5.0, 5.5),
        (4.0, 6.0, 4.0, 6.0),
    ]
    (found,) = derive(tmp_path, ["x = SOL / BTC"], keep_untraded=True)
    assert (found.rows, found.untraded) == (3, 0)


def test_formulas_build_on_one_another_and_say_what_they_are_from(tmp_path):
    candles(tmp_path, "SOL", STEP)
    derive(tmp_path, ["jitoSOL = SOL * 1.25", "x = jitoSOL * 2"])
    assert ohlc(tmp_path, "x")[0] == (25.0, 30.0, 22.5, 27.5)
    entry = store.provenance_of(tmp_path / "x.parquet")[0]
    assert entry.pop("made_at").endswith("Z")
    digest = hashlib.sha256((tmp_path / "jitoSOL.parquet").read_bytes()).hexdigest()
    assert entry == {
        "derived": "jitoSOL * 2",
        "inputs": [{"symbol": "jitoSOL", "sha256": digest}],
        "untraded": "skip",
    }


def test_deriving_again_replaces(tmp_path):
    candles(tmp_path, "SOL", STEP)
    derive(tmp_path, ["x = SOL * 2"])
    once = rows(tmp_path, "x")
    derive(tmp_path, ["x = SOL * 2"])
    assert rows(tmp_path, "x").equals(once) and len(store.provenance_of(tmp_path / "x.parquet")) == 1
    derive(tmp_path, ["x = SOL * 3"])
    assert ohlc(tmp_path, "x")[0] == (30.0, 36.0, 27.0, 33.0)


FAULTS = [
    ("x", 2, "'x' is no NAME = EXPRESSION; write for example 'USDC/USD = BTCUSD / BTCUSDC'"),
    (" = SOL", 2, "' = SOL' is no NAME = EXPRESSION; write for example 'USDC/USD = BTCUSD / BTCUSDC'"),
    ("x = 2 * 3", 2, "'x = 2 * 3' names no symbol, so it has no times; a constant price needs no file"),
    ("x = x * 2", 2, "'x = x * 2' makes x out of itself; give the result another name"),
    ("a b = SOL", 2, "'a b' is no symbol; use letters, digits and . _ / : + -, such as SOL or USDC/USD"),
    ("x = SOLL", 2, "DIR: has no symbol SOLL; did you mean 'SOL'?"),
    ("x = NONE", 2, "DIR: has no symbol NONE; known: BTC, HOUR, IDLE, SOL, USDC/USD"),
    (
        'USDC-USD = "USDC/USD"',
        2,
        "USDC-USD would lie in the file of one of its inputs, DIR/USDC-USD.parquet; give it another name",
    ),
    ("SOL = BTC * 2", 1, "DIR/SOL.parquet: was not derived, and is not replaced; give the result another name"),
    (
        "x = SOL - BTC",
        1,
        "x = SOL - BTC has the open 0.0 at 2025-01-01T00:02:00Z, which is not a price (from SOL 8.0, BTC 8.0); "
        "correct the expression or the prices it reads",
    ),
    (
        "x = 1 / (SOL - BTC)",
        1,
        "x = 1 / (SOL - BTC) has the open inf at 2025-01-01T00:02:00Z, which is not a price (from SOL 8.0, BTC 8.0); "
        "correct the expression or the prices it reads",
    ),
    ("x = SOL * HOUR", 1, "candles of SOL last 60 s, but those of HOUR 3600 s; derive from candles of one length"),
    ("x = SOL * `USDC/USD`", 1, "DIR: at no time do SOL, USDC/USD all have a row"),
    ("x = SOL * IDLE", 1, "DIR: at no time do SOL, IDLE all have a trade"),
]


@pytest.mark.parametrize(("formula", "code", "message"), FAULTS)
def test_refused(tmp_path, formula, code, message):
    candles(tmp_path, "SOL", STEP)
    candles(tmp_path, "BTC", [(1.0, 1.0, 1.0, 1.0, 1.0), (2.0, 2.0, 2.0, 2.0, 1.0), (8.0, 9.0, 8.0, 9.0, 1.0)])
    candles(tmp_path, "HOUR", STEP, [0, 60, 120])
    candles(tmp_path, "USDC/USD", STEP, [100, 101, 102])
    candles(tmp_path, "IDLE", [(1.0, 1.0, 1.0, 1.0, 0.0)] * 3)
    before = sorted(path.name for path in tmp_path.iterdir())
    found = perpool("prices", "derive", tmp_path, "y = SOL * 2", formula)
    assert found == (code, "", f"error: {message.replace('DIR', str(tmp_path))}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == before  # not even y


def test_refused_for_its_files(tmp_path):
    assert perpool("prices", "derive", tmp_path / "none", "x = SOL").err == (
        f"error: {tmp_path}/none: is no folder; name the folder of a dataset\n"
    )
    bars().with_columns(symbol=pl.Series(["SOL", "SOL", "BTC"])).write_parquet(tmp_path / "SOL.parquet")
    assert perpool("prices", "derive", tmp_path, "x = SOL * 2").err == (
        f"error: {tmp_path}/SOL.parquet: holds rows of BTC, not of SOL only; import it into a dataset\n"
    )
    bars().reverse().with_columns(symbol=pl.lit("SOL")).write_parquet(tmp_path / "SOL.parquet")
    assert perpool("prices", "derive", tmp_path, "x = SOL * 2").err == (
        f"error: {tmp_path}/SOL.parquet: its times do not rise from row to row; see `perpool prices check {tmp_path}`\n"
    )


def test_the_report(tmp_path):
    candles(tmp_path, "SOL", STEP)
    candles(tmp_path, "BTC", [(2.0, 2.0, 2.0, 2.0, volume) for volume in (1.0, 0.0)])
    found = perpool("prices", "derive", tmp_path, "x = SOL / BTC")
    line = next(line for line in found.out.splitlines() if "SOL / BTC" in line)
    assert line.split() == "x SOL / BTC 1 1 2025-01-01 00:00 2025-01-01 00:00 SOL 1".split()  # noqa: SIM905
    assert "Untraded: candles without a trade in an input" in found.out
    as_json = json.loads(perpool("prices", "derive", tmp_path, "x = SOL / BTC", "--json", "--untraded", "keep").out)
    assert as_json[0]["rows"] == 2 and as_json[0]["lonely"] == {"SOL": 1, "BTC": 0}


def test_the_dollar_of_march_2023(tmp_path):
    for symbol in ("BTCUSD", "BTCUSDC"):
        file = real("usdc_depeg_1m", f"binance_{symbol}_1m_20230301_20230321.csv")
        imported(tmp_path / "out", "ccxt", file, symbol=symbol)
    (found,) = derive(tmp_path / "out", ["USDC/USD = BTCUSD / BTCUSDC"])
    assert (found.rows, found.untraded, found.lonely) == (17_268, 12_972, {"BTCUSD": 0, "BTCUSDC": 0})
    lowest = rows(tmp_path / "out", "USDC/USD").sort("close").row(0, named=True)
    assert f"{lowest['timestamp']:%F %R}" == "2023-03-11 07:50" and round(lowest["close"], 6) == 0.874833
    assert open_prices(tmp_path / "out", [SymbolSource("USDC", "USDC/USD", 2**60)]).span.n_ticks == 17_268
