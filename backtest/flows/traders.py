"""The positions of a population: when, where, which side, how large, for how long, with which triggers."""

from typing import NamedTuple

import numpy as np

from backtest.flows import exact_math, streams
from backtest.flows.arrivals import Arrivals, arrive
from backtest.flows.config import FlowConfig
from backtest.flows.prices_seen import Seen, last_tick, past_moves
from backtest.flows.sections import Foresight
from backtest.flows.streams import Float, Int, Mask
from backtest.flows.toxic import opportunities

_PRICE_SCALE = 1e10
_CENT = 10_000  # micro-dollars


class Positions(NamedTuple):
    """Columns of shape (n,), in the order of opening.

    opened [us]; held [us]; market: row of `Seen`; collateral [micro-dollars]; leverage [x];
    stop_loss, take_profit [USD], NaN for none
    """

    opened: Int
    held: Int
    market: Int
    is_long: Mask
    leverage: Float
    collateral: Int
    stop_loss: Float
    take_profit: Float
    referred: Mask


def trade(config: FlowConfig, seen: Seen) -> Positions:
    """Draw the positions of one population; `seen` has a row per market of the config."""
    found, held, is_long = _foreseen(config, config.foresight, seen) if config.foresight else _arrived(config, seen)
    n = found.opened.size
    tick = last_tick(seen, found.opened)
    leverage = np.rint(streams.amount(config, "leverage", config.leverage, n) * 100.0) / 100.0
    stop_loss, take_profit = _triggers(config, seen.price[found.market, tick] / _PRICE_SCALE, is_long, leverage)
    return Positions(
        found.opened,
        held,
        found.market,
        is_long,
        leverage,
        _collateral(config, leverage),
        stop_loss,
        take_profit,
        streams.chosen(config, "referred", config.referred_share, n),
    )


def _arrived(config: FlowConfig, seen: Seen) -> tuple[Arrivals, Int, Mask]:
    """When and where, how long [us], and whether long, of traders who see the past alone."""
    found = arrive(config, seen)
    n = found.opened.size
    is_long = streams.draw(config, "side", n) < _long_probability(config, seen, found)
    return found, streams.holding_us(config, config.holding, n), is_long


def _foreseen(config: FlowConfig, foresight: Foresight, seen: Seen) -> tuple[Arrivals, Int, Mask]:
    """The same of those who see a little ahead."""
    found, is_long = opportunities(config, foresight, seen)
    return found, np.full(found.opened.size, int(foresight.hold_seconds * 1e6), np.int64), is_long


def _long_probability(config: FlowConfig, seen: Seen, found: Arrivals) -> Float:
    """`long_share`, or what the past return makes of it: logistic(logit(long_share) +- strength * z), shape (n,)."""
    side, share = config.side, config.long_share
    if side.bias == "none" or share in (0.0, 1.0):
        return np.full(found.opened.size, share)
    strength = side.strength if side.bias == "momentum" else -side.strength
    moves = past_moves(seen, side.look_back, side.volatility_average, side.clip)
    moves = moves[found.market, last_tick(seen, found.opened)]
    return share / (share + (1.0 - share) * exact_math.exp(-strength * moves))


def _collateral(config: FlowConfig, leverage: Float) -> Int:
    """Margin in micro-dollars, whole cents: drawn, or what the drawn size needs at this leverage, shape (n,)."""
    n = leverage.size
    section = config.size or config.collateral
    dollars = streams.amount(config, "size" if config.size else "collateral", section, n)
    if section.round_share:
        rounded = streams.chosen(config, "round", section.round_share, n)
        dollars = np.where(rounded, streams.round_dollars(dollars), dollars)
        dollars = np.minimum(np.maximum(dollars, section.min), section.max)
    if config.size:
        dollars = dollars / leverage
    return np.maximum(np.rint(dollars * 100.0), 1.0).astype(np.int64) * _CENT


def _triggers(config: FlowConfig, price: Float, is_long: Mask, leverage: Float) -> tuple[Float, Float]:
    """Stop-loss and take-profit [USD], NaN where there is none; both on the right side of the price."""
    n = price.size
    stop, profit = config.stop_loss, config.take_profit
    way = 1.0 / leverage - 1.0 / stop.liquidation_leverage - stop.cost
    stop_distance = way * streams.uniform(config, "stop_way", stop.min, stop.max, n)
    gain = streams.log_uniform(config, "profit_gain", profit.min, profit.max, n) / leverage
    stop_loss = price * np.where(is_long, 1.0 - stop_distance, 1.0 + stop_distance)
    take_profit = np.where(is_long, price * (1.0 + gain), price / (1.0 + gain))
    stop_loss[~streams.chosen(config, "stop_share", stop.share, n)] = np.nan
    take_profit[~streams.chosen(config, "profit_share", profit.share, n)] = np.nan
    return _on_grid(stop_loss), _on_grid(take_profit)


def _on_grid(price: Float) -> Float:
    """To the 1e-10 dollars that prices are settled at; what rounds to 0 is no trigger."""
    rounded = np.rint(price * _PRICE_SCALE) / _PRICE_SCALE
    return np.where(rounded > 0.0, rounded, np.nan)
