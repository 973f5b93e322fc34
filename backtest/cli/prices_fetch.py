"""`perpool prices fetch`: candles of an exchange into a dataset, through ccxt."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from backtest.fetching.result import Fetched


@click.command()
@click.argument("exchange")
@click.argument("symbol")
@click.argument("interval")
@click.argument("start")
@click.argument("end")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the dataset.")
@click.option("--as", "name", metavar="NAME", help="Symbol in the dataset; default: the base currency.")
@click.option("--url", help="Address of a mirror; replaces the exchange's.")
@click.option("--retries", type=WholeNumber(min=0), default=8, show_default=True, help="Tries after one that failed.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def fetch(
    exchange: str,
    symbol: str,
    interval: str,
    start: str,
    end: str,
    out: Path,
    name: str | None,
    url: str | None,
    retries: int,
    as_json: bool,
) -> None:
    """Fetch candles of an exchange into a dataset.

    EXCHANGE and SYMBOL are ccxt's names: binance, SOL/USDT on the spot market, SOL/USDT:USDT for the perpetual.
    INTERVAL is 1m, 5m, 1h ... at most 1d. START and END are UTC; a candle that opens at END is not fetched.

    The same command goes on where it was stopped, and a later END fetches only what is new. A candle that is still
    forming is left for the next time. Gaps of the exchange are reported, not filled.

    Needs ccxt: pip install 'perpool[fetch]'.

    \b
    Example:
      perpool prices fetch binance SOL/USDT 1m 2025-01-01 2025-02-01 --out prices
    """
    from backtest.fetching.fetch import fetch as bring
    from backtest.fetching.market import connect
    from backtest.flows.config import utc_us

    span = utc_us(start), utc_us(end)
    with _progress() as (progress, say):
        market = connect(exchange, symbol, interval, url=url, retries=retries, say=say)
        try:
            result = bring(market, *span, out, name, progress, say)
        finally:
            market.close()
    _print_json(result) if as_json else _print_facts(result, out)


@contextlib.contextmanager
def _progress() -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """A bar on a terminal's stderr, nothing elsewhere; and what prints a line above it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("fetching"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("candles, {task.fields[rate]} per s, left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    bar = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())

    def show(done: int, total: int) -> None:
        if not bar.tasks:
            bar.add_task("fetch", total=total, completed=done, rate="-")
            bar.start()
        speed = bar.tasks[0].speed
        bar.update(bar.tasks[0].id, completed=done, rate="-" if speed is None else f"{speed:,.0f}")

    try:
        yield show, console.print
    finally:
        bar.stop()


def _print_json(result: "Fetched") -> None:
    from dataclasses import asdict

    click.echo(json.dumps(asdict(result), indent=2))


def _print_facts(result: "Fetched", out: Path) -> None:
    for name, value in _facts(result, out):
        click.echo(f"{name:<7}  {value}")


def _facts(result: "Fetched", out: Path) -> list[tuple[str, str]]:
    new = {0: "all there already", result.rows: "all new"}.get(result.new, f"{result.new:,} of them new")
    gaps = "none"
    if result.gaps:
        longest = max(result.gaps, key=lambda gap: gap.candles)
        many = f"{len(result.gaps):,} of the exchange, {result.missing:,} candles"
        gaps = f"{many}; the longest is {longest.candles:,} from {longest.first}"
    first, last = result.first, result.last
    if result.missing_before:
        first += f"; the exchange has nothing before, back to {result.start}"
    if result.missing_after:
        last += f"; the exchange has nothing after, up to {result.end}"
    if result.forming:
        last += "; what opens later is not closed yet"
    return [
        ("symbol", f"{result.symbol}, from {result.source}"),
        ("candles", f"{result.rows:,}, {new}"),
        ("first", first),
        ("last", last),
        ("gaps", gaps),
        ("file", f"{result.file}, {result.total:,} candles"),
        ("next", f"perpool prices check {out}"),
    ]
