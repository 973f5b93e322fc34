"""A run: scenario in, run directory out. The same verb for Python and the command line."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backtest.columns import Labels
from backtest.engine import Engine, make_venue
from backtest.flows.generate import generate, open_flow_prices, write_orders
from backtest.manifest import GENERATED_ORDERS, describe
from backtest.marking import marks
from backtest.orders import OrderSource
from backtest.prices import open_prices
from backtest.replay import ORDERS_PER_BATCH, TICKS_PER_CHUNK, Counts, Progress, Replay
from backtest.results import RunResult, load
from backtest.rundir import RunWriter, check_target
from backtest.setup import Setup, open_setup
from backtest.snapshots import moments
from backtest.stages import stages

DEFAULT_OUT = "runs"
BUFFER_ROWS = 65_536  # of output records, between two calls of the writer

# Called once with the number of ticks and of orders before the replay starts; gives the progress callback.
Announce = Callable[[int, int], Progress]


def _quiet(ticks: int, orders: int) -> Progress:
    return lambda done, events: None


def run(
    target: str | Path | None = None,
    *,
    out: str | Path | None = None,
    sets: Sequence[str] = (),
    overwrite: bool = False,
    scan: bool = False,
    ticks_per_chunk: int = TICKS_PER_CHUNK,
    orders_per_batch: int = ORDERS_PER_BATCH,
    buffer_rows: int = BUFFER_ROWS,
    announce: Announce = _quiet,
    **given: Any,
) -> RunResult:
    """Run a scenario (or a protocol on the sample scenario) and write `out`, by default runs/<scenario name>.

    `sets`: protocol overrides such as "market.SOL.close_bps=20". `given`: keys of the scenario that replace the
    file's (prices, orders, flow, positions, seed, start, end, path, ...). `scan`: search triggers by brute force.
    `ticks_per_chunk`, `orders_per_batch`, `buffer_rows` trade memory for speed and change no result.
    `announce`: see `Announce`. Raises PerpoolError and UsageError; whatever happens, `out` is whole or untouched.
    """
    setup = open_setup(target, sets, **given)
    directory = Path(out) if out is not None else Path(DEFAULT_OUT) / setup.scenario.name
    check_target(directory, overwrite)
    started = time.perf_counter()
    ticks = open_prices(
        list(setup.prices),
        setup.sources,
        path=setup.path,
        start_us=setup.start_us,
        end_us=setup.end_us,
        quotes=setup.quotes,
    )
    rules = stages(
        setup.resolved.protocol,
        ticks.span.start_us,
        ticks.span.end_us,
        sample_interval_us=setup.sample_interval_us,
    )
    setup = replace(setup, resolved=rules[0].resolved)  # what is in force when the run begins
    labels = Labels(setup.resolved.names.markets, setup.resolved.names.custodies)
    looks = moments(setup.scenario.snapshot, ticks.span.start_us, ticks.span.end_us)
    with RunWriter(directory, labels, overwrite=overwrite) as writer:
        orders = _open_orders(setup, writer.directory, orders_per_batch)
        timings = {"prepare_s": time.perf_counter() - started}
        engine = _make_engine(setup, writer, scan, buffer_rows)
        progress = announce(ticks.span.n_ticks, orders.n_rows if orders else 0)
        replay_started = time.perf_counter()
        first_due_us = None if setup.start_us is None else setup.start_us + setup.execution_delay_us
        replay = Replay(
            engine,
            ticks,
            orders,
            skip_before_us=first_due_us,
            stages=rules[1:],
            looks=looks,
            look=lambda: writer.append_book(int(engine.venue.pool["now_us"][0]), marks(engine)),
            ticks_per_chunk=ticks_per_chunk,
            orders_per_batch=orders_per_batch,
        )
        counts = replay.run(setup.genesis_units, progress)
        timings["replay_s"] = time.perf_counter() - replay_started
        totals = _totals(engine, counts)
        writer.finish(describe(setup, rules, ticks, orders, totals, timings, writer.directory))
    return load(directory)


def _open_orders(setup: Setup, directory: Path, rows_per_batch: int) -> OrderSource | None:
    """The order stream: given files, or a generated flow that is kept with the run."""
    paths: list[str | Path] = list(setup.orders)
    if setup.flows:
        prices = open_flow_prices(setup.flows, setup.prices, setup.start_us, setup.end_us, setup.path)
        write_orders(generate(setup.flows, prices), directory / GENERATED_ORDERS)
        paths = [directory / GENERATED_ORDERS]
    if not paths:
        return None
    delay_us = setup.execution_delay_us
    return OrderSource(paths, setup.resolved.names, execution_delay_us=delay_us, rows_per_batch=rows_per_batch)


def _make_engine(setup: Setup, writer: RunWriter, scan: bool, buffer_rows: int) -> Engine:
    resolved = setup.resolved
    venue = make_venue(resolved.custody_params, resolved.market_params, resolved.pool_params)
    return Engine(venue, writer.append, scan=scan, buffer_rows=buffer_rows)


def _totals(engine: Engine, counts: Counts) -> dict[str, int]:
    pool = engine.venue.pool[0]
    names = ("n_open", "n_closed", "n_liquidated", "volume_usd")
    limits_left = engine.n_pending_limits
    return {name: int(pool[name]) for name in names} | {
        "ticks": counts.ticks,
        "orders_total": counts.orders,
        "events": counts.events,
        "positions": counts.positions,
        "pending": counts.pending + limits_left,
        "rejected": engine.counts["rejections"] - counts.pending - limits_left,
    }
