"""One portable DuckDB file of one or many runs: real tables, under the same views and macros as `perpool sql`."""

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb

from backtest import warehouse
from backtest.errors import PerpoolError


def export(paths: Sequence[Path | str], out: Path, *, overwrite: bool = False) -> Path:
    """Write `out`; it appears whole or not at all. Returns its path.

    Raises PerpoolError when `out` exists (without `overwrite`), cannot be written, or a run cannot be read.
    """
    out = Path(os.path.abspath(out))
    if out.is_dir():
        raise PerpoolError(f"{out} is a directory; give the name of a database file, for example {out.name}.duckdb")
    if out.exists() and not overwrite:
        raise PerpoolError(f"{out} already exists; choose another name or pass --overwrite to replace it")
    runs = warehouse.load_runs(paths)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)  # left by a killed process of the same number
        with duckdb.connect(str(partial), config={"python_enable_replacements": "false"}) as con:
            warehouse.install(con, runs, copy=True)
            con.execute("CHECKPOINT")
        partial.replace(out)
    except (OSError, duckdb.IOException) as error:
        raise PerpoolError(f"cannot write {out}: {warehouse.one_line(error)}") from error
    finally:
        _remove(partial)
    return out


def _remove(partial: Path) -> None:
    for path in (partial, partial.with_name(partial.name + ".wal")):
        path.unlink(missing_ok=True)
