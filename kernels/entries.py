"""Opening and growing positions, at once or by a limit order, and adding collateral where that is a kind of growth.

Adrena open_position_{long,short}.rs, increase_position_{long,short}.rs (spec 1.3, 1.9); solana-labs open_position.rs
(fee on top of the collateral); GMX v1 increasePosition (A6) and Jupiter, whose fees come out of the collateral and
whose longs' collateral joins the pool. All checks come before anything is booked: an order settles whole or leaves no
trace but its reason.
"""

from kernels import accounting, codes, limits, shorts
from kernels._jit import NO, YES, inner, step
from kernels.book import EMPTY, index_insert, take_slot, watch_position
from kernels.draft import NEEDS_ROOM, draft_entry
from kernels.events import book_event, flow_without_spread, new_event, place_event
from kernels.fees import fee_ceil, note_flow
from kernels.fixed import ZERO
from kernels.ledger import book_fees
from kernels.merge import merge
from kernels.pricing import BPS, entry_price, signed_tokens_floor, signed_usd_floor, tokens_floor
from kernels.profit import accrued_funding, accrued_interest
from kernels.rates import collateral_custody, touch_rates


@inner()
def check_entry(position, added, b, venue, market, custody):
    """Leverage, caps and liquidity for a would-be position of which `added` is new.

    Collateral alone need not bring it down to the leverage of an opening, unless the venue says so.
    """
    pool = venue.pool[0]
    side = b & 1
    initial = added.size_usd > 0 or pool.deposit_initial != 0
    reason = limits.margin_allowed(position, side, market, custody, pool, initial)
    if reason != codes.OK:
        return reason
    reason = limits.position_caps(position, added, side, venue.side[b], market, custody, pool)
    if reason != codes.OK:
        return reason
    if not limits.rate_allowed(pool.borrow, custody, custody.owned, custody.locked + added.locked):
        return codes.INSUFFICIENT_LIQUIDITY
    if not limits.quantity_in_range(position, venue.side[b]):
        return codes.AMOUNT_OUT_OF_RANGE
    return codes.OK


@step()
def _move_separate(event, added, pool, reserve_units):
    """Collateral tokens are kept apart; an opening fee is paid on top of them."""
    event.trader_in_units = added.collateral_units + added.open_fee_units
    event.collateral_units = added.collateral_units
    if pool.fee_booking == codes.BOOK_PROTOCOL_RESERVE:
        event.stranded_units = added.open_fee_units - reserve_units  # solana-labs: it never reaches `owned`
    else:
        event.owned_units = added.open_fee_units - reserve_units


@step()
def _move_pooled(event, row, added, side, custody, fees_usd, reserve_units):
    """Longs' collateral joins the pool; shorts' is kept apart, and pays fees and funding out of its tokens."""
    event.trader_in_units = added.collateral_units
    if side == codes.LONG:
        event.owned_units = added.collateral_units - reserve_units
        event.margin_usd = event.collateral_usd
        return
    fees = tokens_floor(fees_usd, custody, custody.high)
    paid = signed_tokens_floor(event.funding_usd, custody)
    event.owned_units = fees - reserve_units + paid
    # A stable that has fallen may cost a short more tokens than it has: the venue's other tokens pay.
    moved = min(fees + paid, row.collateral_units)
    event.collateral_units = added.collateral_units - moved
    event.stranded_units = moved - fees - paid
    row.collateral_units -= moved


@step()
def _reserve_units(pool, custody, added, fees_usd):
    """Tokens of an entry's fees that go to the fee reserve at once."""
    if pool.fee_booking == codes.BOOK_DEBT:
        return ZERO
    if pool.fee_booking == codes.BOOK_PROTOCOL_RESERVE:
        return fee_ceil(BPS - pool.lp_share_bps, added.open_fee_units)
    if pool.margin == codes.MARGIN_SEPARATE:
        return added.open_fee_units
    return tokens_floor(fees_usd, custody, custody.high)


@step()
def book_entry(venue, out, cursor, kind, row, added, b, order_id, borrow_fee_usd, funding_usd):
    """Take collateral and fees, lock tokens, refresh rates, write the event. Accounting is the caller's."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    event = new_event(venue, out, cursor, kind)
    place_event(event, row, b, market, c, custody, entry_price(market, b & 1))
    event.order_id = order_id
    event.size_usd = added.size_usd
    event.locked_units = added.locked
    event.collateral_usd = added.collateral_usd
    if pool.open_fee == codes.OPEN_FEE_NONE and pool.margin == codes.MARGIN_SEPARATE:
        event.trader_in_units = added.collateral_units
        event.collateral_units = added.collateral_units
    else:
        fees_usd = added.open_fees_usd + borrow_fee_usd
        event.open_fee_usd = added.open_fees_usd
        event.borrow_fee_usd = borrow_fee_usd
        event.funding_usd = funding_usd
        reserve = _reserve_units(pool, custody, added, fees_usd)
        own = fee_ceil(BPS - pool.lp_share_bps, added.open_fees_usd)
        book_fees(pool, custody, event, fees_usd, own, reserve, row.referred)
        if pool.margin == codes.MARGIN_POOLED:
            event.collateral_usd -= fees_usd + funding_usd
            _move_pooled(event, row, added, b & 1, custody, fees_usd, reserve)
        else:
            _move_separate(event, added, pool, reserve)
        event.owned_value_usd = signed_usd_floor(event.owned_units, custody)
        event.spread_usd = event.owned_value_usd - flow_without_spread(event)
        custody.owned += event.owned_units
        custody.stranded += event.stranded_units
        row.borrow_fees_usd += borrow_fee_usd
        row.funding_fees_usd += funding_usd
    custody.locked += added.locked
    custody.collateral += event.collateral_units
    note_flow(venue.impact, pool, b >> 1, added.size_usd)
    touch_rates(venue, b)
    book_event(venue, out, cursor)


@step()
def _start_row(row, request, pool):
    """Turn a draft into a new open position."""
    row.status = codes.OPEN_POSITION
    row.position_id = request.position_id
    row.open_s = pool.now_s
    row.open_us = pool.now_us
    row.order_id = request.order_id
    row.referred = request.referred
    row.stop_loss = max(request.stop_loss, 0)
    row.stop_limit = max(request.stop_limit, 0)
    row.take_profit = max(request.take_profit, 0)
    row.open_price = row.entry_price
    row.opened_size_usd = row.size_usd
    row.deposited_usd = row.collateral_usd
    row.initial_leverage_bps = row.leverage_bps
    row.max_locked = row.locked


@step()
def _charge_opening(row, pool):
    """Where collateral is pooled the opening fee comes out of it; a reason if there is not enough."""
    if pool.margin == codes.MARGIN_SEPARATE:
        return codes.OK
    if row.collateral_usd < row.open_fees_usd:
        return codes.INSUFFICIENT_COLLATERAL
    row.collateral_usd -= row.open_fees_usd
    return codes.INVALID_ORDER if row.size_usd == 0 else codes.OK


@inner()
def settle_open(venue, books, out, cursor, request, b, kind, slot):
    """Open a position in book b; `slot` is the pending limit order's, or EMPTY. Returns a reason or NEEDS_ROOM."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    pool = venue.pool[0]
    reason = draft_entry(venue, books, request, b, NO)
    if reason != codes.OK:
        return reason
    added = books.draft[0]
    pooled = pool.margin == codes.MARGIN_POOLED
    if pooled:
        books.draft[1] = added
    position = books.draft[1] if pooled else added
    _start_row(position, request, pool)
    reason = _charge_opening(position, pool)
    if reason != codes.OK:
        return reason
    reason = check_entry(position, added, b, venue, market, custody)
    if reason != codes.OK:
        return reason
    if slot == EMPTY:
        slot = take_slot(books, b)
        if slot == EMPTY:
            return NEEDS_ROOM
        index_insert(books.place, request.position_id, slot)
    position.position_no = pool.next_position_no
    pool.next_position_no += 1
    pool.n_open += 1
    position.book = b
    if pooled and b & 1 == codes.LONG:
        position.collateral_units = 0
    books.row[slot] = position
    row = books.row[slot]
    row.open_fee_units = 0  # the draft's own
    _count_in(venue, row, added, b, c)
    book_entry(venue, out, cursor, kind, row, added, b, request.order_id, ZERO, ZERO)
    watch_position(books, b, slot, market, custody, pool)
    return codes.OK


@step()
def _count_in(venue, row, added, b, c):
    """Add a new or grown position to the sums of its side."""
    market = venue.market[b >> 1]
    side = venue.side[b]
    index, funding_index = venue.custody[c].index_now, market.funding_now
    if b & 1 == codes.SHORT:
        shorts.note_increase(venue.pool[0], market, side, added.size_usd)
    interest = venue.interest[2 * c + (b & 1)]
    accounting.add_position(venue.pool[0], row, b & 1, side, interest, index, funding_index)


@step()
def _charge(row, pool, fees_usd, funding_usd):
    """Take opening fee, borrow fee and funding out of a pooled position's collateral."""
    if pool.margin == codes.MARGIN_SEPARATE:
        return codes.OK
    row.collateral_usd -= fees_usd + funding_usd
    if row.collateral_usd < 0:
        return codes.INSUFFICIENT_COLLATERAL
    return codes.INVALID_ORDER if row.size_usd == 0 else codes.OK


@inner()
def settle_increase(venue, books, out, cursor, request, b, slot, kind):
    """Add size and collateral to an open position; pooled collateral alone too (`kind` deposit_collateral)."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    pool = venue.pool[0]
    reason = draft_entry(venue, books, request, b, YES)
    if reason != codes.OK:
        return reason
    added = books.draft[0]
    books.draft[1] = books.row[slot]
    grown = books.draft[1]
    borrow_fee, owed_funding = ZERO, ZERO
    if pool.interest == codes.INTEREST_CHARGED:
        borrow_fee = accrued_interest(pool, grown, custody)
        owed_funding = accrued_funding(grown, market, b & 1)
    merge(grown, added, market, custody, b & 1, pool)
    if pool.interest == codes.INTEREST_CHARGED:
        grown.unrealised_interest_usd = 0
        grown.unrealised_funding_usd = 0
    reason = _charge(grown, pool, added.open_fees_usd + borrow_fee, owed_funding)
    if reason != codes.OK:
        return reason
    reason = check_entry(grown, added, b, venue, market, custody)
    if reason != codes.OK:
        return reason
    interest = venue.interest[2 * c + (b & 1)]
    side = venue.side[b]
    index, funding_index = custody.index_now, market.funding_now
    if b & 1 == codes.SHORT:
        shorts.note_increase(pool, market, side, added.size_usd)
    accounting.remove_position(pool, books.row[slot], YES, b & 1, side, interest, index, funding_index)
    books.row[slot] = grown
    row = books.row[slot]
    accounting.add_position(pool, row, b & 1, side, interest, index, funding_index)
    book_entry(venue, out, cursor, kind, row, added, b, request.order_id, borrow_fee, owed_funding)
    watch_position(books, b, slot, market, custody, pool)
    return codes.OK
