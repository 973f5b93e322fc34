"""Prices in and out: tokens to dollars and back, and the price band of a custody.

Adrena (oracle.rs, math.rs; spec 1.1): collateral and liquidity come in at the low price and leave at the high
one; the band is a policy of `conf_bps` basis points, not the feed's confidence. The traded asset is priced at
the oracle's mid price.
"""

import numpy as np

from kernels._jit import formula, inner
from kernels.fixed import mul_div_floor

BPS = np.int64(10_000)


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
def quote_custody(custody, price, flags):
    """Set this tick's mid, low and high price of a custody."""
    half = band_floor(price, custody.conf_bps)
    custody.price = price
    custody.low = price - half
    custody.high = price + half
    custody.flags = flags


@inner()
def signed_usd_floor(units, custody):
    """Value at the low price of a signed amount: the sign times the floor of the magnitude."""
    if units < 0:
        return -usd_floor(-units, custody, custody.low)
    return usd_floor(units, custody, custody.low)
