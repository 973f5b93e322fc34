"""Run the benchmarks in turn and lay out what they found: a JSON object, and rows of a table."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from .timing import Say, machine

NAMES = ("standing_book", "life_cycle", "mark", "prices_import", "flow", "cold_start")


class Row(NamedTuple):
    """One line of the table; `held` is None where there is no target."""

    benchmark: str
    figure: str
    value: str
    target: str
    held: bool | None


def run(names: Sequence[str], *, full: bool, say: Say) -> dict[str, Any]:
    """The named benchmarks, in the order of NAMES, and the machine they ran on."""
    import time

    facts = machine()
    found: dict[str, Any] = {}
    for name in NAMES:
        if name in names:
            started = time.perf_counter()
            found[name] = import_module(f".{name}", __package__).run(full, say)
            found[name]["benchmark_seconds"] = round(time.perf_counter() - started, 1)
    return found | {"machine": facts | {"full": full}}


def rows(found: dict[str, Any]) -> list[Row]:
    """What to show of `run`'s result, with the target where there is one."""
    return [row for name in NAMES if name in found for row in _ROWS[name](found[name])]


def _row(figure: str, value: float, unit: str, least: float | None = None, most: float | None = None) -> Row:
    text = f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    target, held = "", None
    if least is not None:
        target, held = f"at least {least:,g}", value >= least
    elif most is not None:
        target, held = f"at most {most:,g}", value <= most
    return Row("", figure, f"{text} {unit}".rstrip(), target, held)


def _named(name: str, size: str, lines: list[Row]) -> list[Row]:
    return [Row(name, size, "", "", None), *lines]


def _standing_book(found: dict[str, Any]) -> list[Row]:
    scale, falling = found["ten_times"], found["falling_market"]
    sizes = f"{scale['larger']['positions']:,} against {scale['smaller']['positions']:,} positions"
    return _named(
        "standing book",
        f"{found['positions']:,} positions x {found['ticks']:,} ticks, {found['liquidated']:,} liquidated",
        [
            _row("engine", found["seconds"], "s"),
            _row("faster than a Numba scan (1 thread)", found["ratio_to_scan"], "x", least=1_000),
            _row(f"  the same where {falling['liquidated']:,} are liquidated", falling["ratio_to_scan"], "x"),
            _row("faster than NumPy (1 thread)", found["ratio_to_numpy"], "x", least=5_000),
            _row("faster than Polars", found["ratio_to_polars"], "x"),
            _row("faster than DuckDB", found["ratio_to_duckdb"], "x"),
            _row(f"time per event, {sizes}", scale["ratio_of_seconds_per_event"], "x", most=2),
        ],
    )


def _life_cycle(found: dict[str, Any]) -> list[Row]:
    return _named(
        "life cycle",
        f"{found['positions']:,} positions, {found['ticks']:,} ticks, {found['prices']}",
        [
            _row("events settled in the loop", found["events_per_s"] / 1e6, "million/s", least=2),
            _row("whole run to pyarrow's reading and writing", found["ratio_to_io"], "x", most=3),
            _row("whole run", found["run_seconds"], "s"),
            _row("peak memory", found["peak_bytes"] / 1e9, "GB", most=2),
        ],
    )


def _mark(found: dict[str, Any]) -> list[Row]:
    return _named(
        "mark",
        f"{found['positions']:,} positions, {found['bytes_per_position']} bytes each",
        [
            _row("bandwidth to a copy of columns", found["ratio_to_copy"], "x", least=0.6),
            _row("bandwidth to one long copy", found["ratio_to_one_copy"], "x"),
            _row("faster than NumPy", found["ratio_to_numpy"], "x"),
            _row("time", found["nanoseconds_per_position"], "ns per position"),
        ],
    )


def _prices_import(found: dict[str, Any]) -> list[Row]:
    return _named(
        "price import",
        f"{found['rows']:,} candles, {found['bytes_read'] / 1e6:,.0f} MB of CSV",
        [
            _row("import", found["seconds"], "s", most=10),
            _row("speed to Polars reading and writing alone", found["speed_to_polars"], "x", least=0.5),
            _row("peak memory", found["peak_bytes"] / 1e9, "GB", most=1),
        ],
    )


def _flow(found: dict[str, Any]) -> list[Row]:
    return _named(
        "flow",
        f"{found['orders']:,} orders of {found['positions']:,} positions",
        [
            _row("generate and write", found["seconds"], "s", most=20),
            _row("to pyarrow writing alone", found["ratio_to_pyarrow"], "x"),
            _row("peak memory", found["peak_bytes"] / 1e9, "GB", most=4),
        ],
    )


def _cold_start(found: dict[str, Any]) -> list[Row]:
    return _named(
        "cold start",
        "fresh processes",
        [
            _row("compile into an empty cache", found["compile_seconds"], "s", most=25),
            _row("warm run of the sample", found["warm_run_seconds"], "s", most=3),
            _row("perpool --help", found["help_seconds"], "s", most=0.25),
        ],
    )


_ROWS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {
    "standing_book": _standing_book,
    "life_cycle": _life_cycle,
    "mark": _mark,
    "prices_import": _prices_import,
    "flow": _flow,
    "cold_start": _cold_start,
}
