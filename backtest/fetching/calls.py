"""Calls to an exchange, made again when what failed may pass: rate limits, outages, answers that are cut off."""

import itertools
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from backtest.errors import PerpoolError

T = TypeVar("T")
Say = Callable[[str], None]

LONGEST_DELAY_S = 60.0
LONGEST_BAN_S = 900.0
STRANGER_RETRIES = 2  # of an exchange that has not answered once: the name or the network is wrong
PASSING_STATUS = frozenset({408, 418, 425, 429})
_CUT_OFF = "sends an answer that is cut off or no JSON"
_LATER = "try again later"


class Unanswered(PerpoolError):
    """The exchange has refused, or has failed too often."""


class _Passing(Exception):
    """A failure that may be over the next time; what to do when it is not."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.advice = advice


class Caller:
    """Asks one exchange, `retries` times more when it has to, and words what is wrong.

    exchange: a ccxt exchange; say: told before every wait; sleep: seconds, replaced by tests
    """

    def __init__(self, exchange: Any, retries: int, say: Say, sleep: Callable[[float], None] = time.sleep) -> None:
        self._exchange, self._retries, self._say, self._sleep = exchange, retries, say, sleep
        self._response: Any = None  # of the last request: its status and headers
        self._known = False
        self._parse_json, self._parse_candle = exchange.parse_json, exchange.parse_ohlcv
        exchange.parse_json, exchange.parse_ohlcv = self._whole, self._timed
        exchange.session.hooks["response"].append(self._note)

    def ask(self, call: Callable[[], T]) -> T:
        """What `call` returns; waits 1, 2, 4 ... 60 s between tries, or as long as Retry-After says.

        Raises Unanswered when the exchange refuses, or still fails after all tries.
        """
        for tried in itertools.count():
            try:
                return self._once(call)
            except _Passing as fault:
                wait = max(min(2.0**tried, LONGEST_DELAY_S), self._retry_after())
                allowed = self._retries if self._known else min(self._retries, STRANGER_RETRIES)
                if wait > LONGEST_BAN_S:
                    raise Unanswered(f"{fault} and asks to wait for {wait:,.0f} s; try again then") from None
                if tried >= allowed:
                    times = "once" if tried == 0 else f"{tried + 1} times"
                    raise Unanswered(f"{fault}, asked {times}; {fault.advice}") from None
                self._say(f"{fault}; next try in {wait:g} s (retry {tried + 1} of {allowed})")
                self._sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, call: Callable[[], T]) -> T:
        import ccxt

        self._response = None
        try:
            return call()
        except ccxt.BaseError as error:
            problem, advice = self._problem(error)
            if self._passes(error):
                raise _Passing(f"{self._exchange.id} {problem}", advice) from None
            raise Unanswered(f"{self._exchange.id} {problem}; {advice}") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # ccxt stumbled
            what = f"{type(error).__name__}: {_one_line(str(error))}"
            raise Unanswered(
                f"{self._exchange.id} sends an answer that ccxt cannot read ({what}); try another version of ccxt"
            ) from None

    def _whole(self, text: str) -> Any:
        """ccxt hands on text that is no JSON as if it were an answer; here it is a failure."""
        value = self._parse_json(text)
        if value is None and self._response.status_code < 400:
            raise _Passing(f"{self._exchange.id} {_CUT_OFF}", _LATER)
        return value

    def _timed(self, row: object, market: Any = None) -> Any:
        """ccxt leaves out candles without a time, which would look like a gap; here they are a failure."""
        candle = self._parse_candle(row, market)
        if not isinstance(candle, list) or not candle or candle[0] is None:
            raise _Passing(f"{self._exchange.id} sends candles without a time", _LATER)
        return candle

    def _note(self, response: Any, **_: Any) -> None:
        self._response, self._known = response, True

    def _passes(self, error: Exception) -> bool:
        import ccxt

        status = 0 if self._response is None else self._response.status_code
        if isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded) or status in PASSING_STATUS:
            return True
        if 400 <= status < 500:  # no such address, forbidden here: it stays so
            return False
        return status >= 500 or isinstance(error, ccxt.OperationFailed)

    def _problem(self, error: Exception) -> tuple[str, str]:
        """What is wrong, and what can be done."""
        import ccxt

        response = self._response
        if response is not None and response.status_code >= 400:
            return self._refused(response)
        if isinstance(error, ccxt.RequestTimeout):
            return f"has not answered within {self._exchange.timeout / 1000:g} s", _LATER
        if response is None and isinstance(error.__cause__, OSError):
            host = urlsplit(self._exchange.last_request_url or "").netloc
            what = f"cannot be reached ({host}, {type(error.__cause__).__name__})"
            return what, "check the network, or name a mirror with --url"
        if isinstance(error, ccxt.BadResponse | ccxt.NetworkError):
            return _CUT_OFF, _LATER
        return f"says: {_one_line(str(error)).removeprefix(self._exchange.id).strip()}", "check symbol and dates"

    def _refused(self, response: Any) -> tuple[str, str]:
        status = response.status_code
        problem = f"answers {status} {response.reason}"
        if status in (403, 451):
            return problem, "it may not serve your country: name a mirror with --url"
        if status in PASSING_STATUS or status >= 500:
            return problem, _LATER
        return f"{problem}: {_one_line(response.text)}", "check the symbol, the dates and --url"

    def _retry_after(self) -> float:
        """What the last answer asks to wait, s; 0 where it does not say."""
        text = "" if self._response is None else self._response.headers.get("Retry-After", "")
        return float(text) if text.isdecimal() else 0.0


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]} ..."
