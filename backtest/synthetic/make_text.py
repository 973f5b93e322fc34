"""What was made, for people: each symbol before and after, what was fitted, what to do next."""

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from backtest.synthetic.figures import Figures
from backtest.synthetic.make import Made

_TITLES = {
    "bootstrap": "Stationary block bootstrap",
    "gbm": "Geometric Brownian motion",
    "garch": "GARCH(1,1) with constant correlation",
    "none": "The history itself",
}
_FITTED = {
    "drift_per_year": ("drift a year", ".1%"),
    "mean": ("mean return", ".2e"),
    "omega": ("omega", ".2e"),
    "alpha": ("alpha", ".4f"),
    "beta": ("beta", ".4f"),
    "volatility_per_year": ("volatility a year", ".1%"),
}


def show(made: Made, console: Console) -> None:
    """Print it."""
    first = next(iter(made.new.values()))
    seed = "" if made.method == "none" else f", seed {made.seed}"
    console.print(f"{_TITLES[made.method]}{seed}: {made.shape} every {made.step}, {first.first} to {first.last}")
    console.print(_comparison(made))
    if len(made.old) > 1:
        console.print("Correlation of returns (below the diagonal old, above new)")
        console.print(_correlations(made))
    if "symbols" in made.parameters:
        console.print("Fitted to the history")
        console.print(_fitted(made))
    for note in _notes(made):
        console.print(note, soft_wrap=True)
    console.print(f"\nThe prices are in {made.folder}. Next:")
    console.print(f"  perpool prices check {made.folder}", soft_wrap=True)
    console.print(f"  perpool run SCENARIO.toml --prices {made.folder}", soft_wrap=True)


def _comparison(made: Made) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("\nsymbol")
    for name in ("rows", "volatility\na year", "excess\nkurtosis", "worst\nstep", "maximum\ndrawdown"):
        table.add_column(name if "\n" in name else f"\n{name}", justify="right", no_wrap=True)
    table.add_column("\nfirst price", justify="right", no_wrap=True)
    table.add_column("\nlast price", justify="right", no_wrap=True)
    for symbol, new in made.new.items():
        old = made.old.get(symbol)
        if old:
            table.add_row(f"{symbol} old", *_cells(old), style="dim")
        table.add_row(f"{symbol} new" if old else f"{symbol} kept", *_cells(new), end_section=True)
    return table


def _cells(its: Figures) -> tuple[str, ...]:
    return (
        f"{its.rows:,}",
        f"{its.volatility:.1%}",
        "-" if its.kurtosis is None else f"{its.kurtosis:,.1f}",
        f"{its.worst_step:.2%}",
        f"{its.drawdown:.1%}",
        f"{its.first_price:,.6g}",
        f"{its.last_price:,.6g}",
    )


def _correlations(made: Made) -> Table:
    names = list(made.old)
    table = Table("", *names, box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for row, symbol in enumerate(names):
        cells = []
        for at in range(len(names)):
            value = (made.correlation_old if at < row else made.correlation_new)[row][at]
            cells.append("" if at == row else "-" if value is None else f"{value:.2f}")
        table.add_row(symbol, *cells)
    return table


def _fitted(made: Made) -> Table:
    fitted: dict[str, dict[str, float]] = made.parameters["symbols"]
    names = [name for name in _FITTED if name in next(iter(fitted.values()))]
    table = Table("symbol", *(_FITTED[name][0] for name in names), box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for symbol, numbers in fitted.items():
        table.add_row(symbol, *(format(numbers[name], _FITTED[name][1]) for name in names))
    return table


def _notes(made: Made) -> Iterator[str]:
    parameters: dict[str, Any] = made.parameters
    if made.method == "bootstrap":
        yield f"blocks of {parameters['block']} on average ({parameters['mean_block_steps']:,.6g} steps)"
    if made.method == "garch":
        dof = parameters["degrees_of_freedom"]
        joint = "joint normal" if dof is None else f"joint Student t, {dof:.1f} degrees of freedom"
        yield f"innovations: {joint}"
    why = "outside of the span" if made.method == "none" else "at times that another symbol has no row"
    for rows in sorted(set(made.left_out.values())):
        symbols = ", ".join(symbol for symbol, count in made.left_out.items() if count == rows)
        yield f"left out: {rows:,} rows of {symbols}, {why}"
    if made.gaps and made.method != "none":
        yield f"gaps: {made.gaps:,} steps longer than {made.step}, each taken as one step"
    for symbol, price in made.kept.items():
        yield f"kept: {symbol} at {price:,.10g} US dollars before shocks"
    for shock in made.shocks:
        yield f"shock: {shock}"
