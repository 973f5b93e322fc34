"""perpool export: one portable database file."""

from pathlib import Path

import click


@click.command(name="export")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUNS...")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace FILE when it exists.")
def export(runs: tuple[Path, ...], file: Path, overwrite: bool) -> None:
    """Write RUNS into FILE, a DuckDB database with the tables, views and macros of `perpool sql`.

    \b
    Example:
      perpool export runs/alp alp.duckdb
    """
    from backtest.errors import UsageError
    from backtest.export import export as run_export

    if not runs:
        raise UsageError(f"perpool export takes a run and a file, such as: perpool export {file} {file.name}.duckdb")
    click.echo(run_export(runs, file, overwrite=overwrite))
