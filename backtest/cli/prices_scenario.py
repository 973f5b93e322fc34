"""`perpool prices scenario`: a new price history from an old one, with shocks."""

import contextlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from backtest.cli.options import WholeNumber
from backtest.errors import UsageError


@click.command()
@click.option(
    "--from", "paths", multiple=True, required=True, metavar="PATH", help="Price file, folder or glob; may be repeated."
)
@click.option("--symbols", metavar="A,B", help="Symbols to take; default: all of the history.")
@click.option(
    "--method",
    required=True,
    type=click.Choice(["bootstrap", "gbm", "garch", "none"]),
    help="How to redraw it; see above.",
)
@click.option("--seed", type=WholeNumber(min=0), default=0, show_default=True, metavar="N", help="Seed of all draws.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write, new or empty.")
@click.option("--start", metavar="DATE", help="First row, UTC; default: where the history begins.")
@click.option("--length", metavar="DURATION", help="How long, such as 90d; default: as many rows as the history.")
@click.option("--every", metavar="DURATION", help="Put the history on a coarser clock first, such as 1h.")
@click.option("--block", metavar="DURATION", help="bootstrap: mean length of a block; default 1d.")
@click.option("--drift", type=float, metavar="RATE", help="gbm: growth a year instead of the history's; 0 for none.")
@click.option("--innovations", type=click.Choice(["t", "normal"]), help="garch: their distribution; default t.")
@click.option("--shock", "shocks", multiple=True, metavar="SPEC", help="Shock to lay over the path; may be repeated.")
@click.option(
    "--keep", "kept", multiple=True, metavar="SYMBOL=PRICE", help="Symbol at a constant price; may be repeated."
)
@click.option("--overwrite", is_flag=True, help="Replace a dataset that is already there.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def scenario(
    paths: tuple[str, ...],
    symbols: str | None,
    method: str,
    seed: int,
    out: Path,
    start: str | None,
    length: str | None,
    every: str | None,
    block: str | None,
    drift: float | None,
    innovations: str | None,
    shocks: tuple[str, ...],
    kept: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make a new price history from an old one: redraw it, shake it, or both. The same seed gives the same prices.

    The path begins at the first time and price of the history. Symbols keep moving together: only timestamps that all
    of them have are learnt from. A redrawn peg wanders off, so hold stables with --keep USDC=1.

    \b
    Methods:
      bootstrap  blocks of the history itself in random order (Politis and Romano), candles included
      gbm        geometric Brownian motion with the history's drift, volatility and correlation
      garch      GARCH(1,1) for each symbol, its innovations correlated; needs perpool[garch]
      none       the history as it is, to lay shocks over

    bootstrap and none keep candles, volume, min, max and confidence; gbm and garch write prices. An ema is left out: a
    run works it out.

    \b
    Shocks, TIME in UTC; they multiply prices, linearly in time:
      SOL:-60%:30m@2024-08-05T06:00             falls to 40 % of the path within 30 minutes and stays there
      SOL+BTC:-30%:gap:recover=6h@TIME          falls at once, is back on the path 6 hours later
      *:-30%:1h:recover=50%/6h@TIME             all symbols of the history; half of the fall recovers
      SOL:outage:2h@TIME                        no prices for 2 hours
      USDC:depeg:-12%:3h:recover=2d@TIME        a symbol that the history lacks is made, at 1.0

    \b
    Example:
      perpool prices scenario --from data/sample/prices.parquet --symbols SOL,BTC,BONK,jitoSOL --keep USDC=1 \\
        --method bootstrap --seed 7 --shock 'SOL+jitoSOL:-40%:30m:recover=50%/1d@2025-01-02' --out runs/prices/crash
    """
    from dataclasses import asdict

    from rich.console import Console

    from backtest.flows.config import utc_us
    from backtest.synthetic.make import Wanted, make
    from backtest.synthetic.make_text import show
    from backtest.synthetic.redraw import Method
    from backtest.synthetic.shock_spec import parse

    wanted = Wanted(
        paths=paths,
        out=out,
        method=Method(method, seed, _duration("--block", block), drift, innovations),
        symbols=_names(symbols),
        start_us=utc_us(start) if start else None,
        length_us=_duration("--length", length),
        every_us=_duration("--every", every),
        shocks=tuple(parse(text) for text in shocks),
        kept=dict(_constant(text) for text in kept),
        overwrite=overwrite,
    )
    with _busy(f"making the history ({method}) ..."):
        made = make(wanted)
    if as_json:
        click.echo(json.dumps(asdict(made), indent=2))
    else:
        show(made, Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200))


def _names(text: str | None) -> tuple[str, ...]:
    from backtest.history.store import check_symbol

    return tuple(dict.fromkeys(check_symbol(name.strip()) for name in text.split(","))) if text is not None else ()


def _constant(text: str) -> tuple[str, float]:
    """A symbol and its constant price."""
    from backtest.history.store import check_symbol
    from backtest.price_checks import HIGHEST_PRICE, LOWEST_PRICE

    symbol, _, number = text.partition("=")
    try:
        price = float(number)
    except ValueError:
        price = math.nan
    if not LOWEST_PRICE < price < HIGHEST_PRICE:
        raise UsageError(f"--keep {text}: {number!r} is no price in US dollars; write it like USDC=1.0")
    return check_symbol(symbol), price


def _duration(option: str, text: str | None) -> int | None:
    from backtest.scenario import duration_us

    if text is None:
        return None
    try:
        duration = duration_us(text)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from None
    if duration == 0:
        raise UsageError(f"{option} {text} is no time at all; give a duration such as 1h")
    return duration


@contextlib.contextmanager
def _busy(what: str) -> Iterator[None]:
    """Say on a terminal's stderr that something is going on; nothing elsewhere."""
    from rich.console import Console

    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(what):
        yield
