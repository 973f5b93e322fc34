"""perpool metrics: the figures by which runs are judged, side by side, and what each one means."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from backtest.metrics import Metrics

_WIDTH = 110  # of definitions
_SHOWN = {
    "days": "{:,.1f} days",
    "share": "{:.2%}",
    "share per year": "{:.2%} a year",
    "ratio": "{:.2f}",
    "bps": "{:.2f} bps",
}
# The first figure of each group in the table.
_GROUPS = ("total_return", "volatility", "fee_apr", "markout_1m_bps")


@click.command(name="metrics")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN...")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON; a list of several runs.")
@click.option("--explain", is_flag=True, help="Print what each figure means, its formula and its unit, instead.")
def metrics(runs: tuple[Path, ...], as_json: bool, explain: bool) -> None:
    """Return, risk, exposure and the toxicity of the flow of RUNs, side by side.

    Returns are those of the LP token from UTC midnight to midnight, with the rewards that a venue pays beside the pool.
    The same numbers are in `perpool sql RUN... "FROM metrics"`, and the days in `"FROM daily_returns"`.

    \b
    Example:
      perpool metrics runs/alp
      perpool metrics runs/alp runs/dearer --json
      perpool metrics --explain
    """
    from backtest.errors import UsageError

    if explain and runs:
        raise UsageError("--explain prints definitions and takes no RUN; leave one of them out")
    if explain:
        _explain(as_json)
        return
    if not runs:
        raise UsageError("perpool metrics takes a run, such as: perpool metrics runs/sample; or --explain")
    from backtest.metrics import of_runs

    found = of_runs(runs)
    for item in found:
        if item.note:
            click.echo(f"note: {item.note}", err=True)
    _show(found, as_json)


def _show(found: list["Metrics"], as_json: bool) -> None:
    if as_json:
        from backtest.render import as_json as text

        told = [
            {
                "run": item.run,
                "values": item.values,
                "markouts": [markout._asdict() for markout in item.markouts],
                "note": item.note,
            }
            for item in found
        ]
        click.echo(text(told[0] if len(told) == 1 else told))
    else:
        _print(_figures(found))
        if any(item.markouts for item in found):
            _print(_by_market(found))


def _figures(found: list["Metrics"]) -> "Table":
    from rich.text import Text

    from backtest.metrics import METRICS

    table = _table("", *(item.run for item in found))
    for name, metric in METRICS.items():
        if name in _GROUPS:
            table.add_section()
        cells = [item.values[name] for item in found]
        table.add_row(name, *(Text("-" if cell is None else _SHOWN[metric.unit].format(cell)) for cell in cells))
    return table


def _by_market(found: list["Metrics"]) -> "Table":
    from backtest.markouts import HORIZONS_MIN

    heads = [f"{minutes} min [bps]" for minutes in HORIZONS_MIN]
    table = _table("markouts", *(["run"] if len(found) > 1 else []), "opened [USD]", *heads)
    for item in found:
        for market in dict.fromkeys(markout.market for markout in item.markouts):
            its = [markout for markout in item.markouts if markout.market == market]
            moves = ["-" if markout.bps is None else f"{markout.bps:.2f}" for markout in its]
            opened = f"{max(markout.opened_usd for markout in its):,.0f}"
            table.add_row(market, *([item.run] if len(found) > 1 else []), opened, *moves)
    return table


def _explain(as_json: bool) -> None:
    from backtest.metrics_text import CONVENTIONS, METRICS

    if as_json:
        from backtest.render import as_json as text

        click.echo(text({name: metric._asdict() for name, metric in METRICS.items()}))
        return
    for line in CONVENTIONS:
        _paragraph(line, "")
    for name, metric in METRICS.items():
        click.echo(f"\n{name} [{metric.unit}]")
        _paragraph(metric.meaning, "    ")
        _paragraph(f"= {metric.formula}", "    ")


def _paragraph(text: str, indent: str) -> None:
    import textwrap

    click.echo(textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent))


def _table(*heads: str) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if number else "left", no_wrap=True)
    return table


def _print(table: "Table") -> None:
    """The table as wide as it is: a line that a narrow terminal breaks is still whole in a file."""
    import io

    from rich.console import Console

    console = Console(file=io.StringIO(), width=10_000, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    click.echo("\n".join(lines[1:]))
