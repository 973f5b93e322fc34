"""When prices first reach a level, for many levels at once, in log2(T) passes over them.

Row k of a table holds the minima of 2**k neighbours, so a search skips as many ticks as stay above its level.
"""

import numpy as np

from backtest.flows.prices_seen import Seen
from backtest.flows.streams import Int, Mask


def reached(seen: Seen, market: Int, rising: Mask, start: Int, level: Int) -> Int:
    """First tick from `start` on at which the price of `market` is at `level` or beyond, shape (n,); T for never.

    rising: at the level or above, else at the level or below. level: int64 at 1e10, any start up to T.
    """
    found = np.full(market.size, seen.times.size, np.int64)
    for number, price in enumerate(seen.price):
        for upwards, sign in ((False, 1), (True, -1)):
            rows = np.flatnonzero((market == number) & (rising == upwards))
            if rows.size:
                found[rows] = first_at_most(sign * price, start[rows], sign * level[rows])
    return found


def first_at_most(values: Int, start: Int, level: Int) -> Int:
    """First position from `start` on whose value is at most `level`, shape (n,); len(values) where there is none."""
    table = minima(values)
    at = start.copy()
    for power in reversed(range(len(table))):
        row = table[power]
        skip = (at < row.size) & (row[np.minimum(at, row.size - 1)] > level)
        at += skip.astype(np.int64) << power
    return at


def minima(values: Int) -> list[Int]:
    """Row k: the least of the 2**k values from each position on, as long as they are all there."""
    table = [values]
    while 2 ** len(table) <= values.size:
        half = 2 ** (len(table) - 1)
        table.append(np.minimum(table[-1][:-half], table[-1][half:]))
    return table


def trailing_highs(values: Int, first: Int) -> Int:
    """The largest of values[first[i]..i] for each i, shape as `values`."""
    table = minima(-values)
    here = np.arange(values.size)
    power = np.frexp((here - first + 1).astype(np.float64))[1] - 1
    found = np.empty_like(values)
    for number, row in enumerate(table):
        rows = np.flatnonzero(power == number)
        found[rows] = -np.minimum(row[first[rows]], row[rows - 2**number + 1])
    return found
