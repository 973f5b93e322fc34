"""What may not be opened, kept or taken out: leverage, size and liquidity limits.

Adrena pool.rs check_leverage, custody.rs lock_funds and the limits inside the accounting (spec 1.3, 1.7, 1.9).
Each returns a reason code, `codes.OK` when the limit holds. A limit of 0 is none.
"""

import numpy as np

from kernels import borrow, codes
from kernels._jit import inner
from kernels.accounting import quantity_floor
from kernels.fixed import MAX_AMOUNT, SATURATED, mul_div_floor
from kernels.pricing import usd_floor
from kernels.profit import leverage_bps, position_profit

_MICRO = np.int64(1_000_000)


@inner()
def price_flags(market, custody, closed_matters):
    """Refuse on a stale price, and on a closed market where that matters."""
    flags = market.flags | custody.flags
    if flags & codes.FLAG_STALE:
        return codes.STALE_PRICE
    if closed_matters and flags & codes.FLAG_CLOSED:
        return codes.MARKET_CLOSED
    return codes.OK


@inner()
def leverage_range(row, side, market, custody, now_s, initial):
    """Leverage with the exit fee within [min initial, max], and at most max initial for `initial` checks."""
    profit = position_profit(row, side, market, custody, row.exit_fee_usd, now_s)
    leverage = leverage_bps(row.size_usd, row.collateral_usd, profit)
    if leverage > market.max_leverage_bps:
        return codes.MAX_LEVERAGE
    if leverage < market.min_initial_leverage_bps:
        return codes.MIN_LEVERAGE
    if initial and leverage > market.max_initial_leverage_bps:
        return codes.MAX_LEVERAGE
    return codes.OK


@inner()
def position_caps(row, added, direction, side, market, custody):
    """Locked value of the position, cumulative size of its side, and lockable liquidity of its custody.

    `row` is the position as it would be, `added` what the order adds to it.
    """
    locked_usd = usd_floor(row.locked, custody, custody.high)
    if 0 < custody.max_position_locked_usd < locked_usd:
        return codes.MAX_POSITION_LOCKED
    if direction == codes.SHORT:
        # One stable counts as one dollar here, depegged or not.
        shorted = mul_div_floor(side.locked + added.locked, _MICRO, custody.unit)
        if 0 < market.max_cumulative_short_usd < shorted:
            return codes.MAX_CUMULATIVE_SHORT
    elif 0 < market.max_cumulative_long_usd < side.size_usd + added.size_usd:
        return codes.MAX_CUMULATIVE_LONG
    if custody.locked + added.locked > custody.owned:
        return codes.INSUFFICIENT_LIQUIDITY
    return codes.OK


@inner()
def rate_allowed(curve, custody, owned, locked):
    """The venue refuses whatever would lift the borrow rate over its maximum, i.e. lock more than is owned."""
    return borrow.rate_for(curve, custody, owned, locked) <= custody.borrow_max


@inner()
def amounts_in_range(added):
    """What an order adds fits the books."""
    return added.collateral_units <= MAX_AMOUNT and added.locked <= MAX_AMOUNT and added.size_usd <= MAX_AMOUNT


@inner()
def quantity_in_range(position, side):
    """A position's size in the asset, summed over its side, stays within 64 bits (at prices near zero it may not)."""
    return side.total_quantity + quantity_floor(position.size_usd, position.entry_price) < SATURATED


@inner()
def too_young(row, pool):
    """Voluntary exits wait for a minimum age, counted from the opening and from the last edit."""
    if pool.now_s < row.open_s + pool.min_age_s:
        return True
    return row.edit_s > 0 and pool.now_s < row.edit_s + pool.min_age_after_edit_s
