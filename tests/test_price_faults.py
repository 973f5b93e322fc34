"""What is refused in price files and arguments, each with its one message."""

import re
from pathlib import Path

import polars as pl
import pytest

from backtest.errors import PerpoolError, UsageError
from backtest.prices import SymbolSource, open_prices
from tests.price_data import MINUTE, T0, S, sources, stamps, write_candles, write_prices

NAN, INF = float("nan"), float("inf")
FILL = "remove the row or fill in the price in US dollars"
SHAPES = "price files hold timestamp, symbol, price or timestamp, symbol, open, high, low, close"


def refused(paths, message: str, symbols=("SOL",), kind=PerpoolError, **options) -> None:
    """Assert the whole message, with FILE standing for the folder of the test."""
    with pytest.raises(kind) as caught:
        open_prices(paths, sources(*symbols), **options)
    assert type(caught.value) is kind
    root = paths if isinstance(paths, Path) and paths.is_dir() else Path(str(paths)).parent
    assert str(caught.value).replace(f"{root}/", "") == message


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, f"is null; {FILL}"),
        (NAN, f"nan is not a price; {FILL}"),
        (INF, f"inf is not a price; {FILL}"),
        (-INF, f"-inf is not a price; {FILL}"),
        (0.0, f"0.0 is not a price above zero; {FILL}"),
        (-1.5, f"-1.5 is not a price above zero; {FILL}"),
        (
            9e7,
            "90000000.0 is outside the range of prices, 1e-10 to 9e+07 US dollars; "
            "check the unit: whole dollars per whole token",
        ),
        (
            1e-10,
            "1e-10 is outside the range of prices, 1e-10 to 9e+07 US dollars; "
            "check the unit: whole dollars per whole token",
        ),
    ],
)
@pytest.mark.parametrize("group", [1, 2, 1000])
def test_bad_price(tmp_path, value, problem, group):
    rows = [(T0, "SOL", 1.0), (T0, "BTC", 1.0), (T0 + S, "SOL", 1.0), (T0 + 2 * S, "SOL", value)]
    file = write_prices(tmp_path / "p.parquet", rows, row_group_size=group)
    refused(file, f"p.parquet: row 3, column price: {problem}")


@pytest.mark.parametrize(
    ("candle", "column", "problem"),
    [
        ((10.0, 9.0, 9.5, 9.8), "high", "9.0 is below the low of the same candle, 9.5"),
        ((10.0, 9.9, 9.0, 9.5), "high", "9.9 is below the open of the same candle, 10.0"),
        ((9.0, 9.5, 8.0, 10.0), "high", "9.5 is below the close of the same candle, 10.0"),
        ((9.0, 12.0, 9.5, 10.0), "low", "9.5 is above the open of the same candle, 9.0"),
        ((10.0, 12.0, 9.5, 9.0), "low", "9.5 is above the close of the same candle, 9.0"),
    ],
)
def test_impossible_candle(tmp_path, candle, column, problem):
    file = write_candles(tmp_path / "p.parquet", [(T0, "SOL", 1.0, 1.0, 1.0, 1.0), (T0 + MINUTE, "SOL", *candle)])
    refused(file, f"p.parquet: row 1, column {column}: {problem} US dollars; repair or remove the candle")


def test_bad_value_in_a_candle_names_its_column(tmp_path):
    file = write_candles(tmp_path / "p.parquet", [(T0, "SOL", 1.0, 1.0, NAN, 1.0)])
    refused(file, f"p.parquet: row 0, column low: nan is not a price; {FILL}")


@pytest.mark.parametrize("group", [1, 1000])
@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ([0, 2, 1], "2025-01-01T00:00:01Z comes after 2025-01-01T00:00:02Z of SOL; sort the file by timestamp"),
        (
            [0, 2, 2],
            "2025-01-01T00:00:02Z repeats the previous time of SOL; keep one row per symbol and timestamp",
        ),
    ],
)
def test_times_of_a_symbol_rise_within_a_file(tmp_path, times, problem, group):
    rows = [(T0 + 5 * S, "BTC", 1.0)] + [(T0 + time * S, "SOL", 1.0) for time in times]
    file = write_prices(tmp_path / "p.parquet", rows, row_group_size=group)
    refused(file, f"p.parquet: row 3, column timestamp: {problem}", symbols=("SOL", "BTC"))


def test_null_timestamp_null_symbol_and_wrong_unit(tmp_path):
    file = tmp_path / "p.parquet"
    frame = pl.DataFrame({"timestamp": stamps([T0, None]), "symbol": ["SOL", "SOL"], "price": [1.0, 1.0]})
    frame.write_parquet(file)
    refused(file, "p.parquet: row 1, column timestamp: is null; every row needs the time of its price")
    frame.with_columns(timestamp=stamps([T0, T0 + S]), symbol=pl.Series(["SOL", None])).write_parquet(file)
    refused(file, "p.parquet: row 1, column symbol: is null; name the symbol of every row")
    frame.with_columns(timestamp=pl.Series([0, T0]).cast(pl.Datetime("ms", "UTC"))).write_parquet(file)
    refused(
        file,
        f"p.parquet: row 1, column timestamp: {T0} ms since 1970 is not between 1970 and 2200; "
        "check the unit the times were written in",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            pl.col("timestamp").dt.replace_time_zone(None),
            "column timestamp has no time zone (timestamp[us]); if the times are UTC, say so: "
            "pl.col('timestamp').dt.replace_time_zone('UTC')",
        ),
        (
            pl.col("timestamp").dt.epoch("ms"),
            "column timestamp has type int64; expected a timestamp in UTC. Convert it first, for example "
            "pl.from_epoch('timestamp', 'ms').dt.replace_time_zone('UTC')",
        ),
        (pl.lit(1).alias("symbol"), "column symbol has type int32; expected text such as 'SOL'"),
        (
            pl.lit("1.0").alias("price"),
            "column price has type large_string; expected a number, US dollars per token: "
            "pl.col('price').cast(pl.Float64)",
        ),
        (pl.lit(1.0).alias("close"), "has both price and close; keep either price or the candle columns"),
    ],
)
def test_wrong_types(tmp_path, change, message):
    file = tmp_path / "p.parquet"
    frame = pl.DataFrame({"timestamp": stamps([T0]), "symbol": ["SOL"], "price": [1.0]}).with_columns(change)
    frame.write_parquet(file)
    refused(file, f"p.parquet: {message}")


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ("symbol price", "timestamp"),
        ("timestamp price", "symbol"),
        ("timestamp symbol volume", "price"),
        ("timestamp symbol open close", "high, low"),
    ],
)
def test_missing_column(tmp_path, columns, missing):
    values = {"timestamp": stamps([T0]), "symbol": ["SOL"]}
    pl.DataFrame({name: values.get(name, [1.0]) for name in columns.split()}).write_parquet(tmp_path / "p.parquet")
    there = ", ".join(columns.split())
    refused(tmp_path / "p.parquet", f"p.parquet: column {missing} is missing (there are: {there}); {SHAPES}")


def test_files_that_are_not_there_or_not_parquet(tmp_path):
    def check(paths, message):
        with pytest.raises(PerpoolError) as caught:
            open_prices(paths, sources("SOL"))
        assert str(caught.value).replace(str(tmp_path), "DIR") == message

    check(tmp_path / "no.parquet", "DIR/no.parquet: no such price file or folder; check the path")
    check(tmp_path, "DIR: the folder holds no *.parquet files; name a folder with price files")
    check(f"{tmp_path}/*.parquet", "DIR/*.parquet: no file matches; check the pattern")
    check([], "no price files given; name a Parquet file, a folder or a glob")
    (tmp_path / "p.parquet").write_text("timestamp,symbol,price\n")
    check(tmp_path, "DIR/p.parquet: not a readable Parquet file; convert it to Parquet first")
    (tmp_path / "p.parquet").write_bytes(b"")
    check(tmp_path, "DIR/p.parquet: the file is empty (0 bytes); write it again or leave it out")
    write_prices(tmp_path / "p.parquet", [(T0, "SOL", 1.0)])
    pl.read_parquet(tmp_path / "p.parquet").clear().write_parquet(tmp_path / "q.parquet")
    check(tmp_path, "DIR/q.parquet: the file has no rows; write it again or leave it out")


def test_damaged_file(tmp_path):
    file = write_prices(tmp_path / "p.parquet", [(T0 + k * S, "SOL", 1.0 + k) for k in range(2000)])
    data = bytearray(file.read_bytes())
    data[4 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4)
    file.write_bytes(data)
    with pytest.raises(PerpoolError, match=r"row group 0 cannot be read \(.*\); write the file again"):
        open_prices(file, sources("SOL"))


def test_unknown_symbol_lists_what_is_there(tmp_path):
    file = write_prices(tmp_path / "p.parquet", [(T0, "SOL", 1.0), (T0, "BTC", 1.0)])
    tail = "the column symbol holds BTC, SOL; add the missing prices or map the symbol to one of these"
    refused(file, f"p.parquet: no prices for ETH, XAU; {tail}", symbols=("SOL", "ETH", "XAU"))


def test_shapes_do_not_mix(tmp_path):
    write_prices(tmp_path / "a.parquet", [(T0, "SOL", 1.0)])
    write_candles(tmp_path / "b.parquet", [(T0, "BTC", 1.0, 1.0, 1.0, 1.0)])
    refused(
        tmp_path,
        "a.parquet holds prices but b.parquet holds candles; give one shape per run: convert one of them, "
        "or name only the files that belong together",
    )


@pytest.mark.parametrize("window", [1, 65_536])
def test_overlapping_files_are_duplicates(tmp_path, monkeypatch, window):
    monkeypatch.setattr("backtest.ticks.WINDOW_ROWS", window)
    rows = [(T0 + k * 43_200 * S, "SOL", 1.0) for k in range(8)]
    write_prices(tmp_path / "a.parquet", rows[:5])
    write_prices(tmp_path / "b.parquet", [(T0, "BTC", 1.0), *rows[4:]])
    refused(
        tmp_path,
        "SOL has two prices at 2025-01-03T00:00:00Z: a.parquet row 4 and b.parquet row 1; "
        "keep one row per symbol and timestamp",
    )


@pytest.mark.parametrize("path", ["close", "ohlc"])
def test_candles_closer_than_their_interval(tmp_path, path):
    times = [0, 5, 10, 12, 15]
    file = write_candles(tmp_path / "p.parquet", [(T0 + k * MINUTE, "SOL", 1.0, 1.0, 1.0, 1.0) for k in times])
    refused(
        file,
        "candles of SOL open at 2025-01-01T00:10:00Z and 2025-01-01T00:12:00Z (p.parquet row 2 and p.parquet row 3), "
        "closer than their interval of 300 s; give files of one interval",
        path=path,
    )


@pytest.mark.parametrize("window", [1, 65_536])
def test_two_ticks_in_one_second(tmp_path, monkeypatch, window):
    monkeypatch.setattr("backtest.ticks.WINDOW_ROWS", window)
    rows = [(T0, "SOL", 1.0), (T0 + 86_400 * S, "SOL", 1.0), (T0, "BTC", 1.0), (T0 + 86_400 * S + 250_000, "BTC", 1.0)]
    refused(
        write_prices(tmp_path / "p.parquet", rows),
        "prices at 2025-01-02T00:00:00Z and 2025-01-02T00:00:00.250000Z fall in the same second, and the venue clock "
        "counts whole seconds; round the timestamps of all symbols to whole seconds",
        symbols=("SOL", "BTC"),
    )


def test_no_overlap_names_the_span_of_each_symbol(tmp_path):
    rows = [(T0, "SOL", 1.0), (T0 + MINUTE, "SOL", 1.0), (T0 + 2 * MINUTE, "BTC", 1.0)]
    file = write_prices(tmp_path / "p.parquet", rows)
    spans = (
        "prices reach: SOL 2025-01-01T00:00:00Z to 2025-01-01T00:01:00Z, "
        "BTC 2025-01-01T00:02:00Z to 2025-01-01T00:02:00Z; change the dates or add prices"
    )
    both = ("SOL", "BTC")
    end = T0 + 2 * MINUTE
    refused(file, f"no tick before 2025-01-01T00:02:00Z has a price of every symbol; {spans}", both, end_us=end)
    refused(
        file,
        f"no tick from 2025-01-01T00:02:01Z has a price of every symbol; {spans}",
        both,
        start_us=end + S,
    )


def test_candle_interval_that_is_unknown_or_too_short(tmp_path):
    file = write_candles(tmp_path / "p.parquet", [(T0, "SOL", 1.0, 1.0, 1.0, 1.0)])
    refused(file, "SOL has a single candle, so its interval is unknown; give two or more")
    assert open_prices(file, sources("SOL"), interval_us=MINUTE).span.start_us == T0 + MINUTE
    refused(
        file,
        "candles of SOL last 3 s, but the path ohlc makes four ticks of each and needs 4 s or more; use the path close",
        path="ohlc",
        interval_us=3 * S,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "vwap"}, "price path 'vwap' is unknown; use one of close, ohlc"),
        ({"path": "ohlc"}, "p.parquet: holds one price per row, so the path ohlc is not possible; use the path close"),
        (
            {"start_us": T0, "end_us": T0},
            "start 2025-01-01T00:00:00Z is not before end 2025-01-01T00:00:00Z; the end is exclusive",
        ),
        ({"interval_us": 0}, "candle interval 0 us is not above zero; give the length of a candle"),
        ({"symbols": ("SOL", "SOL")}, "price symbol SOL is named twice; name each symbol once"),
        (
            {"symbols": ()},
            "no symbol reads its price from the files, so there are no ticks; name at least one source",
        ),
    ],
)
def test_bad_arguments(tmp_path, options, message):
    refused(write_prices(tmp_path / "p.parquet", [(T0, "SOL", 1.0)]), message, kind=UsageError, **options)


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        (SymbolSource("USDC", NAN, 0), "constant price of USDC is nan; give US dollars between 1e-10 and 9e+07"),
        (SymbolSource("USDC", 0, 0), "constant price of USDC is 0; give US dollars between 1e-10 and 9e+07"),
        (SymbolSource("SOL", "SOL", -1), "max_staleness of SOL is -1 us; give 0 or more"),
    ],
)
def test_bad_symbols(tmp_path, symbol, message):
    file = write_prices(tmp_path / "p.parquet", [(T0, "SOL", 1.0)])
    with pytest.raises(UsageError, match=re.escape(message)):
        open_prices(file, [symbol])
