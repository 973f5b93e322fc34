"""Limit orders that wait in a book, and where to find a position."""

from kernels import codes
from kernels._jit import inner
from kernels.book import EMPTY, index_find, index_insert, take_slot, watch_limit
from kernels.draft import NEEDS_ROOM


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
    request.amount_units = -1


@inner()
def find_row(books, position_id, status):
    """Slot of a position id with the wanted status, or EMPTY."""
    slot = index_find(books.place, position_id)
    if slot == EMPTY or books.row[slot].status != status:
        return EMPTY
    return slot
