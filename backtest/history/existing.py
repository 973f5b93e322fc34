"""What a dataset has already: the rows of a symbol as pieces, and whether what comes is of the same kind."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from backtest.errors import PerpoolError
from backtest.history import store
from backtest.history.pieces import Piece, keep, times_of
from backtest.history.row_checks import first_fault
from backtest.price_files import BATCH_ROWS, CANDLES, open_file, shape_of


@dataclass
class Existing:
    """The file of a symbol; `gaps`: how often each distance between its rows (µs) occurs."""

    name: str
    pieces: list[Piece] = field(default_factory=list)
    provenance: list[dict[str, Any]] = field(default_factory=list)
    gaps: Counter[int] = field(default_factory=Counter)


def existing(folder: Path, symbol: str, scratch: Path) -> Existing:
    """What the dataset has of `symbol`, its rows copied to `scratch`; no pieces where it has nothing."""
    file = store.file_of(folder, symbol)
    found = Existing(str(file))
    if not file.is_file():
        return found
    shape_of(file)
    found.provenance = store.provenance_of(file)
    derived = next((entry["derived"] for entry in found.provenance if "derived" in entry), None)
    if derived:
        raise PerpoolError(f"{file}: was derived ({derived}); remove the file to import {symbol} from elsewhere")
    first = 0
    with open_file(file) as parquet:
        names = store.in_order(parquet.schema_arrow.names)
        for batch in parquet.iter_batches(BATCH_ROWS, columns=names):
            rows = pl.DataFrame(pl.from_arrow(batch))
            _check_symbol(file, rows, symbol)
            rows = rows.select(pl.col(name).cast(store.SCHEMA[name]) for name in names if name != "symbol")
            if fault := first_fault(rows):
                raise PerpoolError(f"{file}: row {first + fault.row}, column {fault.column}: {fault.problem}")
            rows = rows.sort("timestamp", maintain_order=True)
            steps, counts = np.unique(np.diff(times_of(rows)), return_counts=True)
            found.gaps.update(dict(zip(steps.tolist(), counts.tolist(), strict=True)))
            found.pieces.append(keep(rows, scratch / f"{file.stem} {first}.arrow", str(file)))
            first += len(rows)
    return found


def _check_symbol(file: Path, rows: pl.DataFrame, symbol: str) -> None:
    others = rows.select(pl.col("symbol").cast(pl.String)).filter(pl.col("symbol").ne_missing(symbol))
    if len(others):
        other = others["symbol"][0] or "no symbol"
        raise PerpoolError(f"{file}: holds rows of {other}, so {symbol} has no place there; import into another folder")


def check_kind(folder: Path, symbols: Mapping[str, Sequence[str]]) -> None:
    """A dataset holds candles or prices, not both: `symbols` are to come, with their columns."""
    kinds = {store.file_of(folder, symbol): "open" in columns for symbol, columns in symbols.items()}
    for file in sorted(folder.glob("*.parquet")):
        if file not in kinds:
            kinds[file] = shape_of(file) == CANDLES
    files = {candles: file for file, candles in kinds.items()}
    if len(files) > 1:
        raise PerpoolError(
            f"{files[True]} holds candles but {files[False]} prices; "
            "a dataset has one shape: import into another folder"
        )
