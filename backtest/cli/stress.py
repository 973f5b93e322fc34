"""`perpool stress`: a price shock at a moment of a run, the largest that is survived, and how bad a month may be."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtest.cli.options import WholeNumber

if TYPE_CHECKING:
    from backtest.rerun import Moment


@click.command(name="stress")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--at", metavar="TIME", help="The last tick of the run up to this time, UTC; default its last.")
@click.option("--shock", "shocks", multiple=True, metavar="P=CHANGE,...", help="Prices that jump; may be repeated.")
@click.option("--grid", metavar="P,...=LOW..HIGH:STEP", help="A shock for each step.")
@click.option("--survive", is_flag=True, help="Find the largest common fall and rise that the pool survives.")
@click.option("--symbols", metavar="P,...", help="What moves with --survive; default all but stables.")
@click.option(
    "--bad-debt", type=click.FloatRange(min=0), default=0.0, metavar="USD", help="Bad debt that a pool still survives."
)
@click.option("--tail", is_flag=True, help="Value at risk and expected shortfall of LPs, drawn from the run's samples.")
@click.option("--horizons", metavar="TIME,...", help="Of --tail; default 1d,7d,30d as far as the run reaches.")
@click.option("--draws", type=WholeNumber(min=1), default=10_000, show_default=True, help="Of --tail.")
@click.option("--seed", type=WholeNumber(min=0), default=0, show_default=True, help="Of --tail.")
@click.option("--block", metavar="TIME", default="1d", show_default=True, help="Mean length of the blocks of --tail.")
@click.option(
    "--prices", multiple=True, metavar="PATH", help="Where the price files of the run are now; may be repeated."
)
@click.option(
    "--orders", multiple=True, metavar="PATH", help="Where the order files of the run are now; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def stress(run: Path, as_json: bool, **given: Any) -> None:
    """Shock the prices of RUN at a moment, exactly: its history is replayed up to there, and one more tick is settled.

    A shock names prices, custodies or markets of the protocol, symbols of the price files, or * for all but stables.
    What reads one source moves together; what is not named stays. The tick comes a second later; no order is due in it.

    The pool survives a shock with no bad debt above --bad-debt, an AUM above 0, and no custody that owes its open
    positions more than it holds.

    \b
    Example:
      perpool stress runs/alp --at 2024-08-02 --shock SOL=-30%,jitoSOL=-30%
      perpool stress runs/alp --grid '*=-50%..50%:10%'
      perpool stress runs/alp --survive --bad-debt 1000
      perpool stress runs/alp --tail --horizons 6h,1d
    """
    from backtest.cli import stress_text
    from backtest.errors import UsageError

    wanted = [name for name in ("shocks", "grid", "survive", "tail") if given[name]]
    if not wanted:
        raise UsageError("nothing to do; give --shock SOL=-30%, --grid, --survive or --tail")
    if given["tail"] and len(wanted) > 1:
        raise UsageError("--tail stands alone: it draws from the whole run, not from a moment")
    if given["tail"]:
        found = _tail(run, given)
        show = stress_text.tail
    elif given["survive"]:
        if len(wanted) > 1:
            raise UsageError("--survive looks for the shock itself; leave out --shock and --grid")
        found = _survive(run, given)
        show = stress_text.survival
    else:
        found = _shocks(run, given)
        show = stress_text.one_shock if len(found["shocks"]) == 1 else stress_text.many_shocks
    click.echo(json.dumps(found, indent=2)) if as_json else show(found)


def _moment(run: Path, given: dict[str, Any]) -> "Moment":
    from backtest.cli.run import progress
    from backtest.rerun import rerun

    with progress() as announce:
        return rerun(run, given["at"], prices=given["prices"], orders=given["orders"], announce=announce)


def _shocks(run: Path, given: dict[str, Any]) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import track

    from backtest.price_shock import grid, left_behind, moved, parse
    from backtest.stress import apply_shock, state_of

    moment = _moment(run, given)
    shocks = [parse(text, moment.setup) for text in given["shocks"]]
    shocks += grid(given["grid"], moment.setup) if given["grid"] else []
    rows = track(shocks, "shocking", console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    found = [(shock, apply_shock(moment, shock)) for shock in rows]
    return _head(run, moment) | {
        "before": asdict(state_of(moment)),
        "shocks": [
            asdict(outcome)
            | {
                "moves": moved(shock, moment.setup),
                "left_behind": left_behind(shock, moment.setup),
                "survives": not outcome.fault(given["bad_debt"]),
                "fault": outcome.fault(given["bad_debt"]),
            }
            for shock, outcome in found
        ],
    }


def _survive(run: Path, given: dict[str, Any]) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    from backtest.price_shock import common, moved, volatile
    from backtest.survival import survival

    moment = _moment(run, given)
    names = given["symbols"].split(",") if given["symbols"] else volatile(moment.setup)
    moves = moved(common(names, 0.0, moment.setup), moment.setup)
    found = []
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("shocking", total=None)
        for falling in (True, False):
            limit, advance = given["bad_debt"], lambda: bar.advance(task)
            found.append(survival(moment, names, falling=falling, bad_debt_usd=limit, progress=advance))
    return _head(run, moment) | {
        "moves": moves,
        "bad_debt_usd": given["bad_debt"],
        "directions": [asdict(item) for item in found],
    }


def _tail(run: Path, given: dict[str, Any]) -> dict[str, Any]:
    from backtest.tail_risk import lp_history, tail_risk

    history = lp_history(run)
    horizons = tuple(given["horizons"].split(",")) if given["horizons"] else ()
    found = tail_risk(history, horizons, draws=given["draws"], seed=given["seed"], mean_block=given["block"])
    return {
        "run": str(run),
        "steps": len(history.returns),
        "step_s": history.step_us / 1e6,
        "days": history.days,
        "left_out": history.left_out,
        "draws": given["draws"],
        "seed": given["seed"],
        "mean_block": given["block"],
        "horizons": [asdict(item) for item in found],
    }


def _head(run: Path, moment: "Moment") -> dict[str, Any]:
    from backtest.price_files import iso

    return {"run": str(run), "at": iso(moment.at_us)}
