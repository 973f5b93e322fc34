"""Which rule settles which order, and which settles what a price has triggered."""

import numpy as np

from kernels import codes, distribution, entries, exits, limits, liquidity, margin, partial, pending, swaps, withdrawals
from kernels._jit import YES, inner, step
from kernels.book import EMPTY, index_find, release_slot
from kernels.events import reject, write_rejection
from kernels.pricing import exit_price
from kernels.rates import collateral_custody
from kernels.triggers import raise_path


@step()
def load_request(orders, i, request):
    """Copy one order out of its columns."""
    request.due_us = orders.due_us[i]
    request.order_id = orders.order_id[i]
    request.action = orders.action[i]
    request.position_id = orders.position_id[i]
    request.market = orders.market[i]
    request.side = orders.side[i]
    request.size_usd = orders.size_usd[i]
    request.leverage_bps = orders.leverage_bps[i]
    request.collateral_units = orders.collateral_units[i]
    request.collateral_usd = orders.collateral_usd[i]
    request.limit_price = orders.limit_price[i]
    request.trigger_price = orders.trigger_price[i]
    request.stop_loss = orders.stop_loss[i]
    request.stop_limit = orders.stop_limit[i]
    request.take_profit = orders.take_profit[i]
    request.fraction_e6 = orders.fraction_e6[i]
    request.lp_account = orders.lp_account[i]
    request.custody = orders.custody[i]
    request.custody_out = orders.custody_out[i]
    request.amount_units = orders.amount_units[i]
    request.referred = orders.referred[i]


@step()
def _enter(venue, books, out, cursor, request):
    if index_find(books.place, request.position_id) != EMPTY:
        return codes.POSITION_EXISTS
    if request.market < 0 or request.side < 0:
        return codes.INVALID_ORDER
    b = 2 * request.market + request.side
    if collateral_custody(venue.market[request.market], request.side) < 0:
        return codes.SIDE_NOT_OFFERED
    cursor.detail = b  # the book to grow, should it be full
    if request.action == codes.LIMIT_OPEN:
        return pending.place_limit(venue, books, request, b)
    return entries.settle_open(venue, books, out, cursor, request, b, codes.K_OPEN, EMPTY)


@step()
def _cancel(venue, books, out, cursor, request):
    slot = pending.find_row(books, request.position_id, codes.PENDING_LIMIT)
    if slot == EMPTY:
        return codes.POSITION_NOT_FOUND
    row = books.row[slot]
    b = row.book
    now_us = venue.pool[0].now_us
    write_rejection(out, cursor, now_us, row.order_id, row.position_id, codes.LIMIT_OPEN, codes.CANCELLED, 0)
    custody_id = collateral_custody(venue.market[b >> 1], b & 1)
    row.position_no = -1  # never became a position
    margin.write_mark(venue, out, cursor, codes.K_CANCEL_LIMIT, row, b, custody_id, request.order_id)
    release_slot(books, b, slot)
    return codes.OK


@step()
def settle_trade(venue, books, out, cursor, request):
    """Settle one trading order; returns its reason code, or NEEDS_ROOM with the book in cursor.detail."""
    action = request.action
    if action == codes.OPEN or action == codes.LIMIT_OPEN:
        return _enter(venue, books, out, cursor, request)
    if action == codes.CANCEL_LIMIT:
        return _cancel(venue, books, out, cursor, request)
    slot = pending.find_row(books, request.position_id, codes.OPEN_POSITION)
    if slot == EMPTY:
        return codes.POSITION_NOT_FOUND
    b = books.row[slot].book
    # One call of each heavy function, here: numba optimises a callee again in every caller.
    if action == codes.CLOSE:
        reason = exits.exit_allowed(venue, request, books.row[slot], b)
        if reason != codes.OK:
            return reason
        return exits.settle_whole(venue, books, out, cursor, b, slot, codes.K_CLOSE, request.order_id)
    if action == codes.DECREASE:
        return _reduce(venue, books, out, cursor, request, b, slot)
    if action == codes.DEPOSIT_COLLATERAL or action == codes.WITHDRAW_COLLATERAL:
        reason = margin.edit_allowed(venue, books, request, b, slot)
        if reason != codes.OK:
            return reason
    pool = venue.pool[0]
    pooled = pool.margin == codes.MARGIN_POOLED
    if action == codes.INCREASE or (action == codes.DEPOSIT_COLLATERAL and pooled):
        kind = codes.K_INCREASE
        if action == codes.DEPOSIT_COLLATERAL:
            kind = codes.K_DEPOSIT_COLLATERAL
            margin.as_growth(request)
        return entries.settle_increase(venue, books, out, cursor, request, b, slot, kind)
    if action == codes.DEPOSIT_COLLATERAL:
        return margin.settle_deposit(venue, books, out, cursor, request, b, slot)
    if action == codes.WITHDRAW_COLLATERAL:
        if pooled:
            return _reduce(venue, books, out, cursor, request, b, slot)
        return margin.settle_withdraw(venue, books, out, cursor, request, b, slot)
    if action == codes.RESOLVE_BORROW:
        return margin.settle_resolve(venue, books, out, cursor, request, b, slot)
    return margin.settle_triggers(venue, books, out, cursor, request, b, slot)


@inner()
def _reduce(venue, books, out, cursor, request, b, slot):
    """Decrease a position, or (pooled) take collateral out of it."""
    action = request.action
    kind = codes.K_DECREASE
    market = venue.market[b >> 1]
    reason = limits.price_flags(market, venue.custody[collateral_custody(market, b & 1)], YES)
    if reason == codes.OK and exit_price(market, b & 1) <= 0:
        reason = codes.STALE_PRICE
    if reason != codes.OK and action != codes.WITHDRAW_COLLATERAL:
        return reason
    if action == codes.DECREASE:
        reason = partial.plan_decrease(venue, books, request, slot)
        if reason != codes.OK:
            return reason
        if request.fraction_e6 >= exits.WHOLE:
            action = codes.CLOSE
    if action == codes.WITHDRAW_COLLATERAL:
        request.size_usd = 0
        kind = codes.K_WITHDRAW_COLLATERAL
    else:
        reason = exits.exit_allowed(venue, request, books.row[slot], b)
        if reason != codes.OK:
            return reason
    if action == codes.CLOSE:
        return exits.settle_whole(venue, books, out, cursor, b, slot, codes.K_CLOSE, request.order_id)
    if kind == codes.K_WITHDRAW_COLLATERAL or venue.pool[0].partial_close == codes.PARTIAL_REALISED:
        return partial.settle_realised(venue, books, out, cursor, request, b, slot, kind)
    return partial.settle_pro_rata(venue, books, out, cursor, request, b, slot)


@step()
def settle_pool_order(venue, accounts, out, cursor, request):
    """Settle one LP order, swap or fee distribution; returns its reason code, or NEEDS_ROOM for a new account."""
    action = request.action
    if action == codes.ADD_LIQUIDITY or action == codes.ISSUE_DOLLARS:
        return liquidity.settle_add(venue, accounts, out, cursor, request)
    if action == codes.REMOVE_LIQUIDITY or action == codes.REDEEM_DOLLARS:
        return withdrawals.settle_remove(venue, accounts, out, cursor, request)
    if action == codes.SWAP:
        return swaps.settle_swap(venue, out, cursor, request)
    if action == codes.DISTRIBUTE_FEES:
        return distribution.settle_distribution(venue, out, cursor, request)
    if action == codes.DONATE:
        return liquidity.settle_donate(venue, out, cursor, request)
    return liquidity.settle_accrue(venue, out, cursor, request)


@inner()
def finish_order(venue, out, cursor, request, reason):
    """An order that did not execute leaves a row of rejections."""
    if reason > codes.OK:
        reject(venue, out, cursor, request, reason)


NO_ORDER = np.int64(-1)

# What a price triggers, in settling order.
T_LIQUIDATION, T_STOP_LOSS, T_TAKE_PROFIT, T_LIMIT = (np.int64(kind) for kind in range(4))
NUMBER_BITS = 46
BOOK_BITS = 14


@inner()
def trigger_key(kind, b, number):
    """Sort key of a trigger: kind, then book, then age."""
    return (kind << (NUMBER_BITS + BOOK_BITS)) | (b << NUMBER_BITS) | number


@step()
def settle_trigger(venue, books, out, cursor, request, key, slot):
    """Settle one trigger. What cannot settle now stays in the book, is watched again, and is retried next tick."""
    kind = key >> (NUMBER_BITS + BOOK_BITS)
    b = (key >> NUMBER_BITS) & ((1 << BOOK_BITS) - 1)
    row = books.row[slot]
    wanted = codes.PENDING_LIMIT if kind == T_LIMIT else codes.OPEN_POSITION
    if row.status != wanted or row.position_no != key & ((1 << NUMBER_BITS) - 1):
        return  # its stop-loss and its take-profit fired together, and the stop has closed it
    if kind == T_LIMIT:
        pending.request_of_limit(row, request)
        reason = entries.settle_open(venue, books, out, cursor, request, b, codes.K_LIMIT_OPEN, slot)
    else:
        closing = codes.K_TAKE_PROFIT
        if kind == T_LIQUIDATION:
            closing = codes.K_LIQUIDATION
        elif kind == T_STOP_LOSS:
            closing = codes.K_STOP_LOSS
        reason = exits.settle_whole(venue, books, out, cursor, b, slot, closing, NO_ORDER)
    if reason != codes.OK or kind == T_LIMIT:
        books.watch[slot].leaving = 0
        raise_path(books, b, slot)
