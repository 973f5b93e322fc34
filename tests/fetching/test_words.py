"""`perpool prices fetch` with wrong words: exchange, symbol, interval, dates; and without a network or ccxt."""

import builtins
import socket

import pytest

from backtest.errors import PerpoolError
from backtest.fetching import market
from tests.fetching.exchange_server import reset
from tests.fetching.fetches import Log, bring, linked, minute
from tests.shell import perpool

WORDS = {
    "exchange": (("binanec", "SOL/USDT", "1m"), "ccxt knows no exchange binanec; did you mean 'binance'?"),
    "symbol": (("binance", "SOLUSDT", "1m"), "binance has no market SOLUSDT; did you mean 'SOL/USDT'?"),
    "a symbol like none": (
        ("binance", "XYZ", "1m"),
        "binance has no market XYZ; symbols are ccxt's: BTC/USDT on a spot market, BTC/USDT:USDT for a perpetual",
    ),
    "another quote": (("binance", "SOL/CHFEURO", "1m"), "binance has no market SOL/CHFEURO; there are: SOL/USDT"),
    "interval": (
        ("binance", "SOL/USDT", "7m"),
        "binance has no candles of 7m to fetch; known: 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d",
    ),
    "a week": (
        ("binance", "SOL/USDT", "1w"),
        "binance has no candles of 1w to fetch; known: 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d",
    ),
    "no candles": (("zaif", "BTC/JPY", "1m"), "zaif gives no candles; take another exchange"),
    "date": (
        ("binance", "SOL/USDT", "1m", "2025-02-30"),
        "'2025-02-30' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)",
    ),
    "end before start": (
        ("binance", "SOL/USDT", "1m", "2025-03-01"),
        "no candle opens from 2025-03-01T00:00:00Z to before 2025-01-02T00:00:00Z; give an END after START",
    ),
    "name": (
        ("binance", "SOL/USDT", "1m", "2025-01-01", "--as", "S L"),
        "'S L' is no symbol; use letters, digits and . _ / : + -, such as SOL or USDC/USD",
    ),
    "address": (
        ("binance", "SOL/USDT", "1m", "2025-01-01", "--url", "api.example.com"),
        "--url api.example.com is not an address; write it as https://api.example.com",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_is_wrong(server, tmp_path, name):
    (exchange, symbol, interval, *more), problem = WORDS[name]
    start, *options = more or ["2025-01-01"]
    out = tmp_path / "prices"
    given = (exchange, symbol, interval, start, "2025-01-02", "--out", out, "--url", server.url, *options)
    assert perpool("prices", "fetch", *given) == (2, "", f"error: {problem}\n")
    assert not out.exists()


def test_nothing_is_closed_yet(server, tmp_path):
    server.now_ms = minute(10)
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path / "new", 10, 10_000_000)
    assert str(fault.value) == (
        "binance SOL/USDT 1m: no candle is closed after 2025-01-01T00:10:00Z yet; give an earlier START"
    )
    assert not (tmp_path / "new").exists()


def test_a_span_without_candles(server, tmp_path):
    with pytest.raises(PerpoolError) as fault:
        bring(server, tmp_path / "new", 2000, 2250)
    assert str(fault.value) == (
        "binance SOL/USDT 1m: the exchange has no candles from 2025-01-02T09:20:00Z to 2025-01-02T13:30:00Z; "
        "take dates at which the market was open"
    )
    assert not (tmp_path / "new").exists()


def test_no_network(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    given = ("binance", "SOL/USDT", "1m", "2025-01-01", "2025-01-02", "--out", tmp_path / "new")
    done = perpool("prices", "fetch", *given, "--url", f"http://{host}", "--retries", 0)
    problem = f"binance cannot be reached ({host}, ConnectionError), asked once"
    assert done == (1, "", f"error: {problem}; check the network, or name a mirror with --url\n")
    assert not (tmp_path / "new").exists()


def test_an_exchange_that_never_answered_is_not_waited_for_long(server):
    server.bad_starts = [reset] * 9
    log = Log()
    with pytest.raises(PerpoolError, match=r"cannot be reached \(.*\), asked 3 times; check the network"):
        linked(server, log)
    assert log.slept == [1, 2]


def test_without_ccxt(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "ccxt":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PerpoolError) as fault:
        market.connect("binance", "SOL/USDT", "1m")
    assert str(fault.value) == "fetching needs ccxt, which is not installed: pip install 'perpool[fetch]'"


def test_a_perpetual_is_looked_for_among_contracts_only(server, tmp_path):
    with pytest.raises(PerpoolError, match="answers 400 Bad Request"):
        linked(server, Log(), symbol="SOL/USDT:USDT")
    assert server.paths == ["/fapi/v1/exchangeInfo"]
