"""What a manifest says: what was run, on what, by what, and under which rules when."""

import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from backtest import __version__
from backtest.changes import moment_us
from backtest.config import Protocol
from backtest.orders import OrderSource
from backtest.price_files import find_files, iso
from backtest.prices import TickSource, fingerprint
from backtest.setup import Setup
from backtest.stages import Stage

GENERATED_ORDERS = "orders.parquet"
_VERSIONED = ("numba", "numpy", "polars", "pyarrow", "duckdb")


def describe(
    setup: Setup,
    rules: Sequence[Stage],
    ticks: TickSource,
    orders: OrderSource | None,
    totals: dict[str, int],
    timings: dict[str, float],
    directory: Path,
) -> dict[str, Any]:
    """The manifest but for the tables. Times and versions are here and in no table, so they do not enter the hash."""
    protocol = setup.resolved.protocol
    return {
        "name": setup.scenario.name,
        "protocol": msgspec.to_builtins(protocol),
        "changes": _changes(rules),
        "scenario": msgspec.to_builtins(setup.scenario),
        "flow": [msgspec.to_builtins(flow) for flow in setup.flows] or None,
        "custodies": [
            {
                "symbol": row.symbol,
                "decimals": row.decimals,
                "stable": row.stable,
                "conf_bps": row.conf_bps,
                "peg": row.peg,
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
        "symbols": {source.symbol: source.source for source in setup.sources if source.part == "price"},
        "span": {"start": iso(ticks.span.start_us), "end": iso(ticks.span.end_us), "ticks": ticks.span.n_ticks},
        "sample_interval_us": setup.sample_interval_us,
        "counts": totals,
        "inputs": _inputs(setup, orders, directory),
        "timings": {name: round(seconds, 3) for name, seconds in timings.items()},
        "versions": _versions(),
    }


def _changes(rules: Sequence[Stage]) -> list[dict[str, Any]]:
    """Every change of rules within the run, by number from 1: when, which values, who says so, and the rules then."""
    begun = rules[0].resolved.protocol
    return [
        {
            "number": stage.number,
            "time": iso(stage.at_us),
            "values": [edit._asdict() | _stated(begun, stage.at_us, edit.path) for edit in stage.changes],
            "protocol": msgspec.to_builtins(stage.resolved.protocol),
        }
        for stage in rules[1:]
    ]


def _stated(protocol: Protocol, at_us: int, path: str) -> dict[str, str]:
    """Source or assumption of a value that changes at a time: of several changes then, the last one's."""
    said = [change for change in protocol.change if moment_us(change.date) == at_us and path in change.set]
    return {"source": said[-1].source, "assumption": said[-1].assumption}


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


def _versions() -> dict[str, str]:
    found = {"perpool": __version__, "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in _VERSIONED}
