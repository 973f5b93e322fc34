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
        _print_table(("name", "as of", "title", "description"), [tuple(row.values()) for row in rows])


@protocols.command()
@click.argument("name", metavar="NAME|PROTOCOL.toml")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the protocol and its sources as JSON.")
def show(name: str, sets: tuple[str, ...], as_json: bool) -> None:
    """Show the mechanisms and numbers of a protocol, each with its source or the assumption behind it.

    PATH is what the tables show, such as market.SOL.close_bps or custody.*.conf_bps.

    \b
    Example:
      perpool protocols show adrena-alp
      perpool protocols show adrena-alp --set 'market.*.close_bps=20' --json
    """
    from backtest.protocol_view import plain, sections
    from backtest.protocols import load_protocol

    protocol = load_protocol(name, sets)
    if as_json:
        _print_json(plain(protocol))
        return
    for line in (protocol.title, protocol.description, protocol.as_of and f"As of {protocol.as_of}."):
        if line:
            click.echo(line)
    for section in sections(protocol):
        click.echo(f"\n{section.title}")
        _print_table(section.columns, section.rows)


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
