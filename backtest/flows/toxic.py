"""Traders who know the price a little ahead, as those who see a faster feed than the venue's oracle do.

At every tick they compare the price with the one that will be in force `seconds` later, and trade where the move pays
for the costs. An order stamped with the time of a tick executes at that tick, so it gets the old price.
"""

import numpy as np

from backtest.errors import UsageError
from backtest.flows import streams
from backtest.flows.arrivals import Arrivals
from backtest.flows.config import FlowConfig
from backtest.flows.prices_seen import Seen
from backtest.flows.sections import Foresight
from backtest.flows.streams import Int, Mask

_BPS = 1e-4


def opportunities(config: FlowConfig, foresight: Foresight, seen: Seen) -> tuple[Arrivals, Mask]:
    """When and where they open, and whether long, in order; at most `positions`, the first ones.

    A market is traded on `share` of its moves, times its weight over the largest weight.
    """
    ahead = _ticks_ahead(config, foresight, seen)
    weights = np.array([item.weight for item in config.markets])
    shares = foresight.share * weights / max(item.weight for item in config.markets)
    price = seen.price.astype(np.float64)
    move = (price[:, ahead] / price - 1.0).T  # by tick, then market
    taken = streams.draw(config, "foresight", move.size).reshape(move.shape) < shares
    tick, market = np.nonzero((np.abs(move) > foresight.threshold_bps * _BPS) & taken)
    tick, market = tick[: config.positions], market[: config.positions]
    return Arrivals(seen.times[tick], market.astype(np.int64)), move[tick, market] > 0.0


def _ticks_ahead(config: FlowConfig, foresight: Foresight, seen: Seen) -> Int:
    """The last tick within the foresight of each tick, shape (T,); UsageError where none lies within any."""
    ahead = np.searchsorted(seen.times, seen.times + int(foresight.seconds * 1e6), side="right") - 1
    if (ahead > np.arange(ahead.size)).any():
        return ahead
    gaps = np.diff(seen.times)
    every = f"one tick every {np.sort(gaps)[gaps.size // 2] / 1e6:,.0f} seconds" if gaps.size else "a single tick"
    raise UsageError(
        f"{config.name}: foresight.seconds = {foresight.seconds:g} reaches no later price, because the prices have "
        f"{every}; give finer prices, --path ohlc where they are candles, or more seconds"
    )
