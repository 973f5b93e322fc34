"""`perpool prices`: real history in, checked and repaired; new histories made from old."""

import click

from backtest.cli.lazy import LazyGroup

_MEMBERS = {
    "import": "backtest.cli.prices_import:import_",
    "derive": "backtest.cli.prices_derive:derive",
    "fetch": "backtest.cli.prices_fetch:fetch",
    "check": "backtest.cli.prices_check:check",
    "scenario": "backtest.cli.prices_scenario:scenario",
}


@click.group(cls=LazyGroup, members=_MEMBERS)
def prices() -> None:
    """Price histories: import, fetch, check, repair, derive, and make new ones.

    \b
    Example:
      perpool prices import binance SOLUSDT-1m-2025-*.zip --symbol SOL --out prices
      perpool prices check prices
    """
