"""perpool sql: one query over one run or many."""

import sys
from pathlib import Path

import click


@click.command(name="sql")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUNS...")
@click.argument("query")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="How to write the result; csv, json and parquet keep every digit and every row.",
)
@click.option("--json", "fmt", flag_value="json", help="Short for --format json.")
def sql(runs: tuple[Path, ...], query: str, fmt: str) -> None:
    """Run QUERY (DuckDB SQL; - reads it from standard input) over RUNS.

    Tables: trades, fees, rewards, liquidations, positions, open_interest, overview, headlines, stages, and the raw
    events, pool, markets, lp, rejections, pending, prices. Per period ('1 hour', '1 day', '1 month'): revenue,
    exposure, utilisation, lp_returns, attribution, trader_pnl, liquidations_by. A column `run` tells runs apart.

    \b
    Example:
      perpool sql runs/alp "FROM overview"
      perpool sql runs/alp "FROM attribution('1 month')" --format csv
      perpool sql runs/a runs/b "SELECT run, sum(bad_debt_usd) FROM liquidations GROUP BY run ORDER BY run"
    """
    from backtest.errors import UsageError
    from backtest.warehouse import query as run_query

    if not runs:
        raise UsageError(f'perpool sql takes a run and a query, such as: perpool sql {query} "FROM overview"')
    if fmt == "parquet" and sys.stdout.isatty():
        raise UsageError("--format parquet writes bytes; send them to a file, as in: perpool sql ... > out.parquet")
    text = sys.stdin.read() if query == "-" else query
    stdout = sys.stdout.buffer
    for piece in run_query(runs, text, fmt):
        stdout.write(piece)
    stdout.flush()
