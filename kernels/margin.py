"""Changes to an open position that leave its size alone: collateral, resolved borrow fees, triggers.

Adrena add_collateral_*.rs, remove_collateral_*.rs, resolve_position_borrow_fees.rs (spec 1.9). None of them
touches the borrow index.
"""

from kernels import codes, limits
from kernels._jit import NO, YES, inner
from kernels.book import watch_position
from kernels.entries import requested_units
from kernels.events import book_event, new_event, place_event
from kernels.fees import split
from kernels.fixed import MAX_AMOUNT
from kernels.pricing import tokens_floor, usd_floor
from kernels.profit import accrued_interest
from kernels.rates import collateral_custody


@inner()
def _edit_locked(row, pool):
    return row.edit_s > 0 and pool.now_s < row.edit_s + pool.edit_lock_s


@inner()
def _change_collateral(venue, books, out, cursor, kind, order_id, b, slot, usd, units):
    """Book a signed change of margin: the row, the custody, the event. Dollars and tokens may differ by the band."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    row = books.row[slot]
    row.collateral_usd += usd
    row.collateral_units += units
    row.deposited_usd += max(usd, 0)
    row.withdrawn_usd += max(-usd, 0)
    row.payout_usd += max(-usd, 0)
    row.edit_s = venue.pool[0].now_s
    custody.collateral += units
    if b & 1 == codes.LONG:
        venue.side[b].collateral_usd += usd
    event = new_event(venue, out, cursor, kind)
    place_event(event, row, b, market, c, custody)
    event.order_id = order_id
    event.collateral_usd = usd
    event.trader_in_units = max(units, 0)
    event.trader_out_units = max(-units, 0)
    event.collateral_units = units
    if usd < 0:
        event.payout_usd = -usd
        # The tokens left at the high price: what they are worth less at the low one stays with the pool.
        event.spread_usd = -usd - usd_floor(-units, custody, custody.low)
        event.drift_usd = -event.spread_usd
    book_event(venue, out, cursor)
    watch_position(books, b, slot, market, custody)


@inner()
def settle_deposit(venue, books, out, cursor, request, b, slot):
    """Add collateral at the low price; leverage must stay within [min initial, max]."""
    market = venue.market[b >> 1]
    custody = venue.custody[collateral_custody(market, b & 1)]
    pool = venue.pool[0]
    reason = limits.price_flags(market, custody, NO)
    if reason != codes.OK:
        return reason
    if _edit_locked(books.row[slot], pool):
        return codes.COLLATERAL_EDIT_LOCK
    units = requested_units(request, custody)
    if units <= 0:
        return codes.INVALID_ORDER
    usd = usd_floor(units, custody, custody.low)
    if units > MAX_AMOUNT or usd > MAX_AMOUNT:
        return codes.AMOUNT_OUT_OF_RANGE
    books.draft[0] = books.row[slot]
    books.draft[0].collateral_usd += usd
    reason = limits.leverage_range(books.draft[0], b & 1, market, custody, pool.now_s, NO)
    if reason != codes.OK:
        return reason
    kind = codes.K_DEPOSIT_COLLATERAL
    _change_collateral(venue, books, out, cursor, kind, request.order_id, b, slot, usd, units)
    return codes.OK


@inner()
def settle_withdraw(venue, books, out, cursor, request, b, slot):
    """Take out dollars of collateral, paid in tokens at the high price; leverage must stay a legal initial one."""
    market = venue.market[b >> 1]
    custody = venue.custody[collateral_custody(market, b & 1)]
    pool = venue.pool[0]
    row = books.row[slot]
    reason = limits.price_flags(market, custody, NO)
    if reason != codes.OK:
        return reason
    usd = request.collateral_usd
    if usd <= 0 or usd >= row.collateral_usd:
        return codes.INVALID_ORDER
    if _edit_locked(row, pool):
        return codes.COLLATERAL_EDIT_LOCK
    units = tokens_floor(usd, custody, custody.high)
    if units > row.collateral_units:
        return codes.INSUFFICIENT_COLLATERAL
    books.draft[0] = row
    books.draft[0].collateral_usd -= usd
    reason = limits.leverage_range(books.draft[0], b & 1, market, custody, pool.now_s, YES)
    if reason != codes.OK:
        return reason
    kind = codes.K_WITHDRAW_COLLATERAL
    _change_collateral(venue, books, out, cursor, kind, request.order_id, b, slot, -usd, -units)
    return codes.OK


@inner()
def settle_resolve(venue, books, out, cursor, request, b, slot):
    """Turn accrued interest into paid interest and its non-LP share into fee debt; the trader's PnL is unchanged."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    pool = venue.pool[0]
    row = books.row[slot]
    reason = limits.price_flags(market, custody, NO)
    if reason != codes.OK:
        return reason
    due = accrued_interest(row, custody)
    if due == 0:
        return codes.NOTHING_TO_DO
    row.unrealised_interest_usd = 0
    row.cum_snapshot = custody.index_now
    row.paid_interest_usd += due
    to_lps, to_protocol, to_referrer = split(due, row.referred, pool)
    pool.fees_debt_usd += to_protocol
    pool.referrers_debt_usd += to_referrer
    event = new_event(venue, out, cursor, codes.K_RESOLVE_BORROW)
    place_event(event, row, b, market, c, custody)
    event.order_id = request.order_id
    event.borrow_fee_usd = due
    event.prepaid_borrow_usd = -due
    event.lp_share_usd = to_lps
    event.protocol_share_usd = to_protocol
    event.referrer_share_usd = to_referrer
    book_event(venue, out, cursor)
    watch_position(books, b, slot, market, custody)
    return codes.OK


@inner()
def settle_triggers(venue, books, out, cursor, request, b, slot):
    """Set or clear stop-loss and take-profit; -1 leaves one as it is."""
    row = books.row[slot]
    if request.stop_loss >= 0:
        row.stop_loss = request.stop_loss
        row.stop_limit = max(request.stop_limit, 0)
    if request.take_profit >= 0:
        row.take_profit = request.take_profit
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    write_mark(venue, out, cursor, codes.K_SET_TRIGGERS, row, b, c, request.order_id)
    watch_position(books, b, slot, market, venue.custody[c])
    return codes.OK


@inner()
def write_mark(venue, out, cursor, kind, row, b, c, order_id):
    """An event that moves no money and reads no price."""
    event = new_event(venue, out, cursor, kind)
    event.order_id = order_id
    event.position_id = row.position_id
    event.position_no = row.position_no
    event.market = b >> 1
    event.side = b & 1
    event.custody = c
    book_event(venue, out, cursor)
