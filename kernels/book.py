"""Slots of the books and the index from position id to slot.

A book is one (market, side); its slots are recycled last-freed-first. The index is open addressing with linear
probing; a removal shifts later entries back, so there are no tombstones and look-ups stay short.
"""

import numpy as np

from kernels import codes, triggers
from kernels._jit import inner, kernel
from kernels.liquidation import guard_price, leverage_line, search_constants

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_GROUP_BITS = np.uint64(4)
_IN_GROUP = np.uint64(15)
EMPTY = np.int64(-1)


@inner()
def _home(key, n_places):
    """Preferred place of a key; `n_places` is a power of two.

    Sixteen neighbouring ids lie together, since ids are mostly given out in order and positions opened together are
    looked up together: opening a million positions took 0.57 s with every id hashed apart, 0.32 s so.
    """
    mixed = (np.uint64(key) >> _GROUP_BITS) * _GOLDEN
    group = (mixed ^ (mixed >> np.uint64(29))) << _GROUP_BITS
    return np.int64((group | (np.uint64(key) & _IN_GROUP)) & np.uint64(n_places - 1))


@inner()
def index_find(places, key):
    """Slot of a key, or -1."""
    mask = places.shape[0] - 1
    place = _home(key, places.shape[0])
    while places[place].slot != EMPTY:
        if places[place].key == key:
            return places[place].slot
        place = (place + 1) & mask
    return EMPTY


@inner()
def index_insert(places, key, slot):
    """Add a key that is not there; the index must have a free place."""
    mask = places.shape[0] - 1
    place = _home(key, places.shape[0])
    while places[place].slot != EMPTY:
        place = (place + 1) & mask
    places[place].key = key
    places[place].slot = slot


@inner()
def index_remove(places, key):
    """Remove a key that is there."""
    mask = places.shape[0] - 1
    place = _home(key, places.shape[0])
    while places[place].key != key or places[place].slot == EMPTY:
        place = (place + 1) & mask
    gap = place
    while True:
        place = (place + 1) & mask
        if places[place].slot == EMPTY:
            break
        # An entry may move back into the gap unless its home lies after the gap.
        home = _home(places[place].key, places.shape[0])
        if ((place - home) & mask) >= ((place - gap) & mask):
            places[gap].key = places[place].key
            places[gap].slot = places[place].slot
            gap = place
    places[gap].slot = EMPTY


@inner()
def take_slot(books, b):
    """A free slot of book b, or -1 when it is full."""
    book = books.book[b]
    if book.n_free == 0:
        return EMPTY
    book.n_free -= 1
    book.n_rows += 1
    return books.free[book.base + book.n_free]


@inner()
def release_slot(books, b, slot):
    """Give a slot back and forget its id and its triggers. Bounds above stay, as upper bounds."""
    book = books.book[b]
    row = books.row[slot]
    index_remove(books.place, row.position_id)
    row.status = codes.FREE
    watch = books.watch[slot]
    watch.threshold = triggers.NEVER
    watch.slope = 0.0
    watch.stop = triggers.NEVER
    watch.take = triggers.NEVER
    watch.leaving = 0
    books.free[book.base + book.n_free] = slot
    book.n_free += 1
    book.n_rows -= 1


@inner()
def watch_position(books, b, slot, market, custody, pool):
    """Set the search columns of an open position from its row (after any change to it) and lift the bounds."""
    row = books.row[slot]
    side = b & 1
    sign = 1.0 if side == codes.LONG else -1.0
    watch = books.watch[slot]
    watch.threshold, watch.slope = search_constants(pool, row, side, market)
    watch.stop = sign * np.float64(row.stop_loss) if row.stop_loss > 0 else triggers.NEVER
    watch.stop = max(watch.stop, leverage_line(pool, row, side, market))
    watch.take = -sign * np.float64(row.take_profit) if row.take_profit > 0 else triggers.NEVER
    books.book[b].guard_price = max(books.book[b].guard_price, guard_price(pool, row, custody, market))
    triggers.raise_path(books, b, slot)


@inner()
def watch_limit(books, b, slot):
    """Set the search columns of a pending limit order."""
    sign = 1.0 if b & 1 == codes.LONG else -1.0
    watch = books.watch[slot]
    watch.threshold = triggers.NEVER
    watch.slope = 0.0
    watch.stop = sign * np.float64(books.row[slot].trigger_price)
    watch.take = triggers.NEVER
    triggers.raise_path(books, b, slot)


@kernel()
def reindex(books):
    """Rebuild index and trees after Python has moved the books into larger arrays."""
    for place in range(books.place.shape[0]):
        books.place[place].slot = EMPTY
    for b in range(books.book.shape[0]):
        base = books.book[b].base
        for slot in range(base, base + books.book[b].capacity):
            if books.row[slot].status != codes.FREE:
                index_insert(books.place, books.row[slot].position_id, slot)
        triggers.rebuild(books, b)


@kernel()
def reindex_accounts(accounts):
    """Rebuild the index of LP accounts after Python has moved them into larger arrays."""
    for place in range(accounts.place.shape[0]):
        accounts.place[place].slot = EMPTY
    for slot in range(accounts.used[0]):
        index_insert(accounts.place, accounts.account[slot].account, slot)
