"""A run: scenario in, run directory out. The same verb for Python and the command line."""

import importlib.metadata
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from backtest import __version__
from backtest.columns import Labels
from backtest.engine import Engine, make_venue
from backtest.flow import generate, open_flow_prices, write_orders
from backtest.orders import OrderSource
from backtest.price_files import find_files, iso
from backtest.prices import TickSource, fingerprint, open_prices
from backtest.replay import ORDERS_PER_BATCH, TICKS_PER_CHUNK, Counts, Progress, Replay
from backtest.rundir import RunWriter, check_target, load_manifest
from backtest.setup import Setup, open_setup
from backtest.summary import Summary, summarise

DEFAULT_OUT = "runs"
GENERATED_ORDERS = "orders.parquet"
BUFFER_ROWS = 65_536  # of output records, between two calls of the writer
_VERSIONED = ("numba", "numpy", "polars", "pyarrow", "duckdb")

# Called once with the number of ticks and of orders before the replay starts; gives the progress callback.
Announce = Callable[[int, int], Progress]


@dataclass(frozen=True)
class RunResult:
    """A finished run: its directory, its manifest, and the headline figures."""

    path: Path
    manifest: dict[str, Any]
    summary: Summary


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
        list(setup.prices), setup.sources, path=setup.path, start_us=setup.start_us, end_us=setup.end_us
    )
    labels = Labels(setup.resolved.names.markets, setup.resolved.names.custodies)
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
            ticks_per_chunk=ticks_per_chunk,
            orders_per_batch=orders_per_batch,
        )
        counts = replay.run(setup.genesis_units, progress)
        timings["replay_s"] = time.perf_counter() - replay_started
        totals = _totals(engine, counts)
        writer.finish(_manifest(setup, ticks, orders, totals, timings, writer.directory))
    return RunResult(directory, load_manifest(directory), summarise(directory, totals))


def _open_orders(setup: Setup, directory: Path, rows_per_batch: int) -> OrderSource | None:
    """The order stream: given files, or a generated flow that is kept with the run."""
    paths: list[str | Path] = list(setup.orders)
    if setup.flow is not None:
        prices = open_flow_prices(setup.flow, list(setup.prices), setup.start_us, setup.end_us)
        write_orders(generate(setup.flow, prices), directory / GENERATED_ORDERS)
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


def _inputs(setup: Setup, orders: OrderSource | None, directory: Path) -> list[dict[str, Any]]:
    """Every file read, with role, path, size and hash; a generated order file is named inside the run."""
    found: list[dict[str, Any]] = [
        {"role": "prices", **fingerprint([path])[0], "path": str(path.resolve())}
        for path in find_files(list(setup.prices))
    ]
    for path in orders.files if orders else ():
        name = GENERATED_ORDERS if path.parent == directory else str(path.resolve())
        found.append({"role": "orders", **fingerprint([path])[0], "path": name})
    return found


def _manifest(
    setup: Setup,
    ticks: TickSource,
    orders: OrderSource | None,
    totals: dict[str, int],
    timings: dict[str, float],
    directory: Path,
) -> dict[str, Any]:
    """What was run, on what, by what. Times and versions are here and in no table, so they do not enter the hash."""
    protocol = setup.resolved.protocol
    return {
        "name": setup.scenario.name,
        "protocol": msgspec.to_builtins(protocol),
        "scenario": msgspec.to_builtins(setup.scenario),
        "flow": msgspec.to_builtins(setup.flow) if setup.flow else None,
        "custodies": [
            {
                "symbol": row.symbol,
                "decimals": row.decimals,
                "stable": row.stable,
                "conf_bps": row.conf_bps,
                "price": row.price or row.symbol,
            }
            for row in protocol.custody
        ],
        "markets": [
            {
                "symbol": row.symbol,
                "price": row.price or row.symbol,
                "long_custody": row.long_custody,
                "short_custody": row.short_custody,
            }
            for row in protocol.market
        ],
        "symbols": {source.symbol: source.source for source in setup.sources},
        "span": {"start": iso(ticks.span.start_us), "end": iso(ticks.span.end_us), "ticks": ticks.span.n_ticks},
        "sample_interval_us": setup.sample_interval_us,
        "counts": totals,
        "inputs": _inputs(setup, orders, directory),
        "timings": {name: round(seconds, 3) for name, seconds in timings.items()},
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {"perpool": __version__, "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in _VERSIONED}
