"""New rules from now on: what must follow when parameters change in the middle of a run.

A venue's governance sets numbers; indices and rates stay as they are until something touches them, as on chain. The
search constants of open positions hang on fees and on the largest leverage, so all of them are made anew.
"""

from kernels import codes, triggers
from kernels._jit import kernel
from kernels.book import watch_position
from kernels.events import book_event, new_event
from kernels.rates import collateral_custody


@kernel()
def apply_parameters(venue, books, out, cursor_array, time_us, number):
    """Note change `number` as an event of `time_us` and search by the parameters that now stand in `venue`."""
    cursor = cursor_array[0]
    pool = venue.pool[0]
    pool.now_us = time_us
    pool.now_s = time_us // 1_000_000
    event = new_event(venue, out, cursor, codes.K_PARAMETERS)
    event.change = number
    book_event(venue, out, cursor)
    for b in range(books.book.shape[0]):
        market = venue.market[b >> 1]
        c = collateral_custody(market, b & 1)
        if c < 0:
            continue
        book = books.book[b]
        book.guard_price = 0
        for slot in range(book.base, book.base + book.capacity):
            if books.row[slot].status == codes.OPEN_POSITION:
                watch_position(books, b, slot, market, venue.custody[c], pool)
        triggers.rebuild(books, b)
