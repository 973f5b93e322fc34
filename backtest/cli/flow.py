"""`perpool flow`: make an order flow, bring in a real one, look at either."""

import click

from backtest.cli.lazy import LazyGroup

_MEMBERS = {
    "generate": "backtest.cli.flow_generate:generate",
    "import": "backtest.cli.flow_import:import_",
    "describe": "backtest.cli.flow_describe:describe",
    "schema": "backtest.cli.flow_schema:schema",
}


@click.group(cls=LazyGroup, members=_MEMBERS)
def flow() -> None:
    """Order flows: generate a synthetic one, import a trade log, describe files, print the schema.

    \b
    Example:
      perpool flow generate --prices data/sample/prices.parquet --out orders.parquet
    """
