"""`perpool flow import`: position histories of venues and dashboards as an order file."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from backtest.flows.importing import Imported


@click.command(name="import")
@click.argument("positions", metavar="POSITIONS...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="Order file to write (Parquet).")
@click.option(
    "--map",
    "mappings",
    multiple=True,
    metavar="FIELD=COLUMN,...",
    help="Column of a field; COLUMN/1e6 divides it, nothing after '=' leaves the field out. May be repeated.",
)
@click.option(
    "--market-map", "markets", multiple=True, metavar="X=Y,...", help="Call market X of the file Y. May be repeated."
)
@click.option("--protocol", help="Refuse markets that this protocol does not have; a name or a TOML.")
@click.option(
    "--leverage", type=click.FloatRange(min=0, min_open=True), metavar="X", help="Taken for rows without any."
)
@click.option("--as-closes", is_flag=True, help="End every position by a close at its time; place no triggers.")
@click.option("--skip-bad", is_flag=True, help="Leave out, and count, rows that cannot be orders.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done, and the summary, as JSON.")
def import_(
    positions: tuple[str, ...],
    out: str,
    mappings: tuple[str, ...],
    markets: tuple[str, ...],
    protocol: str | None,
    leverage: float | None,
    as_closes: bool,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Turn histories of positions, one row each, into orders that `perpool run` takes.

    POSITIONS are CSV, Parquet or JSON files, folders or globs, as Adrena, GMX, Jupiter, dYdX, Binance and others
    export them. Columns are known by their usual names; what is missing or could be two things is asked for (--map).

    \b
    Fields  open_time, market, side                          needed
            size, collateral, leverage                       two of them; dollars, and x
            quantity, entry_price                            tokens and dollars, in place of size
            close_time, exit_reason, stop_loss, take_profit, position_id

    How a position ended decides what the run does with it: what a trader closed gets a close at its time; what was
    liquidated gets none, the engine liquidates by its own prices and rules; what a stop-loss or take-profit ended is
    left to that trigger where the file has its price, and closes at its time where not; what is open stays open.
    With --as-closes all that ended closes at its time, and nothing is triggered before.

    What a trader changed in between is not in such a history: positions open with their first size and close whole.

    \b
    Example:
      perpool flow import positions.csv --out orders.parquet --protocol adrena-alp
      perpool flow import history.json --out orders.parquet --map size=sizeUsd/1e6 --market-map SOL-PERP=SOL
    """
    from dataclasses import asdict

    from backtest.flows.history_columns import parse_map, parse_names
    from backtest.flows.importing import Options, import_history
    from backtest.flows.summary import describe

    options = Options(
        mapping=parse_map(",".join(mappings)),
        market_map=parse_names(",".join(markets)),
        protocol=protocol or "",
        leverage=leverage,
        as_closes=as_closes,
        skip_bad=skip_bad,
    )
    done = import_history(positions, out, options)
    if as_json:
        click.echo(json.dumps(asdict(done) | {"summary": asdict(describe(out))}, indent=2))
        return
    _print(done)


def _print(done: "Imported") -> None:
    from backtest.cli.flow_describe import print_summary, print_tables, table_of
    from backtest.flows.summary import describe

    print_summary(describe(done.out), False)
    endings = table_of("how it ended", "positions", "in a run")
    endings.columns[2].justify = "left"
    for row in done.endings:
        endings.add_row(str(row["ending"]), f"{row['positions']:,}", str(row["fate"]))
    print_tables(endings)
    for reason, count in done.skipped.items():
        click.echo(f"{count:,} left out: {reason}")
    for file, columns in done.columns.items():
        click.echo(
            click.wrap_text(f"{file}: {', '.join(f'{name}={text}' for name, text in columns.items())}", 100, "", "  ")
        )
    for note in done.notes:
        click.echo(note)
    click.echo(f"\n{done.positions:,} positions are {done.orders:,} orders in {done.out}. Next:")
    click.echo(f"  perpool run --prices PRICES --orders {done.out}")
