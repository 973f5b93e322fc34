"""What may not be opened, kept or taken out: leverage, size and liquidity limits.

Adrena and solana-labs pool.rs check_leverage, custody.rs lock_funds (spec 1.3, 1.7, 1.9, 2); Jupiter's margin and
position limits (spec 3); GMX v1 validateLiquidation and the routers' global caps (A6, A13). Each returns a reason code,
`codes.OK` when the limit holds. A limit of 0 is none.
"""

import numpy as np

from kernels import borrow, codes
from kernels._jit import NO, inner, step
from kernels.accounting import quantity_floor
from kernels.fees import exit_check_fee
from kernels.fixed import SATURATED, mul_div_floor
from kernels.liquidation import is_liquidatable, margin_state
from kernels.pricing import BPS, usd_floor
from kernels.profit import leverage_bps, position_profit

_MICRO = np.int64(1_000_000)
_ONE = np.int64(1)


@inner()
def price_flags(market, custody, closed_matters):
    """Refuse on a closed market where that matters, and on a stale price: a closed market's is stale by nature."""
    flags = market.flags | custody.flags
    if closed_matters and flags & codes.FLAG_CLOSED:
        return codes.MARKET_CLOSED
    return codes.STALE_PRICE if flags & codes.FLAG_STALE else codes.OK


@inner()
def margin_allowed(row, side, market, custody, pool, initial):
    """Leverage of a would-be position is legal; `initial` checks also hold it to the maximum at opening."""
    if pool.liquidation == codes.LIQUIDATE_TWO_STATES:
        if row.size_usd < row.collateral_usd:
            return codes.MIN_LEVERAGE
        return margin_state(pool, row, side, market, custody, NO)
    by_leverage = pool.liquidation == codes.LIQUIDATE_MAX_LEVERAGE
    profit = 0
    if by_leverage:
        profit = position_profit(pool, row, side, market, custody, exit_check_fee(pool, row, market))
    leverage = leverage_bps(row.size_usd, row.collateral_usd, profit)
    if by_leverage and leverage > market.max_leverage_bps:
        return codes.MAX_LEVERAGE
    if leverage < market.min_initial_leverage_bps:
        return codes.MIN_LEVERAGE
    if initial and leverage > market.max_initial_leverage_bps:
        return codes.MAX_LEVERAGE
    if not by_leverage and is_liquidatable(pool, row, side, market, custody):
        return codes.MAX_LEVERAGE
    return codes.OK


@step()
def _interest_cap(added, direction, side, market, custody, pool):
    """Open interest of a side: locked stables of shorts (Adrena), size, or what the pool guarantees longs (GMX v1)."""
    cap = market.max_cumulative_long_usd if direction == codes.LONG else market.max_cumulative_short_usd
    if cap == 0:
        return codes.OK
    total = side.size_usd + added.size_usd
    if direction == codes.LONG:
        if pool.oi_cap == codes.CAP_GUARANTEED:
            total -= side.collateral_usd
        return codes.MAX_CUMULATIVE_LONG if total > cap else codes.OK
    if pool.oi_cap == codes.CAP_LOCKED_STABLES:
        # One stable counts as one dollar here, depegged or not.
        total = mul_div_floor(side.locked + added.locked, _MICRO, custody.unit)
    return codes.MAX_CUMULATIVE_SHORT if total > cap else codes.OK


@inner()
def position_caps(row, added, direction, side, market, custody, pool):
    """Locked value and size of the position, open interest of its side, utilisation and liquidity of its custody.

    `row` is the position as it would be, `added` what the order adds to it.
    """
    if 0 < custody.max_position_locked_usd < usd_floor(row.locked, custody, custody.high):
        return codes.MAX_POSITION_LOCKED
    if 0 < market.max_position_usd < row.size_usd:
        return codes.MAX_POSITION_SIZE
    reason = _interest_cap(added, direction, side, market, custody, pool)
    if reason != codes.OK:
        return reason
    locked = custody.locked + added.locked
    if 0 < custody.max_total_locked_usd < usd_floor(locked, custody, custody.high):
        return codes.MAX_TOTAL_LOCKED
    if locked > custody.owned:
        return codes.INSUFFICIENT_LIQUIDITY
    if 0 < custody.max_utilisation_bps < mul_div_floor(locked, BPS, max(custody.owned, _ONE)):
        return codes.MAX_UTILISATION
    return codes.OK


@inner()
def rate_allowed(curve, custody, owned, locked):
    """No more locked than owned; Adrena's refuses whatever would lift the borrow rate over its maximum, the same."""
    if curve > codes.BORROW_TWO_SLOPE:
        return locked <= owned
    return borrow.rate_for(curve, custody, owned, locked) <= custody.borrow_max


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
