"""What a reader of a format hands over: rows in the order of the file, and how to name one of them in a message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, NoReturn

import polars as pl

from backtest.errors import PerpoolError

BATCH_ROWS = 262_144

# Names row `n` of a batch: "btc.csv: line 7" or "btc.feather: row 5".
Place = Callable[[int], str]


class Rows(NamedTuple):
    """A batch of a file.

    frame: `timestamp` (µs, UTC), maybe `symbol`, and the columns of one shape as float64; null where there is nothing
    place: names a row of the frame
    names: what the file calls a column, where that is another name
    naive: the file gives times without a zone, taken as UTC
    """

    frame: pl.DataFrame
    place: Place
    names: Mapping[str, str] = MappingProxyType({})
    naive: bool = False


@dataclass(frozen=True)
class Options:
    """What of the command line a reader needs.

    symbol: the symbol asked for; None: that of the file's rows
    mapping: field of the dataset -> column of the file, empty text: none (format columns)
    decimals: of the answers of an oracle (format chainlink)
    """

    symbol: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    decimals: int = 8


def refuse(place: Place, row: int, column: str, problem: str) -> NoReturn:
    """Raise what is wrong with a cell."""
    raise PerpoolError(f"{place(row)}, column {column}: {problem}")


def numbered(file: Path | str, first: int) -> Place:
    """Rows of a file by number, 0-based, where the batch begins at row `first`."""
    return lambda row: f"{file}: row {first + row}"
