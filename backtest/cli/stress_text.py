"""What `perpool stress` prints for people: tables of what it found."""

from collections.abc import Iterable
from typing import Any

import click

from backtest.cli.book import short_usd
from backtest.cli.flow_describe import print_tables, table_of

Found = dict[str, Any]


def one_shock(found: Found) -> None:
    """One shock in full: before and after, and every custody."""
    (shock,), before = found["shocks"], found["before"]
    after = shock["after"]
    _title(found, f"{shock['shock']} moves {_listed(shock['moves'])}")
    _left_behind(found["shocks"])
    table = table_of("", "before", "after", "change")
    for name, key, text in (
        ("AUM", "aum_usd", _usd),
        ("LP price", "lp_price_usd", lambda value: f"${value:,.6f}"),
        ("open interest", "open_interest_usd", _usd),
        ("trader PnL, open", "trader_pnl_usd", _usd),
        ("positions", "positions", lambda value: f"{value:,}"),
    ):
        one, other = before[key], after[key]
        share = key in ("aum_usd", "lp_price_usd") and one
        table.add_row(name, text(one), text(other), f"{other / one - 1:+.2%}" if share else _signed(other - one, text))
    settled = table_of("settled in the tick", "")
    settled.add_row("liquidations", f"{shock['liquidations']:,} of {_usd(shock['liquidated_usd'])}")
    settled.add_row("stop-losses, take-profits", f"{shock['stop_losses']:,}, {shock['take_profits']:,}")
    settled.add_row("limits filled", f"{shock['limits_filled']:,}")
    settled.add_row("bad debt", _usd(shock["bad_debt_usd"]))
    settled.add_row("trader PnL, realised", _usd(shock["realised_pnl_usd"]))
    settled.add_row("liquidatable, and could not be", f"{after['liquidatable']:,}")
    custodies = table_of("custody", "price", "utilisation", "then", "owes traders", "holds", "solvent")
    for old, new in zip(before["custodies"], after["custodies"], strict=True):
        solvent = "yes" if new["owes_usd"] <= new["holds_usd"] else "NO"
        custodies.add_row(
            new["custody"],
            _price(new["price_usd"]),
            f"{old['utilisation']:.1%}",
            f"{new['utilisation']:.1%}",
            _usd(new["owes_usd"]),
            _usd(new["holds_usd"]),
            solvent,
        )
    print_tables(table, settled, custodies)
    click.echo(f"The pool does not survive: {shock['fault']}." if shock["fault"] else "The pool survives.")


def many_shocks(found: Found) -> None:
    """One row per shock."""
    before = found["before"]
    about = f"AUM {_usd(before['aum_usd'])}, {before['positions']:,} positions of {_usd(before['open_interest_usd'])}"
    _title(found, about)
    _left_behind(found["shocks"])
    table = table_of("shock", "liquidated", "stops", "bad debt", "trader PnL", "AUM", "LP price", "used", "survives")
    for shock in found["shocks"]:
        after = shock["after"]
        pnl = after["trader_pnl_usd"] + shock["realised_pnl_usd"] - before["trader_pnl_usd"]
        table.add_row(
            shock["shock"],
            f"{shock['liquidations']:,}, {short_usd(shock['liquidated_usd'])}" if shock["liquidations"] else "-",
            f"{shock['stop_losses']:,}",
            _usd(shock["bad_debt_usd"]),
            _signed(pnl, _usd),
            _usd(after["aum_usd"]),
            f"{after['lp_price_usd'] / before['lp_price_usd'] - 1:+.2%}" if before["lp_price_usd"] else "-",
            f"{max(custody['utilisation'] for custody in after['custodies']):.1%}",
            "no" if shock["fault"] else "yes",
        )
    print_tables(table)
    click.echo("trader PnL: made by the shock, open and realised, before fees and with what became bad debt")
    click.echo("used: highest utilisation of a custody")


def survival(found: Found) -> None:
    """The largest fall and rise that the pool survives."""
    _title(found, f"{_listed(found['moves'])} together, bad debt up to {_usd(found['bad_debt_usd'])}")
    table = table_of("", "survives", "fails at", "because of")
    table.columns[3].justify = "left"
    for row in found["directions"]:
        survived = "nothing" if row["survived"] is None else f"{row['survived']:+.1f} %"
        failed = "-" if row["failed"] is None else f"{row['failed']:+.1f} %"
        table.add_row(row["direction"], survived, failed, row["fault"] or "nothing that was tried")
    print_tables(table)
    for row in found["directions"]:
        if row["again"]:
            steps = ", ".join(f"{step:+g} %" for step in row["again"])
            click.echo(f"{row['direction']}: not one turn alone; survived again at {steps}")
    tried = sum(row["tried"] for row in found["directions"])
    click.echo(f"{tried} shocks tried: steps of 5 % and wider, then 0.1 % where the answer first turns")


def tail(found: Found) -> None:
    """Losses of LPs by horizon."""
    days, steps = f"{found['days']:,.1f} days", f"{found['steps']:,} returns of {found['step_s'] / 3600:g} h"
    click.echo(f"{found['run']}: losses of an LP, drawn from {steps} over {days}\n")
    levels = list(found["horizons"][0]["value_at_risk"]) if found["horizons"] else []
    names = [f"{kind} {float(level):.0%}" for level in levels for kind in ("VaR", "ES")]
    table = table_of("horizon", *names, "mean return", "worst in the run", "windows in the run")
    for row in found["horizons"]:
        losses = [row[kind][level] for level in levels for kind in ("value_at_risk", "expected_shortfall")]
        cells = [*(f"{loss:.2%}" for loss in losses), f"{row['mean']:+.2%}", f"{row['worst']:+.2%}"]
        table.add_row(row["horizon"], *cells, f"{row['windows']:,.1f}")
    print_tables(table)
    click.echo(
        f"stationary block bootstrap: {found['draws']:,} draws, blocks of {found['mean_block']} on average, seed "
        f"{found['seed']}; a negative loss is a gain"
    )
    click.echo(f"Nothing worse than these {days} can be drawn; a horizon that fits in a few times is a guess.")


# --- parts ------------------------------------------------------------------------------------------------------------


def _title(found: Found, about: str) -> None:
    click.echo(f"{found['run']} at {found['at'].replace('T', ' ').removesuffix('Z')} UTC: {about}\n")


def _left_behind(shocks: Iterable[Found]) -> None:
    """A custody that backs a shocked market and keeps its own price is seldom what was meant."""
    behind: dict[str, list[str]] = {}
    for shock in shocks:
        behind |= shock["left_behind"]
    for price, markets in behind.items():
        click.echo(f"{price} backs longs of {_listed(markets)} and keeps its price; name it too if it should move\n")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def _usd(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}"


def _price(value: float) -> str:
    return f"${value:,.2f}" if value >= 0.1 else f"${value:.4g}"


def _signed(value: float, text: Any) -> str:
    return f"+{text(value)}" if value > 0 else str(text(value))
