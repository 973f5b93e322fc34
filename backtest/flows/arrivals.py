"""When positions are opened and in which market: a clock without prices, thinned by how volatile the market is.

Thinning keeps the future out: candidates are spread over the span blindly, and each is accepted by what the prices
before it say. To draw the accepted ones alone, one would have to know the volatility of the whole span.
"""

import math
from typing import NamedTuple

import numpy as np

from backtest.errors import UsageError
from backtest.flows import streams
from backtest.flows.config import FlowConfig
from backtest.flows.prices_seen import Seen, activity, last_tick
from backtest.flows.sections import Arrival
from backtest.flows.streams import HOUR_US, Float, Int

_WEEK_HOURS = 168
_FIRST_HOUR = 72  # of the week, Monday first: 1 January 1970 was a Thursday


class Arrivals(NamedTuple):
    """Times [us], sorted, and the row of the market in `Seen` of each, both (n,)."""

    opened: Int
    market: Int


def arrive(config: FlowConfig, seen: Seen) -> Arrivals:
    """`positions` arrivals where volatility plays no part, else about as many in times of usual volatility."""
    arrival = config.arrival
    thinned = arrival.volatility_sensitivity > 0.0
    n = math.ceil(config.positions * arrival.cap) if thinned else config.positions
    found = Arrivals(
        clock(config, "arrival", seen, n, week_weights(arrival)),
        streams.pick(config, "market", tuple(item.weight for item in config.markets), n),
    )
    if not thinned:
        return found
    multiple = activity(
        seen,
        arrival.volatility_sensitivity,
        arrival.volatility_window,
        arrival.volatility_average,
        arrival.cap,
    )[found.market, last_tick(seen, found.opened)]
    kept = streams.draw(config, "accepted", n) * (n / max(config.positions, 1)) < multiple
    return Arrivals(found.opened[kept], found.market[kept])


def week_weights(arrival: Arrival) -> tuple[float, ...]:
    """Weights of the 168 hours from Monday 00:00 UTC; empty for an even clock."""
    if arrival.pattern == "constant":
        return ()
    if arrival.week:
        return arrival.week
    return tuple(day * hour for day in arrival.days or (1.0,) * 7 for hour in arrival.hours or (1.0,) * 24)


def clock(config: FlowConfig, quantity: str, seen: Seen, n: int, week: tuple[float, ...] = ()) -> Int:
    """`n` independent times in the span of the prices [us], sorted, as dense as the weights of the week say."""
    edges, weights = _stretches(seen, week)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(edges) * weights)])
    if passed[-1] <= 0.0:
        raise UsageError(f"{config.name}: arrival gives no weight to any hour of the prices; weigh one of their hours")
    drawn = np.sort(streams.draw(config, quantity, n)) * passed[-1]
    stretch = np.searchsorted(passed, drawn, side="right") - 1
    times = edges[stretch] + np.rint((drawn - passed[stretch]) / weights[stretch]).astype(np.int64)
    return np.asarray(np.minimum(times, seen.end_us), np.int64)


def _stretches(seen: Seen, week: tuple[float, ...]) -> tuple[Int, Float]:
    """The span cut at full hours: k + 1 edges [us] and the weights of the k stretches between."""
    if not week:
        return np.array([seen.start_us, max(seen.end_us, seen.start_us + 1)]), np.ones(1)
    hours = np.arange(seen.start_us // HOUR_US, seen.end_us // HOUR_US + 1)
    edges = np.concatenate([[seen.start_us], hours[1:] * HOUR_US, [seen.end_us]])
    return edges, np.array(week)[(hours + _FIRST_HOUR) % _WEEK_HOURS]
