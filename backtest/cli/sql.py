"""perpool sql: one query over one run or many."""

import sys
from pathlib import Path

import click


@click.command(name="sql")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUNS...")
@click.argument("query", required=False)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="How to write the result; csv, json and parquet keep every digit and every row.",
)
@click.option("--json", "fmt", flag_value="json", help="Short for --format json.")
@click.option(
    "--recipes", "listed", is_flag=True, help="List the recipes; with @NAME as QUERY, print that recipe's SQL."
)
def sql(runs: tuple[Path, ...], query: str | None, fmt: str, listed: bool) -> None:
    """Run QUERY over RUNS: DuckDB SQL, @NAME for a recipe, or - for standard input.

    Tables: trades, fees, rewards, liquidations, positions, open_interest, overview, headlines, metrics, daily_returns,
    drawdowns, stages, and the raw events, pool, markets, lp, rejections, pending, prices. Per period ('1 hour',
    '1 day', '1 month'): revenue, exposure, utilisation, lp_returns, attribution, trader_pnl, liquidations_by. A column
    `run` tells runs apart.

    \b
    Example:
      perpool sql runs/alp "FROM overview"
      perpool sql runs/alp "FROM attribution('1 month')" --format csv
      perpool sql runs/alp @who_pays
      perpool sql runs/a runs/b "SELECT run, sum(bad_debt_usd) FROM liquidations GROUP BY run ORDER BY run"
    """
    from backtest.errors import UsageError
    from backtest.warehouse import query as run_query

    if listed:
        _print_recipes(query, fmt)
        return
    if not query:
        raise UsageError('perpool sql takes a run and a query, such as: perpool sql runs/sample "FROM overview"')
    if not runs:
        words = f"runs/sample {query}" if query.startswith("@") else f'{query} "FROM overview"'
        raise UsageError(f"perpool sql takes a run and a query, such as: perpool sql {words}")
    if fmt == "parquet" and sys.stdout.isatty():
        raise UsageError("--format parquet writes bytes; send them to a file, as in: perpool sql ... > out.parquet")
    text = _text(query)
    stdout = sys.stdout.buffer
    for piece in run_query(runs, text, fmt):
        stdout.write(piece)
    stdout.flush()


def _text(query: str) -> str:
    """The SQL that QUERY stands for; a reader at a terminal is told what a recipe answers."""
    from backtest.recipes import recipe

    if query == "-":
        return sys.stdin.read()
    if not query.startswith("@"):
        return query
    found = recipe(query.removeprefix("@"))
    if sys.stderr.isatty():
        click.echo(f"{found.question}\n{found.reading}", err=True)
    return found.sql


def _print_recipes(query: str | None, fmt: str) -> None:
    import json
    import textwrap

    from backtest.recipes import recipe, recipes

    if query:
        click.echo(recipe(query.removeprefix("@")).sql, nl=False)
    elif fmt == "json":
        click.echo(json.dumps([item._asdict() for item in recipes().values()], indent=2, ensure_ascii=False))
    else:
        width = max(map(len, recipes())) + 3
        for item in recipes().values():
            click.echo(f"{'@' + item.name:<{width}}{item.question}")
            indent = " " * width
            click.echo(textwrap.fill(item.reading, 110, initial_indent=indent, subsequent_indent=indent))
