"""At which price would a position be liquidated? The rules of `liquidation` solved for the price, exact to its grid.

Everything but the market's price stays as it is now: indices, the custody's own price, the average. Margin falls with
an adverse price, so the rule turns once: first for the result that a position needs, then for the price that gives it.
"""

import numpy as np

from kernels import codes
from kernels._jit import inner, step
from kernels.fees import liquidation_check_fee
from kernels.fixed import ZERO, mul_div_ceil, mul_div_floor
from kernels.liquidation import minimum_margin_ceil, minimum_margin_floor
from kernels.pricing import BPS, exit_price
from kernels.profit import accrued_funding, accrued_interest, profit_cap

# Above it a price cannot be written (decimal64 with ten decimals).
_HIGHEST_PRICE = np.int64(10**18)


@step()
def _needed_margin(pool, row, market):
    """Least margin after all costs with which a position is not liquidated, where one line decides."""
    if pool.liquidation == codes.LIQUIDATE_MIN_MARGIN:
        return mul_div_floor(row.size_usd, BPS, market.max_leverage_bps)
    return minimum_margin_floor(row.size_usd, market.max_leverage_bps) + 1


@inner()
def _needed_result(pool, row, side, market, custody):
    """(least price PnL [micro-dollars] with which a position is not liquidated, whether the profit cap allows it)."""
    owed = accrued_interest(pool, row, custody) + accrued_funding(row, market, side)
    owed += liquidation_check_fee(pool, row, market)
    if pool.liquidation == codes.LIQUIDATE_TWO_STATES:
        left = max(owed + market.liquidation_fee_usd, minimum_margin_ceil(row.size_usd, market.max_leverage_bps))
        return max(left, ZERO) - row.collateral_usd, True
    needed = _needed_margin(pool, row, market) - row.collateral_usd
    return needed + owed + row.paid_interest_usd, needed <= profit_cap(pool, row, custody)


@step()
def _last_loss(pool, row, loss_usd):
    """Largest adverse move [1e10] that costs `loss_usd` at most: losses ceil where profits are capped, else floor."""
    if pool.profit == codes.PROFIT_UNCAPPED:
        return mul_div_ceil(loss_usd + 1, row.entry_price, row.size_usd) - 1
    return mul_div_floor(loss_usd, row.entry_price, row.size_usd)


@step()
def _first_gain(pool, row, market, gain_usd):
    """Least favourable move [1e10] that gains `gain_usd`, and counts."""
    if market.min_profit_bps > 0 and pool.now_s <= row.increased_s + pool.min_profit_s:
        gain_usd = max(gain_usd, mul_div_floor(row.size_usd, market.min_profit_bps, BPS) + 1)
    return mul_div_ceil(gain_usd, row.entry_price, row.size_usd)


@inner()
def liquidation_price(pool, row, side, market, custody):
    """First adverse price [1e10] at which a position is liquidated; 0 if no price does.

    One that every price liquidates, because its profit is capped, has the price of now.
    """
    result, is_possible = _needed_result(pool, row, side, market, custody)
    if not is_possible:
        return exit_price(market, side)
    if result > 0:
        move = 1 - _first_gain(pool, row, market, result)
    else:
        move = 1 + _last_loss(pool, row, -result)
    price = row.entry_price - move if side == codes.LONG else row.entry_price + move
    if side == codes.SHORT and price <= 0:
        return exit_price(market, side)
    return price if 0 < price < _HIGHEST_PRICE else ZERO
