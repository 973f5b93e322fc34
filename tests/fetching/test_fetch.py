"""`perpool prices fetch`: whole, again, interrupted and resumed, with the gaps and the growing end of a real market."""

import json
import subprocess
import threading

import ccxt
import polars as pl
import pytest

from backtest.fetching.result import Gap
from backtest.history.store import provenance_of, write_symbol
from backtest.prices import open_prices
from tests.fetching.exchange_server import instead
from tests.fetching.fetches import NAMES, Log, assert_holds, bring, expected, linked, minute
from tests.price_data import sources
from tests.shell import command, environment, perpool


def words(server, out, *more, span=("2025-01-01", "2025-01-01T05:00")):
    return ("prices", "fetch", "binance", "SOL/USDT", "1m", *span, "--out", out, "--url", server.url, *more)


# --- whole ------------------------------------------------------------------------------------------------------------


def test_the_command_writes_the_candles_of_the_exchange(server, tmp_path):
    out = tmp_path / "prices"
    done = perpool(*words(server, out))
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "symbol   SOL, from binance SOL/USDT 1m\n"
        "candles  300, all new\n"
        "first    2025-01-01T00:00:00Z\n"
        "last     2025-01-01T04:59:00Z\n"
        "gaps     none\n"
        f"file     {out}/SOL.parquet, 300 candles\n"
        f"next     perpool prices check {out}\n"
    )
    assert server.asked == [minute(0), minute(100), minute(200)]  # it gives 100 at a time, whatever it is asked for
    assert set(server.paths) == {"/api/v3/exchangeInfo", "/api/v3/klines"}
    assert_holds(out, server.rows[:300])
    span = open_prices(out, sources("SOL")).span
    assert (span.start_us, span.end_us) == (minute(1) * 1000, minute(300) * 1000)  # ticks are closes


def test_the_file_says_where_its_rows_come_from(server, tmp_path):
    bring(server, tmp_path, 0, 300)
    (entry,) = provenance_of(tmp_path / "SOL.parquet")
    assert entry.pop("fetched_at").endswith("Z")
    assert entry == {
        "source": "binance SOL/USDT 1m",
        "from": "2025-01-01T00:00:00Z",
        "to": "2025-01-01T05:00:00Z",
        "rows": 300,
        "first": "2025-01-01T00:00:00Z",
        "last": "2025-01-01T04:59:00Z",
        "ccxt": ccxt.__version__,
    }


def test_the_result_as_json_under_another_name(server, tmp_path):
    del server.rows[110:130]
    done = perpool(*words(server, tmp_path, "--as", "SOL/USD", "--json"))
    assert json.loads(done.out) == {
        "source": "binance SOL/USDT 1m",
        "symbol": "SOL/USD",
        "file": f"{tmp_path}/SOL-USD.parquet",
        "start": "2025-01-01T00:00:00Z",
        "end": "2025-01-01T05:00:00Z",
        "forming": False,
        "rows": 280,
        "new": 280,
        "total": 280,
        "first": "2025-01-01T00:00:00Z",
        "last": "2025-01-01T04:59:00Z",
        "missing_before": 0,
        "missing": 20,
        "missing_after": 0,
        "gaps": [{"first": "2025-01-01T01:50:00Z", "candles": 20}],
    }
    assert pl.read_parquet(tmp_path / "SOL-USD.parquet").rows() == expected(server.rows[:280], "SOL/USD").rows()


def test_progress_counts_candles(server, tmp_path):
    seen = []
    bring(server, tmp_path, 0, 250, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 250), (100, 250), (200, 250), (250, 250)]


def test_ends_that_lie_between_two_candles_take_those_that_open_between_them(server, tmp_path):
    span = ("2025-01-01T00:00:01", "2025-01-01T00:03:01")
    assert perpool(*words(server, tmp_path, span=span)).code == 0
    assert_holds(tmp_path, server.rows[1:4])


def test_ccxt_paces_the_requests(server):
    market = linked(server, Log())
    assert market.exchange.enableRateLimit and market.exchange.rateLimit > 0
    market.close()


# --- what the exchange does not have ----------------------------------------------------------------------------------


@pytest.mark.parametrize("windowed", [False, True])
def test_a_gap_of_the_exchange_is_reported_and_not_filled(server, tmp_path, windowed):
    server.windowed = windowed
    del server.rows[620:621], server.rows[130:450]  # one of them longer than three pages
    result = bring(server, tmp_path, 0, 1000)
    assert_holds(tmp_path, server.rows)
    assert result.missing == 321
    assert result.gaps == (Gap("2025-01-01T02:10:00Z", 320), Gap("2025-01-01T10:20:00Z", 1))


def test_an_empty_page_is_a_gap_and_no_end(server, tmp_path):
    server.bad_days[2] = instead(lambda rows: [])
    result = bring(server, tmp_path, 0, 500)
    assert server.asked == [minute(number) for number in (0, 100, 200, 300, 400)]
    assert_holds(tmp_path, server.rows[:200] + server.rows[300:500])
    assert result.gaps == (Gap("2025-01-01T03:20:00Z", 100),)


@pytest.mark.parametrize("windowed", [False, True])
def test_a_market_that_was_listed_after_start(server, tmp_path, windowed):
    server.windowed = windowed
    del server.rows[:270], server.rows[-10:]
    done = bring(server, tmp_path, 0, 1000)
    assert_holds(tmp_path, server.rows)
    assert (done.missing_before, done.missing, done.missing_after) == (270, 0, 10)
    assert (done.first, done.last) == ("2025-01-01T04:30:00Z", "2025-01-01T16:29:00Z")


def test_the_command_says_that_the_market_is_younger(server, tmp_path):
    del server.rows[:10], server.rows[280:]
    said = perpool(*words(server, tmp_path)).out.splitlines()
    assert said[2] == "first    2025-01-01T00:10:00Z; the exchange has nothing before, back to 2025-01-01T00:00:00Z"
    assert said[3] == "last     2025-01-01T04:49:00Z; the exchange has nothing after, up to 2025-01-01T05:00:00Z"


def test_the_candle_that_is_still_forming_is_left(server, tmp_path):
    server.now_ms = minute(151) + 59_999  # by the clock of the exchange; ours is years ahead
    done = perpool(*words(server, tmp_path, span=("2025-01-01", "2100-01-01")))
    assert_holds(tmp_path, server.rows[:151])
    assert done.out.splitlines()[3] == "last     2025-01-01T02:30:00Z; what opens later is not closed yet"
    server.now_ms = minute(400)
    server.asked.clear()
    result = bring(server, tmp_path, 0, 40_000_000)
    assert (result.rows, result.new, result.forming) == (400, 249, True)
    assert server.asked[0] == minute(151)
    assert_holds(tmp_path, server.rows[:400])


# --- again, and further -----------------------------------------------------------------------------------------------


def test_the_same_command_again_asks_for_nothing(server, tmp_path):
    bring(server, tmp_path, 0, 300)
    before = (tmp_path / "SOL.parquet").read_bytes()
    server.asked.clear()
    result = bring(server, tmp_path, 0, 300)
    assert (server.asked, result.rows, result.new) == ([], 300, 0)
    assert (tmp_path / "SOL.parquet").read_bytes() == before


def test_another_span_asks_for_what_is_new_on_both_sides(server, tmp_path):
    bring(server, tmp_path, 200, 300)
    server.asked.clear()
    log = Log()
    result = bring(server, tmp_path, 150, 450, log)
    assert server.asked == [minute(150), minute(300), minute(400)]
    assert log.said == ["binance SOL/USDT 1m: 100 of 300 candles are there from before"]
    assert (result.rows, result.new, result.total) == (300, 200, 300)
    assert [entry["from"] for entry in provenance_of(tmp_path / "SOL.parquet")] == [
        "2025-01-01T03:20:00Z",
        "2025-01-01T02:30:00Z",
    ]
    assert_holds(tmp_path, server.rows[150:450])


def test_candles_from_elsewhere_that_agree_merge(server, tmp_path):
    there = expected(server.rows[50:150]).drop("symbol", "volume")
    write_symbol(tmp_path, "SOL", there, [{"source": "a file"}])
    result = bring(server, tmp_path, 0, 200)
    held = pl.read_parquet(tmp_path / "SOL.parquet")
    assert held.rows() == expected(server.rows[:200]).drop("volume").rows()  # the columns that the file had
    assert (result.rows, result.new) == (200, 100)
    assert [entry["source"] for entry in provenance_of(tmp_path / "SOL.parquet")] == ["a file", "binance SOL/USDT 1m"]


# --- stopped and resumed ----------------------------------------------------------------------------------------------


def test_a_killed_command_goes_on_after_its_last_whole_page(server, tmp_path):
    reached, gate = threading.Event(), threading.Event()

    def hold(handler, rows):
        reached.set()
        gate.wait(30)

    server.bad_days[2] = hold
    process = subprocess.Popen(command(*words(server, tmp_path)), env=environment())
    try:
        assert reached.wait(60)
    finally:
        process.kill()
        process.wait()
        gate.set()
    assert not (tmp_path / "SOL.parquet").exists()
    assert server.asked == [minute(0), minute(100), minute(200)]
    server.asked.clear()
    server.bad_days.clear()
    done = perpool(*words(server, tmp_path))
    assert server.asked == [minute(200)]
    assert done.err == "binance SOL/USDT 1m: 200 of 300 candles are there from before\n"
    assert_holds(tmp_path, server.rows[:300])


class _Stop(BaseException):
    """As Ctrl-C."""


def stopped(server, tmp_path, first, after, at):
    """A fetch that is interrupted when `at` candles are there."""

    def progress(done, total):
        if done == at:
            raise _Stop

    log = Log()
    with pytest.raises(_Stop):
        bring(server, tmp_path, first, after, log, progress=progress)
    server.asked.clear()
    return log.said


def test_an_interrupted_fetch_says_what_is_kept(server, tmp_path):
    assert stopped(server, tmp_path, 0, 1000, at=300) == [
        "300 of 1,000 candles are kept, and the same command goes on from there"
    ]


def test_pages_serve_a_call_with_other_ends(server, tmp_path):
    stopped(server, tmp_path, 0, 1000, at=400)
    bring(server, tmp_path, 50, 250)
    assert server.asked == []
    assert pl.read_parquet(tmp_path / "SOL.parquet").drop("symbol").columns == list(NAMES)
    assert len(list(tmp_path.rglob("*.page"))) == 3  # all but 100..200 hold candles that the file lacks
    bring(server, tmp_path, 0, 600)
    assert server.asked == [minute(400), minute(500)]
    assert_holds(tmp_path, server.rows[:600])


def test_a_run_does_not_see_the_pages(server, tmp_path):
    stopped(server, tmp_path, 300, 900, at=200)
    bring(server, tmp_path, 0, 200)
    assert list(tmp_path.rglob("*.page"))
    assert open_prices(tmp_path, sources("SOL")).span.end_us == minute(200) * 1000


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: b"", lambda data: b"x" * len(data)])
def test_a_broken_page_is_fetched_again(server, tmp_path, damage):
    stopped(server, tmp_path, 0, 500, at=300)
    page = sorted(tmp_path.rglob("*.page"))[1]
    page.write_bytes(damage(page.read_bytes()))
    log = Log()
    bring(server, tmp_path, 0, 500, log)
    assert log.said[0] == f"{page}: is broken and will be fetched again"
    assert server.asked == [minute(100), minute(300), minute(400)]
    assert_holds(tmp_path, server.rows[:500])


def test_a_page_with_rows_that_are_not_its_own_is_fetched_again(server, tmp_path):
    stopped(server, tmp_path, 0, 500, at=300)
    first, second, _ = sorted(tmp_path.rglob("*.page"))
    second.write_bytes(first.read_bytes())
    bring(server, tmp_path, 0, 500)
    assert server.asked[0] == minute(100)
    assert_holds(tmp_path, server.rows[:500])
