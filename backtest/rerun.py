"""A run once more, in memory: its manifest says all that went in, so its state at any tick can be had back.

The files must be those that the run read, by their SHA-256; where they lie now may be told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from backtest.columns import Labels, to_records
from backtest.config import Protocol
from backtest.engine import Engine, Sink, make_venue
from backtest.errors import PerpoolError, UsageError
from backtest.flows.config import utc_us
from backtest.orders import OrderSource, order_files
from backtest.price_files import find_files, fingerprint, iso
from backtest.prices import open_prices
from backtest.replay import ORDERS_PER_BATCH, Progress, Replay
from backtest.rundir import load_manifest
from backtest.scenario import Scenario
from backtest.setup import Setup, recorded_setup
from backtest.stages import stages
from kernels import state
from kernels.state import Ticks

_SAMPLES = ("pool", "markets", "lp")
Records = dict[str, np.ndarray]


@dataclass(frozen=True)
class Moment:
    """The state of a run after one of its ticks.

    engine: as the run's own was; fork it before running on
    tick: that tick alone; samples: pool, markets and lp records of kernels.state as of it
    """

    setup: Setup
    labels: Labels
    engine: Engine
    tick: Ticks
    samples: Records

    @property
    def at_us(self) -> int:
        """Time of the tick, µs UTC."""
        return int(self.tick.time_us[0])


class Kept:
    """A sink that keeps the last samples, and the events if asked for."""

    def __init__(self, *, events: bool = False) -> None:
        self.samples: Records = {}
        self._events: list[np.ndarray] = []
        self._wants_events = events

    def __call__(self, table: str, records: np.ndarray) -> None:
        if table in _SAMPLES:
            self.samples[table] = records[records["timestamp"] == records["timestamp"][-1]].copy()
        elif table == "events" and self._wants_events:
            self._events.append(records.copy())

    @property
    def events(self) -> np.ndarray:
        """All events so far."""
        return np.concatenate([np.empty(0, state.EVENT), *self._events])


def rerun(
    run: str | Path,
    at: str | None = None,
    *,
    prices: Sequence[str | Path] = (),
    orders: Sequence[str | Path] = (),
    announce: Callable[[int, int], Progress] = lambda ticks, orders: lambda done, events: None,
) -> Moment:
    """Replay a run up to its last tick at or before `at` (UTC; None: its last tick), writing nothing.

    prices, orders: where the files of the run lie now; empty: where they lay
    announce: as of `backtest.runner.run`

    Raises PerpoolError where a file is gone or has changed, UsageError for a time outside of the run.
    """
    path = Path(run)
    manifest = load_manifest(path)
    span = manifest["span"]
    at_us = _moment(path, span, at)
    found = _recorded(path, manifest, prices, orders)
    ticks = open_prices(
        list(found.prices),
        found.sources,
        path=found.path,
        start_us=found.start_us,
        end_us=at_us + 1,
        quotes=found.quotes,
    )
    rules = stages(
        found.resolved.protocol, ticks.span.start_us, ticks.span.end_us, sample_interval_us=found.sample_interval_us
    )
    found = replace(found, resolved=rules[0].resolved)
    source = _order_source(found)
    kept = Kept()
    engine = _engine(found, kept)
    replay = Replay(
        engine,
        ticks,
        source,
        skip_before_us=None if found.start_us is None else found.start_us + found.execution_delay_us,
        stages=rules[1:],
    )
    labels = Labels(found.resolved.names.markets, found.resolved.names.custodies)
    genesis = _genesis_units(path, labels.custodies)
    replay.run(lambda prices: genesis, announce(ticks.span.n_ticks, source.n_rows if source else 0))
    assert replay.last_tick is not None
    _check_same(path, manifest, labels, kept.samples["lp"])
    return Moment(found, labels, engine, replay.last_tick, kept.samples)


def _moment(path: Path, span: dict[str, Any], at: str | None) -> int:
    first_us, last_us = utc_us(span["start"]), utc_us(span["end"])
    at_us = utc_us(at) if at else last_us
    if not first_us <= at_us <= last_us:
        raise UsageError(
            f"{path}: {at} is not in the run, which reaches from {iso(first_us)} to {iso(last_us)}; give a time in it"
        )
    return at_us


def _engine(setup: Setup, sink: Sink) -> Engine:
    resolved = setup.resolved
    return Engine(make_venue(resolved.custody_params, resolved.market_params, resolved.pool_params), sink)


def _order_source(setup: Setup) -> OrderSource | None:
    if not setup.orders:
        return None
    names, delay_us = setup.resolved.names, setup.execution_delay_us
    return OrderSource(list(setup.orders), names, execution_delay_us=delay_us, rows_per_batch=ORDERS_PER_BATCH)


def _check_same(run: Path, manifest: dict[str, Any], labels: Labels, found: np.ndarray) -> None:
    """Refuse a state that is not the run's, where the run has a sample of that tick."""
    rows = pq.read_table(run / "lp.parquet")
    records = to_records("lp", rows, labels).view(found.dtype)[:, 0]
    there = records[records["timestamp"] == found["timestamp"][0]]
    if len(there) and not np.array_equal(there, found):
        made_by = manifest.get("versions", {}).get("perpool", "unknown")
        raise PerpoolError(
            f"{run}: replayed, the LP price at {iso(int(found['timestamp'][0]))} is {found['lp_price'][0] / 1e10:.10f} "
            f"dollars and not {there['lp_price'][0] / 1e10:.10f}: the run was made by another version of perpool "
            f"({made_by}); run the backtest again"
        )


def _genesis_units(run: Path, custodies: Sequence[str]) -> list[int]:
    """Token units of the opening deposits per custody: the first events of the run."""
    with pq.ParquetFile(run / "events.parquet") as file:
        names = ["kind", "custody", "trader_in_units"]
        rows = next(file.iter_batches(max(len(custodies), 1), columns=names), None)
    units = dict.fromkeys(custodies, 0)
    for row in rows.to_pylist() if rows is not None else ():
        if row["kind"] == "genesis":
            units[row["custody"]] += row["trader_in_units"]
    return list(units.values())


# --- what a manifest says ---------------------------------------------------------------------------------------------


def _recorded(
    path: Path, manifest: dict[str, Any], prices: Sequence[str | Path], orders: Sequence[str | Path]
) -> Setup:
    try:
        scenario = msgspec.convert(manifest["scenario"], Scenario)
        protocol = msgspec.convert(manifest["protocol"], Protocol)
    except (KeyError, msgspec.ValidationError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else f"lacks {error}"
        raise PerpoolError(f"{path}: the manifest cannot be replayed ({reason}); run the backtest again") from error
    return recorded_setup(
        scenario,
        protocol,
        _files(path, manifest, "prices", [file for entry in prices for file in find_files(entry)]),
        _files(path, manifest, "orders", [file for entry in orders for file in order_files(entry)]),
        str(path),
    )


def _files(run: Path, manifest: dict[str, Any], role: str, given: Sequence[Path]) -> list[str]:
    """The files of one role in the order of the manifest, each proved to be the one that the run read."""
    entries = [entry for entry in manifest["inputs"] if entry["role"] == role]
    there = {str(fingerprint([file])[0]["sha256"]): file for file in given}
    found = []
    for entry in entries:
        path = Path(entry["path"])
        path = path if path.is_absolute() else run / path
        if given:
            if entry["sha256"] not in there:
                raise PerpoolError(
                    f"{run}: none of the files of --{role} is the {path.name} that the run read (SHA-256 "
                    f"{entry['sha256'][:12]}); give the same file"
                )
            path = there[entry["sha256"]]
        elif not path.is_file():
            raise PerpoolError(f"{path}: the {role} of {run} are gone; say where they are now with --{role}")
        elif fingerprint([path])[0]["sha256"] != entry["sha256"]:
            raise PerpoolError(
                f"{path}: has changed since {run} read it (SHA-256 was {entry['sha256'][:12]}); give the {role} as "
                f"they were with --{role}, or run the backtest again"
            )
        found.append(str(path))
    return found
