"""An exchange on this machine: the part of Binance's spot interface that fetching candles needs, and its bad days."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MINUTE_MS = 60_000
Row = list[Any]
Answer = Callable[["Handler", list[Row]], None]


def series(first_ms: int, count: int, step_ms: int = MINUTE_MS) -> list[Row]:
    """Candles as Binance writes them, numbers as text; each differs from its neighbours."""
    rows = []
    for number in range(count):
        open_, close = 100 + number % 37 / 8, 100 + (number + 1) % 37 / 8
        texts = [f"{value:.8f}" for value in (open_, max(open_, close) + 0.5, min(open_, close) - 0.25, close)]
        time = first_ms + number * step_ms
        rows.append([time, *texts, f"{number % 11 + 0.125:.8f}", time + step_ms - 1, "0", 1, "0", "0", "0"])
    return rows


class Server(ThreadingHTTPServer):
    """Serves `rows` (by time) as SOLUSDT, at most `page` at once.

    windowed: answers only what lies within limit * interval from startTime on, as many exchanges do
    bad_days: number of a request for candles (0, 1, ...) -> what happens instead of a plain answer
    asked: startTime of every request for candles; paths: of every request
    """

    daemon_threads = True

    def __init__(self, rows: list[Row], page: int = 1000, now_ms: int = 0, windowed: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rows, self.page, self.now_ms, self.windowed = rows, page, now_ms, windowed
        self.bad_days: dict[int, Answer] = {}
        self.bad_starts: list[Answer] = []  # the same for the first requests of all, for the list of markets
        self.asked: list[int] = []
        self.paths: list[str] = []

    def __enter__(self) -> "Server":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.server.paths.append(address.path)
        if address.path == "/api/v3/exchangeInfo":
            if self.server.bad_starts:
                self.server.bad_starts.pop(0)(self, [])
            else:
                self.send({"timezone": "UTC", "symbols": [_market(base) for base in ("BTC", "SOL", "ETH")]})
        elif address.path == "/api/v3/time":
            self.send({"serverTime": self.server.now_ms})
        elif address.path == "/api/v3/klines" and query["symbol"] == "SOLUSDT":
            number = len(self.server.asked)
            self.server.asked.append(int(query["startTime"]))
            self.server.bad_days.get(number, plain)(self, self._candles(query))
        else:
            self.send({"code": -1121, "msg": "Invalid symbol."}, 400)

    def _candles(self, query: dict[str, str]) -> list[Row]:
        start, limit = int(query["startTime"]), int(query["limit"])
        end = int(query.get("endTime", 2**60))
        if self.server.windowed:
            end = min(end, start + limit * MINUTE_MS - 1)
        return [row for row in self.server.rows if start <= row[0] <= end][: min(limit, self.server.page)]

    def send(self, value: object, status: int = 200, **headers: str) -> None:
        self.send_text(json.dumps(value), status, **headers)

    def send_text(self, text: str, status: int = 200, longer: int = 0, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        given = {"Content-Type": "application/json", "Content-Length": str(len(body) + longer)}
        for name, value in (given | {name.replace("_", "-"): text for name, text in headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _market(base: str) -> dict[str, Any]:
    names = {"symbol": f"{base}USDT", "baseAsset": base, "quoteAsset": "USDT", "status": "TRADING"}
    return names | {
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [],
        "permissions": ["SPOT"],
    }


# --- what can happen instead of an answer ----------------------------------------------------------------------------


def plain(handler: Handler, rows: list[Row]) -> None:
    handler.send(rows)


def refusal(status: int, body: str = '{"code": -1003, "msg": "Too many requests"}', **headers: str) -> Answer:
    return lambda handler, rows: handler.send_text(body, status, **headers)


def cut_json(handler: Handler, rows: list[Row]) -> None:
    text = json.dumps(rows)
    handler.send_text(text[: len(text) // 2])


def cut_body(handler: Handler, rows: list[Row]) -> None:
    handler.send_text(json.dumps(rows)[:-40], longer=40)


def reset(handler: Handler, rows: list[Row]) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def silence(until: threading.Event) -> Answer:
    return lambda handler, rows: (until.wait(30), None)[1]


def instead(change: Callable[[list[Row]], object]) -> Answer:
    """An answer made of the right one."""
    return lambda handler, rows: handler.send(change(rows))
