"""A standing book: open positions nobody touches, and a price that moves every tick and liquidates some of them.

The engine runs the whole span and settles what it liquidates: fees, accounting, events, rows of positions. The
scans are timed over a few ticks of the full book, and their time for the span follows from the positions open at
each tick (so they are not charged for positions that are gone).
"""

import statistics
from typing import Any, NamedTuple

import numpy as np

from backtest.engine import Engine
from backtest.errors import PerpoolError
from kernels import codes
from kernels.state import Ticks

from . import baselines, worlds
from .timing import Say, median, seconds

_LOADING = 64  # ticks over which the book is opened
_TICK_S = 60
_YEAR = 525_600  # minutes
_FIRST_PRICE = 150.0
_REPEATS = 3
_STEADY, _FALLING = 3, 1  # seeds of walks whose lowest price is 7 % and 51 % below the first
_SCAN_TICKS = {"scan": 50, "numpy": 10, "polars": 10, "duckdb": 10}


def run(full: bool, say: Say) -> dict[str, Any]:
    """Parity, then a year of minutes at two sizes, and the scans at 1,000,000 positions."""
    say("standing book: parity of engine, brute-force twin and Numba scan")
    check_parity()
    n = 1_000_000
    say(f"standing book: engine, {n:,} positions x {_YEAR:,} ticks")
    book = Book(n, _YEAR)
    figures = _measure(book)
    say("standing book: scans of the full book, a few ticks each")
    costs = _measure_scans(book)
    del book
    say("standing book: the same in a falling market, where most positions are liquidated")
    falling = _measure(Book(n, _YEAR, seed=_FALLING))
    other = 10 * n if full else n // 10
    say(f"standing book: engine, {other:,} positions x {_YEAR:,} ticks")
    second = _measure(Book(other, _YEAR))
    small, large = sorted((figures, second), key=lambda found: found["positions"])
    spans = {name: cost * figures["position_ticks"] for name, cost in costs.items()}
    return {
        **{f"ratio_to_{name}": span / figures["seconds"] for name, span in spans.items()},
        **figures,
        "position_ticks_per_s": figures["position_ticks"] / figures["seconds"],
        "nanoseconds_per_position_tick": {name: cost * 1e9 for name, cost in costs.items()},
        "extrapolated_seconds": spans,
        "extrapolated_from_ticks": _SCAN_TICKS,
        "falling_market": falling | {"ratio_to_scan": costs["scan"] * falling["position_ticks"] / falling["seconds"]},
        "ten_times": {
            "smaller": small,
            "larger": large,
            "ratio_of_seconds_per_event": large["seconds_per_event"] / small["seconds_per_event"],
        },
        "note": "the scans only find what is due, the engine also settles it; scan and numpy run on one thread, "
        "polars and duckdb on theirs; loading the book is not in the seconds",
    }


class Book:
    """Inputs of one standing book: `loading` ticks with its opens, then `standing` ticks without orders."""

    def __init__(self, positions: int, ticks: int, *, seed: int = _STEADY, sigma: float = 0.0005) -> None:
        path = worlds.walk(_LOADING + ticks, seed, sigma, _FIRST_PRICE, step_s=_TICK_S)
        self.loading = worlds.part(path, 0, _LOADING)
        self.standing = worlds.part(path, _LOADING, _LOADING + ticks)
        draw = np.random.Generator(np.random.PCG64(seed + 1))
        self._leverage = np.rint(np.exp(draw.uniform(np.log(1.2), np.log(12.0), positions)) * 1e4).astype(np.int64)
        dollars = np.clip(100.0 * np.exp(draw.standard_normal(positions)), 10.0, 10_000.0)
        self._collateral = np.rint(dollars * 1e6).astype(np.int64)

    def loaded(self, sink: worlds.Sink = worlds.discard, *, scan: bool = False, sample_s: int = 86_400) -> Engine:
        """An engine with every position opened by an order; its pool owns twenty times what they lock."""
        n = len(self._leverage)
        engine = worlds.engine_of(
            [worlds.custody(price_symbol=0, interest_in_pnl=1), worlds.custody(price_symbol=1, stable=1)],
            [worlds.market(price_symbol=0, long_custody=0, short_custody=1)],
            worlds.pool(sample_interval_us=sample_s * worlds.SECOND_US),
            sink,
            scan=scan,
            capacity=-(-n // 32) * 32,
        )
        locked_usd = float((self._collateral * (self._leverage / 1e4)).sum())
        engine.start(self.loading, [int(20 * locked_usd / _FIRST_PRICE), 10**12])
        each = -(-n // _LOADING)
        for t in range(_LOADING):
            part = slice(t * each, min((t + 1) * each, n))
            wanted = {"leverage_bps": self._leverage[part], "collateral_usd": self._collateral[part]}
            due = np.full(len(wanted["leverage_bps"]), self.loading.time_us[t])
            engine.run(worlds.part(self.loading, t, t + 1), worlds.opens(due, part.start, **wanted))
        return engine


class _Counter:
    """A sink that adds up for how many standing ticks each liquidated position was still open."""

    def __init__(self, standing: Ticks) -> None:
        self._before = int(standing.time_us[0]) - _TICK_S * worlds.SECOND_US
        self.liquidated = self.position_ticks = 0

    def __call__(self, table: str, records: np.ndarray) -> None:
        if table == "events":
            times = records["timestamp"][records["kind"] == codes.K_LIQUIDATION]
            times = times[times > self._before]
            self.liquidated += len(times)
            self.position_ticks += int(((times - self._before) // (_TICK_S * worlds.SECOND_US)).sum())


def _measure(book: Book) -> dict[str, Any]:
    """Median time of the standing ticks after one uncounted run, and what happened in them."""
    counter = _Counter(book.standing)
    open_before = _count(book, counter)
    middle = statistics.median(_time(book) for _ in range(_REPEATS))
    ticks = len(book.standing.time_us)
    still_open = open_before - counter.liquidated
    return {
        "positions": open_before,
        "ticks": ticks,
        "liquidated": counter.liquidated,
        "seconds": middle,
        "seconds_per_event": middle / max(counter.liquidated, 1),
        "nanoseconds_per_tick": middle / ticks * 1e9,
        "position_ticks": counter.position_ticks + still_open * ticks,
    }


def _count(book: Book, counter: _Counter) -> int:
    """Run a book with a counting sink; how many positions it opened."""
    engine = book.loaded(counter)
    opened = int(engine.venue.side["open_positions"][0])
    worlds.run_ticks(engine, book.standing)
    engine.finish()
    return opened


def _time(book: Book) -> float:
    """Seconds of the standing ticks; the loading before is not in them."""
    engine = book.loaded()
    return seconds(lambda: worlds.run_ticks(engine, book.standing))


# --- the scans ------------------------------------------------------------------------------------------------------


def _open_rows(engine: Engine) -> np.ndarray:
    return engine.books.row[engine.books.row["status"] == codes.OPEN_POSITION]


def _columns(engine: Engine) -> baselines.ScanColumns:
    """The open positions as the scans hold them, in the order of the book."""
    rows = _open_rows(engine)
    most = int(engine.venue.market["max_leverage_bps"][0])
    fees = np.maximum(rows["exit_fee_usd"], rows["liquidation_fee_usd"])
    return baselines.ScanColumns(
        quantity=rows["size_usd"] / 1e6 / (rows["entry_price"] / worlds.PRICE_SCALE),
        size=rows["size_usd"] / 1e6,
        own=(rows["collateral_usd"] - fees) / 1e6,
        floor=(rows["size_usd"] * 10_000 // (most + 1)) / 1e6,
        snapshot=rows["cum_snapshot"].astype(np.float64),
    )


def _measure_scans(book: Book) -> dict[str, float]:
    """Seconds per position and tick of each scan over the full book at the first standing ticks."""
    engine = book.loaded()
    columns = _columns(engine)
    index = float(engine.venue.custody["index_now"][0])
    del engine
    n = len(columns.size)
    prices = book.standing.price[: max(_SCAN_TICKS.values()), 0] / worlds.PRICE_SCALE
    indices = index + np.arange(1.0, len(prices) + 1.0)
    hits = np.empty(n, np.int64)
    scratch = [np.empty(n), np.empty(n), np.empty(n, bool)]
    polars, duck = baselines.PolarsScan(columns), baselines.DuckDBScan(columns)
    scans = {
        "scan": lambda k: baselines.scan_ticks(columns, prices[:k], indices[:k], hits),
        "numpy": lambda k: [baselines.numpy_tick(columns, prices[t], indices[t], scratch) for t in range(k)],
        "polars": lambda k: [polars.tick(prices[t], indices[t]) for t in range(k)],
        "duckdb": lambda k: [duck.tick(prices[t], indices[t]) for t in range(k)],
    }
    found = {}
    for name, scan in scans.items():
        ticks = _SCAN_TICKS[name]
        found[name] = median(lambda scan=scan, ticks=ticks: scan(ticks), 5) / (ticks * n)
    duck.close()
    return found


# --- parity ---------------------------------------------------------------------------------------------------------


class _Life(NamedTuple):
    """A small book run to its end: its positions after loading, the borrow index of each tick, and all events."""

    columns: baselines.ScanColumns
    ids: np.ndarray
    index: np.ndarray
    events: np.ndarray


def check_parity(positions: int = 2_000, ticks: int = 10_000) -> int:
    """Tree, brute-force twin and scans find the same positions at the same ticks; how many. Raises if not."""
    book = Book(positions, ticks, seed=_FALLING, sigma=0.002)
    life = _whole_life(book, scan=False)
    if not np.array_equal(life.events, _whole_life(book, scan=True).events):
        raise PerpoolError(
            "the engine and its brute-force twin disagree: the standing book is not measured; please report it"
        )
    return _check_scans(book, life)


def _whole_life(book: Book, *, scan: bool) -> _Life:
    events: list[np.ndarray] = []
    indices: list[np.ndarray] = []

    def keep(table: str, records: np.ndarray) -> None:
        if table == "events":
            events.append(records.copy())
        elif table == "pool":
            indices.append(records["borrow_index"][records["custody"] == 0])

    engine = book.loaded(keep, scan=scan, sample_s=_TICK_S)  # samples every tick, for the index
    columns, ids = _columns(engine), _open_rows(engine)["position_id"].copy()
    worlds.run_ticks(engine, book.standing)
    engine.finish()
    index = np.concatenate(indices)[-len(book.standing.time_us) :].astype(np.float64)
    return _Life(columns, ids, index, np.concatenate(events))


def _check_scans(book: Book, life: _Life) -> int:
    """Each scan, given the engine's index, calls the positions that the engine liquidated, at the same ticks."""
    times = book.standing.time_us
    prices = book.standing.price[:, 0] / worlds.PRICE_SCALE
    events = life.events[(life.events["kind"] == codes.K_LIQUIDATION) & (life.events["timestamp"] >= times[0])]
    expected = np.full(len(life.ids), -1)
    place = np.argsort(life.ids)
    rows = place[np.searchsorted(life.ids[place], events["position_id"])]
    expected[rows] = np.searchsorted(times, events["timestamp"])
    found = np.empty(len(life.ids), np.int64)
    baselines.scan_life(life.columns, prices, life.index, np.empty_like(found), found)
    if not np.array_equal(found, expected):
        raise PerpoolError(
            "the Numba scan and the engine disagree: the standing book is not measured; please report it"
        )
    n = len(life.ids)
    scratch = [np.empty(n), np.empty(n), np.empty(n, bool)]
    polars, duck = baselines.PolarsScan(life.columns), baselines.DuckDBScan(life.columns)
    hits = np.empty(n, np.int64)
    for t in np.unique(expected[expected >= 0])[::50]:
        price, index = float(prices[t]), float(life.index[t])
        wanted = hits[: baselines.scan_block(life.columns, 0, n, price, index, hits)]
        results = (
            baselines.numpy_tick(life.columns, price, index, scratch),
            polars.tick(price, index),
            np.sort(duck.tick(price, index)),
        )
        if not all(np.array_equal(wanted, result) for result in results):
            raise PerpoolError(
                "NumPy, Polars or DuckDB finds other positions: the standing book is not measured; please report it"
            )
    duck.close()
    return len(events)
