"""Replay: drive the engine over ticks and orders, chunk by chunk, in bounded memory.

Two streams meet here. A tick may only run when every order due by then is at hand, and orders come in batches of
bounded size; so a chunk of ticks is run up to the first tick that the next batch may still touch. Rules that come into
force during the run cut the chunk once more, at the first tick at or after their date.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.engine import Engine
from backtest.orders import OrderSource, empty_orders
from backtest.prices import TickSource
from backtest.stages import Stage
from kernels import codes, state
from kernels.state import Orders, Ticks

TICKS_PER_CHUNK = 4_096
ORDERS_PER_BATCH = 262_144

# Token units of the opening deposits per custody, from the first tick's prices (1e10).
Genesis = Callable[[Sequence[int]], list[int]]
# Called with ticks done and events written so far.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Counts:
    """Totals of a replay."""

    ticks: int
    orders: int
    pending: int
    events: int
    positions: int


def _join(first: Orders, second: Orders) -> Orders:
    """Both batches as one, columns read-only as the kernels were compiled for."""
    if not len(first.due_us):
        return second
    columns = [np.concatenate(pair) for pair in zip(first, second, strict=True)]
    for column in columns:
        column.flags.writeable = False
    return Orders(*columns)


def _ticks_before(ticks: Ticks, time_us: int | None) -> int:
    """How many ticks lie before a time; None: all."""
    if time_us is None:
        return len(ticks.time_us)
    return int(np.searchsorted(ticks.time_us, time_us, side="left"))


def _refusals(orders: Orders, time_us: int, reason: int, outcome: int) -> np.ndarray:
    """Rows of rejections for orders that the engine never sees."""
    rows = np.zeros(len(orders.due_us), state.REJECTION)
    rows["timestamp"] = time_us
    rows["order_id"] = orders.order_id
    rows["position_id"] = orders.position_id
    rows["action"] = orders.action
    rows["reason"] = reason
    rows["outcome"] = outcome
    return rows


class Replay:
    """One engine, its ticks and its orders. `run` consumes both streams once.

    `skip_before_us`: orders due before it are rejected as `before_start` and not dumped on the first tick.
    `looks`: times, rising; after the first tick at or after each, `look` is called once.
    `stages`: parameters that take the place of the engine's, each from the first tick at or after its time on.
    """

    def __init__(
        self,
        engine: Engine,
        ticks: TickSource,
        orders: OrderSource | None,
        *,
        skip_before_us: int | None = None,
        stages: Sequence[Stage] = (),
        looks: Sequence[int] = (),
        look: Callable[[], None] = lambda: None,
        ticks_per_chunk: int = TICKS_PER_CHUNK,
        orders_per_batch: int = ORDERS_PER_BATCH,
    ) -> None:
        self._engine = engine
        self._ticks = ticks
        self._orders = orders
        self._skip_before_us = skip_before_us
        self._stages = deque(sorted(stages, key=lambda stage: (stage.at_us, stage.number)))
        self._looks = deque(looks)
        self._look = look
        self._ticks_per_chunk = ticks_per_chunk
        self._orders_per_batch = orders_per_batch
        self._held = empty_orders()
        self._done = 0
        self.last_tick: Ticks | None = None  # the last that has run, alone

    def run(self, genesis: Genesis, progress: Progress = lambda ticks, events: None) -> Counts:
        """Replay everything; outputs go to the engine's sink. Raises what the streams raise on bad rows."""
        chunks = self._ticks.chunks(self._ticks_per_chunk)
        for ticks in chunks:
            if self._done == 0:
                self._engine.start(ticks, genesis([int(price) for price in ticks.price[0]]))
                self._skip_early()
            self._run_chunk(ticks)
            progress(self._done, self._engine.n_events)
        self._engine.finish()
        pending = self._write_pending()
        counts = self._engine.counts
        return Counts(
            ticks=self._done,
            orders=self._orders.n_rows if self._orders else 0,
            pending=pending,
            events=counts["events"],
            positions=counts["positions"],
        )

    def _run_chunk(self, ticks: Ticks) -> None:
        first = 0
        last_us = int(ticks.time_us[-1])
        while first < len(ticks.time_us):
            next_due = None
            if self._orders is not None:
                self._held = _join(self._held, self._orders.take_due(last_us, self._orders_per_batch))
                next_due = self._orders.peek_due_us()
            complete = _ticks_before(ticks, next_due)  # an order due later touches none of these
            if complete > first:
                self._run_ticks(Ticks(*(column[first:complete] for column in ticks)))
                first = complete

    def _run_ticks(self, ticks: Ticks) -> None:
        """Run ticks that no further order touches, under the rules of each one's time, with looks in between."""
        while len(ticks.time_us):
            self._change_rules(int(ticks.time_us[0]))
            n = _ticks_before(ticks, self._stages[0].at_us if self._stages else None)
            if self._looks:
                n = min(n, _ticks_before(ticks, self._looks[0]) + 1)
            self._done += n
            piece = Ticks(*(column[:n] for column in ticks))
            used = self._engine.run(piece, self._held, is_last=self._done == self._ticks.span.n_ticks)
            self._held = Orders(*(column[used:] for column in self._held))
            self._look_if_due(int(piece.time_us[-1]))
            self.last_tick = Ticks(*(column[-1:] for column in piece))
            ticks = Ticks(*(column[n:] for column in ticks))

    def _look_if_due(self, time_us: int) -> None:
        """Look once after the tick of this time, however many looks it has made due."""
        if not self._looks or self._looks[0] > time_us:
            return
        while self._looks and self._looks[0] <= time_us:
            self._looks.popleft()
        self._look()

    def _change_rules(self, time_us: int) -> None:
        """Put in force what is due at the tick that comes next."""
        while self._stages and self._stages[0].at_us <= time_us:
            stage = self._stages.popleft()
            found = stage.resolved
            self._engine.apply(
                found.custody_params, found.market_params, found.pool_params, time_us=time_us, number=stage.number
            )

    def _skip_early(self) -> None:
        """Orders of a time before the run's explicit start are rejected, stamped with the first tick."""
        while self._orders is not None and self._skip_before_us is not None:
            batch = self._orders.take_due(self._skip_before_us - 1, self._orders_per_batch)
            if not len(batch.due_us):
                break
            self._engine.write("rejections", _refusals(batch, self._ticks.span.start_us, codes.BEFORE_START, 0))

    def _write_pending(self) -> int:
        """Orders that never came due end as pending, stamped with the last tick."""
        total = 0
        for batch in self._orders.remaining() if self._orders else ():
            self._engine.write("rejections", _refusals(batch, self._ticks.span.end_us, codes.NOT_DUE, 1))
            total += len(batch.due_us)
        return total
