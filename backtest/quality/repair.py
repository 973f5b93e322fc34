"""Mend a dataset by named repairs: all of it or, where a run would still refuse what remains, nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from backtest.errors import PerpoolError, UsageError
from backtest.history.repairs import apply, check_repairs
from backtest.history.store import SCHEMA, file_of, provenance_of, write_symbol
from backtest.price_files import fingerprint, iso
from backtest.quality.faults import FAULTS, find_faults
from backtest.quality.gaps import cadence_us
from backtest.quality.rows import Survey, rows_of, values_of


@dataclass(frozen=True)
class Step:
    """What one repair did: the rows that it dropped or moved, and the first and the last of their times."""

    name: str
    rows: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Repaired:
    """The file of a symbol, the rows that it holds, and how they came about."""

    symbol: str
    file: Path
    rows: int
    steps: list[Step]


def names_of(text: str) -> tuple[str, ...]:
    """The repairs of a list such as `drop-zero,sort`, in the order in which they are made; UsageError otherwise."""
    return check_repairs(name.strip() for name in text.split(","))


def repair(found: Survey, repairs: Sequence[str], out: Path) -> list[Repaired]:
    """Write every symbol to a dataset in `out`, which may be the one that is read, after `repairs`.

    Raises PerpoolError naming the first rows that a run would still refuse, UsageError for a folder that cannot be
    written to; in both cases no file has been touched.
    """
    if found.refused:
        raise PerpoolError(next(iter(found.refused.values())))
    if found.unnamed:
        raise PerpoolError(f"{found.unnamed:,} rows have no symbol; name it by hand, or remove them")
    targets = _targets(found, out)
    for symbol in found.symbols:  # all are looked at before the first is written; one at a time is in memory
        _check(found, symbol, _repaired(found, symbol, repairs)[0])
    digests = {file: str(fingerprint(file)[0]["sha256"]) for file in found.columns}
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    done: list[Repaired] = []
    for symbol, target in targets.items():
        rows, steps = _repaired(found, symbol, repairs)
        files = [file for file in found.columns if symbol in found.holds[file]]
        entry = {
            "repaired": {step.name: step.rows for step in steps},
            "sources": [{"source": file.name, "sha256": digests[file]} for file in files],
            "repaired_at": moment,
        }
        history = [old for file in files for old in provenance_of(file)]
        write_symbol(out, symbol, rows.select("timestamp", *values_of(rows)), [*history, entry])
        done.append(Repaired(symbol, target, len(rows), steps))
    return done


def _targets(found: Survey, out: Path) -> dict[str, Path]:
    """The file of each symbol in `out`: new, or the one that holds this symbol alone and all of it."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; give a folder")
    targets = {symbol: file_of(out, symbol) for symbol in found.symbols}
    for symbol, target in targets.items():
        if twin := next((name for name, file in targets.items() if file == target and name != symbol), None):
            raise UsageError(f"{symbol} and {twin} would share the file {target.name}; rename one of them")
    there = {file.resolve() for file in out.rglob("*.parquet")} if out.is_dir() else set()
    sources = {file.resolve(): its for file, its in found.holds.items()}
    if there and not there & sources.keys():
        raise UsageError(f"--out {out}: holds price files already; give a new folder, or the folder that is repaired")
    for file in sorted(there & sources.keys()):
        own = next((symbol for symbol, target in targets.items() if target.resolve() == file), None)
        if sources[file] != {own} or sum(own in its for its in sources.values()) > 1:
            raise UsageError(
                f"--out {out}: {file.name} cannot be replaced, as it does not hold one symbol alone and all of it; "
                "give a new folder"
            )
    for target in targets.values():
        if target.resolve() in there - sources.keys():
            raise UsageError(f"--out {out}: holds {target.name} already; give a new folder")
    return targets


def _repaired(found: Survey, symbol: str, repairs: Sequence[str]) -> tuple[pl.DataFrame, list[Step]]:
    """The rows of a symbol that remain, with `timestamp`, and what each repair did."""
    rows = _merged(rows_of(found, symbol)).with_columns(timestamp=pl.col("time_us").cast(SCHEMA["timestamp"]))
    unread = rows.filter(pl.col("timed") & pl.col("time_us").is_null())
    if len(unread):  # to the repairs it would look like a row without a time
        file, row = unread.select("file", "row").row(0)
        raise PerpoolError(
            f"{list(found.columns)[file]}: row {row}, column timestamp: is not between 1970 and 2200, which no repair "
            "mends; check the unit the times were written in"
        )
    steps: list[Step] = []
    columns = ["timestamp", *values_of(rows)]
    for name in repairs:
        before = rows.select(columns).with_row_index("place")
        after, counts = apply(before, [name])
        steps.append(Step(name, counts[name], *_times(before, after, name)))
        rows = rows[after["place"]]
    return rows, steps


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of several files as a run reads them: merged by time, if each file is in order."""
    ordered = rows.group_by("file").agg(pl.col("time_us").is_sorted() & (pl.col("time_us").null_count() == 0))
    if ordered["time_us"].all():
        return rows.sort("time_us", maintain_order=True)
    return rows


def _times(before: pl.DataFrame, after: pl.DataFrame, name: str) -> tuple[str | None, str | None]:
    """The first and the last time of the rows that a repair touched."""
    if name == "sort":
        touched = before.filter(pl.col("timestamp") < pl.col("timestamp").cum_max())
    else:
        touched = before.join(after, on="place", how="anti")
    times = touched["timestamp"].drop_nulls().to_physical()
    if not len(times):
        return None, None
    return iso(int(times.min())), iso(int(times.max()))  # type: ignore[arg-type]


def _check(found: Survey, symbol: str, rows: pl.DataFrame) -> None:
    """Refuse what a run would refuse."""
    files = list(found.columns)
    least = 2 if found.candles else 1  # of a single candle nobody knows the interval
    if len(rows) < least:
        raise PerpoolError(
            f"{symbol}: the repairs leave {len(rows)} rows, too few for a run; leave its files out. Nothing was written"
        )
    times = np.unique(rows["time_us"].drop_nulls().to_numpy())
    cadence = cadence_us(times)[0] if found.candles else 0
    for kind, fault in find_faults(rows.with_columns(bad_time=pl.lit(False)), cadence).items():
        problem, mend = FAULTS[kind]
        row = rows.row(by_predicate=(pl.col("file") == fault.file) & (pl.col("row") == fault.row), named=True)
        values = ", ".join(f"{name} {row[name]}" for name in values_of(rows))
        at = "no time" if fault.time_us is None else iso(fault.time_us)
        raise PerpoolError(
            f"{files[fault.file]}: row {fault.row} ({at}, {values}): {problem}; so in {fault.rows:,} of the rows of "
            f"{symbol} that the repairs leave. To mend: {mend}. Nothing was written"
        )
