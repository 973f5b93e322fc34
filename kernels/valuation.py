"""What the pool is worth: assets, accrued fees, and the collective PnL of its traders; O(custodies + markets).

| variant | value | source |
|---|---|---|
| collective | owned at low prices + losses, accrued fees, collateral drift - profits - fee debt | Adrena |
| collective_min_max | owned at low or high prices + losses and interest - profits | solana-labs |
| guaranteed | stables + guaranteed dollars of longs + unreserved tokens +- PnL of shorts | GMX v1 GlpManager, Jupiter |

Sources: pool.rs get_assets_under_management_usd (spec 1.11, 2), GlpManager getAum (A11), calculate-pool-aum.ts (3.5).
Collective losses are not cut at the traders' collateral. In the guaranteed form the collateral of longs is among the
owned tokens, and longs' PnL is what their reserved tokens have gained: guaranteed = sum of (size - collateral).
"""

from collections import namedtuple

import numpy as np

from kernels import borrow, codes
from kernels._jit import inner, step
from kernels.accounting import collective_funding, collective_interest, collective_price_floor
from kernels.fees import close_fee
from kernels.fixed import ZERO, mul_div_floor
from kernels.pricing import DOLLAR, exit_price, tokens_floor, usd_floor
from kernels.profit import has_gained, net_result, price_result
from kernels.shorts import average_for_value

LP_PRICE_SCALE = np.int64(10_000_000_000)
# At which quotes the pool's tokens are counted.
AT_LOW, AT_HIGH, AT_EMA = (np.int64(mode) for mode in range(3))
_MICRO_PRICE = 10_000

# assets: owned tokens at the custody's value price. interest, exit_fees, funding, drift, margin: the parts that the
# attribution names; margin is what of the assets belongs to traders.
Value = namedtuple("Value", "aum assets interest exit_fees funding drift margin")
# Of one side of a market: signed result of its traders after costs, and the costs inside it.
Collective = namedtuple("Collective", "profit exit_fee interest funding")


@step()
def quoted(record, mode):
    """The quote of a custody or market that a valuation goes by."""
    if mode == AT_LOW:
        return record.low
    return record.high if mode == AT_HIGH else record.ema


@inner()
def value_price(pool, custody, mode):
    """Price at which the pool's tokens of a custody count."""
    if pool.valuation == codes.VALUE_COLLECTIVE:
        return custody.low
    price = quoted(custody, mode)
    return max(price, DOLLAR) if custody.peg == codes.PEG_FLOORED else price


@step()
def _short_cap_usd(side, stable, backing):
    """Value of the stables locked by shorts, by way of the traded custody's low price as the venue computes it."""
    locked_usd = usd_floor(side.locked, stable, stable.high)
    if backing.stable != 0:
        return locked_usd
    return usd_floor(tokens_floor(locked_usd, backing, backing.low), backing, backing.low)


@step()
def _collective_cap(venue, market, side, direction):
    """Most that the traders of a side may win together, at 1e6 dollars.

    Adrena takes the high price of the locked tokens; solana-labs counts all locked units as the traded token's.
    """
    backing = venue.custody[market.long_custody]
    if venue.pool[0].valuation != codes.VALUE_COLLECTIVE:
        return usd_floor(side.locked, backing, backing.low)
    if direction == codes.LONG:
        return usd_floor(side.locked, backing, backing.high)
    return _short_cap_usd(side, venue.custody[market.short_custody], backing)


@inner()
def collective_position(venue, m, direction):
    """Result of all traders on one side of market `m` as if they were one position."""
    side = venue.side[2 * m + direction]
    market = venue.market[m]
    pool = venue.pool[0]
    if side.open_positions == 0:
        return Collective(ZERO, ZERO, ZERO, ZERO)
    sign = 1 if direction == codes.LONG else -1
    owed = ZERO
    if pool.funding_in_aum != 0:
        owed = collective_funding(side, sign, market.funding_now)
    interest = ZERO
    if direction == codes.LONG and venue.custody[market.long_custody].interest_in_pnl != 0:
        backing = venue.custody[market.long_custody]
        interest = collective_interest(pool, venue.interest[2 * market.long_custody], backing.index_now)
    fee = close_fee(pool, market, market.close_bps, side.size_usd, side.exit_fee_usd)
    entry = collective_price_floor(side)
    if pool.valuation == codes.VALUE_COLLECTIVE_MIN_MAX:
        entry -= entry % _MICRO_PRICE
    if entry == 0 or side.size_usd == 0:
        return Collective(ZERO, fee, interest, owed)
    price = exit_price(market, direction)
    gross = price_result(pool, direction, side.size_usd, entry, price)
    cap = _collective_cap(venue, market, side, direction)
    profit = net_result(gross, fee + interest, owed, cap, has_gained(direction, entry, price))
    return Collective(profit, fee, interest, owed)


@step()
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


@step()
def _accrued_interest(venue, c, direction):
    """Collective interest of a custody that counts beside the traders' PnL, and all that the attribution names."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    interest = venue.interest[2 * c + direction]
    if pool.valuation == codes.VALUE_COLLECTIVE_MIN_MAX and custody.interest_in_pnl == 0:
        # solana-labs counts what has accrued since the last change only.
        return borrow.interest(pool, custody.index_now, interest.cum_snapshot, interest.borrow_size_usd)
    return collective_interest(pool, interest, custody.index_now)


@step()
def _collective_value(venue, mode):
    pool = venue.pool[0]
    counts = pool.valuation == codes.VALUE_COLLECTIVE or pool.unrealised_in_aum != 0
    assets, interest, exit_fees, funding, drift = ZERO, ZERO, ZERO, ZERO, ZERO
    gains, profits = ZERO, ZERO
    for c in range(venue.custody.shape[0]):
        custody = venue.custody[c]
        assets += usd_floor(custody.owned, custody, value_price(pool, custody, mode))
        if not counts:
            continue
        for direction in range(2):
            accrued = _accrued_interest(venue, c, direction)
            in_pnl = direction == codes.LONG and custody.interest_in_pnl != 0
            if in_pnl or custody.stable != 0 or pool.valuation == codes.VALUE_COLLECTIVE:
                interest += accrued
                gains += 0 if in_pnl else accrued
        if pool.valuation == codes.VALUE_COLLECTIVE:
            change = _custody_drift(venue, c)
            drift += change
            gains += max(change, 0)
            profits += max(-change, 0)
    if counts:
        for m in range(venue.market.shape[0]):
            for direction in range(2):
                traders = collective_position(venue, m, direction)
                exit_fees += traders.exit_fee
                funding += traders.funding
                gains += max(-traders.profit, 0)
                profits += max(traders.profit, 0)
    worth = max(assets + gains - profits, 0)
    if pool.valuation == codes.VALUE_COLLECTIVE:
        worth = max(worth - pool.fees_debt_usd - pool.referrers_debt_usd, 0)
    return Value(worth, assets, interest, exit_fees, funding, drift, ZERO)


@inner()
def shorts_result(venue, m, mode):
    """Signed PnL of all shorts of a market by their average entry."""
    pool = venue.pool[0]
    side = venue.side[2 * m + codes.SHORT]
    average = average_for_value(pool, side)
    if average <= 0 or side.size_usd == 0:
        return ZERO
    price = quoted(venue.market[m], mode)
    result = mul_div_floor(side.size_usd, abs(average - price), average)
    return result if average > price else -result


@step()
def _guaranteed_value(venue, mode):
    pool = venue.pool[0]
    assets, worth, margin, funding = ZERO, ZERO, ZERO, ZERO
    for c in range(venue.custody.shape[0]):
        custody = venue.custody[c]
        price = value_price(pool, custody, mode)
        value = usd_floor(custody.owned, custody, price)
        assets += value
        guaranteed = ZERO
        for m in range(venue.market.shape[0]):
            if venue.market[m].long_custody == c:
                side = venue.side[2 * m]
                guaranteed += side.size_usd - side.collateral_usd
                margin += side.collateral_usd
        if custody.stable == 0:
            value = guaranteed + usd_floor(max(custody.owned - custody.locked, 0), custody, price)
        worth += value
    profits = ZERO
    for m in range(venue.market.shape[0]):
        result = shorts_result(venue, m, mode)
        worth += max(-result, 0)
        profits += max(result, 0)
        if pool.funding_in_aum != 0:
            market = venue.market[m]
            for direction in range(2):
                sign = 1 - 2 * direction
                funding += collective_funding(venue.side[2 * m + direction], sign, market.funding_now)
    worth = max(worth + funding - profits, 0)
    aum = max(worth - pool.fees_debt_usd - pool.referrers_debt_usd, 0)
    return Value(aum, assets, ZERO, ZERO, funding, ZERO, margin)


@inner()
def value_pool(venue, mode):
    """Assets under management now [micro-dollars] and the parts the attribution needs. Uses this tick's quotes.

    `mode`: AT_LOW for what leaves and for samples, AT_HIGH for what comes in, AT_EMA for shares of custodies; the
    collective variant knows one value.
    """
    if venue.pool[0].valuation == codes.VALUE_GUARANTEED:
        return _guaranteed_value(venue, mode)
    return _collective_value(venue, mode)


@inner()
def lp_price_floor(aum_usd, supply):
    """LP token price at 1e10, floor(aum * 1e10 / supply); 0 without supply."""
    if supply == 0:
        return 0
    return mul_div_floor(aum_usd, LP_PRICE_SCALE, supply)
