"""Liquidity out: what LP tokens and internal dollars are paid for.

| what | source |
|---|---|
| share of the pool's value, less a flat fee, at the low price | Adrena remove_liquidity.rs (spec 1.11) |
| the same at the high price, fees and limits by the custody's share | solana-labs remove_liquidity.rs |
| internal dollars burnt first, then a fee by how far that leaves them off their target | GMX v1 sellUSDG (A10, A11) |

Both count the pool at its low prices. An order books nothing when refused.
"""

from kernels import codes, limits, lp_fees, valuation
from kernels._jit import inner, step
from kernels.book import EMPTY, index_find
from kernels.fees import fee_ceil
from kernels.fixed import ZERO, mul_div_floor
from kernels.flows import any_stale, book_flow, others_part, touch
from kernels.pricing import tokens_floor, usd_floor


@step()
def _withdrawal_bps(venue, c, share_usd, tokens, pool_usd):
    """Fee [bps] on `tokens` worth `share_usd` going out; negative: minus the reason for refusal.

    Internal dollars are burnt before the fee is counted (GMX v1 sellUSDG).
    """
    pool = venue.pool[0]
    custody = venue.custody[c]
    if pool.lp_fee != codes.LP_FEE_TAX_REBATE:
        return lp_fees.ratio_fee_bps(pool.lp_fee, custody.remove_bps, custody, -tokens, custody.ema, pool_usd)
    dollars = max(custody.dollars_usd - share_usd, 0)
    supply = max(pool.dollar_supply_usd - share_usd, 0)
    return lp_fees.dollar_fee_bps(venue, c, pool.mint_bps, pool.tax_bps, dollars, supply, -share_usd)


@step()
def _withdrawal_refused(venue, c, taken, pool_usd):
    """Limits on what must stay in a custody when `taken` leaves what it owns."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    if pool.ratio_limit != codes.RATIO_NONE and not lp_fees.share_allowed(custody, -taken, custody.ema, pool_usd):
        return codes.RATIO_LIMIT
    left = custody.owned - taken
    if left < 0:
        return codes.INSUFFICIENT_LIQUIDITY
    if custody.stable != 0 and left < custody.minimum_units:
        return codes.CUSTODY_MINIMUM
    if not limits.rate_allowed(pool.borrow, custody, left, custody.locked):
        return codes.INSUFFICIENT_LIQUIDITY
    return codes.OK


@step()
def _burnable(venue, accounts, slot, request):
    """The account has the LP tokens, and may part with them."""
    pool = venue.pool[0]
    if slot == EMPTY or accounts.account[slot].balance < request.amount_units:
        return codes.LP_BALANCE
    last_deposit_s = accounts.account[slot].last_deposit_s
    if pool.lp_guard != 0 and pool.now_s <= last_deposit_s:
        return codes.LP_SAME_TIMESTAMP
    if pool.lp_cooldown_s > 0 and pool.now_s < last_deposit_s + pool.lp_cooldown_s:
        return codes.COOLDOWN
    return codes.OK


@step()
def _redeemable(pool, request):
    if pool.lp_fee != codes.LP_FEE_TAX_REBATE:
        return codes.INVALID_ORDER
    return codes.OK if request.size_usd <= pool.dollar_supply_usd else codes.LP_BALANCE


@inner()
def settle_remove(venue, accounts, out, cursor, request):
    """Tokens of one custody for LP tokens, or (action redeem_dollars, GMX v1 sellUSDG) for `size_usd` dollars."""
    pool = venue.pool[0]
    c = request.custody
    from_lp = request.action == codes.REMOVE_LIQUIDITY
    burnt = request.amount_units if from_lp else ZERO
    if any_stale(venue):
        return codes.STALE_PRICE
    if c < 0 or (burnt if from_lp else request.size_usd) <= 0:
        return codes.INVALID_ORDER
    slot = index_find(accounts.place, request.lp_account)
    reason = _burnable(venue, accounts, slot, request) if from_lp else _redeemable(pool, request)
    if reason != codes.OK:
        return reason
    custody = venue.custody[c]
    pool_usd = lp_fees.pool_usd(venue)
    share_usd = request.size_usd
    if from_lp:
        share_usd = mul_div_floor(valuation.value_pool(venue, valuation.AT_LOW).aum, burnt, pool.lp_supply)
    by_dollars = pool.lp_fee == codes.LP_FEE_TAX_REBATE
    tokens = tokens_floor(share_usd, custody, custody.high if by_dollars or pool.redeem_at_high != 0 else custody.low)
    bps = _withdrawal_bps(venue, c, share_usd, tokens, pool_usd)
    if bps < 0:
        return -bps
    fee = fee_ceil(bps, tokens)
    paid = tokens - fee
    if paid < 0 or (by_dollars and paid == 0):
        return codes.INVALID_ORDER
    _, reserved = others_part(pool, fee)
    reason = _withdrawal_refused(venue, c, paid + reserved, pool_usd)
    if reason != codes.OK:
        return reason
    kind = codes.K_REMOVE_LIQUIDITY if from_lp else codes.K_REDEEM_DOLLARS
    fee_usd = usd_floor(fee, custody, custody.low)
    book_flow(venue, out, cursor, kind, request, c, -paid, fee, fee_usd, -share_usd, -burnt)
    if by_dollars:
        custody.dollars_usd = max(custody.dollars_usd - share_usd, 0)
        pool.dollar_supply_usd = max(pool.dollar_supply_usd - share_usd, 0)
    if from_lp:
        pool.lp_supply -= burnt
        accounts.account[slot].balance -= burnt
    touch(venue, c)
    return codes.OK
