"""The formats that can be imported: name, reader, what it is, and how its files end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from backtest.errors import UsageError
from backtest.history.bars import binance, ccxt, freqtrade
from backtest.history.binary import SUFFIXES as BINARY
from backtest.history.chainlink import chainlink
from backtest.history.columns import columns
from backtest.history.json_bars import tradingview
from backtest.history.lean import lean
from backtest.history.rows import Options, Rows
from backtest.history.sources import PACKED
from backtest.toml_files import hint

_TEXT = (".csv", *PACKED)


class Format(NamedTuple):
    """A kind of file.

    read: the rows of a file, batch by batch, in the order of the file
    endings: of the files that are taken from a folder
    """

    read: Callable[[Path, Options], Iterator[Rows]]
    endings: tuple[str, ...]


FORMATS = {
    "binance": Format(binance, _TEXT),
    "ccxt": Format(ccxt, (".json", ".jsonl", *_TEXT)),
    "freqtrade": Format(freqtrade, BINARY),
    "tradingview": Format(tradingview, (".json", ".gz")),
    "lean": Format(lean, _TEXT),
    "chainlink": Format(chainlink, _TEXT),
    "columns": Format(columns, (".tsv", ".txt", *_TEXT, *BINARY)),
}


def format_of(name: str) -> Format:
    """The format called `name`; UsageError when there is none."""
    if name not in FORMATS:
        raise UsageError(f"format {name!r} is unknown; {hint(name, FORMATS)}")
    return FORMATS[name]
