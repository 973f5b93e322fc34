"""The LP side: minting and burning LP tokens, swaps, paying out fee debt, and the pool's first deposit.

Adrena add_liquidity.rs, remove_liquidity.rs, swap.rs, distribute_fees.rs (spec 1.11, 1.12). Liquidity comes in
and goes out at the low price; one flat fee each way, whose LP share stays in the pool.
"""

import numpy as np

from kernels import borrow, codes, limits, valuation
from kernels._jit import inner
from kernels.book import EMPTY, index_find, index_insert
from kernels.events import book_event, flow_without_spread, new_event
from kernels.fees import fee_ceil
from kernels.fixed import MAX_AMOUNT, SATURATED, mul_div_floor
from kernels.pricing import BPS, signed_usd_floor, tokens_floor, usd_floor

NEEDS_ROOM = np.int64(-1)
FIRST_ACCOUNT = np.int64(0)
_MICRO = np.int64(1_000_000)
SWAP_SCALE = np.int64(1_000_000_000)
_ONE = np.int64(1)
_POWERS = tuple(10**power for power in range(19))


@inner()
def any_stale(venue):
    """The value of the pool needs every price."""
    for c in range(venue.custody.shape[0]):
        if venue.custody[c].flags & codes.FLAG_STALE:
            return True
    for m in range(venue.market.shape[0]):
        if venue.market[m].flags & codes.FLAG_STALE:
            return True
    return False


@inner()
def _new_flow(venue, out, cursor, kind, request, c, owned_units):
    """Move `owned_units` into (+) or out of (-) custody c and start the event."""
    custody = venue.custody[c]
    custody.owned += owned_units
    event = new_event(venue, out, cursor, kind)
    event.order_id = request.order_id
    event.custody = c
    event.custody_price = custody.price
    event.trader_in_units = max(owned_units, 0)
    event.trader_out_units = max(-owned_units, 0)
    event.owned_units = owned_units
    event.owned_value_usd = signed_usd_floor(owned_units, custody)
    return event


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


@inner()
def settle_add(venue, accounts, out, cursor, request):
    """Deposit tokens for LP tokens."""
    pool = venue.pool[0]
    amount = request.amount_units
    if any_stale(venue):
        return codes.STALE_PRICE
    if amount <= 0 or request.custody < 0:
        return codes.INVALID_ORDER
    custody = venue.custody[request.custody]
    if amount > MAX_AMOUNT or custody.owned > SATURATED - amount:
        return codes.AMOUNT_OUT_OF_RANGE
    fee = fee_ceil(custody.add_bps, amount)
    if amount - fee < 1:
        return codes.INVALID_ORDER
    slot = _account_slot(accounts, request.lp_account)
    if slot == EMPTY:
        return NEEDS_ROOM
    kept = mul_div_floor(fee, pool.lp_share_bps, BPS)
    deposit_usd = usd_floor(amount - fee, custody, custody.low)
    before = valuation.value_pool(venue).aum
    minted = lp_tokens_floor(deposit_usd, pool.lp_supply, before, usd_floor(kept, custody, custody.low))
    if minted <= 0:
        return codes.INVALID_ORDER
    if minted > MAX_AMOUNT:
        return codes.AMOUNT_OUT_OF_RANGE
    debt = usd_floor(fee - kept, custody, custody.price)
    custody.owned += amount
    pool.fees_debt_usd += debt
    refused = pool.aum_cap_usd > 0 and valuation.value_pool(venue).aum >= pool.aum_cap_usd
    custody.owned -= amount
    if refused:
        pool.fees_debt_usd -= debt
        return codes.AUM_CAP
    event = _new_flow(venue, out, cursor, codes.K_ADD_LIQUIDITY, request, request.custody, amount)
    pool.lp_supply += minted
    accounts.account[slot].balance += minted
    accounts.account[slot].last_deposit_s = pool.now_s
    event.lp_account = request.lp_account
    event.lp_units = minted
    event.lp_flow_usd = deposit_usd
    event.lp_fee_usd = event.owned_value_usd - deposit_usd
    event.protocol_share_usd = debt
    event.lp_share_usd = event.lp_fee_usd - debt
    borrow.touch(pool.borrow, custody, pool.now_s)
    book_event(venue, out, cursor)
    return codes.OK


@inner()
def settle_remove(venue, accounts, out, cursor, request):
    """Burn LP tokens for their share of the pool, paid in one custody's tokens."""
    pool = venue.pool[0]
    amount = request.amount_units
    if any_stale(venue):
        return codes.STALE_PRICE
    if amount <= 0 or request.custody < 0:
        return codes.INVALID_ORDER
    slot = index_find(accounts.place, request.lp_account)
    if slot == EMPTY or accounts.account[slot].balance < amount:
        return codes.LP_BALANCE
    if pool.lp_guard != 0 and pool.now_s <= accounts.account[slot].last_deposit_s:
        return codes.LP_SAME_TIMESTAMP
    custody = venue.custody[request.custody]
    share_usd = mul_div_floor(valuation.value_pool(venue).aum, amount, pool.lp_supply)
    tokens = tokens_floor(share_usd, custody, custody.low)
    fee = fee_ceil(custody.remove_bps, tokens)
    paid = tokens - fee
    left = custody.owned - paid
    if left < 0:
        return codes.INSUFFICIENT_LIQUIDITY
    if custody.stable != 0 and left < custody.minimum_units:
        return codes.CUSTODY_MINIMUM
    if not limits.rate_allowed(pool.borrow, custody, left, custody.locked):
        return codes.INSUFFICIENT_LIQUIDITY
    debt = usd_floor(fee - mul_div_floor(fee, pool.lp_share_bps, BPS), custody, custody.price)
    event = _new_flow(venue, out, cursor, codes.K_REMOVE_LIQUIDITY, request, request.custody, -paid)
    pool.lp_supply -= amount
    pool.fees_debt_usd += debt
    accounts.account[slot].balance -= amount
    event.lp_account = request.lp_account
    event.lp_units = -amount
    event.lp_flow_usd = -share_usd
    event.lp_fee_usd = usd_floor(fee, custody, custody.low)
    event.protocol_share_usd = debt
    event.lp_share_usd = event.lp_fee_usd - debt
    event.payout_usd = -event.owned_value_usd
    event.spread_usd = event.owned_value_usd - flow_without_spread(event)
    borrow.touch(pool.borrow, custody, pool.now_s)
    book_event(venue, out, cursor)
    return codes.OK


@inner()
def settle_swap(venue, out, cursor, request):
    """Swap at mid prices without a fee, as the venue's whitelisted rebalancer does; leaves borrow rates alone."""
    pool = venue.pool[0]
    if any_stale(venue):
        return codes.STALE_PRICE
    if pool.swap_mode == codes.SWAP_NONE:
        return codes.SWAPS_DISABLED
    c_in, c_out, amount = request.custody, request.custody_out, request.amount_units
    if c_in < 0 or c_out < 0 or c_in == c_out or amount <= 0:
        return codes.INVALID_ORDER
    into, source = venue.custody[c_in], venue.custody[c_out]
    if amount > MAX_AMOUNT or into.owned > SATURATED - amount:
        return codes.AMOUNT_OUT_OF_RANGE
    paid = swap_tokens_floor(amount, into, source)
    if paid <= 0:
        return codes.INVALID_ORDER
    if paid >= SATURATED:
        return codes.INSUFFICIENT_LIQUIDITY
    if source.owned - paid < source.locked:
        return codes.INSUFFICIENT_LIQUIDITY
    event = _new_flow(venue, out, cursor, codes.K_SWAP_IN, request, c_in, amount)
    event.spread_usd = event.owned_value_usd
    book_event(venue, out, cursor)
    event = _new_flow(venue, out, cursor, codes.K_SWAP_OUT, request, c_out, -paid)
    event.spread_usd = event.owned_value_usd
    book_event(venue, out, cursor)
    return codes.OK


@inner()
def _short_price(price):
    """(mantissa below 2^28, power of ten cut off) of a price."""
    power = 0
    while price >= 1 << 28:
        price //= 10
        power += 1
    return price, power


@inner()
def swap_tokens_floor(amount, into, source):
    """Tokens out for tokens in: both prices cut to short mantissas, then their ratio to nine digits.

    Adrena pool.rs get_swap_price, get_swap_amount; the cuts cost the swapper up to a few units in 1e9.
    """
    price_in, power_in = _short_price(into.price)
    price_out, power_out = _short_price(source.price)
    ratio = price_in * SWAP_SCALE // price_out
    power = power_in - power_out - 9 - into.decimals + source.decimals
    if power > 0:
        return mul_div_floor(amount, mul_div_floor(ratio, _POWERS[power], _ONE), _ONE)
    if power < -18:  # a floor of a floor is one floor
        return mul_div_floor(amount, ratio, _POWERS[18]) // _POWERS[-power - 18]
    return mul_div_floor(amount, ratio, _POWERS[-power])


@inner()
def settle_distribution(venue, out, cursor, request):
    """Pay the fee debt in the fee custody's tokens, one for a dollar, unless that stable has lost its peg."""
    pool = venue.pool[0]
    debt = pool.fees_debt_usd + pool.referrers_debt_usd
    if any_stale(venue):
        return codes.STALE_PRICE
    if debt == 0 or pool.fee_custody < 0:
        return codes.NOTHING_TO_DO
    custody = venue.custody[pool.fee_custody]
    units = mul_div_floor(debt, custody.unit, _MICRO)
    if custody.low <= pool.depeg_floor or custody.locked + units > custody.owned:
        return codes.INSUFFICIENT_LIQUIDITY
    event = _new_flow(venue, out, cursor, codes.K_DISTRIBUTE_FEES, request, pool.fee_custody, -units)
    event.trader_out_units = 0
    event.fees_out_units = units
    event.debt_paid_usd = debt
    event.spread_usd = event.owned_value_usd - flow_without_spread(event)
    pool.fees_debt_usd = 0
    pool.referrers_debt_usd = 0
    borrow.touch(pool.borrow, custody, pool.now_s)
    book_event(venue, out, cursor)
    return codes.OK


@inner()
def settle_genesis(venue, accounts, out, cursor, request, c, amount):
    """The pool's opening deposit of one custody: fee-less, LP tokens at one dollar each, to account 0."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    event = _new_flow(venue, out, cursor, codes.K_GENESIS, request, c, amount)
    event.lp_flow_usd = event.owned_value_usd
    event.lp_account = FIRST_ACCOUNT
    event.lp_units = event.owned_value_usd
    pool.lp_supply += event.lp_units
    slot = _account_slot(accounts, FIRST_ACCOUNT)
    accounts.account[slot].balance += event.lp_units
    accounts.account[slot].last_deposit_s = pool.now_s
    borrow.touch(pool.borrow, custody, pool.now_s)
    book_event(venue, out, cursor)
