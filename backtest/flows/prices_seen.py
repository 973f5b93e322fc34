"""The prices that traders look at: all ticks in memory, and what they say of the past at every tick.

Everything here at tick i is made of ticks 0..i: sums run in the order of time, so later prices move nothing before.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from backtest.errors import UsageError
from backtest.flows import exact_math
from backtest.flows.config import FlowConfig
from backtest.flows.sections import MarketShare
from backtest.flows.streams import DAY_US, HOUR_US, Float, Int
from backtest.prices import PriceSpan
from kernels.state import Ticks

_TICKS_PER_CHUNK = 65_536


class Prices(Protocol):
    """What the generator needs of a `TickSource`: its columns, a span, and the ticks in order."""

    @property
    def symbols(self) -> tuple[str, ...]: ...

    @property
    def span(self) -> PriceSpan: ...

    def chunks(self, ticks_per_chunk: int) -> Iterator[Ticks]: ...


class Seen(NamedTuple):
    """Ticks of the markets of one population: `times` (T,) us, `price` (S, T) int64 at 1e10, a row per market."""

    times: Int
    price: Int

    @property
    def start_us(self) -> int:
        return int(self.times[0])

    @property
    def end_us(self) -> int:
        return int(self.times[-1])


def traded(configs: Sequence[FlowConfig]) -> dict[str, str]:
    """Every market of the populations with its symbol in the price files; UsageError where they differ."""
    found: dict[str, MarketShare] = {}
    owner: dict[str, str] = {}
    for config in configs:
        for item in config.markets:
            first = found.setdefault(item.market, item)
            owner.setdefault(item.market, config.name)
            if first.symbol != item.symbol:
                raise UsageError(
                    f"market {item.market} reads {first.symbol} in {owner[item.market]} and {item.symbol} in "
                    f"{config.name}; give it one source"
                )
    return {market: item.symbol for market, item in found.items()}


def load(prices: Prices) -> Seen:
    """All ticks, a row per column of the prices."""
    chunks = list(prices.chunks(_TICKS_PER_CHUNK))
    times = np.concatenate([chunk.time_us for chunk in chunks])
    return Seen(times, np.ascontiguousarray(np.concatenate([chunk.price for chunk in chunks]).T))


def last_tick(seen: Seen, times_us: Int) -> Int:
    """The last tick at or before each time (in the span), shape (n,)."""
    return np.searchsorted(seen.times, times_us, side="right") - 1


def trailing_variance(times: Int, log_price: Float, window_us: float) -> Float:
    """Squared log returns per microsecond over the window that ends at each tick, shape (T,); NaN without a return."""
    steps = np.diff(log_price, prepend=log_price[:1])
    squares = np.cumsum(steps * steps)
    first = np.searchsorted(times, times - int(window_us), side="left")
    elapsed = (times - times[first]).astype(np.float64)
    return np.where(elapsed > 0.0, (squares - squares[first]) / np.maximum(elapsed, 1.0), np.nan)


def activity(seen: Seen, sensitivity: float, window_hours: float, average_days: float, cap: float) -> Float:
    """By how much more is traded at each tick than at long-run volatility, in [1/cap, cap], shape (S, T).

    (volatility over the window / its trailing average)^sensitivity; 1 where the past is too short to tell.
    """
    found = np.ones(seen.price.shape)
    for row, price in zip(found, seen.price, strict=True):
        log_price = exact_math.log(price.astype(np.float64))
        recent = trailing_variance(seen.times, log_price, window_hours * HOUR_US)
        usual = trailing_variance(seen.times, log_price, average_days * DAY_US)
        known = (recent >= 0.0) & (usual > 0.0)
        row[known] = exact_math.power(recent[known] / usual[known], 0.5 * sensitivity)
    return np.minimum(np.maximum(found, 1.0 / cap), cap)


def past_moves(seen: Seen, look_back_hours: float, average_days: float, clip: float) -> Float:
    """Past return at each tick in its own standard deviations, in [-clip, clip], shape (S, T); 0 without a past."""
    found = np.zeros(seen.price.shape)
    before = np.searchsorted(seen.times, seen.times - int(look_back_hours * HOUR_US), side="left")
    elapsed = (seen.times - seen.times[before]).astype(np.float64)
    for row, price in zip(found, seen.price, strict=True):
        log_price = exact_math.log(price.astype(np.float64))
        deviation = np.sqrt(trailing_variance(seen.times, log_price, average_days * DAY_US) * elapsed)
        known = deviation > 0.0
        row[known] = (log_price - log_price[before])[known] / deviation[known]
    return np.minimum(np.maximum(found, -clip), clip)
