"""The figures by which a run is judged: `of_run` gives their values, METRICS says what each one means.

Each has one definition, a row of SQL that `perpool sql RUN "FROM metrics"` shows too (the markouts: backtest.markouts).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from backtest import warehouse
from backtest.errors import PerpoolError
from backtest.markouts import HORIZONS_MIN, Markout, markouts, overall
from backtest.metrics_text import CONVENTIONS, METRICS, Metric
from backtest.warehouse import Run

__all__ = ["CONVENTIONS", "METRICS", "Markout", "Metric", "Metrics", "of_run", "of_runs"]


@dataclass(frozen=True)
class Metrics:
    """Of one run, by name in the order of METRICS: `values`, None where one is not defined.

    markouts: by market and horizon. note: why there are none, or nothing.
    """

    run: str
    values: dict[str, float | None]
    markouts: tuple[Markout, ...]
    note: str


def of_run(path: Path | str) -> Metrics:
    """The metrics of a run directory; raises PerpoolError when it cannot be read."""
    (found,) = of_runs([path])
    return found


def of_runs(paths: Sequence[Path | str]) -> list[Metrics]:
    """The metrics of several run directories, each under the shortest name that tells it apart."""
    runs = warehouse.load_runs(paths)
    con = warehouse.open_run(*paths)
    try:
        rows = con.sql("FROM metrics").to_arrow_table().to_pylist()
        figures = {row["run"]: row for row in rows}
        return [_metrics(con, run, figures[run.name]) for run in runs]
    except duckdb.Error as error:
        listed = ", ".join(str(run.path) for run in runs)
        raise PerpoolError(f"cannot read {listed}: {warehouse.one_line(error)}; run the backtest again") from error
    finally:
        con.close()


def _metrics(con: duckdb.DuckDBPyConnection, run: Run, figures: dict[str, float | None]) -> Metrics:
    moves: tuple[Markout, ...] = ()
    note = ""
    try:
        moves = markouts(con, run)
    except PerpoolError as error:
        note = f"no markouts: {error}"
    told = figures | {f"markout_{minutes}m_bps": overall(moves, minutes) for minutes in HORIZONS_MIN}
    return Metrics(run.name, {name: told[name] for name in METRICS}, moves, note)
