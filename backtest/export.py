"""Runs for other programs: one portable DuckDB file, or a folder with a CSV or Parquet file per table and view."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from backtest import warehouse
from backtest.errors import PerpoolError, UsageError
from backtest.warehouse import Run

TABLES = (*warehouse.BASE, *warehouse.VIEWS, *warehouse.FIGURES)  # files of a folder; of the macros there are none
_COPY = {  # every digit is kept; times are ISO 8601 in UTC
    "csv": "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ'",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
FORMATS = ("duckdb", *_COPY)


def export(paths: Sequence[Path | str], out: Path, fmt: str = "duckdb", *, overwrite: bool = False) -> Path:
    """Write `out`, a database file or (`csv`, `parquet`) a folder; it appears whole or not at all. Returns its path.

    Raises UsageError for a name or format that cannot be served, PerpoolError when `out` exists (without `overwrite`;
    a folder of other files is never replaced), cannot be written, or a run cannot be read.
    """
    out = Path(os.path.abspath(out))
    if fmt == "duckdb":
        _check_file(out, overwrite)
    elif fmt in _COPY:
        _check_folder(out, fmt, overwrite)
    else:
        raise UsageError(f"unknown format {fmt!r}; choose one of {', '.join(FORMATS)}")
    runs = warehouse.load_runs(paths)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)  # left by a killed process of the same number
        _database(runs, partial) if fmt == "duckdb" else _folder(runs, partial, fmt)
        _move_into_place(partial, out)
    except (OSError, duckdb.IOException) as error:
        raise PerpoolError(f"cannot write {out}: {warehouse.one_line(error)}") from error
    finally:
        _remove(partial)
        _remove(partial.with_name(partial.name + ".wal"))
    return out


def _check_file(out: Path, overwrite: bool) -> None:
    if out.is_dir():
        raise PerpoolError(
            f"{out} is a directory; give the name of a database file, for example {out.name}.duckdb, or --format csv "
            "or parquet for a folder of files"
        )
    if out.exists() and not overwrite:
        raise PerpoolError(f"{out} already exists; choose another name or pass --overwrite to replace it")


def _check_folder(out: Path, fmt: str, overwrite: bool) -> None:
    """A folder may be replaced where it holds nothing but files of an export."""
    if out.suffix in {f".{known}" for known in FORMATS}:
        raise UsageError(f"{out}: --format {fmt} writes a folder, one file per table; name it without {out.suffix}")
    if out.exists() and not out.is_dir():
        raise PerpoolError(f"{out} is a file, and --format {fmt} writes a folder; choose another name")
    held = sorted(file.name for file in out.iterdir()) if out.exists() else []
    ours = {f"{table}.{known}" for table in TABLES for known in _COPY}
    others = [name for name in held if name not in ours]
    if others:
        raise PerpoolError(f"{out} holds {others[0]}, which is not of an export; choose another folder")
    if held and not overwrite:
        raise PerpoolError(f"{out} already holds an export; choose another name or pass --overwrite to replace it")


def _database(runs: Sequence[Run], out: Path) -> None:
    with duckdb.connect(str(out), config={"python_enable_replacements": "false"}) as con:
        warehouse.install(con, runs, copy=True)
        con.execute("CHECKPOINT")


def _folder(runs: Sequence[Run], out: Path, fmt: str) -> None:
    out.mkdir()
    with duckdb.connect(":memory:", config={"python_enable_replacements": "false"}) as con:
        warehouse.install(con, runs, copy=False)
        for table in TABLES:
            target = str(out / f"{table}.{fmt}").replace("'", "''")
            con.execute(f"COPY (FROM {table}) TO '{target}' ({_COPY[fmt]})")


def _move_into_place(partial: Path, out: Path) -> None:
    """Rename `partial` to `out`; a folder there steps aside first and comes back if that fails."""
    if not out.is_dir():
        partial.replace(out)
        return
    aside = out.with_name(f".{out.name}.replaced-{os.getpid()}")
    out.rename(aside)
    try:
        partial.rename(out)
    except BaseException:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
