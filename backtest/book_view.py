"""The open positions of one moment of a run, read from a snapshot, and what there is to say about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.columns import BOOK, Labels, to_records
from backtest.errors import PerpoolError, UsageError
from backtest.flows.config import utc_us
from backtest.price_files import iso
from backtest.rundir import labels_of, load_manifest
from backtest.snapshots import book_files
from backtest.toml_files import hint
from kernels import codes, state

SIDES = codes.SIDES
NEAR_PERCENT = (1, 2, 5, 10)
LEVERAGES = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
SIZES_USD = (100, 1_000, 10_000, 100_000, 1_000_000)
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Book:
    """One snapshot. `marks`: (n,) records of kernels.state.MARK; `at_us`: its tick, µs UTC."""

    run: str
    at_us: int
    snapshots: int
    labels: Labels
    marks: npt.NDArray[Any]

    def usd(self, field: str, which: Mask | slice = slice(None)) -> float:
        """Sum of a field in micro-dollars, exact, in dollars."""
        return int(self.marks[field][which].sum()) / 1e6


def load_book(run: str | Path, at: str | None = None) -> Book:
    """The last snapshot of a run at or before `at` (UTC; None: the last of all).

    Raises PerpoolError where `run` is no run or has no snapshot, UsageError where none is that early.
    """
    times = snapshot_times(run)
    wanted_us = utc_us(at) if at else times[-1][0]
    early = [item for item in times if item[0] <= wanted_us]
    if not early:
        raise UsageError(f"{run}: no snapshot at or before {at}; the first is of {iso(times[0][0])}")
    return _load(Path(run), *early[-1], labels_of(load_manifest(Path(run))), len(times))


def every_book(run: str | Path) -> Iterator[Book]:
    """All snapshots of a run, the oldest first, one at a time."""
    times = snapshot_times(run)
    labels = labels_of(load_manifest(Path(run)))
    for at_us, file in times:
        yield _load(Path(run), at_us, file, labels, len(times))


def snapshot_times(run: str | Path) -> list[tuple[int, Path]]:
    """Tick (µs) and file of every snapshot of a run, the oldest first; PerpoolError where there is none."""
    path = Path(run)
    entries = load_manifest(path).get("snapshots") or ()
    if not entries:
        raise PerpoolError(f"{path}: the run has no snapshots of its book; run it again with --snapshot 1d")
    present = set(book_files(path))
    found = [(utc_us(entry["time"]), path / entry["file"]) for entry in entries]
    for _, file in found:
        if file not in present:
            raise PerpoolError(f"{file} is missing; the run directory is damaged, run the backtest again")
    return sorted(found)


def _load(run: Path, at_us: int, file: Path, labels: Labels, snapshots: int) -> Book:
    try:
        table = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise PerpoolError(f"{file}: cannot be read as Parquet ({reason}); run the backtest again") from error
    marks = to_records(BOOK, table, labels).view(state.MARK)[:, 0]
    return Book(str(run), at_us, snapshots, labels, marks)


def market_code(book: Book, market: str) -> int:
    """Code of a market by name; UsageError with what there is."""
    if market not in book.labels.markets:
        raise UsageError(f"{book.run}: {market} is not a market of the run; {hint(market, book.labels.markets)}")
    return book.labels.markets.index(market)


def distance_percent(marks: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """How far the price must move against each position until it is liquidated, %; inf: no price; 0: already there."""
    price, limit = marks["price"].astype(np.float64), marks["liquidation_price"].astype(np.float64)
    sign = np.where(marks["side"] == codes.LONG, 1.0, -1.0)
    away = np.divide(sign * (price - limit) * 100.0, price, out=np.full(len(marks), np.inf), where=price > 0)
    return np.where(marks["liquidation_price"] == 0, np.inf, np.maximum(np.round(away, 9), 0.0))


def describe(book: Book) -> dict[str, Any]:
    """The book as plain values: by market and side, near liquidation, and by leverage and size. Money in dollars."""
    marks = book.marks
    away = distance_percent(marks)
    sides = [
        {"market": name, "side": SIDES[side]} | _sums(book, away, (marks["market"] == code) & (marks["side"] == side))
        for code, name in enumerate(book.labels.markets)
        for side in (codes.LONG, codes.SHORT)
    ]
    leverage = np.where(marks["leverage_bps"] < 0, np.inf, marks["leverage_bps"] / 1e4)
    return {
        "run": book.run,
        "snapshot_at": iso(book.at_us),
        "snapshots": book.snapshots,
        "total": _sums(book, away, np.ones(len(marks), np.bool_)),
        "sides": [row for row in sides if row["positions"]],
        "leverage": _buckets(book, leverage, LEVERAGES),
        "size_usd": _buckets(book, marks["size_usd"] / 1e6, SIZES_USD),
    }


def _sums(book: Book, away: npt.NDArray[np.float64], which: Mask) -> dict[str, Any]:
    """Totals of some positions. `leverage`: size over equity; `mean_leverage`: of the positions that have equity."""
    levers = book.marks["leverage_bps"][which]
    levers = levers[levers >= 0] / 1e4
    size, equity = book.usd("size_usd", which), book.usd("equity_usd", which)
    return {
        "positions": int(which.sum()),
        "size_usd": size,
        "collateral_usd": book.usd("collateral_usd", which),
        "pnl_usd": book.usd("pnl_usd", which),
        "equity_usd": equity,
        "mean_leverage": float(levers.mean()) if len(levers) else None,
        "leverage": size / equity if equity > 0 else None,
        "near": {str(near): _near(book, which & (away <= near)) for near in NEAR_PERCENT},
    }


def _near(book: Book, which: Mask) -> dict[str, Any]:
    return {"positions": int(which.sum()), "size_usd": book.usd("size_usd", which)}


def _buckets(book: Book, values: npt.NDArray[np.float64], edges: Sequence[float]) -> list[dict[str, Any]]:
    """Positions and dollars with a value from each edge up to the next; the first from 0, the last without end."""
    place = np.searchsorted(np.asarray(edges, np.float64), values, side="right")
    found = []
    for number in range(len(edges) + 1):
        which = place == number
        found.append(
            {
                "from": edges[number - 1] if number else 0,
                "below": edges[number] if number < len(edges) else None,
                "positions": int(which.sum()),
                "size_usd": book.usd("size_usd", which),
            }
        )
    return found
