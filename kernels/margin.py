"""Changes to an open position that leave its size alone: collateral, resolved borrow fees, triggers.

Adrena add_collateral_*.rs, remove_collateral_*.rs, resolve_position_borrow_fees.rs (spec 1.9). None of them
touches the borrow index.
"""

from kernels import codes, limits
from kernels._jit import NO, YES, inner, step
from kernels.book import watch_position
from kernels.draft import requested_units
from kernels.events import book_event, new_event, place_event
from kernels.fixed import MAX_AMOUNT, ZERO
from kernels.ledger import book_fees
from kernels.pricing import entry_price, exit_price, posted_price, tokens_floor, usd_floor
from kernels.profit import accrued_interest
from kernels.rates import collateral_custody


@step()
def edit_allowed(venue, books, request, b, slot):
    """Fresh price, a sensible amount, and no edit too soon after the last. Both kinds of collateral edits ask it."""
    market = venue.market[b >> 1]
    row = books.row[slot]
    separate = venue.pool[0].margin == codes.MARGIN_SEPARATE
    grows = request.action == codes.DEPOSIT_COLLATERAL and not separate
    reason = limits.price_flags(market, venue.custody[collateral_custody(market, b & 1)], grows)
    if reason != codes.OK:
        return reason
    if request.action == codes.WITHDRAW_COLLATERAL:
        usd = request.collateral_usd
        if usd <= 0 or (separate and usd >= row.collateral_usd):
            return codes.INVALID_ORDER
    if row.edit_s > 0 and venue.pool[0].now_s < row.edit_s + venue.pool[0].edit_lock_s:
        return codes.COLLATERAL_EDIT_LOCK
    return codes.OK


@step()
def as_growth(request):
    """Where collateral is pooled, more of it is an increase by no size: what the position owes is settled."""
    request.size_usd = -1
    request.leverage_bps = -1
    request.amount_units = -1
    request.limit_price = -1


@inner()
def _change_collateral(venue, books, out, cursor, kind, order_id, b, slot, usd, units):
    """Book a signed change of margin: the row, the custody, the event. Dollars and tokens may differ by the band."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    row = books.row[slot]
    pool = venue.pool[0]
    row.collateral_usd += usd
    row.collateral_units += units
    row.deposited_usd += max(usd, 0)
    row.withdrawn_usd += max(-usd, 0)
    row.payout_usd += max(-usd, 0)
    row.edit_s = pool.now_s
    custody.collateral += units
    if b & 1 == codes.LONG:
        venue.side[b].collateral_usd += usd
    event = new_event(venue, out, cursor, kind)
    price = entry_price(market, b & 1) if usd > 0 else exit_price(market, b & 1)
    place_event(event, row, b, market, c, custody, price)
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
    watch_position(books, b, slot, market, custody, pool)


@inner()
def settle_deposit(venue, books, out, cursor, request, b, slot):
    """Add collateral at the low price; leverage must stay within [min initial, max], or a legal initial one."""
    market = venue.market[b >> 1]
    custody = venue.custody[collateral_custody(market, b & 1)]
    pool = venue.pool[0]
    units = requested_units(request, custody)
    if units <= 0:
        return codes.INVALID_ORDER
    usd = usd_floor(units, custody, posted_price(custody))
    if units > MAX_AMOUNT or usd > MAX_AMOUNT:
        return codes.AMOUNT_OUT_OF_RANGE
    books.draft[0] = books.row[slot]
    books.draft[0].collateral_usd += usd
    reason = limits.margin_allowed(books.draft[0], b & 1, market, custody, pool, pool.deposit_initial != 0)
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
    usd = request.collateral_usd
    units = tokens_floor(usd, custody, custody.high)
    if units > row.collateral_units:
        return codes.INSUFFICIENT_COLLATERAL
    books.draft[0] = row
    books.draft[0].collateral_usd -= usd
    reason = limits.margin_allowed(books.draft[0], b & 1, market, custody, pool, YES)
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
    if pool.margin == codes.MARGIN_POOLED or pool.fee_booking != codes.BOOK_DEBT:
        return codes.INVALID_ORDER
    due = accrued_interest(pool, row, custody)
    if due == 0:
        return codes.NOTHING_TO_DO
    row.unrealised_interest_usd = 0
    row.cum_snapshot = custody.index_now
    row.paid_interest_usd += due
    event = new_event(venue, out, cursor, codes.K_RESOLVE_BORROW)
    place_event(event, row, b, market, c, custody, exit_price(market, b & 1))
    book_fees(pool, custody, event, due, ZERO, ZERO, row.referred)
    event.order_id = request.order_id
    event.borrow_fee_usd = due
    event.prepaid_borrow_usd = -due
    book_event(venue, out, cursor)
    watch_position(books, b, slot, market, custody, pool)
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
    watch_position(books, b, slot, market, venue.custody[c], venue.pool[0])
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
