"""What a page is about: the opened run or runs, their manifests, and the parameters that fill its queries."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from backtest import warehouse
from backtest.errors import PerpoolError, UsageError
from backtest.report import colours, table
from backtest.report.answers import Answers

_DAY_S = 86_400
# The longest span, in days, whose table has a line per such period; everything longer has one per month.
_PERIODS = ((3, "1 hour"), (95, "1 day"), (740, "1 week"))


class Hedge(NamedTuple):
    """How the LPs' exposure is hedged: cost in basis points of every dollar traded, and how often it is renewed."""

    cost_bps: float = 10.0
    every: str = "1 day"


class Subject(NamedTuple):
    """The runs behind a page, by name, with the answers to its queries and the colours of their assets."""

    runs: tuple[str, ...]
    manifests: tuple[dict[str, Any], ...]
    answers: Answers
    palette: dict[str, str]
    hedge: Hedge

    @property
    def period(self) -> str:
        """The period of tables and bars, such as 1 day."""
        return self.answers.parameters["period"]

    def numbers(self, query: str, names: Sequence[str], kind: str, caption: str) -> str:
        """The table behind a picture over time: the last value of each series in every period."""
        return table.levels(self.answers.levels(query), names, kind, caption, self.period)


@contextlib.contextmanager
def opened(paths: Sequence[Path | str], hedge: Hedge) -> Iterator[Subject]:
    """The runs, opened for as long as a page is made of them; PerpoolError when one cannot be read."""
    if not 0 <= hedge.cost_bps <= 10_000:
        raise UsageError(
            f"hedge cost {hedge.cost_bps:g} bps is outside 0 to 10,000; it is a share of every dollar traded"
        )
    runs = warehouse.load_runs(paths)
    con = warehouse.open_run(*paths)
    try:
        _check_period(con, hedge.every)
        found = {"period": _period(con), "every": hedge.every, "cost_bps": f"{hedge.cost_bps!r}"}
        manifests = tuple(run.manifest for run in runs)
        names = tuple(run.name for run in runs)
        yield Subject(names, manifests, Answers(con, found), colours.assets(manifests[0]), hedge)
    except duckdb.Error as error:
        listed = ", ".join(str(run.path) for run in runs)
        raise PerpoolError(f"cannot read {listed}: {warehouse.one_line(error)}; run the backtest again") from error
    finally:
        con.close()


def _period(con: duckdb.DuckDBPyConnection) -> str:
    """The period that gives a table of a readable length over the whole span of the runs."""
    ((seconds,),) = con.sql("SELECT coalesce(epoch(max(timestamp) - min(timestamp)), 0) FROM lp").fetchall()
    return next((period for days, period in _PERIODS if seconds <= days * _DAY_S), "1 month")


def _check_period(con: duckdb.DuckDBPyConnection, period: str) -> None:
    try:
        ((known,),) = con.execute("SELECT CAST(? AS INTERVAL) >= INTERVAL '1 minute'", [period]).fetchall()
    except duckdb.Error:
        known = False
    if not known:
        raise UsageError(f"'{period}' is no period to hedge by; write '6 hours', '1 day' or '1 week'")
