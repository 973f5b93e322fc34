"""Prices in and out: tokens to dollars and back, the price band of a custody, the two sides of a market.

Collateral and liquidity come in at a custody's low price and leave at its high one (Adrena oracle.rs, math.rs; spec
1.1; GMX v1's min and max; solana-labs' min and max of spot and average). `conf_bps` widens the two by a policy band, as
Adrena does; where a protocol needs them, low, high and ema are columns of their own in the ticks, otherwise all four
symbols of a custody are the same.
"""

import numpy as np

from kernels import codes
from kernels._jit import formula, inner
from kernels.fixed import mul_div_ceil, mul_div_floor

BPS = np.int64(10_000)
DOLLAR = np.int64(10_000_000_000)
_MICRO_PRICE = 10_000


@inner()
def band_floor(price, conf_bps):
    """Half width of the price band [1e10], floor(price * conf_bps / 1e4)."""
    return price * conf_bps // BPS


@inner()
def usd_floor(units, custody, price):
    """Value [micro-dollars] of token units at a price [1e10]: floor(units * price / 10^(decimals + 4))."""
    return mul_div_floor(units, price, custody.scale)


@formula()
def tokens_floor(usd, custody, price):
    """Token units worth `usd` micro-dollars at a price [1e10], floored."""
    return mul_div_floor(usd, custody.scale, price)


@inner()
def quote_custody(custody, ticks, t):
    """Set this tick's mid, low, high and average (ema) price of a custody, and its flags."""
    lowest, highest = ticks.price[t, custody.low_symbol], ticks.price[t, custody.high_symbol]
    custody.price = ticks.price[t, custody.price_symbol]
    custody.low = lowest - band_floor(lowest, custody.conf_bps)
    custody.high = highest + band_floor(highest, custody.conf_bps)
    custody.ema = ticks.price[t, custody.ema_symbol]
    custody.flags = ticks.flags[t, custody.price_symbol] | ticks.flags[t, custody.low_symbol]
    custody.flags |= ticks.flags[t, custody.high_symbol] | ticks.flags[t, custody.ema_symbol]


@inner()
def quote_market(pool, market, ticks, t):
    """Set this tick's prices of a market, and those at which it buys and sells.

    oracle: the oracle's price for all. Otherwise the high price plus the longs' spread (ceil) to buy, the low price
    minus the shorts' spread (floor) to sell; solana-labs (pool.rs get_price) cuts these to micro-dollars.
    """
    market.price = ticks.price[t, market.price_symbol]
    market.low = ticks.price[t, market.low_symbol]
    market.high = ticks.price[t, market.high_symbol]
    market.ema = ticks.price[t, market.ema_symbol]
    market.flags = ticks.flags[t, market.price_symbol] | ticks.flags[t, market.low_symbol]
    market.flags |= ticks.flags[t, market.high_symbol] | ticks.flags[t, market.ema_symbol]
    if pool.trade_price == codes.PRICE_ORACLE:
        market.buy = market.price
        market.sell = market.price
        return
    market.buy = market.high + mul_div_ceil(market.high, market.spread_long_bps, BPS)
    market.sell = market.low - mul_div_floor(market.low, market.spread_short_bps, BPS)
    if pool.trade_price == codes.PRICE_EMA_SPREAD:
        market.buy -= market.buy % _MICRO_PRICE
        market.sell -= market.sell % _MICRO_PRICE


@inner()
def posted_price(custody):
    """Price at which collateral is taken: the low one, of a capped stable at most a dollar (solana-labs)."""
    if custody.peg == codes.PEG_CAPPED:
        return min(custody.low, DOLLAR)
    return custody.low


@inner()
def entry_price(market, side):
    """Price at which a side opens: longs buy, shorts sell."""
    return market.buy if side == codes.LONG else market.sell


@inner()
def exit_price(market, side):
    """Price at which a side closes, is valued, stopped and liquidated: longs sell, shorts buy."""
    return market.sell if side == codes.LONG else market.buy


@inner()
def signed_usd_floor(units, custody):
    """Value at the low price of a signed amount: the sign times the floor of the magnitude."""
    if units < 0:
        return -usd_floor(-units, custody, custody.low)
    return usd_floor(units, custody, custody.low)


@inner()
def signed_tokens_floor(usd, custody):
    """Tokens at the high price for a signed amount: the sign times the floor of the magnitude."""
    if usd < 0:
        return -tokens_floor(-usd, custody, custody.high)
    return tokens_floor(usd, custody, custody.high)
