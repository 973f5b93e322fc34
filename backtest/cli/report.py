"""perpool report: a run as one page to look at."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import click


@click.command(name="report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="Page to write; an older page there is replaced.",
)
@click.option(
    "--hedge-cost",
    type=click.FloatRange(0, 10_000),
    default=10.0,
    show_default=True,
    metavar="BPS",
    help="What the hedge of the LPs' exposure costs per dollar traded, in basis points.",
)
@click.option(
    "--hedge-every",
    default="1 day",
    show_default=True,
    metavar="PERIOD",
    help='How often it is renewed, such as "6 hours" or "1 week".',
)
@click.option("--png", type=click.Path(path_type=Path), help="Write two pictures into this folder instead of a page.")
def report(run: Path, out: Path, hedge_cost: float, hedge_every: str, png: Path | None) -> None:
    """Show RUN on one page: what LPs got, where it came from, the pool, its traders, its risks, and how it was made.

    The page needs nothing else and works offline: pictures to zoom into, the numbers behind each of them, and the SQL
    that they come from. Pictures as files (--png) are taken with Chromium.

    \b
    Example:
      perpool report runs/sample
      perpool report runs/sample -o sample.html --hedge-cost 5 --hedge-every "6 hours"
      perpool report runs/sample --png pictures
    """
    if png is not None:
        from backtest.report.pictures import pictures

        for path in pictures(run, png):
            click.echo(f"{path}  {path.stat().st_size / 1e3:,.0f} kB")
        return
    from backtest.report.single import report as page_of
    from backtest.report.subject import Hedge

    write(out, lambda: page_of(run, Hedge(hedge_cost, hedge_every)))


def write(out: Path, draw: Callable[[], str]) -> None:
    """Make a page and say where it is; what must not be replaced is refused before the work is done."""
    from backtest.report.output import check_out, write_page

    check_out(out)
    with _busy():
        written = write_page(out, draw())
    click.echo(f"{written}  {written.stat().st_size / 1e6:.1f} MB; open it in a browser")


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    """A sign of life on a terminal's stderr; nothing elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("asking and drawing") if console.is_terminal else contextlib.nullcontext():
        yield
