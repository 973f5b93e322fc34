"""Compile every kernel before it is needed: a two-tick run through the production types."""

import time

import numpy as np

from backtest.engine import Engine, make_venue
from backtest.marking import marks
from backtest.orders import empty_orders
from kernels import _jit, loop
from kernels.state import Ticks


def is_cold() -> bool:
    """True when the kernels of this version have neither been compiled on this machine nor in this process yet."""
    return not loop.run_chunk.signatures and not _jit.is_cached("loop.run_chunk")


def warm_up() -> float:
    """Compile what is not in the cache; returns the seconds it took."""
    started = time.perf_counter()
    custodies = [{"decimals": 6, "unit": 1_000_000, "stable": 1, "borrow_max": 1, "minimum_units": 0}]
    markets = [{"max_leverage_bps": 10_000, "max_initial_leverage_bps": 10_000}]
    venue = make_venue(custodies, markets, {"sample_interval_us": 1_000_000})
    engine = Engine(venue, lambda table, records: None, buffer_rows=16, capacity=32)
    times = np.array([1_000_000, 2_000_000], np.int64)
    ticks = Ticks(times, np.full((2, 1), 10_000_000_000, np.int64), np.zeros((2, 1), np.uint8))
    engine.start(ticks, [1_000_000])
    engine.run(ticks, empty_orders(), is_last=True)
    engine.compile_rest()
    marks(engine)
    return time.perf_counter() - started
