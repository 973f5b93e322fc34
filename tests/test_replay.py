"""Where the replay cuts its ticks: at orders still to come and at rules that change, whatever the chunk size."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from backtest.replay import Replay
from kernels.state import Orders, Ticks

S = 1_000_000
TIMES = [second * S for second in (10, 20, 30, 40, 50, 60)]


class FakeEngine:
    """Notes what it is told; takes every order that is due."""

    def __init__(self):
        self.calls, self.n_events, self.counts = [], 0, {"events": 0, "positions": 0}

    def start(self, ticks, genesis):
        self.calls.append(("start", genesis))

    def apply(self, custody, market, pool, *, time_us, number):
        self.calls.append(("apply", number, time_us // S, custody, market, pool))

    def run(self, ticks, orders, *, is_last):
        due = int(np.searchsorted(orders.due_us, ticks.time_us[-1], side="right"))
        taken = orders.order_id[:due].tolist()
        self.calls += [("tick", int(time) // S) for time in ticks.time_us]
        self.calls += [("order", number) for number in taken]
        if is_last:
            self.calls.append(("last",))
        return due

    def finish(self):
        self.calls.append(("finish",))


class FakeTicks:
    span = SimpleNamespace(start_us=TIMES[0], end_us=TIMES[-1], n_ticks=len(TIMES))

    def chunks(self, size):
        for at in range(0, len(TIMES), size):
            times = np.array(TIMES[at : at + size])
            yield Ticks(times, np.ones((len(times), 1), np.int64), np.zeros((len(times), 1), np.uint8))


class FakeOrders:
    """Orders due at the given seconds, their number as id."""

    def __init__(self, seconds):
        self.due, self.at, self.n_rows = [second * S for second in seconds], 0, len(seconds)

    def take_due(self, until_us, limit):
        stop = self.at
        while stop < len(self.due) and self.due[stop] <= until_us and stop - self.at < limit:
            stop += 1
        columns = {name: np.full(stop - self.at, -1) for name in Orders._fields}
        columns |= {"due_us": np.array(self.due[self.at : stop], int), "order_id": np.arange(self.at, stop)}
        self.at = stop
        return Orders(**columns)

    def peek_due_us(self):
        return self.due[self.at] if self.at < len(self.due) else None

    def remaining(self):
        return ()


@dataclass(frozen=True)
class FakeStage:
    at_us: int
    number: int

    @property
    def resolved(self):
        return SimpleNamespace(custody_params=["c"], market_params=["m"], pool_params={"p": self.number})


def replayed(stages, seconds=(), size=10, batch=10):
    engine = FakeEngine()
    orders = FakeOrders(seconds) if seconds else None
    replay = Replay(engine, FakeTicks(), orders, stages=stages, ticks_per_chunk=size, orders_per_batch=batch)
    replay.run(lambda prices: list(prices))
    return engine.calls


def words(calls):
    return [" ".join(str(item) for item in call[:2]) for call in calls]


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_rules_change_before_the_first_tick_at_or_after_their_date(size):
    stages = [FakeStage(30 * S, 1), FakeStage(50 * S + 1, 2)]
    assert words(replayed(stages, size=size)) == [
        "start [1]",
        *("tick 10", "tick 20", "apply 1", "tick 30", "tick 40", "tick 50", "apply 2", "tick 60"),
        *("last", "finish"),
    ]


def test_changes_between_two_ticks_come_into_force_one_after_the_other_in_order_of_date():
    stages = [FakeStage(25 * S, 2), FakeStage(21 * S, 1), FakeStage(30 * S, 3), FakeStage(61 * S, 4)]
    calls = replayed(stages)
    assert words(calls)[:7] == ["start [1]", "tick 10", "tick 20", "apply 1", "apply 2", "apply 3", "tick 30"]
    assert ("apply", 3, 30, ["c"], ["m"], {"p": 3}) in calls
    assert "apply 4" not in words(calls)  # after the last tick


@pytest.mark.parametrize("size", [1, 3, 6])
@pytest.mark.parametrize("batch", [1, 2, 10])
def test_orders_settle_under_the_rules_of_their_tick(size, batch):
    calls = words(replayed([FakeStage(35 * S, 1)], seconds=(10, 30, 31, 35, 40, 55), size=size, batch=batch))
    rules = calls.index("apply 1")
    assert [call for call in calls if call.startswith("order")] == [f"order {number}" for number in range(6)]
    assert all(calls.index(f"order {number}") < rules for number in (0, 1))
    assert all(calls.index(f"order {number}") > rules for number in (2, 3, 4, 5))
    assert [call for call in calls if call.startswith("tick")] == [f"tick {time // S}" for time in TIMES]
    assert calls.count("last") == 1


def test_a_history_without_changes_is_not_cut():
    engine = FakeEngine()
    seen = []
    run = engine.run
    engine.run = lambda ticks, orders, **options: (seen.append(len(ticks.time_us)), run(ticks, orders, **options))[1]
    Replay(engine, FakeTicks(), None).run(lambda prices: [])
    assert seen == [len(TIMES)]
