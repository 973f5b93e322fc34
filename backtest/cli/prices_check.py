"""perpool prices check: a data-quality report over any price dataset, and the repairs that it names."""

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from backtest.quality.limits import Verdict
    from backtest.quality.repair import Repaired
    from backtest.quality.report import Report


@click.command()
@click.argument("prices", nargs=-1, required=True, metavar="PRICES...")
@click.option(
    "--hours",
    multiple=True,
    metavar="[SYMBOL=]PROTOCOL",
    help="Market hours of a symbol (PROTOCOL:CALENDAR where there are several), or of all prices of a protocol's "
    "markets; may be repeated.",
)
@click.option("--max-missing", default="1%", show_default=True, help="Most rows missing in open hours.")
@click.option("--max-stale", default="5%", show_default=True, help="Most rows in runs that do not move.")
@click.option("--max-outliers", default="0.01%", show_default=True, help="Most rows that jump and come back.")
@click.option(
    "--stale-run", type=WholeNumber(min=1), default=60, show_default=True, metavar="N", help="Rows that make a run."
)
@click.option(
    "--outlier",
    "sigmas",
    type=click.FloatRange(min=0, min_open=True),
    default=12,
    show_default=True,
    metavar="K",
    help="Robust standard deviations, and 2 % at least, that make an outlier.",
)
@click.option("--repair", "repairs", metavar="NAMES", help="Repairs to make, such as drop-zero,sort; needs --out.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the repaired dataset; may be the same.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def check(
    ctx: click.Context,
    prices: tuple[str, ...],
    hours: tuple[str, ...],
    max_missing: str,
    max_stale: str,
    max_outliers: str,
    stale_run: int,
    sigmas: float,
    repairs: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Report on price files: gaps, faults that a run refuses, prices that stand still or jump; exit 1 beyond a limit.

    PRICES are Parquet files, folders or globs, as `perpool run --prices` takes them. Time in closed hours is no gap.

    \b
    Repairs, which drop or move rows and never change a price:
      drop-zero        rows whose price, or every price of the candle, is 0
      drop-incomplete  rows in which the time, a price or a quote is missing
      keep-last        of rows with the same time all but the last in the file
      sort             by time

    \b
    Example:
      perpool prices check prices
      perpool prices check metals --hours adrena-rwalp --max-missing 0.1%
      perpool prices check prices --repair drop-zero,sort --out repaired
    """
    from backtest.quality.check import check as report_on
    from backtest.quality.hours import read_hours
    from backtest.quality.limits import Limits, Rules, share, verdicts
    from backtest.quality.repair import names_of, repair
    from backtest.quality.rows import survey

    if (repairs is None) != (out is None):
        raise click.UsageError("--repair and --out go together")
    limits = Limits(share(max_missing), share(max_stale), share(max_outliers))
    rules = Rules(stale_run, sigmas)
    found = survey(prices)
    calendars = read_hours(hours, found.symbols)
    done: list[Repaired] = []
    with _progress(len(found.symbols)) as step:
        if repairs is not None and out is not None:
            done = repair(found, names_of(repairs), out)
            found = survey([one.file for one in done])
        report = report_on(found, calendars, rules, done=step)
    judged = verdicts(report, limits, rules)
    _print_json(report, judged, done) if as_json else _print(report, judged, done)
    if not all(one.passed for one in judged):
        ctx.exit(1)


@contextlib.contextmanager
def _progress(symbols: int) -> Iterator[Callable[[str], object]]:
    """A bar over the symbols on a terminal's stderr; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TextColumn("symbols"))
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("check", total=symbols)
        yield lambda symbol: bar.advance(task)


def _print_json(report: "Report", verdicts: "list[Verdict]", done: "list[Repaired]") -> None:
    from dataclasses import asdict

    found = asdict(report) | {
        "verdicts": [asdict(one) for one in verdicts],
        "passed": all(one.passed for one in verdicts),
    }
    if done:
        found = {"repaired": [asdict(one) | {"file": str(one.file)} for one in done]} | found
    click.echo(json.dumps(found, indent=2))


def _print(report: "Report", verdicts: "list[Verdict]", done: "list[Repaired]") -> None:
    from rich.console import Console

    from backtest.quality import text as text

    console = Console(highlight=False, width=max(shutil.get_terminal_size().columns, 110))  # rather wrapped than cut
    if done:
        for line in text.repaired(done):
            click.echo(line)
        click.echo()
    console.print(text.overview(report, verdicts))
    for line in text.details(report):
        click.echo(line)
    click.echo()
    for line in text.conclusion(verdicts):
        click.echo(line)
