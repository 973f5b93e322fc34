"""What a position is worth: interest, funding, price PnL, its cap, margin and leverage.

Adrena pool.rs get_pnl_usd, get_leverage, get_exit_position_numbers (spec 1.6-1.8). A profit is capped by the
value of the tokens locked for it, so a short cannot win more than its notional.
"""

from kernels import borrow, codes, funding
from kernels._jit import formula, inner
from kernels.fixed import SATURATED, mul_div_ceil, mul_div_floor
from kernels.pricing import BPS, usd_floor

INFINITE_LEVERAGE = SATURATED


@inner()
def accrued_interest(row, custody):
    """Borrow fee owed and not yet resolved [micro-dollars], as of this tick."""
    return borrow.interest_floor(custody.index_now, row.cum_snapshot, row.borrow_size_usd) + row.unrealised_interest_usd


@inner()
def accrued_funding(row, market, side):
    """Funding owed (+) or to be received (-), as of this tick."""
    sign = 1 if side == codes.LONG else -1
    return funding.owed_ceil(sign, market.funding_now, row.funding_snapshot, row.size_usd) + row.unrealised_funding_usd


@inner()
def net_profit(side, size_usd, entry, price, cost, funding_usd, cap_usd):
    """Signed result [micro-dollars] after `cost` (fees, interest) and funding; a profit is cut to `cap_usd`.

    Profit floors, loss ceils. Funding received counts as a bonus on either branch; where the price has not
    moved in favour, a profit made of the bonus alone is not capped (r39).
    """
    owed = max(funding_usd, 0)
    bonus = max(-funding_usd, 0)
    move = price - entry if side == codes.LONG else entry - price
    if move > 0:
        net = mul_div_floor(size_usd, move, entry) + bonus - cost - owed
        return min(net, cap_usd) if net >= 0 else net
    return bonus - mul_div_ceil(size_usd, -move, entry) - cost - owed


@inner()
def profit_cap(row, custody, now_s):
    """Value at the low price of the locked tokens; 0 within the second of opening."""
    if now_s <= row.open_s:
        return 0
    return usd_floor(row.locked, custody, custody.low)


@formula()
def position_profit(row, side, market, custody, fee_usd, now_s):
    """Signed result of closing now with the given exit or liquidation fee."""
    cost = fee_usd + accrued_interest(row, custody) + row.paid_interest_usd
    return net_profit(
        side,
        row.size_usd,
        row.entry_price,
        market.price,
        cost,
        accrued_funding(row, market, side),
        profit_cap(row, custody, now_s),
    )


@formula()
def leverage_bps(size_usd, collateral_usd, profit_usd):
    """floor(size * 1e4 / margin), margin = collateral + profit; infinite when nothing is left."""
    margin = collateral_usd + profit_usd
    if margin <= 0:
        return INFINITE_LEVERAGE
    return mul_div_floor(size_usd, BPS, margin)


@inner()
def liquidation_check_fee(row):
    """The larger of exit and liquidation fee enters the liquidation test."""
    return max(row.liquidation_fee_usd, row.exit_fee_usd)
