"""`perpool prices fetch` on bad days: what passes is waited for, what does not is one line, and nothing is made up."""

import threading

import polars as pl
import pytest

from backtest.errors import PerpoolError
from backtest.fetching import market
from backtest.history.store import write_symbol
from tests.fetching.exchange_server import (
    cut_body,
    cut_json,
    instead,
    refusal,
    reset,
    series,
    silence,
)
from tests.fetching.fetches import T0_MS, Log, assert_holds, bring, expected, minute

HTML = refusal(502, "<html><body>Bad gateway</body></html>", Content_Type="text/html")
CUT_OFF = "binance sends an answer that is cut off or no JSON"


def changed(row, column, value):
    """An answer in which one cell of the tenth candle differs."""
    at = ("timestamp", "open", "high", "low", "close", "volume").index(column)

    def change(rows):
        rows = [list(cells) for cells in rows]
        rows[row][at] = value
        return rows

    return instead(change)


# --- what passes ------------------------------------------------------------------------------------------------------

PASSING = {
    "429": (refusal(429), "binance answers 429 Too Many Requests", 1),
    "429 with a time": (refusal(429, Retry_After="7"), "binance answers 429 Too Many Requests", 7),
    "418": (refusal(418, Retry_After="120"), "binance answers 418 I'm a Teapot", 120),
    "418 with words": (refusal(418, "", Retry_After="soon"), "binance answers 418 I'm a Teapot", 1),
    "HTML": (HTML, "binance answers 502 Bad Gateway", 1),
    "500": (refusal(500, ""), "binance answers 500 Internal Server Error", 1),
    "503": (refusal(503, '{"msg": "maintenance"}', Retry_After="3"), "binance answers 503 Service Unavailable", 3),
    "cut JSON": (cut_json, CUT_OFF, 1),
    "cut body": (cut_body, CUT_OFF, 1),
    "no JSON": (refusal(200, "<html>maintenance</html>"), CUT_OFF, 1),
    "no list": (refusal(200, '{"rows": 1}'), "binance sends candles without a time", 1),
    "no candles": (refusal(200, '[{"t": 1}]'), "binance sends candles without a time", 1),
    "no time": (changed(10, "timestamp", None), "binance sends candles without a time", 1),
    "nothing": (refusal(200, ""), CUT_OFF, 1),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_page_that_fails_is_asked_for_again(server, tmp_path, name):
    answer, problem, wait = PASSING[name]
    server.bad_days[1] = answer
    log = Log()
    bring(server, tmp_path, 0, 300, log)
    assert log.said == [f"{problem}; next try in {wait} s (retry 1 of 8)"]
    assert log.slept == [wait]
    assert server.asked == [minute(number) for number in (0, 100, 100, 200)]
    assert_holds(tmp_path, server.rows[:300])


def test_a_connection_that_is_reset(server, tmp_path):
    server.bad_days[1] = reset
    log = Log()
    bring(server, tmp_path, 0, 300, log)
    host = server.url.removeprefix("http://")
    assert log.said == [f"binance cannot be reached ({host}, ConnectionError); next try in 1 s (retry 1 of 8)"]
    assert_holds(tmp_path, server.rows[:300])


def test_an_exchange_that_is_silent(server, tmp_path, monkeypatch):
    monkeypatch.setattr(market, "TIMEOUT_MS", 100)
    gate = threading.Event()
    server.bad_days[1] = silence(gate)
    log = Log()
    bring(server, tmp_path, 0, 300, log)
    gate.set()
    assert log.said == ["binance has not answered within 0.1 s; next try in 1 s (retry 1 of 8)"]
    assert_holds(tmp_path, server.rows[:300])


def test_a_list_of_markets_that_is_cut_off_is_asked_for_again(server, tmp_path):
    server.bad_starts = [cut_json, refusal(429)]
    log = Log()
    bring(server, tmp_path, 0, 100, log)
    assert log.slept == [1, 2]
    assert_holds(tmp_path, server.rows[:100])


def test_pauses_double_up_to_a_minute_and_then_the_fetch_ends(server, tmp_path):
    server.bad_days.update({number: refusal(429) for number in range(3, 100)})
    log = Log()
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 1000, log)
    assert log.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert str(fault.value) == (
        "binance answers 429 Too Many Requests, asked 9 times; try again later "
        "(300 of 1,000 candles are kept, and the same command goes on from there)"
    )
    server.bad_days.clear()
    server.asked.clear()
    bring(server, tmp_path, 0, 1000)
    assert server.asked[0] == minute(300)
    assert_holds(tmp_path, server.rows)


def test_a_ban_that_is_long_is_not_waited_for(server, tmp_path):
    server.bad_days[0] = refusal(418, Retry_After="86400")
    log = Log()
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 200, log)
    assert log.slept == []
    assert str(fault.value) == ("binance answers 418 I'm a Teapot and asks to wait for 86,400 s; try again then")
    assert list(tmp_path.iterdir()) == []


# --- what does not ----------------------------------------------------------------------------------------------------

FINAL = {
    "451": (
        refusal(451, "{}"),
        "binance answers 451 Unavailable For Legal Reasons; it may not serve your country: name a mirror with --url",
    ),
    "404": (
        refusal(404, "no such page"),
        "binance answers 404 Not Found: no such page; check the symbol, the dates and --url",
    ),
    "a code of its own": (
        refusal(200, '{"code": -1121, "msg": "Invalid symbol."}'),
        'binance says: {"code": -1121, "msg": "Invalid symbol."}; check symbol and dates',
    ),
}


@pytest.mark.parametrize("name", FINAL)
def test_a_refusal_is_not_repeated(server, tmp_path, name):
    answer, problem = FINAL[name]
    server.bad_days[1] = answer
    log = Log()
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 300, log)
    kept = " (100 of 300 candles are kept, and the same command goes on from there)"
    assert str(fault.value).removesuffix(kept) == problem
    assert log.slept == []


NONSENSE = {
    "high below low": (changed(10, "high", "1"), "high: 1.0 is below the low of the same row, 99.75 US dollars"),
    "zero": (changed(10, "open", "0"), "open: 0 is not a price"),
    "negative": (changed(10, "low", "-1"), "low: -1.0 is not a price"),
    "null": (changed(10, "open", None), "open: is missing"),
    "text": (changed(10, "open", "n/a"), "open: is missing"),
    "not a number": (changed(10, "volume", "nan"), "volume: nan is no volume"),
    "off the grid": (changed(10, "timestamp", minute(110) + 1), "timestamp: is not a multiple of the interval"),
    "twice": (changed(11, "timestamp", minute(110)), "timestamp: is there twice, with different values"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_and_the_pages_before_it_are_kept(server, tmp_path, name):
    answer, problem = NONSENSE[name]
    server.bad_days[1] = answer
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 300)
    when = "2025-01-01T01:50:00.001000Z" if name == "off the grid" else "2025-01-01T01:50:00Z"
    assert str(fault.value) == (
        f"binance SOL/USDT 1m: candle {when}, column {problem}; "
        "fetch up to it and from after it, or take another exchange"
    )
    assert [page.name for page in tmp_path.rglob("*.page")] == [f"{minute(0)}-{minute(100)}.page"]
    assert not list(tmp_path.glob("*.parquet"))


HARMLESS = {
    "unordered": lambda rows: rows[::-1],
    "twice the same": lambda rows: [*rows, *rows[-5:]],
    "overlapping the last page": lambda rows: [*series(T0_MS, 1000)[60:100], *rows],
    "overlapping the next page": lambda rows: [*rows, *series(T0_MS, 1000)[200:230]],
    "beyond the end": lambda rows: [*rows, *series(T0_MS, 1000)[200:400]],
    "shorter": lambda rows: rows[:7],
    "one": lambda rows: rows[:1],
}


@pytest.mark.parametrize("name", HARMLESS)
def test_pages_of_odd_shape_give_the_same_candles(server, tmp_path, name):
    server.bad_days[1] = instead(HARMLESS[name])
    bring(server, tmp_path, 0, 300)
    assert_holds(tmp_path, server.rows[:300])


# --- what is there already --------------------------------------------------------------------------------------------


def test_a_value_that_contradicts_the_file_is_refused(server, tmp_path):
    there = expected(server.rows[50:150]).drop("symbol")
    odd = there.with_columns(close=pl.when(pl.int_range(pl.len()) == 20).then(104.0).otherwise("close"))
    file = write_symbol(tmp_path, "SOL", odd, [])
    before = file.read_bytes()
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 200)
    assert str(fault.value) == (
        f"{file} and binance SOL/USDT 1m disagree at 2025-01-01T01:10:00Z: "
        "close is 104.0 in the first and 104.25 in the second; leave one of them out"
    )
    assert file.read_bytes() == before


def rows_of(server, **more):
    times = expected(server.rows[:20]).select("timestamp")
    return times.with_columns(**more)


THERE = {
    "prices": (
        {"price": pl.lit(1.0)},
        "{file}: has column price, which candles of an exchange lack; "
        "fetch into another folder with --out, or under another name with --as",
    ),
    "a quote": (
        {name: pl.lit(1.0) for name in ("open", "high", "low", "close")} | {"confidence": pl.lit(0.1)},
        "{file}: has column confidence, which candles of an exchange lack; "
        "fetch into another folder with --out, or under another name with --as",
    ),
    "another interval": (
        {name: pl.lit(1.0) for name in ("open", "high", "low", "close")}
        | {
            "timestamp": pl.datetime_range(
                pl.datetime(2025, 1, 1), pl.datetime(2025, 1, 1, 1, 35), "5m", time_zone="UTC"
            )
        },
        "{file}: has candles of 300 s, not of 60 s; "
        "fetch into another folder with --out, or under another name with --as",
    ),
}


@pytest.mark.parametrize("name", THERE)
def test_a_file_of_another_kind_is_refused_before_anything_is_asked(server, tmp_path, name):
    columns, problem = THERE[name]
    file = write_symbol(tmp_path, "SOL", rows_of(server, **columns), [])
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 200)
    assert str(fault.value) == problem.format(file=file)
    assert server.asked == []
    assert list(tmp_path.iterdir()) == [file]


def test_candles_do_not_go_beside_prices(server, tmp_path):
    file = write_symbol(tmp_path, "BTC", rows_of(server, price=pl.lit(1.0)), [])
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path, 0, 200)
    assert str(fault.value) == (
        f"{tmp_path}/SOL.parquet holds candles but {file} prices; a dataset has one shape: import into another folder"
    )
    assert list(tmp_path.iterdir()) == [file]
