"""perpool export: runs for other programs."""

from pathlib import Path

import click


@click.command(name="export")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUNS...")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["duckdb", "csv", "parquet"]),
    default="duckdb",
    show_default=True,
    help="A database file, or a folder with a CSV or Parquet file per table and view.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT when it exists; of a folder, an earlier export only.")
def export(runs: tuple[Path, ...], out: Path, fmt: str, overwrite: bool) -> None:
    """Write RUNS to OUT with the tables and views of `perpool sql`; the DuckDB file has its macros too.

    Money keeps every digit, times are UTC. A column `run` tells runs apart.

    \b
    Example:
      perpool export runs/alp alp.duckdb
      perpool export runs/alp tables/ --format csv
    """
    from backtest.errors import UsageError
    from backtest.export import export as run_export

    if not runs:
        raise UsageError(f"perpool export takes a run and a file, such as: perpool export {out} {out.name}.duckdb")
    click.echo(run_export(runs, out, fmt, overwrite=overwrite))
