"""`perpool flow`: make a synthetic order file, look at one, and print the schema that every order file follows."""

from typing import TYPE_CHECKING

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from backtest.flow_summary import FlowSummary


@click.group()
def flow() -> None:
    """Order flows: generate a synthetic one, describe a file, print the schema."""


@flow.command()
@click.argument("config", metavar="[FLOW.toml]", required=False, type=click.Path(dir_okay=False))
@click.option("--prices", multiple=True, required=True, help="Price file, folder or glob; may be repeated.")
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="Order file to write (Parquet).")
@click.option("--positions", type=WholeNumber(min=0), metavar="N", help="Number of positions; replaces the file's.")
@click.option("--seed", type=WholeNumber(min=0), metavar="N", help="Seed of all random draws; replaces the file's.")
@click.option("--start", help="First moment, UTC; default: where the prices begin.")
@click.option("--end", help="End, UTC, exclusive; default: where the prices end.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def generate(
    config: str | None,
    prices: tuple[str, ...],
    out: str,
    positions: int | None,
    seed: int | None,
    start: str | None,
    end: str | None,
    as_json: bool,
) -> None:
    """Write a synthetic order file: the same seed and prices give the same orders.

    Without FLOW.toml the flow is that of configs/flows/uniform.toml. Triggers are placed from prices at or before
    the arrival of a position; nothing else looks at prices.

    \b
    Example:
      perpool flow generate --prices data/sample/prices.parquet --out orders.parquet --seed 7
    """
    from backtest.flow import generate as make
    from backtest.flow import open_flow_prices, write_orders
    from backtest.flow_config import load_flow, utc_us
    from backtest.flow_summary import describe as summarise

    wanted = load_flow(config, positions=positions, seed=seed)
    span = [None if text is None else utc_us(text) for text in (start, end)]
    write_orders(make(wanted, open_flow_prices(wanted, list(prices), *span)), out)
    _print_summary(summarise(out), as_json)


@flow.command()
@click.argument("orders", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def describe(orders: tuple[str, ...], as_json: bool) -> None:
    """Summarise order files: counts, volume, sizes, leverage, holding times.

    \b
    Example:
      perpool flow describe orders.parquet
    """
    from backtest.flow_summary import describe as summarise

    _print_summary(summarise(list(orders)), as_json)


@flow.command()
@click.option("--json", "as_json", is_flag=True, help="Print the schema as JSON.")
def schema(as_json: bool) -> None:
    """Print the columns of an order file: types, units, and which actions need them.

    \b
    Example:
      perpool flow schema
    """
    from backtest.order_schema import schema_table

    rows = schema_table()
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['column']}  [{row['type']}{', ' if row['unit'] else ''}{row['unit']}]")
        for name in ("meaning", "required by", "optional for"):
            if row[name]:
                click.echo(click.wrap_text(f"{name}: {row[name]}", 100, "    ", "        "))


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2))


def _print_summary(summary: "FlowSummary", as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        _print_json(asdict(summary))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from backtest.flow_summary import QUANTILES

    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(summary):
        facts.add_row(name, value)
    spread = Table("", *summary.spread, box=SIMPLE, pad_edge=False)
    for name in (*QUANTILES, "mean", "max"):
        cells = [figures.get(name) for figures in summary.spread.values()]
        spread.add_row(name, *["-" if cell is None else f"{cell:,.{0 if cell >= 1_000 else 2}f}" for cell in cells])
    console = Console(highlight=False, markup=False)
    console.print(facts)
    console.print(spread)


def _facts(summary: "FlowSummary") -> list[tuple[str, str]]:
    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    rows = [
        ("orders", f"{summary.orders:,} in {', '.join(summary.files)}"),
        ("span", f"{summary.first} to {summary.last}" if summary.orders else "-"),
        ("actions", ", ".join(f"{name} {count:,}" for name, count in summary.actions.items()) or "-"),
        ("opens", f"{summary.opens:,}, of them {share(summary.long_share)} long; {summary.closed:,} have a close"),
        ("triggers", f"stop-loss {share(summary.stop_loss_share)}, take-profit {share(summary.take_profit_share)}"),
        ("volume", f"${summary.volume_usd:,.2f} opened or increased"),
    ]
    if summary.unsized:
        rows.append(("", f"without {summary.unsized:,} orders whose collateral is in tokens"))
    for market, figures in summary.markets.items():
        rows.append((f"  {market}", f"${figures['volume_usd']:,.2f} in {figures['orders']:,.0f} orders"))
    return rows
