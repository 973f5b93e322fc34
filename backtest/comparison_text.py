"""A comparison as text: a table for people, CSV and JSON with every digit and every row for programs."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from backtest import render
from backtest.comparison import Comparison, Figure

MAX_DIFFERENCES = 60  # shown in a table; two venues may differ in hundreds of parameters
_WIDEST = 44  # characters of a value in a table; a list of fee tiers is longer
_SHOWN: dict[str, Callable[[Any], str]] = {
    "USD": lambda value: f"{'-' if value < 0 else ''}${abs(value):,.2f}",
    "USD per LP token": lambda value: f"{'-' if value < 0 else ''}${abs(value):.6f}",
    "share": lambda value: f"{value:.2%}",
    "share per year": lambda value: f"{value:.2%}",
    "bps": lambda value: f"{value:.2f} bps",
    "count": lambda value: f"{value:,}",
}


def table(comparison: Comparison) -> Iterator[str]:
    """What differs, then the figures with the change from the first run, but for those that are 0 in all runs."""
    rows = [(row.path, *(_told(value) for value in row.values)) for row in comparison.differences]
    yield from _grid(("differs", *comparison.runs), rows[:MAX_DIFFERENCES], "left")
    if not rows:
        yield "the configurations are the same"
    if len(rows) > MAX_DIFFERENCES:
        yield f"first {MAX_DIFFERENCES} of {len(rows)} differences; --json and --format csv list them all"
    yield ""
    heads = ["figure", comparison.runs[0]]
    for run in comparison.runs[1:]:
        heads += [run, "change"]
    shown = [figure for figure in comparison.figures if any(figure.values)]
    yield from _grid(tuple(heads), [_row(figure) for figure in shown], "right")


def csv_(comparison: Comparison) -> Iterator[str]:
    """One line per value: section (difference or figure), name, unit, run, value, change from the first run."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("section", "name", "unit", "run", "value", "change"))
    for row in comparison.differences:
        for run, value in zip(comparison.runs, row.values, strict=True):
            writer.writerow(("difference", row.path, "", run, _plain(value), ""))
    for figure in comparison.figures:
        for run, value, change in zip(comparison.runs, figure.values, figure.changes, strict=True):
            writer.writerow(("figure", figure.name, figure.unit, run, _plain(value), _plain(change)))
    yield buffer.getvalue().rstrip("\n")


def json_(comparison: Comparison) -> Iterator[str]:
    """One object: runs, warnings, and differences and figures with the values of each run by its name."""
    runs = comparison.runs
    yield "{"
    yield f'"runs": {render.as_json(runs)},'
    yield f'"warnings": {render.as_json(comparison.warnings)},'
    told = [{"path": row.path, "values": dict(zip(runs, row.values, strict=True))} for row in comparison.differences]
    yield f'"differences": [{_lines(told)}],'
    found = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "meaning": figure.meaning,
            "values": dict(zip(runs, figure.values, strict=True)),
            "changes": dict(zip(runs, figure.changes, strict=True)),
        }
        for figure in comparison.figures
    ]
    yield f'"figures": [{_lines(found)}]'
    yield "}"


FORMATS: dict[str, Callable[[Comparison], Iterator[str]]] = {"table": table, "csv": csv_, "json": json_}


def _lines(objects: list[dict[str, Any]]) -> str:
    return "\n" + ",\n".join(f"  {render.as_json(item)}" for item in objects) + "\n" if objects else ""


def _row(figure: Figure) -> tuple[str, ...]:
    show = _SHOWN[figure.unit]
    cells = [figure.name, "" if figure.values[0] is None else show(figure.values[0])]
    for value, change in zip(figure.values[1:], figure.changes[1:], strict=True):
        signed = "" if change is None else f"{'+' if change > 0 else ''}{show(change)}"
        cells += ["" if value is None else show(value), signed]
    return tuple(cells)


def _grid(heads: tuple[str, ...], rows: list[tuple[str, ...]], justify: Any) -> Iterator[str]:
    """Aligned columns, the first one to the left."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        grid.add_column(Text(head), justify=justify if number else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    console = Console(file=io.StringIO(), width=1_000_000, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(grid)
    yield from (line for line in (line.rstrip() for line in captured.get().splitlines()) if line)


def _plain(value: Any) -> str:
    """Text of a value with all its digits; nothing where there is none."""
    if value is None or isinstance(value, str):
        return value or ""
    return render.as_json(value)


def _told(value: Any) -> str:
    text = "-" if value is None or value == "" else _plain(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
