"""Fetched candles beside those that the dataset has: of one kind, joined where they agree, refused where not."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from backtest.errors import PerpoolError
from backtest.fetching.pages import COLUMNS
from backtest.history.existing import Existing, check_kind, existing
from backtest.history.pieces import disjoint, keep

_OTHER = "fetch into another folder with --out, or under another name with --as"


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder in a journal, gone when the block ends; and so are the journal and the dataset, where empty."""
    place, out = folder / "merge", folder.parents[1]
    made = not out.exists()
    shutil.rmtree(place, ignore_errors=True)  # a killed call left it
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        for empty in (folder, folder.parent, *([out] if made else [])):
            with suppress(OSError):
                empty.rmdir()


def present(out: Path, symbol: str, step_ms: int, place: Path) -> Existing:
    """What the dataset `out` has of `symbol`, copied to `place`.

    Raises PerpoolError when candles of this length do not belong there.
    """
    there = existing(out, symbol, place)
    if there.pieces:
        columns = pl.read_ipc_schema(there.pieces[0].path)
        odd = next((name for name in columns if name not in COLUMNS), None)
        if odd is not None:
            raise PerpoolError(f"{there.name}: has column {odd}, which candles of an exchange lack; {_OTHER}")
        usual_us = min(there.gaps, key=lambda gap: (-there.gaps[gap], gap), default=step_ms * 1000)
        if usual_us != step_ms * 1000:
            raise PerpoolError(
                f"{there.name}: has candles of {usual_us / 1e6:g} s, not of {step_ms / 1e3:g} s; {_OTHER}"
            )
    check_kind(out, {symbol: COLUMNS})
    return there


def joined(there: Existing, rows: pl.DataFrame, source: str, place: Path) -> pl.LazyFrame:
    """All candles of `there` and `rows`, by time, with the columns of the file; PerpoolError where they differ."""
    pieces = list(there.pieces)
    if pieces:
        rows = rows.select(list(pl.read_ipc_schema(pieces[0].path)))
    if len(rows):
        pieces.append(keep(rows, place / "fetched.arrow", source))
    whole, _ = disjoint(pieces, place, keep_last=False)
    return pl.scan_ipc([piece.path for piece in whole]) if whole else rows.lazy()
