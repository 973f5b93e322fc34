"""LPs of a population: when they deposit, how much, and when they take 90 % of it out again.

`steady` LPs come and go blindly. `yield` LPs follow the fees on the volume of their own population's positions. `panic`
LPs come blindly and leave after a fall of the prices. Each looks at what was before, never at what comes.
"""

import math
from typing import NamedTuple

import numpy as np

from backtest.flows import streams
from backtest.flows.arrivals import clock
from backtest.flows.config import FlowConfig
from backtest.flows.passage import first_at_most, trailing_highs
from backtest.flows.prices_seen import Seen
from backtest.flows.sections import Liquidity
from backtest.flows.streams import DAY_US, HOUR_US, Float, Int
from backtest.flows.traders import Positions

_WITHDRAWN = 0.9  # LP tokens per token paid in: below it at any price of the LP token up to 1.11 tokens
_NEVER_US = 2**62
_A_SECOND_US = 1_000_000
_GRID = 1e10  # of the basket, as of prices
_YEAR_DAYS = 365.0


class Deposits(NamedTuple):
    """Columns of shape (n,), in the order of deposit: when and (2**62: never) when taken out [us], tokens of both."""

    added: Int
    removed: Int
    amount: Float
    withdrawn: Float


def provide(config: FlowConfig, seen: Seen, positions: Positions) -> Deposits:
    """Draw the LPs of one population."""
    pool = config.liquidity
    earned = _yields(pool, seen, positions) if pool.style == "yield" and pool.deposits else np.empty(0)
    added = _additions(config, seen, earned)
    n = added.size
    drawn = streams.log_normal(config, "lp_amount", pool.median, pool.sigma, n)
    amount = np.rint(np.minimum(np.maximum(drawn, pool.min), pool.max) * 100.0) / 100.0
    leaves = streams.chosen(config, "lp_share", pool.withdrawn_share, n)
    if pool.style == "yield":
        until = _when_yield_falls(pool, seen, added, earned)
    elif pool.style == "panic":
        until = _after_a_fall(config, seen, added)
    else:
        until = added + streams.whole_ms(streams.exponential(config, "lp_holding", pool.hold_days, n) * DAY_US)
        until = until + _A_SECOND_US
    removed = np.where(leaves & (until <= seen.end_us), until, _NEVER_US)
    return Deposits(added, removed, amount, np.rint(amount * _WITHDRAWN * 100.0) / 100.0)


def _additions(config: FlowConfig, seen: Seen, earned: Float) -> Int:
    """`deposits` times over the span; those of `yield` LPs as dense as the yield is to its target, `cap` at most."""
    pool = config.liquidity
    if pool.style != "yield":
        return clock(config, "lp_arrival", seen, pool.deposits)
    n = math.ceil(pool.deposits * pool.cap)
    added = clock(config, "lp_arrival", seen, n)
    seen_yield = earned[_hour(seen, added)] if n else np.empty(0)
    multiple = np.minimum(seen_yield / pool.target_yield, pool.cap)
    return added[streams.draw(config, "lp_accepted", n) * (n / max(pool.deposits, 1)) < multiple]


# --- yield --------------------------------------------------------------------------------------------------------


def _yields(pool: Liquidity, seen: Seen, positions: Positions) -> Float:
    """Fees a year over the pool, from what was traded in the window before each full hour of the span, shape (H,).

    What is opened counts and what is closed. Until a window has passed, the window is the time since the start.
    """
    hours = (seen.end_us - seen.start_us) // HOUR_US + 1
    size = np.rint(positions.collateral * positions.leverage / 10_000.0)  # whole cents: sums are exact
    times = np.concatenate([positions.opened, positions.opened + positions.held])
    within = times <= seen.end_us
    traded = np.bincount(
        (times[within] - seen.start_us) // HOUR_US, np.concatenate([size, size])[within], minlength=int(hours)
    )
    sums = np.concatenate([[0.0], np.cumsum(traded)])[:-1]  # before each hour
    window = max(int(pool.window * 24), 1)
    here = np.arange(hours)
    first = np.maximum(here - window, 0)
    dollars = (sums - sums[first]) / 100.0 / np.maximum(here - first, 1)
    a_year = 24.0 * _YEAR_DAYS * pool.fee_bps * 1e-4 / pool.pool_usd
    return np.asarray(dollars * a_year, np.float64)


def _hour(seen: Seen, times: Int) -> Int:
    return (times - seen.start_us) // HOUR_US


def _when_yield_falls(pool: Liquidity, seen: Seen, added: Int, earned: Float) -> Int:
    """The first full hour at which the yield is at most `leave_below` of what it was at the deposit [us]."""
    if not added.size:
        return added
    hour = _hour(seen, added)
    scaled = np.rint(earned * _GRID).astype(np.int64)
    level = np.rint(earned[hour] * pool.leave_below * _GRID).astype(np.int64)
    left = first_at_most(scaled, hour + 1, level)
    return np.where(left < scaled.size, seen.start_us + left * HOUR_US, _NEVER_US)


# --- panic --------------------------------------------------------------------------------------------------------


def _after_a_fall(config: FlowConfig, seen: Seen, added: Int) -> Int:
    """An exponential delay after the first tick since the deposit at which the basket is down by `drawdown` [us]."""
    pool = config.liquidity
    basket = _basket(config, seen)
    first = np.searchsorted(seen.times, seen.times - int(pool.window * DAY_US), side="left")
    high = trailing_highs(basket, first).astype(np.float64)
    fallen = np.concatenate([seen.times[basket <= high * (1.0 - pool.drawdown)], [_NEVER_US]])
    seen_at = fallen[np.searchsorted(fallen, added, side="right")]
    delay = streams.exponential(config, "lp_delay", pool.delay_hours, added.size) * HOUR_US
    return np.where(seen_at < _NEVER_US, seen_at + streams.whole_ms(delay), _NEVER_US)


def _basket(config: FlowConfig, seen: Seen) -> Int:
    """The watched market, or all markets in equal parts, against the first tick, 1e10, shape (T,)."""
    names = [item.market for item in config.markets]
    rows = [names.index(config.liquidity.watch)] if config.liquidity.watch else range(len(names))
    total = np.zeros(seen.times.size)
    for row in rows:
        total += seen.price[row] / float(seen.price[row, 0])
    return np.rint(total / len(rows) * _GRID).astype(np.int64)
