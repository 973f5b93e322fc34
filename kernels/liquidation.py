"""When a position must be liquidated: the exact integer rule, and the two floats that find it fast.

Adrena pool.rs check_leverage (spec 1.7): liquidatable when leverage exceeds the market's maximum, the larger of
the exit and the liquidation fee counted. Equivalent to margin <= floor(size * 1e4 / (max + 1)) =: minimum
margin. While the profit is not capped, margin is linear in price and in accrual, hence the search constants
threshold and slope; a capped profit depends on the custody's own price and is watched by `guard_price`.
"""

import numpy as np

from kernels import borrow, codes
from kernels._jit import formula, inner
from kernels.fixed import mul_div_floor
from kernels.pricing import BPS
from kernels.profit import leverage_bps, liquidation_check_fee, position_profit

# Every rounding step of the exact rule moves the margin by less than one micro-dollar; there are four.
_ROUNDING_USD = 5.0
# Relative slack for the arithmetic of the search itself; false hits cost a little time, a miss would be an error.
_RELATIVE = 1e-12


@inner()
def is_liquidatable(row, side, market, custody, now_s):
    """Exact: leverage above the market's maximum."""
    profit = position_profit(row, side, market, custody, liquidation_check_fee(row), now_s)
    return leverage_bps(row.size_usd, row.collateral_usd, profit) > market.max_leverage_bps


@inner()
def minimum_margin_floor(size_usd, max_leverage_bps):
    """Largest margin [micro-dollars] at which a position is liquidatable."""
    return mul_div_floor(size_usd, BPS, max_leverage_bps + 1)


@formula()
def quoted_price_floor(row, side, max_leverage_bps, interest_usd):
    """Liquidation price as the venue quotes it (get_liquidation_price), 1e10; 0 for an empty position.

    Counts the liquidation fee and the borrow interest given, but not funding or resolved interest, and rounds its
    own way, so the exact rule may hold a little before or after it.
    """
    if row.size_usd == 0 or row.entry_price == 0:
        return 0
    max_loss = mul_div_floor(row.size_usd, BPS, max_leverage_bps) + row.liquidation_fee_usd + interest_usd
    distance = mul_div_floor(abs(max_loss - row.collateral_usd), row.entry_price, row.size_usd)
    upwards = (max_loss >= row.collateral_usd) == (side == codes.LONG)
    return row.entry_price + distance if upwards else max(row.entry_price - distance, 0)


@inner()
def search_constants(row, side, max_leverage_bps):
    """(threshold, slope) in mirrored price units: liquidatable only if p <= threshold + slope * x.

    x = borrow index + funding index (longs) or - funding index (shorts), the accrual of the row's book; the row
    must borrow its size. Loosened, so that the rule can hold only under the line.
    """
    entry = np.float64(row.entry_price)
    size = np.float64(row.size_usd)
    sign = 1.0 if side == codes.LONG else -1.0
    fixed_cost = (
        np.float64(liquidation_check_fee(row))
        + np.float64(row.unrealised_interest_usd)
        + np.float64(row.paid_interest_usd)
        + np.float64(row.unrealised_funding_usd)
    )
    margin = np.float64(minimum_margin_floor(row.size_usd, max_leverage_bps)) + _ROUNDING_USD
    gap = margin - np.float64(row.collateral_usd) + fixed_cost
    slope = entry / np.float64(borrow.RATE)
    at_snapshot = slope * (np.float64(row.cum_snapshot) + sign * np.float64(row.funding_snapshot))
    lift = entry * gap / size
    slack = _RELATIVE * (entry + abs(lift) + abs(at_snapshot) + slope * np.float64(row.cum_snapshot))
    return sign * entry + lift - at_snapshot + slack, slope


@inner()
def guard_price(row, custody, max_leverage_bps):
    """Custody price under which even a capped profit leaves the position liquidatable; 0 for nearly all positions."""
    missing = minimum_margin_floor(row.size_usd, max_leverage_bps) - row.collateral_usd
    if missing < 0 or row.locked <= 0:
        return 0
    price = np.float64(missing + 2) * np.float64(custody.scale) / np.float64(row.locked)
    price /= 1.0 - np.float64(custody.conf_bps) / BPS
    return np.int64(min(price * (1.0 + 1e-9) + 2.0, 4.0e18))
