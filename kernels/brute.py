"""The brute-force twin: no tree, every slot of every book under the exact rules at every tick.

Same settlement, same order, so results must be bit-identical to the tree's; tests hold them to it.
"""

from kernels import codes
from kernels._jit import inner
from kernels.search import inspect_slot


@inner()
def scan_book(venue, books, work, cursor, b):
    """Inspect every slot in use."""
    book = books.book[b]
    for slot in range(book.base, book.base + book.capacity):
        if books.row[slot].status != codes.FREE:
            inspect_slot(venue, books, work, cursor, b, slot)
