"""Which dollars a move of the price would liquidate: level by level around the price, and through time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtest.book_view import SIDES, Book, distance_percent, every_book, market_code
from backtest.errors import UsageError
from backtest.price_files import iso
from kernels import codes

WITHIN_PERCENT = (5, 10, 20)


@dataclass(frozen=True)
class Level:
    """One level of one side: positions liquidated between the level before and this one, and all up to here.

    move_percent: of the price, negative for longs; 0: those that are liquidatable already
    price_usd: of the one market that was asked for; None: moves of all markets at once
    """

    side: str
    move_percent: float
    price_usd: float | None
    positions: int
    size_usd: float
    cumulative_usd: float


def liquidation_map(
    book: Book, market: str | None = None, *, steps: int = 20, range_percent: float = 50.0
) -> list[Level]:
    """Levels from the highest price to the lowest: half of `steps` above (shorts) and below (longs), out to the range.

    All else stays as it is: indices, prices of custodies, other positions. Raises UsageError for steps that are odd or
    none, a range that is not above 0 and up to 100, or an unknown market.
    """
    if steps < 2 or steps % 2:
        raise UsageError(f"--steps {steps} is not an even number from 2 on; half of the levels lie above the price")
    if not 0 < range_percent <= 100:
        raise UsageError(f"--range {range_percent:g} is not above 0 and at most 100 percent of the price")
    marks = book.marks
    if market is not None:
        marks = marks[marks["market"] == market_code(book, market)]
    price = float(marks["price"][0]) / 1e10 if market is not None and len(marks) else None
    away = distance_percent(marks)
    edges = np.append(0.0, np.arange(1, steps // 2 + 1) * (range_percent / (steps // 2)))
    found = []
    for side, sign in ((codes.SHORT, 1.0), (codes.LONG, -1.0)):
        mine = marks["side"] == side
        place = np.searchsorted(edges, away[mine], side="left")  # the first level that reaches it
        counts = np.bincount(place, minlength=len(edges) + 1)[: len(edges)]
        usd = [int(marks["size_usd"][mine][place == level].sum()) for level in range(len(edges))]
        total = np.cumsum(usd)
        for level, edge in enumerate(edges.tolist()):
            if level or counts[0]:
                at = None if price is None else price * (1 + sign * edge / 100)
                numbers = int(counts[level]), usd[level] / 1e6, int(total[level]) / 1e6
                found.append(Level(SIDES[side], sign * edge, at, *numbers))
    return sorted(found, key=lambda level: (-level.move_percent, level.side != "short"))


def through_time(run: str | Path, market: str | None = None) -> list[dict[str, Any]]:
    """Per snapshot: dollars of longs and shorts that a move of WITHIN_PERCENT would liquidate, and of all."""
    found = []
    for book in every_book(run):
        marks = book.marks
        if market is not None:
            marks = marks[marks["market"] == market_code(book, market)]
        away = distance_percent(marks)
        row: dict[str, Any] = {"snapshot_at": iso(book.at_us), "positions": len(marks)}
        for side in (codes.LONG, codes.SHORT):
            mine = marks["side"] == side
            row[f"{SIDES[side]}_usd"] = int(marks["size_usd"][mine].sum()) / 1e6
            for percent in WITHIN_PERCENT:
                near = mine & (away <= percent)
                row[f"{SIDES[side]}_within_{percent}_usd"] = int(marks["size_usd"][near].sum()) / 1e6
        found.append(row)
    return found
