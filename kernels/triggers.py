"""The bound tree: which of a million open positions does this price touch?

All positions of a book share one price p (negated for shorts) and one accrual x, so a position is liquidated
when p <= threshold + slope * x: two constants each, whatever the tick. Every node of an implicit 32-ary tree
keeps an upper bound of its leaves' thresholds; a tick reads the root and descends only where p lies under the
bound. x moves between touches (and may fall while funding is received), so a bound is anchored: its value at
x0, with the steepest slope of its leaves upwards and the flattest downwards. A bound may be too high, never too
low; the leaf decides by the exact integer rule. Stops and pending limits are thresholds with slope 0; take
profits, which fire the other way, have a tree of plain maxima.
"""

import numpy as np

from kernels._jit import inner
from kernels.state import FAN_OUT

NEVER = -np.inf


@inner()
def node_bound(node, x):
    """Upper bound of a node's thresholds at accrual x."""
    moved = x - node.anchor
    if moved == 0.0:
        return node.bound
    return node.bound + (node.slope_high if moved > 0.0 else node.slope_low) * moved


@inner()
def raise_path(books, b, slot):
    """Lift the bounds above a slot whose threshold has just been set or may have risen."""
    watch = books.watch[slot]
    book = books.book[b]
    x = book.x
    threshold = max(watch.threshold + watch.slope * x, watch.stop)
    flattest = 0.0 if watch.stop > NEVER else watch.slope
    block = (slot - book.base) // FAN_OUT
    for level in range(book.levels):
        node = books.node[books.level[b, level, 0] + block]
        if node.bound == NEVER:
            node.bound = threshold
            node.slope_high = watch.slope
            node.slope_low = flattest
        else:
            node.bound = max(node_bound(node, x), threshold)
            node.slope_high = max(node.slope_high, watch.slope)
            node.slope_low = min(node.slope_low, flattest)
        node.anchor = x
        node.take = max(node.take, watch.take)
        block //= FAN_OUT


@inner()
def _set_node(node, x, bound, high, low, take):
    node.bound = bound
    node.anchor = x
    node.slope_high = high
    node.slope_low = min(low, high)  # both 0 where nothing lies below
    node.take = take


@inner()
def refresh_block(books, b, block):
    """Recompute the bounds of one block of 32 slots, without those that are leaving."""
    x = books.book[b].x
    bound, take = NEVER, NEVER
    high, low = 0.0, np.inf
    start = books.book[b].base + block * FAN_OUT
    for slot in range(start, start + FAN_OUT):
        watch = books.watch[slot]
        if watch.leaving != 0:
            continue
        take = max(take, watch.take)
        if watch.threshold > NEVER:
            bound = max(bound, watch.threshold + watch.slope * x)
            high = max(high, watch.slope)
            low = min(low, watch.slope)
        if watch.stop > NEVER:
            bound = max(bound, watch.stop)
            low = min(low, 0.0)
    _set_node(books.node[books.level[b, 0, 0] + block], x, bound, high, low, take)


@inner()
def refresh_node(books, b, level, index):
    """Recompute the bounds of an inner node from its children."""
    x = books.book[b].x
    bound, take = NEVER, NEVER
    high, low = 0.0, np.inf
    start = books.level[b, level - 1, 0]
    last = min((index + 1) * FAN_OUT, books.level[b, level - 1, 1])
    for child in range(index * FAN_OUT, last):
        node = books.node[start + child]
        take = max(take, node.take)
        if node.bound > NEVER:
            bound = max(bound, node_bound(node, x))
            high = max(high, node.slope_high)
            low = min(low, node.slope_low)
    _set_node(books.node[books.level[b, level, 0] + index], x, bound, high, low, take)


@inner()
def is_touched(node, p, x):
    """May anything under this node trigger at mirrored price p?"""
    return p <= node_bound(node, x) or -p <= node.take


@inner()
def rebuild(books, b):
    """All bounds of a book from its slots."""
    for block in range(books.level[b, 0, 1]):
        refresh_block(books, b, block)
    for level in range(1, books.book[b].levels):
        for index in range(books.level[b, level, 1]):
            refresh_node(books, b, level, index)
