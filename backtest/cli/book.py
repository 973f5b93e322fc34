"""`perpool book`: the open positions of a run at one of its snapshots, and what would liquidate them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from rich.table import Table

    from backtest.liquidation_map import Level

_BAR = 24  # characters


@click.command(name="book")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--at", metavar="TIME", help="The last snapshot up to this time, UTC; default the last of all.")
@click.option("--map", "as_map", is_flag=True, help="Dollars that a move of the price would liquidate, level by level.")
@click.option("--market", metavar="NAME", help="Of this market alone, with its prices (--map).")
@click.option(
    "--steps",
    type=WholeNumber(min=2),
    metavar="N",
    default=20,
    show_default=True,
    help="Levels, half of them above (--map).",
)
@click.option(
    "--range", "range_", type=float, metavar="PERCENT", default=50.0, show_default=True, help="Farthest level (--map)."
)
@click.option("--through-time", is_flag=True, help="Dollars within 5, 10 and 20 % at every snapshot (--map).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def book(
    run: Path,
    at: str | None,
    as_map: bool,
    market: str | None,
    steps: int,
    range_: float,
    through_time: bool,
    as_json: bool,
) -> None:
    """Look at the open positions of RUN at a snapshot, which `perpool run --snapshot 1d` writes.

    \b
    Example:
      perpool book runs/alp
      perpool book runs/alp --at 2024-08-02 --map --market SOL
      perpool book runs/alp --map --through-time
    """
    from backtest.errors import UsageError

    if not as_map and (market or through_time):
        raise UsageError(f"{'--market' if market else '--through-time'} belongs to --map; add --map")
    if through_time:
        _through_time(run, market, as_json)
    elif as_map:
        _map(run, at, market, steps, range_, as_json)
    else:
        _describe(run, at, as_json)


def _describe(run: Path, at: str | None, as_json: bool) -> None:
    from backtest.book_view import describe, load_book
    from backtest.cli.flow_describe import print_tables

    found = describe(load_book(run, at))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{found['run']} at {_moment(found['snapshot_at'])} UTC, one of {found['snapshots']:,} snapshots\n")
    leverage = _buckets("leverage", found["leverage"], lambda value: f"{value:g}x")
    sizes = _buckets("size", found["size_usd"], lambda value: f"${value:,.0f}")
    print_tables(_sides(found), _near(found), leverage, sizes)


def _sides(found: dict[str, Any]) -> "Table":
    from backtest.cli.flow_describe import table_of

    table = table_of("market", "side", "positions", "size", "collateral", "PnL", "equity", "leverage", "mean")
    for row in found["sides"]:
        table.add_row(row["market"], row["side"], *_sums(row))
    table.add_section()
    table.add_row("all", "", *_sums(found["total"]))
    return table


def _sums(row: dict[str, Any]) -> list[str]:
    money = [_usd(row[name]) for name in ("size_usd", "collateral_usd", "pnl_usd", "equity_usd")]
    return [f"{row['positions']:,}", *money, _times(row["leverage"]), _times(row["mean_leverage"])]


def _near(found: dict[str, Any]) -> "Table":
    from backtest.cli.flow_describe import table_of

    percents = list(found["total"]["near"])
    table = table_of("liquidated by a move of", "", *(f"{percent} %" for percent in percents))
    for row in [*found["sides"], {"market": "all", "side": ""} | found["total"]]:
        near = [row["near"][percent] for percent in percents]
        cells = [f"{item['positions']:,}, {short_usd(item['size_usd'])}" if item["positions"] else "-" for item in near]
        table.add_row(row["market"], row["side"], *cells)
    return table


def _buckets(title: str, buckets: list[dict[str, Any]], text: Any) -> "Table":
    from backtest.cli.flow_describe import table_of

    table = table_of(title, "positions", "size", "")
    table.columns[3].justify = "left"
    most = max(bucket["size_usd"] for bucket in buckets)
    held = [number for number, bucket in enumerate(buckets) if bucket["positions"]] or [0]
    for bucket in buckets[held[0] : held[-1] + 1]:
        name = f"from {text(bucket['from'])}" if bucket["below"] is None else f"below {text(bucket['below'])}"
        cells = (f"{bucket['positions']:,}", _usd(bucket["size_usd"])) if bucket["positions"] else ("-", "-")
        table.add_row(name, *cells, _bar(bucket["size_usd"], most, _BAR))
    return table


def _map(run: Path, at: str | None, market: str | None, steps: int, range_percent: float, as_json: bool) -> None:
    from dataclasses import asdict

    from backtest.book_view import load_book
    from backtest.cli.flow_describe import print_tables
    from backtest.liquidation_map import liquidation_map
    from backtest.price_files import iso

    found = load_book(run, at)
    levels = liquidation_map(found, market, steps=steps, range_percent=range_percent)
    if as_json:
        head = {"run": found.run, "snapshot_at": iso(found.at_us), "market": market}
        click.echo(json.dumps(head | {"levels": [asdict(level) for level in levels]}, indent=2))
        return
    click.echo(f"{found.run} at {_moment(iso(found.at_us))} UTC: {market or 'all markets, each moved alike'}\n")
    print_tables(_ladder(levels))


def _ladder(levels: list["Level"]) -> "Table":
    """Shorts above the price, longs below, each with what lies up to its level."""
    from backtest.cli.flow_describe import table_of

    priced = levels[0].price_usd is not None
    table = table_of("move", *(["price"] if priced else []), "positions", "liquidated here", "up to here", "")
    table.columns[0].justify, table.columns[-1].justify = "right", "left"
    most = max((level.cumulative_usd for level in levels), default=0.0)
    below = False
    for level in levels:
        if not below and level.side == "long":
            table.add_section()
            below = True
        here = (f"{level.positions:,}", _usd(level.size_usd)) if level.positions else ("-", "-")
        bar = _bar(level.cumulative_usd, most, _BAR)
        price = [] if level.price_usd is None else [_price(level.price_usd)]
        table.add_row(_move(level), *price, *here, _usd(level.cumulative_usd), f"{level.side:5} {bar}")
    return table


def _through_time(run: Path, market: str | None, as_json: bool) -> None:
    from backtest.cli.flow_describe import print_tables, table_of
    from backtest.liquidation_map import WITHIN_PERCENT, through_time

    rows = through_time(run, market)
    if as_json:
        click.echo(json.dumps({"run": str(run), "market": market, "snapshots": rows}, indent=2))
        return
    click.echo(f"{run}: {market or 'all markets'}, dollars that a move of so many percent would liquidate\n")
    heads = [f"{side} {percent} %" for side in ("longs", "shorts") for percent in WITHIN_PERCENT]
    table = table_of("snapshot, UTC", "positions", *heads)
    for row in rows:
        cells = [row[f"{side}_within_{percent}_usd"] for side in ("long", "short") for percent in WITHIN_PERCENT]
        table.add_row(_moment(row["snapshot_at"]), f"{row['positions']:,}", *(_usd(cell) for cell in cells))
    print_tables(table)


# --- cells ------------------------------------------------------------------------------------------------------------


def _usd(value: float) -> str:
    return "-" if value == 0 else f"{'-' if value < 0 else ''}${abs(value):,.0f}"


def short_usd(value: float) -> str:
    """Dollars in thousands, millions or billions, three digits and no more."""
    for size, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"${value / size:,.3g}{unit}" if abs(value) < 1e3 * size else f"${value / size:,.0f}{unit}"
    return f"${value:,.0f}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}x"


def _move(level: "Level") -> str:
    return "0 %" if level.move_percent == 0 else f"{level.move_percent:+g} %"


def _price(value: float) -> str:
    return f"${value:,.2f}" if value >= 10 else f"${value:.6g}"


def _bar(value: float, most: float, width: int) -> str:
    return "█" * round(width * value / most) if most > 0 else ""


def _moment(text: str) -> str:
    return text[:16].replace("T", " ")
