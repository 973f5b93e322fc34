"""Liquidity in: LP tokens, internal dollars, donations, and the pool's first deposit.

| what | source |
|---|---|
| flat fees, the LPs' share of the fee in the pool before minting | Adrena add_liquidity.rs (spec 1.11) |
| fees and limits by the custody's share, value of the pool at high prices | solana-labs add_liquidity.rs |
| fees by the internal dollars of each custody, LP tokens for those dollars | GMX v1 Vault, GlpManager (A10, A11) |

Tokens come in at the low price. An order is priced on the books as they are, and books nothing when refused.
"""

import numpy as np

from kernels import codes, limits, lp_fees, valuation
from kernels._jit import inner, step
from kernels.book import EMPTY, index_find, index_insert
from kernels.fees import fee_ceil
from kernels.fixed import MAX_AMOUNT, ZERO, mul_div_floor
from kernels.flows import accept, any_stale, book_flow, others_part, touch
from kernels.pricing import usd_floor

NEEDS_ROOM = np.int64(-1)
FIRST_ACCOUNT = np.int64(0)


@inner()
def _account_slot(accounts, number):
    """Slot of an LP account, made on first use; EMPTY when the table is full."""
    slot = index_find(accounts.place, number)
    if slot != EMPTY:
        return slot
    slot = accounts.used[0]
    if slot >= accounts.account.shape[0]:
        return EMPTY
    accounts.used[0] += 1
    index_insert(accounts.place, number, slot)
    accounts.account[slot].account = number
    accounts.account[slot].balance = 0
    accounts.account[slot].last_deposit_s = -1
    return slot


@inner()
def lp_tokens_floor(deposit_usd, supply, aum_usd, lp_fee_usd):
    """LP tokens for a deposit: one per dollar in an empty pool, else its share of the pool with the LPs' fee in it."""
    if aum_usd == 0 or supply == 0:
        return deposit_usd
    return mul_div_floor(deposit_usd, supply, aum_usd + lp_fee_usd)


@step()
def _deposit_bps(venue, c, amount, pool_usd):
    """Fee [bps] on `amount` coming in; negative: minus the reason for refusal."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    if pool.lp_fee != codes.LP_FEE_TAX_REBATE:
        return lp_fees.ratio_fee_bps(pool.lp_fee, custody.add_bps, custody, amount, custody.ema, pool_usd)
    gross_usd = usd_floor(amount, custody, custody.low)
    dollars, supply = custody.dollars_usd, pool.dollar_supply_usd
    return lp_fees.dollar_fee_bps(venue, c, pool.mint_bps, pool.tax_bps, dollars, supply, gross_usd)


@step()
def _deposit_refused(venue, c, amount, fee, deposit_usd, pool_usd):
    """Limits on what a custody may hold, before the LP tokens are counted."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    if pool.lp_fee == codes.LP_FEE_TAX_REBATE:
        if deposit_usd <= 0:
            return codes.INVALID_ORDER
        if 0 < custody.max_dollars_usd < custody.dollars_usd + deposit_usd:
            return codes.CUSTODY_CAP
    _, reserved = others_part(pool, fee)
    if pool.ratio_limit != codes.RATIO_NONE and not lp_fees.share_allowed(
        custody, amount - reserved, custody.ema, pool_usd
    ):
        return codes.RATIO_LIMIT
    return codes.OK


@step()
def _cap_refused(venue, c, fee, amount):
    """The cap on the pool's value and the borrow rate's maximum, with the deposit in the books."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    others, reserved = others_part(pool, fee)
    debt = usd_floor(others, custody, custody.price) if pool.fee_booking == codes.BOOK_DEBT else 0
    custody.owned += amount - reserved
    pool.fees_debt_usd += debt
    too_much = pool.aum_cap_usd > 0 and valuation.value_pool(venue, valuation.AT_HIGH).aum >= pool.aum_cap_usd
    rate_fits = limits.rate_allowed(pool.borrow, custody, custody.owned, custody.locked)
    custody.owned -= amount - reserved
    pool.fees_debt_usd -= debt
    if too_much:
        return codes.AUM_CAP
    return codes.OK if rate_fits else codes.INSUFFICIENT_LIQUIDITY


@step()
def _issue(pool, custody, usd):
    if pool.lp_fee == codes.LP_FEE_TAX_REBATE:
        custody.dollars_usd += usd
        pool.dollar_supply_usd += usd


@inner()
def settle_add(venue, accounts, out, cursor, request):
    """Tokens in, for LP tokens, or (action issue_dollars, GMX v1 buyUSDG) for internal dollars alone."""
    reason = accept(venue, request)
    if reason != codes.OK:
        return reason
    pool = venue.pool[0]
    to_lp = request.action == codes.ADD_LIQUIDITY
    if not to_lp and pool.lp_fee != codes.LP_FEE_TAX_REBATE:
        return codes.INVALID_ORDER
    c, amount = request.custody, request.amount_units
    custody = venue.custody[c]
    pool_usd = lp_fees.pool_usd(venue)
    bps = _deposit_bps(venue, c, amount, pool_usd)
    if bps < 0:
        return -bps
    fee = fee_ceil(bps, amount)
    if amount - fee < 1:
        return codes.INVALID_ORDER
    deposit_usd = usd_floor(amount - fee, custody, custody.low)
    reason = _deposit_refused(venue, c, amount, fee, deposit_usd, pool_usd)
    if reason != codes.OK:
        return reason
    minted = 0
    slot = EMPTY
    if to_lp:
        slot = _account_slot(accounts, request.lp_account)
        if slot == EMPTY:
            return NEEDS_ROOM
        kept_usd = 0
        if pool.mint_counts_fee != 0 and pool.lp_fee != codes.LP_FEE_TAX_REBATE:
            others, _ = others_part(pool, fee)
            kept_usd = usd_floor(fee - others, custody, custody.low)
        aum_usd = valuation.value_pool(venue, valuation.AT_HIGH).aum
        minted = lp_tokens_floor(deposit_usd, pool.lp_supply, aum_usd, kept_usd)
        if minted <= 0:
            return codes.INVALID_ORDER
        if minted > MAX_AMOUNT:
            return codes.AMOUNT_OUT_OF_RANGE
    reason = _cap_refused(venue, c, fee, amount)
    if reason != codes.OK:
        return reason
    fee_usd = usd_floor(fee, custody, custody.low)
    if pool.fee_booking == codes.BOOK_DEBT:
        fee_usd = usd_floor(amount, custody, custody.low) - deposit_usd
    kind = codes.K_ADD_LIQUIDITY if to_lp else codes.K_ISSUE_DOLLARS
    book_flow(venue, out, cursor, kind, request, c, amount, fee, fee_usd, deposit_usd, minted)
    _issue(pool, custody, deposit_usd)
    touch(venue, c)
    if slot != EMPTY:
        pool.lp_supply += minted
        accounts.account[slot].balance += minted
        accounts.account[slot].last_deposit_s = pool.now_s
    return codes.OK


@step()
def settle_donate(venue, out, cursor, request):
    """Tokens for nothing; they are the LPs', and borrow rates do not move before the next touch (GMX v1)."""
    reason = accept(venue, request)
    if reason == codes.OK:
        c, amount = request.custody, request.amount_units
        worth_usd = usd_floor(amount, venue.custody[c], venue.custody[c].low)
        book_flow(venue, out, cursor, codes.K_DONATE, request, c, amount, ZERO, ZERO, worth_usd, ZERO)
    return reason


@step()
def settle_accrue(venue, out, cursor, request):
    """Store a custody's borrow index, as anyone may make a venue do."""
    c = request.custody
    if any_stale(venue):
        return codes.STALE_PRICE
    if c < 0:
        return codes.INVALID_ORDER
    touch(venue, c)
    book_flow(venue, out, cursor, codes.K_ACCRUE, request, c, ZERO, ZERO, ZERO, ZERO, ZERO)
    return codes.OK


@inner()
def settle_genesis(venue, accounts, out, cursor, request, c, amount):
    """The pool's opening deposit of one custody: fee-less, LP tokens at one dollar each, to account 0."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    worth = usd_floor(amount, custody, custody.low)
    book_flow(venue, out, cursor, codes.K_GENESIS, request, c, amount, ZERO, ZERO, worth, worth)
    _issue(pool, custody, worth)
    pool.lp_supply += worth
    slot = _account_slot(accounts, FIRST_ACCOUNT)
    accounts.account[slot].balance += worth
    accounts.account[slot].last_deposit_s = pool.now_s
    touch(venue, c)
