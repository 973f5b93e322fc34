"""The kinds of number that a protocol file may hold: unit, range, and the scale at which the kernels book each.

`scale` is where `backtest.toml_files` stops: a value finer than 1/scale would not be booked as it was written.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

_BPS = {"unit": "basis points"}
_PER_HOUR = {"unit": "the notional per hour (0.0001 is 0.01 %)", "scale": 10**9}
_PER_INTERVAL = {"unit": "the notional per interval (0.0001 is 0.01 %)", "scale": 10**6}

Bps = Annotated[int, Meta(ge=0, le=10_000, extra=_BPS)]
BandBps = Annotated[int, Meta(ge=0, le=9_999, extra=_BPS)]  # a band of 100 % would make the low price 0
SensitivityBps = Annotated[int, Meta(ge=0, le=1_000_000, extra=_BPS)]
MultiplierBps = Annotated[int, Meta(ge=0, le=1_000_000, extra=_BPS)]
PayoffBps = Annotated[int, Meta(ge=1, le=100_000, extra=_BPS)]
YearlyBps = Annotated[int, Meta(ge=0, le=1_000_000, extra={"unit": "basis points a year"})]
FineBps = Annotated[float, Meta(ge=0, le=10_000, extra={"unit": "basis points", "scale": 10**6})]
Exponent = Annotated[float, Meta(ge=0, le=10, extra={"scale": 10**6})]
Dollars = Annotated[float, Meta(ge=0, le=1e12, extra={"unit": "dollars", "scale": 10**6})]
Price = Annotated[float, Meta(ge=0, le=1e6, extra={"unit": "dollars per token", "scale": 10**10})]
Tokens = Annotated[float, Meta(ge=0, le=1e12, extra={"unit": "tokens", "scale": 10**9})]
PerHour = Annotated[float, Meta(ge=0, le=1, extra=_PER_HOUR)]
PerInterval = Annotated[float, Meta(ge=0, le=1, extra=_PER_INTERVAL)]
Leverage = Annotated[float, Meta(ge=1, le=10_000, extra={"unit": "x", "scale": 10**4})]
Seconds = Annotated[int, Meta(ge=0, le=31_536_000, extra={"unit": "seconds"})]
Decimals = Annotated[int, Meta(ge=0, le=9, extra={"unit": "decimal places"})]
Multiplier = Annotated[float, Meta(ge=0, le=1_000, extra={"unit": "times the close fee", "scale": 10**4})]
Weight = Annotated[int, Meta(ge=0, le=1_000_000_000, extra={"unit": "parts of the sum of weights"})]


class Table(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A table of a protocol file: frozen, and unknown keys are refused."""
