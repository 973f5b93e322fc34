"""What the pool is worth: assets, accrued fees, and the collective PnL of its traders.

Adrena pool.rs get_assets_under_management_usd (spec 1.11). Assets count at the low price, traders' PnL at the
oracle's mid; collective losses are not cut at the traders' collateral, and open positions' exit fees already
count as the pool's. All of it comes from aggregates: O(custodies + markets).
"""

from collections import namedtuple

import numpy as np

from kernels import codes
from kernels._jit import inner
from kernels.accounting import collective_funding, collective_interest, collective_price_floor
from kernels.fixed import mul_div_floor
from kernels.pricing import tokens_floor, usd_floor
from kernels.profit import net_profit

LP_PRICE_SCALE = np.int64(10_000_000_000)

# assets: owned tokens at low prices. gains/losses: collective results and collateral drift, from the pool's view.
# interest, exit_fees, funding, drift: the parts of it that the attribution names.
Value = namedtuple("Value", "aum assets interest exit_fees funding drift")
# Of one side of a market: signed result of its traders after costs, and the costs inside it.
Collective = namedtuple("Collective", "profit exit_fee interest funding")


@inner()
def _short_cap_usd(side, stable, backing):
    """Value of the stables locked by shorts, by way of the traded custody's low price as the venue computes it."""
    locked_usd = usd_floor(side.locked, stable, stable.high)
    if backing.stable != 0:
        return locked_usd
    return usd_floor(tokens_floor(locked_usd, backing, backing.low), backing, backing.low)


@inner()
def collective_position(venue, m, direction):
    """Result of all traders on one side of market `m` as if they were one position."""
    side = venue.side[2 * m + direction]
    market = venue.market[m]
    pool = venue.pool[0]
    if side.open_positions == 0:
        return Collective(0, 0, 0, 0)
    backing = venue.custody[market.long_custody]
    sign = 1 if direction == codes.LONG else -1
    owed = 0
    if pool.funding_in_aum != 0:
        owed = collective_funding(side, sign, market.funding_now)
    interest = 0
    if direction == codes.LONG:
        cap = usd_floor(side.locked, backing, backing.high)
        if backing.interest_in_pnl != 0:
            interest = collective_interest(venue.interest[2 * market.long_custody], backing.index_now)
    else:
        stable = venue.custody[market.short_custody]
        cap = _short_cap_usd(side, stable, backing)
    price = collective_price_floor(side)
    if price == 0 or side.size_usd == 0:
        return Collective(0, side.exit_fee_usd, interest, owed)
    cost = side.exit_fee_usd + interest
    profit = net_profit(direction, side.size_usd, price, market.price, cost, owed, cap)
    return Collective(profit, side.exit_fee_usd, interest, owed)


@inner()
def _custody_drift(venue, c):
    """The pool is long 1x the collateral of longs, which it owes in dollars: value now minus dollars owed."""
    custody = venue.custody[c]
    if custody.stable != 0:
        return 0
    owed = 0
    for m in range(venue.market.shape[0]):
        if venue.market[m].long_custody == c:
            owed += venue.side[2 * m].collateral_usd
    return usd_floor(custody.collateral, custody, custody.low) - owed


@inner()
def value_pool(venue):
    """Assets under management now [micro-dollars] and the parts the attribution needs. Uses this tick's quotes."""
    pool = venue.pool[0]
    assets = 0
    interest = 0
    gains = 0
    profits = 0
    drift = 0
    for c in range(venue.custody.shape[0]):
        custody = venue.custody[c]
        assets += usd_floor(custody.owned, custody, custody.low)
        for direction in range(2):
            accrued = collective_interest(venue.interest[2 * c + direction], custody.index_now)
            interest += accrued
            if direction == codes.SHORT or custody.interest_in_pnl == 0:
                gains += accrued
        change = _custody_drift(venue, c)
        drift += change
        gains += max(change, 0)
        profits += max(-change, 0)
    exit_fees = 0
    funding = 0
    for m in range(venue.market.shape[0]):
        for direction in range(2):
            traders = collective_position(venue, m, direction)
            exit_fees += traders.exit_fee
            funding += traders.funding
            gains += max(-traders.profit, 0)
            profits += max(traders.profit, 0)
    worth = max(assets + gains - profits, 0)
    aum = max(worth - pool.fees_debt_usd - pool.referrers_debt_usd, 0)
    return Value(aum, assets, interest, exit_fees, funding, drift)


@inner()
def lp_price_floor(aum_usd, supply):
    """LP token price at 1e10, floor(aum * 1e10 / supply); 0 without supply."""
    if supply == 0:
        return 0
    return mul_div_floor(aum_usd, LP_PRICE_SCALE, supply)
