"""perpool bench: measure this installation against named baselines, parity first."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import ModuleType

NAMES = ("standing_book", "life_cycle", "mark", "prices_import", "flow", "cold_start")


@click.command()
@click.option("--only", "only", multiple=True, type=click.Choice(NAMES), help="Run this one; may be repeated.")
@click.option("--full", is_flag=True, help="Also 10,000,000 standing positions; needs 8 GB of memory.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was measured as JSON.")
def bench(only: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Measure speed and memory: a standing book, a life cycle, the full pass, price import, flow, the cold start.

    Each checks that what it compares gives the same results, then shows ratios to a baseline of the same run. It
    takes four minutes and 3 GB of memory. Real prices are looked for in $PERPOOL_REAL_DATA, else in
    ../shared/data; without them synthetic ones are used, and the result says so.

    \b
    Example:
      perpool bench
      perpool bench --only standing_book --only mark --json
    """
    from backtest.warmup import is_cold, warm_up

    runner = _runner()
    if is_cold():
        _say("compiling kernels, once per version and machine (about half a minute)")
        warm_up()
    found = runner.run(only or NAMES, full=full, say=_say)
    _print_json(found) if as_json else _print_table(found, runner.rows(found))


def _runner() -> "ModuleType":
    """The benchmarks' runner: of the checkout around this file, or the copy inside an installed package."""
    from importlib import import_module

    from backtest.errors import PerpoolError

    checkout = Path(__file__).resolve().parents[2]
    name = "backtest._benchmarks.runner"
    if (checkout / "benchmarks" / "runner.py").is_file():
        sys.path.insert(0, str(checkout))
        name = "benchmarks.runner"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise PerpoolError("this installation has no benchmarks; install perpool again, or use a checkout") from None


def _say(text: str) -> None:
    click.echo(f"{text} ...", err=True)


def _print_json(found: dict[str, Any]) -> None:
    import json

    click.echo(json.dumps(found, indent=2))


def _print_table(found: dict[str, Any], rows: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    machine = found["machine"]
    table = Table(title=f"perpool bench on {machine['cores']} cores of {machine['cpu']}")
    for heading in ("benchmark", "figure"):
        table.add_column(heading)
    for heading in ("measured", "target", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        if row.benchmark:
            table.add_section()
        table.add_row(*row[:4], "" if row.held is None else "held" if row.held else "missed")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for name, result in found.items():
        if "note" in result:
            console.print(f"{name}: {result['note']}.", style="dim")
    if machine["loaded"]:
        console.print(f"Something else was running (load {machine['load_before']}): expect noise.")
