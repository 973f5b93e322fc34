"""The chunk loop: ticks in, events out, in the one order of things that ARCHITECTURE.md states.

It runs until the chunk is done or a buffer is full, and can leave and come back at any step: where it stands is
in the cursor and in `Work`, so results do not depend on chunk or buffer sizes.
"""

import numpy as np

from kernels import borrow, brute, codes, distribution, funding, liquidity, search, settle
from kernels._jit import inner, kernel, step
from kernels.draft import NEEDS_ROOM
from kernels.events import write_position, write_rejection
from kernels.pricing import exit_price, posted_price, quote_custody, quote_market
from kernels.rates import collateral_custody
from kernels.sample import sample_pool

_SPARE_ROWS = 4  # most rows that one step writes to one buffer, but for distributions
P_SEARCH, P_TRIGGERS, P_TRADES, P_POOL, P_SAMPLE = range(5)


@inner()
def _quote_tick(venue, ticks, t):
    """Step 1: this tick's time and prices, and the indices accrued up to it (as views: nothing is stored)."""
    pool = venue.pool[0]
    pool.now_us = ticks.time_us[t]
    pool.now_s = pool.now_us // 1_000_000
    for c in range(venue.custody.shape[0]):
        custody = venue.custody[c]
        quote_custody(custody, ticks, t)
        custody.index_now = borrow.index_at(pool, custody, pool.now_s)
    for m in range(venue.market.shape[0]):
        market = venue.market[m]
        quote_market(pool, market, ticks, t)
        market.funding_now = funding.index_at(market, pool.now_s)


@step()
def _find_triggers(venue, books, work, cursor):
    """Step 2, search: every book whose prices are live, by tree or by scan."""
    cursor.n_candidates = 0
    for b in range(books.book.shape[0]):
        market = venue.market[b >> 1]
        c = collateral_custody(market, b & 1)
        if c < 0:
            continue  # the market does not offer this side
        custody = venue.custody[c]
        sign = 1 if b & 1 == codes.LONG else -1
        books.book[b].x = float(custody.index_now + sign * market.funding_now)
        price = exit_price(market, b & 1)
        if books.book[b].n_rows == 0 or (market.flags | custody.flags) != 0 or price <= 0:
            continue  # stale, closed, or no keeper at work
        if cursor.scan != 0:
            brute.scan_book(venue, books, work, cursor, b)
            continue
        search.descend(venue, books, work, cursor, b, float(sign * price))
        if posted_price(custody) <= books.book[b].guard_price:
            search.scan_capped(venue, books, work, cursor, b)
    if cursor.n_candidates > 1:
        search.sort_triggers(work, cursor.n_candidates)


@step()
def _find_orders(orders, cursor, now_us):
    """Steps 3 and 4: the orders whose time has come are [order_low, order_high)."""
    cursor.order_low = cursor.order_high
    cursor.order = cursor.order_low
    cursor.has_pool_orders = 0
    while cursor.order_high < orders.due_us.shape[0] and orders.due_us[cursor.order_high] <= now_us:
        if orders.action[cursor.order_high] >= codes.FIRST_POOL_ACTION:
            cursor.has_pool_orders = 1
        cursor.order_high += 1


@inner()
def _has_room(venue, out, cursor):
    # A distribution writes an event per custody.
    return (
        cursor.n_events + venue.custody.shape[0] + _SPARE_ROWS <= out.event.shape[0]
        and cursor.n_positions + _SPARE_ROWS <= out.position.shape[0]
        and cursor.n_rejections + _SPARE_ROWS <= out.rejection.shape[0]
    )


@inner()
def _stop(cursor, status):
    cursor.status = status
    return False


@step()
def _settle_triggers(venue, books, out, work, cursor):
    request = work.request[0]
    while cursor.candidate < cursor.n_candidates:
        if not _has_room(venue, out, cursor):
            return _stop(cursor, codes.EVENTS_FULL)
        i = cursor.candidate
        settle.settle_trigger(venue, books, out, cursor, request, work.key[i], work.slot[i])
        cursor.candidate += 1
    return True


@step()
def _settle_trades(venue, books, out, work, cursor, orders):
    request = work.request[0]
    while cursor.order < cursor.order_high:
        if orders.action[cursor.order] < codes.FIRST_POOL_ACTION:
            if not _has_room(venue, out, cursor):
                return _stop(cursor, codes.EVENTS_FULL)
            settle.load_request(orders, cursor.order, request)
            reason = settle.settle_trade(venue, books, out, cursor, request)
            if reason == NEEDS_ROOM:
                return _stop(cursor, codes.BOOK_FULL)
            settle.finish_order(venue, out, cursor, request, reason)
        cursor.order += 1
    return True


@step()
def _settle_pool_orders(venue, accounts, out, work, cursor, orders):
    request = work.request[0]
    while cursor.has_pool_orders != 0 and cursor.order < cursor.order_high:
        if orders.action[cursor.order] >= codes.FIRST_POOL_ACTION:
            if not _has_room(venue, out, cursor):
                return _stop(cursor, codes.EVENTS_FULL)
            settle.load_request(orders, cursor.order, request)
            reason = settle.settle_pool_order(venue, accounts, out, cursor, request)
            if reason == NEEDS_ROOM:
                return _stop(cursor, codes.ACCOUNTS_FULL)
            settle.finish_order(venue, out, cursor, request, reason)
        cursor.order += 1
    return _distribute_if_due(venue, out, work, cursor)


@inner()
def _distribute_if_due(venue, out, work, cursor):
    pool = venue.pool[0]
    if pool.distribution_interval_s <= 0 or pool.now_s < pool.next_distribution_s:
        return True
    if not _has_room(venue, out, cursor):
        return _stop(cursor, codes.EVENTS_FULL)
    pool.next_distribution_s = (pool.now_s // pool.distribution_interval_s + 1) * pool.distribution_interval_s
    work.request[0].order_id = -1
    work.request[0].lp_account = -1
    work.request[0].custody = -1
    distribution.settle_distribution(venue, out, cursor, work.request[0])
    return True


@step()
def _sample_if_due(venue, samples, cursor, last):
    pool = venue.pool[0]
    if not last and pool.now_us < pool.next_sample_us:
        return True
    room = (
        cursor.n_pool_samples + venue.custody.shape[0] <= samples.pool_sample.shape[0]
        and cursor.n_market_samples + venue.market.shape[0] <= samples.market_sample.shape[0]
        and cursor.n_lp_samples + 1 <= samples.lp_sample.shape[0]
    )
    if not room:
        return _stop(cursor, codes.SAMPLES_FULL)
    sample_pool(venue, samples, cursor)
    pool.next_sample_us = (pool.now_us // pool.sample_interval_us + 1) * pool.sample_interval_us
    return True


@kernel()
def run_chunk(venue, books, accounts, out, samples, work, cursor_array, ticks, orders, n_ticks, is_last):
    """Run ticks [cursor.tick, n_ticks) with the orders due in them; returns a status code of `codes`.

    On EVENTS_FULL and SAMPLES_FULL the caller empties the buffers, on BOOK_FULL it grows the book named in
    `cursor.detail`, on ACCOUNTS_FULL the accounts; then it calls again with the same arguments. OVERFLOW is an
    error: a sum has left the range of the books, first at event `cursor.detail`. `is_last`: a sample is taken
    at the chunk's last tick in any case.
    """
    cursor = cursor_array[0]
    cursor.status = codes.DONE
    while cursor.tick < n_ticks:
        if cursor.phase == P_SEARCH:
            _quote_tick(venue, ticks, cursor.tick)
            _find_triggers(venue, books, work, cursor)
            cursor.candidate = 0
            _find_orders(orders, cursor, venue.pool[0].now_us)
            cursor.phase = P_TRIGGERS
        if cursor.phase == P_TRIGGERS:
            if not _settle_triggers(venue, books, out, work, cursor):
                return cursor.status
            cursor.phase = P_TRADES
        if cursor.phase == P_TRADES:
            if not _settle_trades(venue, books, out, work, cursor, orders):
                return cursor.status
            cursor.order = cursor.order_low
            cursor.phase = P_POOL
        if cursor.phase == P_POOL:
            if not _settle_pool_orders(venue, accounts, out, work, cursor, orders):
                return cursor.status
            cursor.phase = P_SAMPLE
        if not _sample_if_due(venue, samples, cursor, is_last and cursor.tick + 1 == n_ticks):
            return cursor.status
        if cursor.status != codes.DONE:
            return cursor.status
        cursor.phase = P_SEARCH
        cursor.tick += 1
    return cursor.status


@kernel()
def start_pool(venue, accounts, out, work, cursor_array, ticks, genesis_units):
    """Set the clocks to the first tick and make the opening deposits, (C,) token units, zero for none."""
    cursor = cursor_array[0]
    _quote_tick(venue, ticks, np.int64(0))
    pool = venue.pool[0]
    for c in range(venue.custody.shape[0]):
        venue.custody[c].last_update_s = pool.now_s
        if pool.borrow == codes.BORROW_STEPWISE:
            venue.custody[c].last_update_s -= pool.now_s % pool.borrow_interval_s
    for m in range(venue.market.shape[0]):
        venue.market[m].last_update_s = pool.now_s
    if pool.distribution_interval_s > 0:
        pool.next_distribution_s = (pool.now_s // pool.distribution_interval_s + 1) * pool.distribution_interval_s
    work.request[0].order_id = -1
    work.request[0].lp_account = 0
    for c in range(venue.custody.shape[0]):
        if genesis_units[c] > 0:
            liquidity.settle_genesis(venue, accounts, out, cursor, work.request[0], c, genesis_units[c])


@kernel()
def write_open(venue, books, out, cursor_array, slots):
    """Rows for what is still open or pending at the end, in the order of `slots`; must fit the buffers."""
    cursor = cursor_array[0]
    for i in range(slots.shape[0]):
        row = books.row[slots[i]]
        if row.status == codes.PENDING_LIMIT:
            now_us = venue.pool[0].now_us
            reason = codes.LIMIT_NOT_REACHED
            write_rejection(out, cursor, now_us, row.order_id, row.position_id, codes.LIMIT_OPEN, reason, 1)
        else:
            custody = collateral_custody(venue.market[row.book >> 1], row.book & 1)
            write_position(out, cursor, row, row.book, custody, codes.O_OPEN, 0, 0)
