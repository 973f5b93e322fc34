"""The engine's arrays: allocation, growth, and the calls into the chunk loop.

`Engine` knows parameters, ticks, orders and a sink for output records; no files and no names. Memory is the open
positions (their books double when full) plus fixed buffers.
"""

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from backtest.errors import PerpoolError
from kernels import book, changes, codes, loop, state
from kernels.state import FAN_OUT, MAX_LEVELS, Orders, Ticks

Sink = Callable[[str, np.ndarray], None]
Fields = Mapping[str, int]

_FIRST_CAPACITY = 1024
_FIRST_ACCOUNTS = 64
_TABLES = (
    ("events", "event", "n_events"),
    ("positions", "position", "n_positions"),
    ("rejections", "rejection", "n_rejections"),
    ("pool", "pool_sample", "n_pool_samples"),
    ("markets", "market_sample", "n_market_samples"),
    ("lp", "lp_sample", "n_lp_samples"),
)


def one_price(given: Fields) -> dict[str, int]:
    """Parameter fields with low, high and average price the oracle's where they do not name a symbol of their own."""
    oracle = given.get("price_symbol", 0)
    return {"low_symbol": oracle, "high_symbol": oracle, "ema_symbol": oracle, **given}


def _set_parameters(venue: state.Venue, custodies: Sequence[Fields], markets: Sequence[Fields], pool: Fields) -> None:
    """Write parameter fields into the records and derive from them what the kernels want at hand."""
    for records, rows in ((venue.custody, custodies), (venue.market, markets), (venue.pool, [pool])):
        for record, row in zip(records, rows, strict=True):
            for name, value in row.items():
                record[name] = value
    venue.custody["scale"] = 10 ** (venue.custody["decimals"] + 4)
    long, short = venue.market["long_custody"], venue.market["short_custody"]
    venue.market["scale"] = venue.custody["scale"][np.where(long >= 0, long, short)]


def make_venue(custodies: Sequence[Fields], markets: Sequence[Fields], pool: Fields) -> state.Venue:
    """A pool before its first deposit, from parameter fields (kernels.state.*_PARAMS)."""
    venue = state.Venue(
        custody=np.zeros(len(custodies), state.CUSTODY_RECORD),
        interest=np.zeros(2 * len(custodies), state.INTEREST),
        side=np.zeros(2 * len(markets), state.SIDE),
        market=np.zeros(len(markets), state.MARKET_RECORD),
        pool=np.zeros(1, state.POOL_RECORD),
        impact=np.zeros((len(markets), 62), np.int64),
    )
    _set_parameters(venue, custodies, markets, pool)
    return venue


def _level_sizes(capacity: int) -> list[int]:
    """Nodes per level of a 32-ary tree over `capacity` slots, leaves' blocks first, down to one root."""
    sizes = [capacity // FAN_OUT]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // FAN_OUT))
    return sizes


def make_books(capacities: Sequence[int]) -> state.Books:
    """Empty books with the given capacities (multiples of 32), one per (market, side)."""
    n_books, n_slots = len(capacities), sum(capacities)
    records = np.zeros(n_books, state.BOOK)
    levels = np.zeros((n_books, MAX_LEVELS, 2), np.int64)
    free = np.zeros(n_slots, np.int64)
    base = nodes = 0
    for b, capacity in enumerate(capacities):
        sizes = _level_sizes(capacity)
        records[b]["base"], records[b]["capacity"] = base, capacity
        records[b]["n_free"], records[b]["levels"] = capacity, len(sizes)
        free[base : base + capacity] = np.arange(base + capacity - 1, base - 1, -1)
        for level, size in enumerate(sizes):
            levels[b, level] = nodes, size
            nodes += size
        base += capacity
    watch = np.zeros(n_slots, state.WATCH)
    for column in ("threshold", "stop", "take"):
        watch[column] = -np.inf
    tree = np.zeros(nodes, state.NODE)
    tree["bound"] = tree["take"] = -np.inf
    return state.Books(
        book=records,
        row=np.zeros(n_slots, state.ROW),
        watch=watch,
        free=free,
        level=levels,
        node=tree,
        place=_make_index(n_slots),
        draft=np.zeros(3, state.ROW),
    )


def _make_index(capacity: int) -> np.ndarray:
    """Empty open-addressing table with room for `capacity` keys at a load of at most one half."""
    places = np.zeros(1 << max(4, int(2 * capacity - 1).bit_length()), state.PLACE)
    places["slot"] = book.EMPTY
    return places


def grow_book(books: state.Books, b: int) -> state.Books:
    """The same books with twice the slots in book b; its new slots come after the old ones."""
    capacities = [int(c) for c in books.book["capacity"]]
    capacities[b] *= 2
    new = make_books(capacities)
    for i, old in enumerate(books.book):
        start, size, target = int(old["base"]), int(old["capacity"]), int(new.book[i]["base"])
        new.row[target : target + size] = books.row[start : start + size]
        new.watch[target : target + size] = books.watch[start : start + size]
        n_free = int(old["n_free"])
        added = capacities[i] - size
        new.free[target : target + added] = np.arange(target + capacities[i] - 1, target + size - 1, -1)
        new.free[target + added : target + added + n_free] = books.free[start : start + n_free] - start + target
        new.book[i]["n_free"] = n_free + added
        for name in ("n_rows", "guard_price", "x"):
            new.book[i][name] = old[name]
    book.reindex(new)
    return new


def make_accounts(capacity: int = _FIRST_ACCOUNTS) -> state.Accounts:
    """An empty table of LP accounts."""
    return state.Accounts(
        account=np.zeros(capacity, state.LP_ACCOUNT), used=np.zeros(1, np.int64), place=_make_index(capacity)
    )


def _grow_accounts(accounts: state.Accounts) -> state.Accounts:
    new = make_accounts(2 * len(accounts.account))
    used = int(accounts.used[0])
    new.account[:used] = accounts.account[:used]
    new.used[0] = used
    book.reindex_accounts(new)
    return new


def _make_work(n_slots: int) -> state.Work:
    return state.Work(
        key=np.zeros(2 * n_slots, np.int64),
        slot=np.zeros(2 * n_slots, np.int64),
        request=np.zeros(1, state.REQUEST),
        path=np.zeros((MAX_LEVELS, 2), np.int64),
    )


def _make_outputs(rows: int) -> state.Outputs:
    return state.Outputs(
        blank=np.zeros(1, state.EVENT),
        event=np.zeros(rows, state.EVENT),
        position=np.zeros(rows, state.POSITION),
        rejection=np.zeros(rows, state.REJECTION),
    )


def _make_samples(rows: int, n_custodies: int, n_markets: int) -> state.Samples:
    return state.Samples(
        pool_sample=np.zeros(rows * n_custodies, state.POOL_SAMPLE),
        market_sample=np.zeros(rows * n_markets, state.MARKET_SAMPLE),
        lp_sample=np.zeros(rows, state.LP_SAMPLE),
    )


class Engine:
    """One pool being replayed. `sink(table, records)` receives outputs; it must copy what it keeps.

    `scan` replaces the trigger search by the brute-force twin; `buffer_rows` bounds the output buffers.
    """

    def __init__(
        self,
        venue: state.Venue,
        sink: Sink,
        *,
        scan: bool = False,
        buffer_rows: int = 65_536,
        capacity: int = _FIRST_CAPACITY,
    ) -> None:
        self.venue = venue
        self.books = make_books([capacity] * (2 * len(venue.market)))
        self.accounts = make_accounts()
        self.cursor = np.zeros(1, state.CURSOR)
        self.cursor["scan"] = scan
        self._sink = sink
        self._work = _make_work(len(self.books.row))
        # The opening deposits of all custodies must fit, and what one step may write.
        rows = max(2 * len(venue.custody) + 8, buffer_rows)
        self._out = _make_outputs(rows)
        self._samples = _make_samples(max(1, rows // 64), len(venue.custody), len(venue.market))
        self.counts = dict.fromkeys((table for table, _, _ in _TABLES), 0)

    def start(self, ticks: Ticks, genesis_units: Sequence[int]) -> None:
        """Set the clocks to the first of `ticks` and make the opening deposits (token units per custody)."""
        units = np.zeros(len(self.venue.custody), np.int64)
        units[: len(genesis_units)] = genesis_units
        loop.start_pool(self.venue, self.accounts, self._out, self._work, self.cursor, ticks, units)
        self._flush()

    def run(self, ticks: Ticks, orders: Orders, n_ticks: int | None = None, *, is_last: bool = False) -> int:
        """Run the first `n_ticks` of `ticks` with the orders due in them; returns how many orders were used."""
        n = len(ticks.time_us) if n_ticks is None else n_ticks
        self.cursor["tick"] = self.cursor["order_high"] = 0
        while True:
            status = loop.run_chunk(
                self.venue,
                self.books,
                self.accounts,
                self._out,
                self._samples,
                self._work,
                self.cursor,
                ticks,
                orders,
                n,
                is_last,
            )
            if status == codes.DONE:
                return int(self.cursor["order_high"][0])
            self._make_room(int(status))

    def apply(
        self, custodies: Sequence[Fields], markets: Sequence[Fields], pool: Fields, *, time_us: int, number: int
    ) -> None:
        """Let other parameters hold from `time_us` on, the time of the next tick, and note it as event `number`."""
        _set_parameters(self.venue, custodies, markets, pool)
        self._flush()
        changes.apply_parameters(self.venue, self.books, self._out, self.cursor, time_us, number)

    def finish(self) -> None:
        """Write the rows of what is still open, by opening order, then of pending limits, by placement."""
        rows = self.books.row
        step = len(self._out.position)
        for status in (codes.OPEN_POSITION, codes.PENDING_LIMIT):
            slots = np.flatnonzero(rows["status"] == status)
            slots = slots[np.argsort(rows["position_no"][slots], kind="stable")]
            for first in range(0, len(slots), step):
                self._flush()
                loop.write_open(self.venue, self.books, self._out, self.cursor, slots[first : first + step])
        self._flush()

    def fork(self, sink: Sink) -> "Engine":
        """A twin in the same state with arrays of its own; whatever it runs, this one stays as it is."""
        self._flush()
        twin = copy.copy(self)
        twin._sink = sink
        twin.counts = dict(self.counts)
        twin.cursor = self.cursor.copy()
        for name in ("venue", "books", "accounts", "_work", "_out", "_samples"):
            arrays = getattr(self, name)
            setattr(twin, name, type(arrays)(*(array.copy() for array in arrays)))
        return twin

    def _make_room(self, status: int) -> None:
        if status in (codes.EVENTS_FULL, codes.SAMPLES_FULL):
            self._flush()
        elif status == codes.BOOK_FULL:
            self.books = grow_book(self.books, int(self.cursor["detail"][0]))
            self._work = _make_work(len(self.books.row))
        elif status == codes.ACCOUNTS_FULL:
            self.accounts = _grow_accounts(self.accounts)
        else:
            event = int(self.cursor["detail"][0])
            where = f"at event {event}" if event >= 0 else "in the value of the pool"
            raise PerpoolError(
                f"a sum left the range of the books {where} (more than 2.3e12 dollars); check prices, decimals of the "
                "custodies and order sizes"
            )

    @property
    def n_events(self) -> int:
        """Events so far, buffered ones included."""
        return self.counts["events"] + int(self.cursor["n_events"][0])

    @property
    def n_pending_limits(self) -> int:
        """Limit orders that wait in the books."""
        return int((self.books.row["status"] == codes.PENDING_LIMIT).sum())

    def write(self, table: str, records: np.ndarray) -> None:
        """Hand records that the loop did not make to the sink."""
        self._sink(table, records)
        self.counts[table] += len(records)

    def compile_rest(self) -> None:
        """Call the kernels that a short run does not reach."""
        self.books = grow_book(self.books, 0)
        self.accounts = _grow_accounts(self.accounts)
        loop.write_open(self.venue, self.books, self._out, self.cursor, np.zeros(0, np.int64))
        time_us, number = int(self.venue.pool["now_us"][0]), 0
        changes.apply_parameters(self.venue, self.books, self._out, self.cursor, time_us, number)

    def _flush(self) -> None:
        for table, buffer, counter in _TABLES:
            n = int(self.cursor[counter][0])
            if n:
                source = self._samples if buffer.endswith("sample") else self._out
                self.write(table, getattr(source, buffer)[:n])
                self.cursor[counter] = 0
