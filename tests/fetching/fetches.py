"""Fetch from the exchange on this machine, and what the dataset should hold then."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from backtest.fetching.fetch import fetch
from backtest.fetching.market import Market, connect
from tests.fetching.exchange_server import MINUTE_MS, Row, Server

T0_MS = 1_735_689_600_000  # 2025-01-01
PAGE = 100
NAMES = ("timestamp", "open", "high", "low", "close", "volume")


def minute(number: int) -> int:
    """The open time of a candle of the series, ms."""
    return T0_MS + number * MINUTE_MS


class Log:
    """What was said, and the seconds that were slept (none are)."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.slept: list[float] = []


def linked(server: Server, log: Log, retries: int = 8, symbol: str = "SOL/USDT", interval: str = "1m") -> Market:
    return connect(
        "binance", symbol, interval, url=server.url, retries=retries, say=log.said.append, sleep=log.slept.append
    )


def bring(server: Server, out: Path, first: int, after: int, log: Log | None = None, retries: int = 8, **options):
    """Fetch the minutes first..after of the series, PAGE at a time."""
    log = log or Log()
    market = replace(linked(server, log, retries), page_rows=PAGE)
    try:
        return fetch(market, minute(first) * 1000, minute(after) * 1000, out, say=log.said.append, **options)
    finally:
        market.close()


def expected(rows: list[Row], symbol: str = "SOL") -> pl.DataFrame:
    """Rows of the server as the dataset holds them."""
    columns = dict(zip(NAMES, zip(*(row[:6] for row in rows), strict=True), strict=True))
    values = {name: [float(text) for text in columns[name]] for name in NAMES[1:]}
    times = pl.Series(columns["timestamp"]).cast(pl.Datetime("ms", "UTC")).dt.cast_time_unit("us")
    return pl.DataFrame({"timestamp": times, "symbol": [symbol] * len(rows)} | values)


def assert_holds(out: Path, rows: list[Row]) -> None:
    """The dataset holds exactly these rows, and nothing else lies beside them."""
    assert pl.read_parquet(out / "SOL.parquet").rows() == expected(rows).rows()
    assert [file.name for file in out.iterdir()] == ["SOL.parquet"]
