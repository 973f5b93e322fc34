"""`perpool protocols`: what is shipped, and every number of one protocol with its source."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group()
def protocols() -> None:
    """Protocols: list the shipped ones, show mechanisms, numbers and sources of one."""


@protocols.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_(as_json: bool) -> None:
    """List the shipped protocols.

    \b
    Example:
      perpool protocols list
    """
    from backtest.protocol_view import overview

    rows = overview()
    if as_json:
        _print_json(rows)
    else:
        _print_table(("name", "as of", "changes", "title", "description"), [tuple(row.values()) for row in rows])


@protocols.command()
@click.argument("name", metavar="NAME|PROTOCOL.toml")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value; may be repeated.")
@click.option("--at", metavar="DATE", help="The rules in force at a date, with no change to come.")
@click.option("--json", "as_json", is_flag=True, help="Print the protocol and its sources as JSON.")
def show(name: str, sets: tuple[str, ...], at: str | None, as_json: bool) -> None:
    """Show the mechanisms and numbers of a protocol, each with its source or the assumption behind it.

    PATH is what the tables show, such as market.SOL.close_bps or custody.*.conf_bps. An override holds throughout: it
    wins over the dated changes of its value.

    \b
    Example:
      perpool protocols show adrena-alp
      perpool protocols show adrena-alp --set 'market.*.close_bps=20' --json
      perpool protocols show adrena-alp-2024 --at 2024-12-31
    """
    from backtest.protocol_view import plain, sections
    from backtest.protocols import load_protocol, pin

    protocol = load_protocol(name, sets)
    if at is not None:
        protocol = pin(protocol, at)
    if as_json:
        _print_json(plain(protocol))
        return
    for line in (protocol.title, protocol.description, protocol.as_of and f"As of {protocol.as_of}."):
        if line:
            click.echo(line)
    for section in sections(protocol):
        click.echo(f"\n{section.title}")
        _print_table(section.columns, section.rows)


@protocols.command()
@click.argument("family", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the catalogue as JSON.")
def mechanisms(family: str | None, as_json: bool) -> None:
    """Print the catalogue: every variant of each mechanism, its rule, its rounding, its source and what it reads.

    FAMILY is a key of [mechanisms] in a protocol file, such as borrow or valuation.

    \b
    Example:
      perpool protocols mechanisms
      perpool protocols mechanisms liquidation --json
    """
    from backtest.protocol_view import catalogue

    found = catalogue(family)
    if as_json:
        _print_json(found)
        return
    for number, entry in enumerate(found):
        click.echo(f"{'' if number == 0 else chr(10)}{entry['family']}: {entry['question']}\nUnit: {entry['unit']}")
        rows = [
            (name, item["equation"], item["rounding"], item["source"], ", ".join((*item["needs"], *item["reads"])))
            for name, item in entry["variants"].items()
        ]
        _print_table(("variant", "rule", "rounding", "source", "reads"), rows)


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2))


def _print_table(columns: "Sequence[str]", rows: "Sequence[tuple[str, ...]]") -> None:
    """A table as wide as the terminal; without one, wide enough to keep each row on few lines."""
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        grid.add_column(Text(column), overflow="fold", no_wrap=column in ("parameter", "mechanism", "name", "as of"))
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160, legacy_windows=False)
    with console.capture() as captured:
        console.print(grid)
    lines = (line.rstrip() for line in captured.get().splitlines())
    click.echo("\n".join(line for line in lines if line))
