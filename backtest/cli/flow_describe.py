"""`perpool flow describe`: what order files look like, in one page; several flows side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from backtest.flows.summary import FlowSummary

_WIDTH = 100  # where the output is no terminal
_QUANTITIES = {
    "leverage": "leverage [x]",
    "size_usd": "size [USD]",
    "collateral_usd": "collateral [USD]",
    "holding_hours": "holding [h]",
}


@click.command()
@click.argument("orders", metavar="FLOW...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON; a list of several flows.")
def describe(orders: tuple[str, ...], as_json: bool) -> None:
    """Summarise order flows: counts, volume, markets, sizes, leverage, holding times.

    Each FLOW is a file, a folder or a glob. Several are laid side by side, such as a real log and a generated flow.

    \b
    Example:
      perpool flow describe orders.parquet
      perpool flow describe real.parquet generated.parquet
    """
    from dataclasses import asdict

    from backtest.flows.summary import describe as summarise

    flows = [summarise(flow) for flow in orders]
    if len(flows) == 1:
        print_summary(flows[0], as_json)
    elif as_json:
        click.echo(json.dumps([asdict(flow) for flow in flows], indent=2))
    else:
        print_tables(_side_by_side(_names(orders), flows))


def print_summary(summary: "FlowSummary", as_json: bool) -> None:
    """One flow on one page, or its figures as JSON."""
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps(asdict(summary), indent=2))
    else:
        print_tables(_facts(summary), _markets(summary), _spread(summary))


def print_tables(*parts: "Table") -> None:
    """Tables as wide as the terminal, or as a page where there is none."""
    import sys

    from rich.console import Console

    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDTH)
    for part in parts:
        console.print(part)


# --- one flow ---------------------------------------------------------------------------------------------------------


def _facts(summary: "FlowSummary") -> "Table":
    from rich.table import Table

    span = f"{_moment(summary.first)} to {_moment(summary.last)} UTC, {summary.days:,.1f} days"
    closed = f"{summary.closed:,} with a close, {summary.unclosed:,} without"
    top = f"top 1% of opens {_share(summary.top_1pct_share)}, top 10% {_share(summary.top_10pct_share)}"
    hour = f"busiest hour {_hour(summary.busiest_hour)} UTC, {_share(summary.busiest_hour_share)} of opens"
    rows = [
        ("orders", f"{summary.orders:,} in {', '.join(summary.files)}"),
        ("span", span if summary.orders else "-"),
        ("actions", ", ".join(f"{name} {count:,}" for name, count in summary.actions.items()) or "-"),
        ("opens", f"{summary.opens:,}, {_number(summary.opens_per_day)} a day; {closed}"),
        ("sides", f"long {_share(summary.long_share)}, short {_share(_rest(summary.long_share))}"),
        ("triggers", f"stop-loss {_share(summary.stop_loss_share)}, take-profit {_share(summary.take_profit_share)}"),
        ("volume", f"{_usd(summary.volume_usd)} opened or increased, {_usd(summary.volume_per_day_usd)} a day"),
        ("largest", f"{top} of the volume opened"),
        ("when", f"{hour}; weekends {_share(summary.weekend_share)}"),
    ]
    if summary.unsized:
        rows.append(("", f"orders whose margin is in tokens, not counted in dollars: {summary.unsized:,}"))
    facts = Table.grid(padding=(0, 2))
    for name, value in rows:
        facts.add_row(name, value)
    return facts


def _markets(summary: "FlowSummary") -> "Table":
    table = table_of("market", "opens", "of opens", "long", "volume", "of volume")
    for market, figures in summary.markets.items():
        table.add_row(
            market,
            f"{figures['opens']:,}",
            *(_share(figures[name]) for name in ("opens_share", "long_share")),
            _usd(figures["volume_usd"]),
            _share(figures["volume_share"]),
        )
    return table


def _spread(summary: "FlowSummary") -> "Table":
    from backtest.flows.summary import QUANTILES

    table = table_of("", *(_QUANTITIES[name] for name in summary.spread))
    for name in (*QUANTILES, "mean", "max"):
        table.add_row(name, *(_number(figures.get(name)) for figures in summary.spread.values()))
    return table


# --- several flows ----------------------------------------------------------------------------------------------------


def _names(arguments: tuple[str, ...]) -> list[str]:
    """What tells the flows apart: names of files without their ending, numbered where two would be equal."""
    names = [Path(argument).stem for argument in arguments]
    if len(set(names)) == len(names):
        return names
    return [f"{number} {name}" for number, name in enumerate(names, 1)]


def _side_by_side(names: list[str], flows: list["FlowSummary"]) -> "Table":
    from backtest.flows.summary import QUANTILES

    table = table_of("", *names)

    def add(label: str, cells: list[str]) -> None:
        table.add_row(label, *cells)

    add("orders", [f"{flow.orders:,}" for flow in flows])
    for action in dict.fromkeys(name for flow in flows for name in flow.actions):
        add(f"  {action}", [f"{flow.actions.get(action, 0):,}" for flow in flows])
    add("first order, UTC", [_moment(flow.first) for flow in flows])
    add("last order, UTC", [_moment(flow.last) for flow in flows])
    add("days", [_number(flow.days) for flow in flows])
    add("opens a day", [_number(flow.opens_per_day) for flow in flows])
    add("opens without a close", [f"{flow.unclosed:,}" for flow in flows])
    add("volume", [_usd(flow.volume_usd) for flow in flows])
    add("volume a day", [_usd(flow.volume_per_day_usd) for flow in flows])
    if any(flow.unsized for flow in flows):
        add("orders without dollars", [f"{flow.unsized:,}" for flow in flows])
    add("long", [_share(flow.long_share) for flow in flows])
    add("with stop-loss", [_share(flow.stop_loss_share) for flow in flows])
    add("with take-profit", [_share(flow.take_profit_share) for flow in flows])
    add("volume of top 1%", [_share(flow.top_1pct_share) for flow in flows])
    add("volume of top 10%", [_share(flow.top_10pct_share) for flow in flows])
    add("busiest hour, UTC", [_hour(flow.busiest_hour) for flow in flows])
    add("  its share of opens", [_share(flow.busiest_hour_share) for flow in flows])
    add("opens on weekends", [_share(flow.weekend_share) for flow in flows])
    for market in dict.fromkeys(name for flow in flows for name in flow.markets):
        _head(table, market)
        figures = [flow.markets.get(market, {}) for flow in flows]
        add("  of opens", [_share(item.get("opens_share")) for item in figures])
        add("  of volume", [_share(item.get("volume_share")) for item in figures])
        add("  long", [_share(item.get("long_share")) for item in figures])
    for quantity, title in _QUANTITIES.items():
        _head(table, title)
        for name in (*QUANTILES, "mean", "max"):
            add(f"  {name}", [_number(flow.spread[quantity].get(name)) for flow in flows])
    return table


def _head(table: "Table", title: str) -> None:
    """A line above the rows that belong together."""
    table.add_section()
    table.add_row(title)


# --- cells ------------------------------------------------------------------------------------------------------------


def table_of(first: str, *columns: str) -> "Table":
    """A table of right-aligned figures whose first column is a name."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _usd(value: float | None) -> str:
    return "-" if value is None else f"${value:,.0f}" if abs(value) >= 1_000 else f"${value:,.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.{0 if abs(value) >= 1_000 else 2}f}"


def _rest(share: float | None) -> float | None:
    return None if share is None else 1.0 - share


def _moment(text: str) -> str:
    """A time of a summary to the minute."""
    return text[:16].replace("T", " ") or "-"


def _hour(hour: int | None) -> str:
    return "-" if hour is None else f"{hour:02}:00"
