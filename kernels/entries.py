"""Opening and increasing positions, at once or by a limit order.

Adrena open_position_{long,short}.rs, increase_position_{long,short}.rs (spec 1.3, 1.9). All checks come before
anything is booked: an order settles whole or leaves no trace but its reason.
"""

import numpy as np

from kernels import accounting, borrow, codes, funding, limits
from kernels._jit import YES, inner
from kernels.book import EMPTY, index_find, index_insert, take_slot, watch_limit, watch_position
from kernels.events import book_event, new_event, place_event
from kernels.fees import size_fee_usd
from kernels.fixed import mul_div_floor
from kernels.pricing import BPS, tokens_floor, usd_floor
from kernels.rates import collateral_custody, touch_rates

NEEDS_ROOM = np.int64(-1)  # not a reason: the book is full, Python must grow it and call again


@inner()
def entry_price_allowed(request, side, price):
    """The trader's worst acceptable price holds."""
    if request.limit_price <= 0:
        return True
    return price <= request.limit_price if side == codes.LONG else price >= request.limit_price


@inner()
def requested_units(request, custody):
    """Collateral tokens of a request, given as such or in dollars at the low price; not positive if neither."""
    if request.collateral_units < 0 and request.collateral_usd > 0:
        return tokens_floor(request.collateral_usd, custody, custody.low)
    return request.collateral_units


@inner()
def draft_size(draft, request, market, custody, pool):
    """Fill collateral, size, locked tokens and fees that a request asks for; collateral comes in at the low price."""
    units = requested_units(request, custody)
    if units <= 0:
        return codes.INVALID_ORDER
    draft.collateral_units = units
    draft.collateral_usd = usd_floor(units, custody, custody.low)
    if draft.collateral_usd < pool.min_collateral_usd:
        return codes.MIN_COLLATERAL
    leverage = request.leverage_bps
    if leverage < 0 and request.size_usd > 0 and draft.collateral_usd > 0:
        leverage = mul_div_floor(request.size_usd, BPS, draft.collateral_usd)
    if leverage <= 0:
        return codes.INVALID_ORDER
    draft.leverage_bps = leverage
    draft.locked = mul_div_floor(units, leverage, BPS)
    draft.size_usd = usd_floor(draft.locked, custody, custody.low)
    if draft.size_usd <= 0:
        return codes.INVALID_ORDER
    draft.borrow_size_usd = draft.size_usd
    draft.exit_fee_usd = size_fee_usd(market.close_bps, draft.locked, custody)
    draft.liquidation_fee_usd = size_fee_usd(market.liquidation_bps, draft.locked, custody)
    draft.entry_price = market.price
    draft.cum_snapshot = custody.index_now
    draft.funding_snapshot = market.funding_now
    return codes.OK


@inner()
def _draft_entry(venue, books, request, b):
    """What a request would add to book b at this tick's prices, in draft 0; fresh price and price bound first."""
    market = venue.market[b >> 1]
    custody = venue.custody[collateral_custody(market, b & 1)]
    reason = limits.price_flags(market, custody, YES)
    if reason != codes.OK:
        return reason
    if not entry_price_allowed(request, b & 1, market.price):
        return codes.PRICE_LIMIT
    books.draft[0] = books.draft[2]
    return draft_size(books.draft[0], request, market, custody, venue.pool[0])


@inner()
def check_entry(position, added, b, venue, market, custody):
    """Leverage, caps and liquidity for a would-be position of which `added` is new."""
    pool = venue.pool[0]
    side = b & 1
    if not limits.amounts_in_range(added):
        return codes.AMOUNT_OUT_OF_RANGE
    reason = limits.leverage_range(position, side, market, custody, pool.now_s, YES)
    if reason != codes.OK:
        return reason
    reason = limits.position_caps(position, added, side, venue.side[b], market, custody)
    if reason != codes.OK:
        return reason
    if not limits.rate_allowed(pool.borrow, custody, custody.owned, custody.locked + added.locked):
        return codes.INSUFFICIENT_LIQUIDITY
    if not limits.quantity_in_range(position, venue.side[b]):
        return codes.AMOUNT_OUT_OF_RANGE
    return codes.OK


@inner()
def book_entry(venue, out, cursor, kind, row, added, b, order_id):
    """Take collateral, lock tokens, refresh rates, write the event. Accounting is the caller's."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    custody.locked += added.locked
    custody.collateral += added.collateral_units
    touch_rates(venue, b)
    event = new_event(venue, out, cursor, kind)
    place_event(event, row, b, market, c, custody)
    event.order_id = order_id
    event.size_usd = added.size_usd
    event.collateral_usd = added.collateral_usd
    event.trader_in_units = added.collateral_units
    event.collateral_units = added.collateral_units
    event.locked_units = added.locked
    book_event(venue, out, cursor)


@inner()
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


@inner()
def settle_open(venue, books, out, cursor, request, b, kind, slot):
    """Open a position in book b; `slot` is the pending limit order's, or EMPTY. Returns a reason or NEEDS_ROOM."""
    market = venue.market[b >> 1]
    custody = venue.custody[collateral_custody(market, b & 1)]
    pool = venue.pool[0]
    reason = _draft_entry(venue, books, request, b)
    if reason != codes.OK:
        return reason
    draft = books.draft[0]
    _start_row(draft, request, pool)
    reason = check_entry(draft, draft, b, venue, market, custody)
    if reason != codes.OK:
        return reason
    if slot == EMPTY:
        slot = take_slot(books, b)
        if slot == EMPTY:
            return NEEDS_ROOM
        index_insert(books.place, request.position_id, slot)
    draft.position_no = pool.next_position_no
    pool.next_position_no += 1
    pool.n_open += 1
    draft.book = b
    books.row[slot] = draft
    row = books.row[slot]
    interest = venue.interest[2 * collateral_custody(market, b & 1) + (b & 1)]
    accounting.add_position(row, b & 1, venue.side[b], interest, custody.index_now, market.funding_now)
    book_entry(venue, out, cursor, kind, row, row, b, request.order_id)
    watch_position(books, b, slot, market, custody)
    return codes.OK


@inner()
def harmonic_price_floor(old_size, old_price, new_size, new_price):
    """Average entry weighted by size in the asset; the inner division floors first (spec 1.9)."""
    total = old_size + new_size
    if new_price >= old_price:
        return mul_div_floor(total, old_price, old_size + mul_div_floor(new_size, old_price, new_price))
    return mul_div_floor(total, new_price, mul_div_floor(old_size, new_price, old_price) + new_size)


@inner()
def _merge(row, added, market, custody, side, pool):
    """Add a draft to a position: average entry, sums, interest and funding so far set aside, new snapshots."""
    sign = 1 if side == codes.LONG else -1
    row.unrealised_interest_usd += borrow.interest_floor(custody.index_now, row.cum_snapshot, row.borrow_size_usd)
    row.unrealised_funding_usd += funding.owed_ceil(sign, market.funding_now, row.funding_snapshot, row.size_usd)
    row.cum_snapshot = custody.index_now
    row.funding_snapshot = market.funding_now
    row.entry_price = harmonic_price_floor(row.size_usd, row.entry_price, added.size_usd, market.price)
    row.size_usd += added.size_usd
    row.borrow_size_usd += added.borrow_size_usd
    row.collateral_usd += added.collateral_usd
    row.collateral_units += added.collateral_units
    row.locked += added.locked
    row.exit_fee_usd += added.exit_fee_usd
    row.liquidation_fee_usd += added.liquidation_fee_usd
    row.edit_s = pool.now_s
    row.opened_size_usd += added.size_usd
    row.deposited_usd += added.collateral_usd
    row.max_locked = max(row.max_locked, row.locked)


@inner()
def settle_increase(venue, books, out, cursor, request, b, slot):
    """Add size and collateral to an open position."""
    market = venue.market[b >> 1]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    pool = venue.pool[0]
    reason = _draft_entry(venue, books, request, b)
    if reason != codes.OK:
        return reason
    added = books.draft[0]
    books.draft[1] = books.row[slot]
    grown = books.draft[1]
    _merge(grown, added, market, custody, b & 1, pool)
    reason = check_entry(grown, added, b, venue, market, custody)
    if reason != codes.OK:
        return reason
    interest = venue.interest[2 * c + (b & 1)]
    side = venue.side[b]
    index, funding_index = custody.index_now, market.funding_now
    accounting.remove_position(books.row[slot], YES, b & 1, side, interest, index, funding_index)
    books.row[slot] = grown
    row = books.row[slot]
    accounting.add_position(row, b & 1, side, interest, index, funding_index)
    book_entry(venue, out, cursor, codes.K_INCREASE, row, added, b, request.order_id)
    watch_position(books, b, slot, market, custody)
    return codes.OK


@inner()
def place_limit(venue, books, request, b):
    """Keep a limit order pending in book b. Money moves only when it fills."""
    pool = venue.pool[0]
    has_size = request.leverage_bps > 0 or request.size_usd > 0
    has_collateral = request.collateral_units > 0 or request.collateral_usd > 0
    if request.trigger_price <= 0 or not has_size or not has_collateral:
        return codes.INVALID_ORDER
    slot = take_slot(books, b)
    if slot == EMPTY:
        return NEEDS_ROOM
    index_insert(books.place, request.position_id, slot)
    books.row[slot] = books.draft[2]
    row = books.row[slot]
    row.status = codes.PENDING_LIMIT
    row.book = b
    row.position_no = pool.next_limit_no
    pool.next_limit_no += 1
    row.position_id = request.position_id
    row.order_id = request.order_id
    row.referred = request.referred
    row.open_us = pool.now_us
    row.stop_loss = request.stop_loss
    row.stop_limit = request.stop_limit
    row.take_profit = request.take_profit
    row.trigger_price = request.trigger_price
    row.limit_price = request.limit_price
    row.leverage_bps = request.leverage_bps
    row.size_usd = request.size_usd
    row.collateral_units = request.collateral_units
    row.collateral_usd = request.collateral_usd
    watch_limit(books, b, slot)
    return codes.OK


@inner()
def request_of_limit(row, request):
    """The open request that a pending limit order stands for."""
    request.order_id = row.order_id
    request.position_id = row.position_id
    request.referred = row.referred
    request.stop_loss = row.stop_loss
    request.stop_limit = row.stop_limit
    request.take_profit = row.take_profit
    request.limit_price = -1  # its band has been checked with its trigger
    request.leverage_bps = row.leverage_bps
    request.size_usd = row.size_usd
    request.collateral_units = row.collateral_units
    request.collateral_usd = row.collateral_usd


@inner()
def find_row(books, position_id, status):
    """Slot of a position id with the wanted status, or EMPTY."""
    slot = index_find(books.place, position_id)
    if slot == EMPTY or books.row[slot].status != status:
        return EMPTY
    return slot
