"""What traders do with a position before they close it: take a part off, or bring collateral.

Either at a random time, or when the price first reaches a level. A level is watched from the tick after the one at
which the position opens, and an order goes out with the tick that reaches it.
"""

from typing import NamedTuple

import numpy as np

from backtest.flows import streams
from backtest.flows.config import FlowConfig
from backtest.flows.passage import reached
from backtest.flows.prices_seen import Seen
from backtest.flows.streams import Float, Int, Mask
from backtest.flows.traders import Positions

_CENT = 10_000
_NEVER_US = 2**62
_FARTHEST = 2.0**62  # no price reaches it


class Changes(NamedTuple):
    """When [us], the position (its row) and how much of it, each (k,): a fraction, or micro-dollars."""

    at: Int
    row: Int
    much: Float | Int


def partial_closes(config: FlowConfig, seen: Seen, positions: Positions) -> Changes:
    """Parts taken off, as fractions of the position to four places."""
    part = config.partial_close
    n = positions.opened.size
    fraction = np.rint(streams.uniform(config, "partial_size", part.min, part.max, n) * 1e4) / 1e4
    who = streams.chosen(config, "partial_share", part.share, n)
    if part.at_gain:
        rows = np.flatnonzero(who)
        level = _level(seen, positions, rows, np.full(rows.size, part.at_gain) / positions.leverage[rows])
        tick = _first(seen, positions, rows, _entry(seen, positions, rows) + 1, level, winning=True)
        at = _time_of(seen, tick)
        open_still = at < (positions.opened + positions.held)[rows]
        return Changes(at[open_still], rows[open_still], fraction[rows[open_still]])
    at, rows = _some_time(config, "partial", who, seen, positions)
    return Changes(at, rows, fraction[rows])


def added_collateral(config: FlowConfig, seen: Seen, positions: Positions) -> list[Changes]:
    """Deposits in micro-dollars, whole cents: at a random time, and in defence."""
    more = config.added_collateral
    n = positions.opened.size
    times = streams.uniform(config, "added_size", more.min, more.max, n)
    at, rows = _some_time(config, "added", streams.chosen(config, "added_share", more.share, n), seen, positions)
    return [Changes(at, rows, _dollars(positions.collateral[rows], times[rows])), *_defences(config, seen, positions)]


def _defences(config: FlowConfig, seen: Seen, positions: Positions) -> list[Changes]:
    """Deposits when the price has gone `at` of the way to liquidation, one list per time; each moves the next level."""
    more, stop = config.added_collateral, config.stop_loss
    n = positions.opened.size
    rows = np.flatnonzero(streams.chosen(config, "defence_share", more.near_liquidation, n))
    held_till = positions.opened + positions.held
    start = _entry(seen, positions, rows) + 1
    margin = np.ones(rows.size)  # in multiples of the first collateral
    found = []
    for number in range(more.times if rows.size else 0):
        way = margin / positions.leverage[rows] - 1.0 / stop.liquidation_leverage - stop.cost
        level = _level(seen, positions, rows, -more.at * way)
        tick = _first(seen, positions, rows, start, level, winning=False)
        at = _time_of(seen, tick)
        some = at < held_till[rows]
        times = streams.uniform(config, f"defence_size_{number}", more.min, more.max, n)
        rows, start, margin, at = rows[some], tick[some] + 1, margin[some], at[some]
        found.append(Changes(at, rows, _dollars(positions.collateral[rows], times[rows])))
        margin = margin + times[rows]
    return found


def _some_time(config: FlowConfig, name: str, who: Mask, seen: Seen, positions: Positions) -> tuple[Int, Int]:
    """When each of them is changed [us], between 10 % and 90 % of its time and before the prices end; its row."""
    after = streams.uniform(config, f"{name}_time", 0.1, 0.9, who.size) * positions.held
    at = positions.opened + streams.whole_ms(after)
    rows = np.flatnonzero(who & (at <= seen.end_us))
    return at[rows], rows


def _entry(seen: Seen, positions: Positions, rows: Int) -> Int:
    """The tick at which each position opens: the first at or after its time."""
    return np.searchsorted(seen.times, positions.opened[rows], side="left").astype(np.int64)


def _time_of(seen: Seen, tick: Int) -> Int:
    """The time of each tick [us]; after everything for T."""
    return np.concatenate([seen.times, [_NEVER_US]])[tick]


def _level(seen: Seen, positions: Positions, rows: Int, gain: Float) -> Int:
    """The price, 1e10, at which a position has gained this fraction of its size (lost, where negative)."""
    entry = seen.price[positions.market[rows], _entry(seen, positions, rows)].astype(np.float64)
    move = np.where(positions.is_long[rows], gain, -gain)
    return np.rint(np.minimum(entry * (1.0 + move), _FARTHEST)).astype(np.int64)


def _first(seen: Seen, positions: Positions, rows: Int, start: Int, level: Int, *, winning: bool) -> Int:
    """First tick from `start` at which the price is at the level, coming from the side of the entry; T for never."""
    return reached(seen, positions.market[rows], positions.is_long[rows] == winning, start, level)


def _dollars(collateral: Int, times: Float) -> Int:
    return np.maximum(np.rint(collateral * times / _CENT), 1.0).astype(np.int64) * _CENT
