"""`perpool prices derive`: new symbols of a dataset from those it has."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from backtest.cli.prices_import import short

if TYPE_CHECKING:
    from backtest.history.derive import Derived


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("formulas", nargs=-1, required=True, metavar="'NAME = EXPRESSION'...")
@click.option(
    "--untraded",
    type=click.Choice(["skip", "keep"]),
    default="skip",
    show_default=True,
    help="What becomes of candles in which an input has the volume 0, so that its price is an old one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def derive(folder: Path, formulas: tuple[str, ...], untraded: str, as_json: bool) -> None:
    """Write new symbols into a dataset, worked out from the prices of others.

    An expression has symbols, numbers, + - * / and parentheses; a symbol that holds / or - stands in double quotes or
    backticks. The result has a row where all its symbols have one at the same time.

    Open and close follow the expression. So do high and low where one symbol occurs and the expression rises or falls
    all the way between them. Else they are the higher and the lower of open and close, because nobody knows when in the
    candle two extremes were. Volume is not carried over. A result that is derived again is replaced; symbols that were
    imported never are.

    \b
    Example:
      perpool prices derive prices 'USDC/USD = BTCUSD / BTCUSDC'
      perpool prices derive prices 'jitoSOL = SOL * 1.18' 'bSOL = jitoSOL * 0.97'
      perpool prices derive prices 'EURC = "EUR/USD" * 1'
    """
    from backtest.history.derive import derive as work_out

    found = work_out(folder, formulas, keep_untraded=untraded == "keep")
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps([asdict(item) for item in found], indent=2))
    else:
        _print(found, folder)


def _print(found: "list[Derived]", folder: Path) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    lonely = [", ".join(f"{name} {rows:,}" for name, rows in item.lonely.items() if rows) for item in found]
    headings = ["symbol", "expression", "rows", "untraded", "from", "to", *(["no partner"] if any(lonely) else [])]
    table = Table(box=SIMPLE, pad_edge=False)
    for name in headings:
        justify: Literal["left", "right"] = "right" if name in ("rows", "untraded") else "left"
        table.add_column(name, justify=justify, no_wrap=name not in ("expression", "no partner"))
    for item, alone in zip(found, lonely, strict=True):
        span = (short(item.first), short(item.last))
        cells = (item.symbol, item.expression, f"{item.rows:,}", f"{item.untraded:,}", *span, alone or "-")
        table.add_row(*cells[: len(headings)])
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120).print(table)
    if any(item.untraded for item in found):
        click.echo("Untraded: candles without a trade in an input, left out; --untraded keep takes them.")
    if any(lonely):
        click.echo("No partner: rows of an input at times that another input does not have.")
    click.echo(f"\nThe dataset is in {folder}. Next:")
    click.echo(f"  perpool prices check {folder}          gaps, duplicates, stale prices, outliers")
