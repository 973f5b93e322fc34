"""`perpool flow generate`: a synthetic order file from populations of traders and LPs."""

import click

from backtest.cli.options import WholeNumber


@click.command()
@click.argument("populations", metavar="[NAME | FLOW.toml]...", nargs=-1)
@click.option("--prices", multiple=True, required=True, help="Price file, folder or glob; may be repeated.")
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="Order file to write (Parquet).")
@click.option(
    "--positions", type=WholeNumber(min=0), metavar="N", help="Positions in total, in proportion to the files'."
)
@click.option("--seed", type=WholeNumber(min=0), metavar="N", help="Seed of all random draws; replaces the files'.")
@click.option("--start", help="First moment, UTC; default: where the prices begin.")
@click.option("--end", help="End, UTC, exclusive; default: where the prices end.")
@click.option("--path", type=click.Choice(["close", "ohlc"]), default="close", help="How candles become ticks.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def generate(
    populations: tuple[str, ...],
    prices: tuple[str, ...],
    out: str,
    positions: int | None,
    seed: int | None,
    start: str | None,
    end: str | None,
    path: str,
    as_json: bool,
) -> None:
    """Write a synthetic order file: the same seed and prices give the same orders on any machine.

    Populations are shipped ones (retail, degens, whales, carry, toxic, uniform, ...) or TOML files; several trade side
    by side, and adding one leaves the orders of the others as they were. Without any it is uniform, without opinions.
    configs/flows/uniform.toml explains every key. Orders depend on prices of before, never on later ones; only a
    population with foresight knows the next seconds. Give the --path that the run will have.

    \b
    Example:
      perpool flow generate retail degens --prices data/sample/prices.parquet --out orders.parquet --seed 7
    """
    from rich.console import Console

    from backtest.cli.flow_describe import print_summary
    from backtest.flows.config import utc_us
    from backtest.flows.generate import generate as make
    from backtest.flows.generate import open_flow_prices, write_orders
    from backtest.flows.populations import load_flows
    from backtest.flows.summary import describe as summarise

    wanted = load_flows(populations, positions=positions, seed=seed)
    since, until = (None if text is None else utc_us(text) for text in (start, end))
    with Console(stderr=True).status(f"drawing {', '.join(config.name for config in wanted)}"):
        write_orders(make(wanted, open_flow_prices(wanted, list(prices), since, until, path)), out)
    print_summary(summarise(out), as_json)
