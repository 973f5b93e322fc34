"""perpool run: replay a scenario and print what an LP wants to know first."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from backtest.results import RunResult
    from backtest.runner import Announce

_SCENARIO_OPTIONS: list[Callable[[Any], Any]] = [
    click.option("--prices", multiple=True, help="Price file, folder or glob; may be repeated."),
    click.option("--orders", multiple=True, help="Order file, folder or glob; may be repeated."),
    click.option("--flow", multiple=True, help="Generate orders instead: a flow TOML or a shipped name; repeatable."),
    click.option("--positions", type=WholeNumber(min=0), metavar="N", help="Number of positions of the flow."),
    click.option("--seed", type=WholeNumber(min=0), metavar="N", help="Seed of the flow."),
    click.option("--market", "markets", multiple=True, help="Trade this market only; may be repeated."),
    click.option("--rules-at", metavar="DATE", help="Hold the venue's rules of this date for the whole run, UTC."),
    click.option("--start", help="First moment, UTC."),
    click.option("--end", help="End, UTC, exclusive."),
    click.option("--path", type=click.Choice(["close", "ohlc"]), help="How candles become ticks."),
    click.option("--max-staleness", help='Oldest price that still trades, such as "15m".'),
    click.option("--execution-delay", help='From an order\'s time to its earliest tick, such as "2s".'),
    click.option("--sample-interval", help='Spacing of pool samples, such as "1h".'),
    click.option(
        "--snapshot", metavar="EVERY | TIME", multiple=True, help='Write the whole book every "1d", or at these times.'
    ),
]


def scenario_options(command: Any) -> Any:
    """Add the options that replace keys of the scenario."""
    for option in reversed(_SCENARIO_OPTIONS):
        command = option(command)
    return command


@click.command(name="run")
@click.argument("target", metavar="[SCENARIO.toml | protocol]", required=False)
@scenario_options
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a protocol value; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path), help="Run directory to write; default runs/<scenario>.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is already there.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    target: str | None, sets: tuple[str, ...], out: Path | None, overwrite: bool, as_json: bool, **given: Any
) -> None:
    """Replay a protocol over price history with an order flow; without arguments Adrena's ALP on the bundled sample.

    \b
    Example:
      perpool run
      perpool run adrena-alp --prices prices/ --orders orders.parquet --start 2024-08-01 --out runs/august
      perpool run --set market.SOL.close_bps=20 --out runs/cheaper
    """
    from backtest.runner import run as replay

    if len(given["snapshot"]) == 1 and "-" not in given["snapshot"][0]:
        given["snapshot"] = given["snapshot"][0]  # a duration, and no date
    options = {name: value for name, value in given.items() if value not in (None, ())}
    with progress() as announce:
        result = replay(target, out=out, sets=sets, overwrite=overwrite, announce=announce, **options)
    _print_json(result) if as_json else _print_table(result)


@contextlib.contextmanager
def progress() -> Iterator["Announce"]:
    """A bar with ticks, events and time left on a terminal's stderr; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("ticks, {task.fields[events]:,} events, left"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())

    def announce(ticks: int, orders: int) -> Callable[[int, int], None]:
        _compile()
        bar.start()
        task = bar.add_task("replay", total=ticks, events=0)
        return lambda done, events: bar.update(task, completed=done, events=events)

    try:
        yield announce
    finally:
        bar.stop()


def _compile() -> None:
    """Compile the kernels where that has not been done, after all inputs but the orders' rows have been checked."""
    from backtest.warmup import is_cold, warm_up

    if is_cold():
        click.echo("compiling kernels, once per version and machine (about half a minute) ...", err=True)
        warm_up()


def _print_json(result: "RunResult") -> None:
    import json
    from dataclasses import asdict

    found = {"run": str(result.path), "result_hash": result.manifest["result_hash"], "summary": asdict(result.summary)}
    click.echo(json.dumps(found, indent=2))


def _print_table(result: "RunResult") -> None:
    from rich.console import Console
    from rich.table import Table

    from backtest.summary import lines

    manifest = result.manifest
    title = manifest["protocol"]["title"] or manifest["protocol"]["name"]
    table = Table(
        title=f"{title}, {manifest['span']['start'][:10]} to {manifest['span']['end'][:10]}", show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for name, value, note in lines(result.summary, manifest):
        table.add_row(name, value, note)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(table)
    path = result.path
    click.echo(f"\nThe run is in {path}. Next:")
    click.echo(f"  perpool sql {path} \"FROM attribution('1 month')\"      where the LP return came from")
    click.echo(f'  perpool sql {path} "FROM overview"                    every day: TVL, volume, open interest, fees')
    click.echo(f"  perpool sql {path} \"FROM liquidations_by('1 day')\"    who was liquidated when")
    if manifest.get("snapshots"):
        click.echo(f"  perpool book {path} --map                             what a move of the price would liquidate")
    click.echo(f"  perpool audit {path}                                  prove that the books balance")
