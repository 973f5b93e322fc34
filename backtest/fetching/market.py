"""One market of an exchange through ccxt: that it exists, its interval, and its candles page by page."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from backtest.errors import PerpoolError, UsageError
from backtest.fetching.calls import Caller, Say
from backtest.toml_files import hint

TIMEOUT_MS = 20_000
DAY_MS = 86_400_000
PAGE_ROWS = 100  # where ccxt does not know how many candles an exchange gives at once
_SHOWN = 8
_USUAL = ("binance", "bybit", "coinbase", "kraken", "okx")


@dataclass(frozen=True)
class Market:
    """What candles are fetched of. step_ms: the interval; page_rows: candles per request, at most."""

    exchange: Any
    caller: Caller
    symbol: str
    interval: str
    step_ms: int
    page_rows: int

    @property
    def source(self) -> str:
        """Exchange, symbol and interval, as provenance names them: `binance SOL/USDT 1m`."""
        return f"{self.exchange.id} {self.symbol} {self.interval}"

    @property
    def base(self) -> str:
        """The currency that is priced: `SOL` of `SOL/USDT`."""
        return str(self.exchange.markets[self.symbol]["base"])

    def candles(self, since_ms: int, rows: int) -> list[list[Any]]:
        """Up to `rows` candles from `since_ms` on: [open time in ms, open, high, low, close, volume]."""
        answer: list[list[Any]] = self.caller.ask(
            lambda: self.exchange.fetch_ohlcv(self.symbol, self.interval, since_ms, rows)
        )
        return answer

    def closed_ms(self, end_ms: int) -> int:
        """`end_ms`, or where the candle begins that is still forming, if that is earlier."""
        now_ms = time.time_ns() // 1_000_000
        if end_ms > now_ms - DAY_MS and self.exchange.has.get("fetchTime") is True:  # this machine's clock may be off
            now_ms = self.caller.ask(self.exchange.fetch_time)
        return min(end_ms, now_ms - now_ms % self.step_ms)

    def close(self) -> None:
        """Hang up."""
        self.exchange.close()


def connect(
    exchange: str,
    symbol: str,
    interval: str,
    *,
    url: str | None = None,
    retries: int = 8,
    say: Say = lambda text: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Market:
    """Find the market, by ccxt's names of exchange, symbol and interval; `url` replaces the exchange's REST host.

    Raises UsageError for a name that does not exist, PerpoolError when the exchange cannot be asked.
    """
    client = _client(exchange)
    step_ms = _step_ms(client, interval)
    if url is not None:
        client.urls["api"] = _moved(client.urls["api"], _base(url))
    _load_only(client, contracts=":" in symbol)
    caller = Caller(client, retries, say, sleep)
    try:
        caller.ask(client.load_markets)
        if symbol not in client.markets:
            raise UsageError(f"{exchange} has no market {symbol}; {_near_symbols(symbol, client.markets)}")
        rows = client.feature_value(symbol, "fetchOHLCV", "limit", PAGE_ROWS) or PAGE_ROWS
    except BaseException:
        client.close()
        raise
    return Market(client, caller, symbol, interval, step_ms, int(rows))


def _client(exchange: str) -> Any:
    try:
        import ccxt
    except ImportError:
        raise PerpoolError("fetching needs ccxt, which is not installed: pip install 'perpool[fetch]'") from None
    if exchange not in ccxt.exchanges:
        near = hint(exchange, ccxt.exchanges)
        others = f"known: {', '.join(_USUAL)} and {len(ccxt.exchanges) - len(_USUAL)} more, those of ccxt"
        raise UsageError(f"ccxt knows no exchange {exchange}; {near if near.startswith('did') else others}")
    options = {"enableRateLimit": True, "timeout": TIMEOUT_MS, "requests_trust_env": True}
    client = getattr(ccxt, exchange)(options)
    if client.has.get("fetchOHLCV") is not True:
        raise UsageError(f"{exchange} gives no candles; take another exchange")
    return client


def _step_ms(client: Any, interval: str) -> int:
    """The interval in ms. Weeks and months do not start at a multiple of their length, so a day is the longest."""
    lengths = {name: int(client.parse_timeframe(name) * 1000) for name in client.timeframes or {}}
    offered = {name: length for name, length in lengths.items() if 0 < length <= DAY_MS and DAY_MS % length == 0}
    if interval not in offered:
        raise UsageError(f"{client.id} has no candles of {interval} to fetch; {hint(interval, offered)}")
    return offered[interval]


def _base(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise UsageError(f"--url {url} is not an address; write it as https://api.example.com")
    return url.rstrip("/")


def _moved(address: Any, base: str) -> Any:
    """The REST addresses of an exchange, however nested, with `base` in place of scheme and host."""
    if isinstance(address, dict):
        return {name: _moved(below, base) for name, below in address.items()}
    if isinstance(address, str):
        return base + urlunsplit(("", "", *urlsplit(address)[2:]))
    return address


def _load_only(client: Any, contracts: bool) -> None:
    """Have ccxt ask for spot markets or for contracts only, where it lets us choose: a mirror may lack the others."""
    options = client.options.get("fetchMarkets")
    kinds = options.get("types") if isinstance(options, dict) else None
    if isinstance(kinds, list):
        options["types"] = [kind for kind in kinds if (kind != "spot") == contracts and kind != "option"] or kinds


def _near_symbols(symbol: str, markets: Iterable[str]) -> str:
    known: Sequence[str] = sorted(markets)
    near = hint(symbol, known)
    if near.startswith("did"):
        return near
    of_base = [name for name in known if name.split("/")[0] == symbol.split("/")[0].upper()]
    if not of_base:
        return "symbols are ccxt's: BTC/USDT on a spot market, BTC/USDT:USDT for a perpetual"
    more = f" and {len(of_base) - _SHOWN} more" if len(of_base) > _SHOWN else ""
    return f"there are: {', '.join(of_base[:_SHOWN])}{more}"
