"""Low and high sides, averages and market hours in the ticks: against a slow twin, however runs are cut."""

import math

import numpy as np
import polars as pl
import pytest

from backtest.config import Calendar
from backtest.errors import PerpoolError, UsageError
from backtest.price_quotes import ONE_DOLLAR, Quotes, strict
from backtest.prices import SymbolSource, TickSource, open_prices
from kernels.codes import FLAG_CLOSED, FLAG_STALE
from kernels.state import Ticks
from tests.price_data import MINUTE, NEVER_STALE, T0, S, stamps

HOUR = 60 * MINUTE
EMA_SPREAD = Quotes("ema_spread", averaged=True, ema_us=HOUR)
CONFIDENCE = Quotes("confidence", averaged=False, ema_us=HOUR)
MIN_MAX = Quotes("min_max", averaged=False, ema_us=HOUR)
PARTS = ("price", "low", "high", "ema")


def write(file, times, **columns):
    frame = {"timestamp": stamps(times)} | {"symbol": ["SOL"] * len(times)} | columns
    pl.DataFrame(frame, strict=False).write_parquet(file, row_group_size=7)
    return file


def parts(*wanted: str, source: str | float = "SOL", stale: int = NEVER_STALE, **options) -> list[SymbolSource]:
    names = {"price": "SOL"}
    return [SymbolSource(names.get(part, f"SOL.{part}"), source, stale, part, **options) for part in wanted]


def collect(source: TickSource, size: int = 10**9) -> Ticks:
    return Ticks(*(np.concatenate(pieces) for pieces in zip(*source.chunks(size), strict=True)))


def dollars(ticks: Ticks) -> list[list[float]]:
    return (ticks.price / 1e10).tolist()


def slow_ema(times, prices, ema_us):
    found, value = [], None
    for at, price in enumerate(prices):
        gap = times[at] - times[at - 1] if at else 0
        value = price if value is None else value + (price - value) * (1 - math.exp(-gap / ema_us))
        found.append(value)
    return found


def test_the_average_forgets_with_time_and_not_with_rows(tmp_path):
    times = [T0, T0 + HOUR, T0 + HOUR + S, T0 + 9 * HOUR]
    file = write(tmp_path / "p.parquet", times, price=[100.0, 200.0, 200.0, 100.0])
    found = dollars(collect(open_prices(file, parts(*PARTS), quotes=EMA_SPREAD)))
    expected = slow_ema(times, [100.0, 200.0, 200.0, 100.0], HOUR)
    assert expected[1] == pytest.approx(200 - 100 / math.e)
    for (price, low, high, ema), average in zip(found, expected, strict=True):
        assert ema == pytest.approx(average, abs=1e-8)
        assert (low, high) == (min(price, ema), max(price, ema))


@pytest.mark.parametrize(("candles", "path"), [(False, "close"), (True, "close"), (True, "ohlc")])
def test_the_average_does_not_depend_on_chunks_windows_or_the_start(tmp_path, monkeypatch, candles, path):
    random = np.random.default_rng(4)
    times = [T0 + int(hour) * HOUR for hour in np.unique(random.integers(0, 24 * 9, 150))]
    price = random.uniform(50, 60, len(times))
    columns = (
        {"open": price, "high": price + 1, "low": price - 1, "close": price + 0.5} if candles else {"price": price}
    )
    file = write(tmp_path / "p.parquet", times, **columns)
    options = {"quotes": EMA_SPREAD, "path": path}
    expected = collect(open_prices(file, parts(*PARTS), **options))
    monkeypatch.setattr("backtest.ticks.WINDOW_ROWS", 1)  # a window a day
    for size in (1, 13, 10**9):
        windowed = collect(open_prices(file, parts(*PARTS), **options), size)
        assert all(np.array_equal(one, other) for one, other in zip(windowed, expected, strict=True))
    start = T0 + 5 * 24 * HOUR
    late = collect(open_prices(file, parts(*PARTS), start_us=start, **options))
    keep = expected.time_us >= start
    assert 20 < len(late.time_us) < len(expected.time_us)
    assert np.array_equal(late.price, expected.price[keep])


def test_averages_of_the_file_win_and_gaps_in_them_go_on_from_there(tmp_path):
    times = [T0 + k * HOUR for k in range(4)]
    file = write(tmp_path / "p.parquet", times, price=[10.0, 20.0, 30.0, 30.0], ema=[None, 12.0, None, 40.0])
    ema = [row[1] for row in dollars(collect(open_prices(file, parts("price", "ema"), quotes=EMA_SPREAD)))]
    assert ema == [10, 12, pytest.approx(12 + 18 * (1 - math.exp(-1)), abs=1e-8), 40]


@pytest.mark.parametrize("names", [("min", "max"), ("bid", "ask")])
def test_sides_of_the_file_and_the_price_where_there_is_none(tmp_path, names):
    sides = dict(zip(names, ([9.0, None, 11.5], [None, 11.0, 12.25]), strict=True))
    file = write(tmp_path / "p.parquet", [T0, T0 + S, T0 + 2 * S], price=[10.0, 11.0, 12.0], **sides)
    ticks = collect(open_prices(file, parts("low", "price", "high"), quotes=MIN_MAX))
    assert dollars(ticks) == [[9, 10, 10], [11, 11, 11], [11.5, 12, 12.25]]


def test_without_columns_both_sides_are_the_price(tmp_path):
    file = write(tmp_path / "p.parquet", [T0, T0 + S], price=[10.0, 11.0])
    assert dollars(collect(open_prices(file, parts("low", "price", "high"), quotes=MIN_MAX))) == [[10] * 3, [11] * 3]


def test_files_may_differ_in_what_they_say_beside_the_price(tmp_path):
    write(tmp_path / "a.parquet", [T0], price=[10.0], min=[9.0])
    write(tmp_path / "b.parquet", [T0 + S], price=[11.0], ask=[12.0])
    assert dollars(collect(open_prices(tmp_path, parts("low", "price", "high"), quotes=MIN_MAX))) == [
        [9, 10, 10],
        [11, 11, 12],
    ]


def test_confidence_is_half_the_width(tmp_path):
    file = write(tmp_path / "p.parquet", [T0, T0 + S], price=[10.0, 11.0], confidence=[0.25, 0.0])
    ticks = collect(open_prices(file, parts("low", "price", "high"), quotes=CONFIDENCE))
    assert dollars(ticks) == [[9.75, 10, 10.25], [11, 11, 11]]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("close", [[9, 11, 12]]),
        ("ohlc", [[10, 10, 10], [8, 8, 8], [13, 13, 13], [9, 11, 12]]),
    ],
)
def test_a_candles_sides_hold_at_its_close(tmp_path, path, expected):
    candle = {"open": [10.0] * 2, "high": [13.0] * 2, "low": [8.0] * 2, "close": [11.0] * 2}
    file = write(tmp_path / "p.parquet", [T0, T0 + MINUTE], **candle, min=[9.0] * 2, max=[12.0] * 2)
    ticks = collect(open_prices(file, parts("low", "price", "high"), quotes=MIN_MAX, path=path))
    assert dollars(ticks) == expected * 2


def test_constants_and_old_quotes(tmp_path):
    file = write(tmp_path / "p.parquet", [T0], price=[10.0], min=[9.0])
    other = pl.read_parquet(file).with_columns(symbol=pl.lit("BTC"), timestamp=stamps([T0 + HOUR])[0])
    other.write_parquet(tmp_path / "q.parquet")
    feeds = [*parts("price", "low", "high", stale=MINUTE), SymbolSource("BTC", "BTC", MINUTE)]
    feeds += [SymbolSource(f"USDC.{part}", 1.0, 0, part) for part in ("low", "high")]
    ticks = collect(open_prices(tmp_path, feeds, quotes=MIN_MAX))
    assert dollars(ticks) == [[10, 9, 10, 10, 1, 1]]
    assert ticks.flags.tolist() == [[FLAG_STALE] * 3 + [0] * 3]


@pytest.mark.parametrize(
    ("price", "low", "high", "expected"),
    [
        (1.0, 1.0, 1.0, (1.0, 1.0, 1.0)),
        (0.998, 0.997, 0.999, (1.0, 1.0, 1.0)),  # within the band on all sides
        (1.003, 1.003, 1.003, (1.003, 1.0, 1.003)),  # the low side never rises
        (0.99, 0.99, 0.99, (0.99, 0.99, 1.0)),  # the high side never falls
        (0.99, 0.98, 1.01, (0.99, 0.98, 1.01)),
        (1.002, 0.9, 1.002, (1.0, 0.9, 1.0)),
        (0.9979999999, 0.9979999999, 0.9979999999, (0.9979999999, 0.9979999999, 1.0)),  # just out of it
    ],
)
def test_strict_stables(tmp_path, price, low, high, expected):
    file = write(tmp_path / "p.parquet", [T0], price=[price], min=[low], max=[high])
    band = 0.003 if low == 0.997 else 0.002
    feeds = parts("price", "low", "high", strict_usd=band)
    assert dollars(collect(open_prices(file, feeds, quotes=MIN_MAX))) == [list(expected)]


def test_a_strict_stable_without_a_band_is_still_one_sided():
    prices = np.array([ONE_DOLLAR - 1, ONE_DOLLAR, ONE_DOLLAR + 1])
    assert (strict(1, prices, 0) - ONE_DOLLAR).tolist() == [-1, 0, 0]
    assert (strict(2, prices, 0) - ONE_DOLLAR).tolist() == [0, 0, 1]


REPAIR = "US dollars; repair or remove the row"
FAULTS = [
    (MIN_MAX, {"min": [1.0, 10.5]}, "row 1, column min: 10.5 is above the price of the same row, 10.0 " + REPAIR),
    (MIN_MAX, {"ask": [10.0, 9.5]}, "row 1, column ask: 9.5 is below the price of the same row, 10.0 " + REPAIR),
    (
        MIN_MAX,
        {"bid": [10.0, 10.0], "ask": [10.0, 9.0]},
        "row 1, column bid: 10.0 is above the ask of the same row, 9.0 " + REPAIR,
    ),
    (
        MIN_MAX,
        {"max": [10.0, math.nan]},
        "row 1, column max: nan is not a price; remove the row or fill in the price in US dollars",
    ),
    (
        EMA_SPREAD,
        {"ema": [None, -1.0]},
        "row 1, column ema: -1.0 is not a price above zero; remove the row or fill in the price in US dollars",
    ),
    (
        CONFIDENCE,
        {"confidence": [0.0, 10.0]},
        "row 1, column confidence: 10.0 is not from 0 to below the price of the same row, 10.0 " + REPAIR,
    ),
    (
        CONFIDENCE,
        {"confidence": [0.0, math.nan]},
        "row 1, column confidence: nan is not from 0 to below the price of the same row, 10.0 " + REPAIR,
    ),
    (
        CONFIDENCE,
        {"confidence": [0.0, None]},
        "row 1, column confidence: is null; fill it in, US dollars per token (0 for none)",
    ),
    (MIN_MAX, {"min": [9.0, 9.0], "bid": [9.0, 9.0]}, "columns min and bid say the same (min); keep one"),
    (
        MIN_MAX,
        {"min": ["9", "9"]},
        "column min has type large_string; expected a number, US dollars per token: pl.col('min').cast(pl.Float64)",
    ),
]


@pytest.mark.parametrize(("quotes", "columns", "message"), FAULTS)
def test_what_is_refused(tmp_path, quotes, columns, message):
    file = write(tmp_path / "p.parquet", [T0, T0 + S], price=[10.0, 10.0], **columns)
    with pytest.raises(PerpoolError) as caught:
        open_prices(file, parts("price", "low"), quotes=quotes)
    assert str(caught.value) == f"{file}: {message}"


def test_a_protocol_that_asks_for_confidence_needs_the_column(tmp_path):
    file = write(tmp_path / "p.parquet", [T0, T0 + S], price=[10.0, 10.0])
    with pytest.raises(UsageError) as caught:
        open_prices(file, parts("price", "low"), quotes=CONFIDENCE)
    assert str(caught.value) == (
        f"{file}: column confidence is missing (there are: timestamp, symbol, price); the protocol's trade_price "
        "confidence quotes price - confidence and price + confidence. Add the column, US dollars per token (0 for "
        "none), or trade at the price itself: --set mechanisms.trade_price=oracle"
    )


def test_columns_that_no_protocol_asks_for_are_not_read(tmp_path):
    file = write(tmp_path / "p.parquet", [T0], price=[10.0], min=[math.nan], ema=["x"], confidence=[-1.0])
    assert dollars(collect(open_prices(file, parts("price")))) == [[10]]


def test_closed_hours_are_flagged_on_their_price_alone(tmp_path, monkeypatch):
    times = [T0 + k * HOUR for k in range(4)]
    write(tmp_path / "gold.parquet", times[:2], price=[10.0, 11.0])
    other = write(tmp_path / "other.parquet", times, price=[1.0] * 4)
    pl.read_parquet(other).with_columns(symbol=pl.lit("BTC")).write_parquet(other)
    asked = []

    def closed(calendar, time_us):
        asked.append(calendar)
        return time_us > T0 + HOUR

    monkeypatch.setattr("backtest.ticks.closed", closed)
    feeds = [*parts("price", "low", stale=HOUR, calendar="metals"), SymbolSource("BTC", "BTC", HOUR)]
    flags = collect(open_prices(tmp_path, feeds, quotes=MIN_MAX)).flags
    assert flags[:, 0].tolist() == flags[:, 1].tolist() == [0, 0, FLAG_CLOSED, FLAG_CLOSED | FLAG_STALE]
    assert flags[:, 2].tolist() == [0] * 4
    assert set(asked) == {"metals"}


WEEK = Calendar(open=("Wed 00:00 - Wed 22:00", "Thu 01:00 - Fri 22:00"))  # T0 is a Wednesday
HOURS = [SymbolSource("SOL", "SOL", NEVER_STALE, calendar=WEEK)]


@pytest.mark.parametrize(
    ("minutes", "is_added"),
    [
        ([21 * 60, 22 * 60, 24 * 60, 25 * 60, 26 * 60], True),  # the last second of closed hours is added
        ([21 * 60, 26 * 60], True),
        ([21 * 60, 25 * 60 - 1, 25 * 60], True),  # with a price in the last closed minute too
        ([21 * 60, 25 * 60 - 1 / 60, 25 * 60], False),  # it is there already
        ([21 * 60, 22 * 60], False),  # nothing follows the last price
        ([25 * 60, 26 * 60], False),  # or goes before the first
    ],
)
def test_closed_hours_end_in_a_tick(tmp_path, monkeypatch, minutes, is_added):
    file = write(
        tmp_path / "p.parquet", [T0 + round(minute * MINUTE) for minute in minutes], price=[1.0] * len(minutes)
    )
    added = [T0 + 25 * HOUR - S] if is_added else []
    wanted = sorted([T0 + round(minute * MINUTE) for minute in minutes] + added)
    for window in (65_536, 1):
        monkeypatch.setattr("backtest.ticks.WINDOW_ROWS", window)
        source = open_prices(file, HOURS)
        ticks = collect(source, 2)
        assert ticks.time_us.tolist() == wanted
        assert source.span.n_ticks == len(wanted)
        assert ticks.flags[:, 0].tolist() == [
            FLAG_CLOSED if T0 + 22 * HOUR <= time < T0 + 25 * HOUR else 0 for time in wanted
        ]
