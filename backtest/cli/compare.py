"""perpool compare: runs side by side."""

from pathlib import Path

import click


@click.command(name="compare")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to write the result; csv and json keep every digit and every row.",
)
@click.option("--json", "fmt", flag_value="json", help="Short for --format json.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write a page with pictures instead; two to six RUNs."
)
def compare(runs: tuple[Path, ...], fmt: str, out: Path | None) -> None:
    """Compare RUNs with the first one: what differs in their configurations, and what came of it.

    Figures: fees by source and beneficiary, LP return, APR, trader PnL, volume, liquidations, bad debt, rejections by
    reason, utilisation. The same numbers are in `perpool sql RUN... "FROM headlines"`.

    \b
    Example:
      perpool compare runs/alp runs/dearer
      perpool compare runs/alp runs/dearer --format csv
      perpool compare runs/alp runs/dearer -o side-by-side.html
    """
    if out is not None:
        from backtest.cli.report import write
        from backtest.report.multiple import comparison

        write(out, lambda: comparison(*runs))
        return
    from backtest.comparison import compare as compare_runs
    from backtest.comparison_text import FORMATS

    found = compare_runs(*runs)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    for line in FORMATS[fmt](found):
        click.echo(line)
