"""What a position is worth: interest, funding, price PnL, its cap, margin and leverage.

Adrena and solana-labs (pool.rs get_pnl_usd, get_leverage; spec 1.6-1.8, 2) cut a profit to the value of the tokens
locked for it, so a short cannot win more than its notional, and round losses up. GMX v1 (Vault getDelta; A5) and
Jupiter (get-position-pnl.ts) cut nothing and round both ways down; GMX counts no small profit soon after an increase.
"""

from kernels import borrow, codes, funding
from kernels._jit import formula, inner
from kernels.fixed import SATURATED, mul_div_ceil, mul_div_floor
from kernels.pricing import BPS, exit_price, posted_price, usd_floor

INFINITE_LEVERAGE = SATURATED


@inner()
def accrued_interest(pool, row, custody):
    """Borrow fee owed and not yet resolved [micro-dollars], as of this tick."""
    owed = borrow.interest(pool, custody.index_now, row.cum_snapshot, row.borrow_size_usd)
    return owed + row.unrealised_interest_usd


@inner()
def accrued_funding(row, market, side):
    """Funding owed (+) or to be received (-), as of this tick."""
    sign = 1 if side == codes.LONG else -1
    return funding.owed_ceil(sign, market.funding_now, row.funding_snapshot, row.size_usd) + row.unrealised_funding_usd


@inner()
def price_result(pool, side, size_usd, entry, price):
    """Signed price PnL of a size [micro-dollars]: profits floor; losses ceil where profits are capped, else floor."""
    move = price - entry if side == codes.LONG else entry - price
    if move > 0:
        return mul_div_floor(size_usd, move, entry)
    if pool.profit == codes.PROFIT_UNCAPPED:
        return -mul_div_floor(size_usd, -move, entry)
    return -mul_div_ceil(size_usd, -move, entry)


@inner()
def is_young_profit(pool, market, row, gross_usd):
    """GMX v1 getDelta: a profit of at most `min_profit_bps` of the size counts as none for a time after an increase."""
    if market.min_profit_bps == 0 or gross_usd <= 0 or pool.now_s > row.increased_s + pool.min_profit_s:
        return False
    return gross_usd <= mul_div_floor(row.size_usd, market.min_profit_bps, BPS)


@formula()
def gross_result(pool, row, side, market):
    """Signed price PnL of a position at its exit price, before any fee."""
    gross = price_result(pool, side, row.size_usd, row.entry_price, exit_price(market, side))
    return 0 if is_young_profit(pool, market, row, gross) else gross


@inner()
def net_result(gross_usd, cost_usd, funding_usd, cap_usd, has_gained):
    """Signed result after `cost_usd` (fees, interest) and funding; a profit that the price has made is cut to the cap.

    Funding received counts as a bonus; where the price has not moved in favour, a profit made of the bonus alone is
    not capped (Adrena r39).
    """
    net = gross_usd - cost_usd - funding_usd
    return min(net, cap_usd) if has_gained and net >= 0 else net


@inner()
def profit_cap(pool, row, custody):
    """Value of the locked tokens at the price of posted collateral, 0 within the second of opening; or no cap."""
    if pool.profit == codes.PROFIT_UNCAPPED:
        return SATURATED
    if pool.now_s <= row.open_s:
        return 0
    return usd_floor(row.locked, custody, posted_price(custody))


@inner()
def has_gained(side, entry, price):
    """The price has moved in the position's favour."""
    return price > entry if side == codes.LONG else price < entry


@formula()
def position_profit(pool, row, side, market, custody, fee_usd):
    """Signed result of closing now with the given exit or liquidation fee."""
    cost = fee_usd + accrued_interest(pool, row, custody) + row.paid_interest_usd
    gross = gross_result(pool, row, side, market)
    gained = has_gained(side, row.entry_price, exit_price(market, side))
    return net_result(gross, cost, accrued_funding(row, market, side), profit_cap(pool, row, custody), gained)


@formula()
def leverage_bps(size_usd, collateral_usd, profit_usd):
    """floor(size * 1e4 / margin), margin = collateral + profit; infinite when nothing is left."""
    margin = collateral_usd + profit_usd
    if margin <= 0:
        return INFINITE_LEVERAGE
    return mul_div_floor(size_usd, BPS, margin)
