"""What every test of fetching has: an exchange on this machine, and nothing between the two."""

import ccxt
import pytest

from tests.fetching.exchange_server import Server, series
from tests.fetching.fetches import T0_MS, minute


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy between the test and its server, and none of the pauses that a real exchange asks for."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(ccxt.Exchange, "throttle", lambda self, cost=None: None)


@pytest.fixture
def server():
    with Server(series(T0_MS, 1000), page=100, now_ms=minute(1000)) as running:
        yield running
