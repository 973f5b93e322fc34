"""When a position must be liquidated: the exact integer rules, and the floats that find it fast.

| variant | liquidated when | source |
|---|---|---|
| max_leverage | floor(size * 1e4 / margin) > maximum, margin after the larger fee | Adrena, solana-labs pool.rs |
| min_margin | margin after fees < floor(size * 1e4 / maximum leverage) | Jupiter get-liquidation-price.ts |
| two_states | fees and the flat liquidation fee exceed what is left (liquidate), or what is left before fees is |
| | less than size / maximum leverage (close, for the trader) | GMX v1 VaultUtils.validateLiquidation (A8) |

While the profit is not capped, margin is linear in price and accrual: liquidatable only if p <= threshold + slope * x.
That line goes into the search; the second line of two_states, which no accrual moves, is searched as a stop. A capped
profit depends on the custody's own price and is watched by `guard_price`.
"""

import numpy as np

from kernels import borrow, codes
from kernels._jit import YES, formula, inner, step
from kernels.fees import liquidation_check_fee
from kernels.fixed import mul_div_floor
from kernels.pricing import BPS
from kernels.profit import accrued_funding, accrued_interest, gross_result, leverage_bps, position_profit

# Every rounding step of the exact rule moves the margin by less than one micro-dollar; there are at most six.
_ROUNDING_USD = 7.0
# Relative slack for the arithmetic of the search itself; false hits cost a little time, a miss would be an error.
_RELATIVE = 1e-12
NEVER = -np.inf


@inner()
def margin_state(pool, row, side, market, custody, counts_profit):
    """GMX v1 validateLiquidation: OK or the reason; MAX_LEVERAGE is its state 2. `counts_profit`: not for new risk."""
    gross = gross_result(pool, row, side, market)
    owed = accrued_interest(pool, row, custody) + accrued_funding(row, market, side)
    owed += liquidation_check_fee(pool, row, market)
    if gross < 0 and row.collateral_usd < -gross:
        return codes.LOSSES_EXCEED_COLLATERAL
    left = row.collateral_usd + (gross if counts_profit else min(gross, 0))
    if left < owed:
        return codes.FEES_EXCEED_COLLATERAL
    if left < owed + market.liquidation_fee_usd:
        return codes.LIQUIDATION_FEE_EXCEEDS_COLLATERAL
    if left < minimum_margin_ceil(row.size_usd, market.max_leverage_bps):
        return codes.MAX_LEVERAGE
    return codes.OK


@step()
def minimum_margin_ceil(size_usd, max_leverage_bps):
    """Least whole margin with margin * maximum >= size * 1e4."""
    floor = mul_div_floor(size_usd, BPS, max_leverage_bps)
    return floor + (1 if floor * max_leverage_bps != size_usd * BPS else 0)  # equal modulo 2**64 only if equal


@inner()
def is_liquidatable(pool, row, side, market, custody):
    """Exact rule of the protocol."""
    if pool.liquidation == codes.LIQUIDATE_TWO_STATES:
        return margin_state(pool, row, side, market, custody, YES) != codes.OK
    profit = position_profit(pool, row, side, market, custody, liquidation_check_fee(pool, row, market))
    if pool.liquidation == codes.LIQUIDATE_MIN_MARGIN:
        return row.collateral_usd + profit < mul_div_floor(row.size_usd, BPS, market.max_leverage_bps)
    return leverage_bps(row.size_usd, row.collateral_usd, profit) > market.max_leverage_bps


@inner()
def minimum_margin_floor(size_usd, max_leverage_bps):
    """Largest margin [micro-dollars] at which a position is liquidatable by max_leverage."""
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
def _floor_usd(pool, row, market):
    """Margin [micro-dollars] at or under which the first rule may liquidate."""
    if pool.liquidation == codes.LIQUIDATE_MAX_LEVERAGE:
        return minimum_margin_floor(row.size_usd, market.max_leverage_bps)
    if pool.liquidation == codes.LIQUIDATE_MIN_MARGIN:
        return mul_div_floor(row.size_usd, BPS, market.max_leverage_bps)
    return market.liquidation_fee_usd


@inner()
def _loosened(pool, row, market):
    """(dollars, price) by which the line is loosened for rounding: of money, of fees in tokens, of young profits."""
    usd = _ROUNDING_USD
    if pool.close_fee == codes.CLOSE_FEE_EMA_TOKENS:
        # Two roundings of a token each, now and then; the token may be worth more by then, hence four times as much.
        usd += 8.0 * np.float64(max(row.entry_price, market.ema)) / np.float64(market.scale)
    return usd, np.float64(row.entry_price) * np.float64(market.min_profit_bps) / BPS


@inner()
def search_constants(pool, row, side, market):
    """(threshold, slope) in mirrored price units: liquidatable only if p <= threshold + slope * x.

    x = borrow index + funding index (longs) or - funding index (shorts), the accrual of the row's book. Where there is
    funding the row must borrow its size. Loosened, so that the rule can hold only under the line.
    """
    entry = np.float64(row.entry_price)
    size = np.float64(row.size_usd)
    sign = 1.0 if side == codes.LONG else -1.0
    fixed_cost = (
        np.float64(liquidation_check_fee(pool, row, market))
        + np.float64(row.unrealised_interest_usd)
        + np.float64(row.paid_interest_usd)
        + np.float64(row.unrealised_funding_usd)
    )
    slack_usd, slack_price = _loosened(pool, row, market)
    gap = np.float64(_floor_usd(pool, row, market)) + slack_usd - np.float64(row.collateral_usd) + fixed_cost
    slope = entry / np.float64(borrow.RATE)
    if row.borrow_size_usd != row.size_usd:
        slope *= np.float64(row.borrow_size_usd) / size
    at_snapshot = slope * (np.float64(row.cum_snapshot) + sign * np.float64(row.funding_snapshot))
    lift = entry * gap / size
    slack = _RELATIVE * (entry + abs(lift) + abs(at_snapshot) + slope * np.float64(row.cum_snapshot))
    return sign * entry + lift - at_snapshot + slack + slack_price, slope


@inner()
def leverage_line(pool, row, side, market):
    """Mirrored price at or under which two_states may find too much leverage; never for the other rules."""
    if pool.liquidation != codes.LIQUIDATE_TWO_STATES:
        return NEVER
    entry = np.float64(row.entry_price)
    sign = 1.0 if side == codes.LONG else -1.0
    slack_usd, slack_price = _loosened(pool, row, market)
    needed = np.float64(row.size_usd) * BPS / np.float64(market.max_leverage_bps) + slack_usd
    lift = entry * (needed - np.float64(row.collateral_usd)) / np.float64(row.size_usd)
    return sign * entry + lift + _RELATIVE * (entry + abs(lift)) + slack_price


@inner()
def guard_price(pool, row, custody, market):
    """Custody's low price under which even a capped profit leaves the position liquidatable; 0 for nearly all."""
    if pool.profit == codes.PROFIT_UNCAPPED or pool.liquidation == codes.LIQUIDATE_TWO_STATES:
        return 0
    missing = _floor_usd(pool, row, market) - row.collateral_usd
    if missing < 0 or row.locked <= 0:
        return 0
    price = np.float64(missing + 2) * np.float64(custody.scale) / np.float64(row.locked)
    return np.int64(min(price * (1.0 + 1e-9) + 2.0, 4.0e18))
