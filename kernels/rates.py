"""Which custody backs a side, and the rates that an action on it has moved."""

from kernels import borrow, codes, funding
from kernels._jit import inner


@inner()
def collateral_custody(market, side):
    """Id of the custody that backs a side of the market."""
    return market.long_custody if side == codes.LONG else market.short_custody


@inner()
def touch_rates(venue, b):
    """After the books have changed: borrow rate of the backing custody, funding rate of the market."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    borrow.touch(pool, venue.custody[collateral_custody(market, b & 1)], pool.now_s)
    if pool.funding != codes.FUNDING_NONE:
        first = b & ~1
        funding.touch(market, pool.now_s, venue.side[first].size_usd, venue.side[first + 1].size_usd)
