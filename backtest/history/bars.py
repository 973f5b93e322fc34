"""Candles with named columns: Binance's klines, ccxt's OHLCV and freqtrade's files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from backtest.errors import PerpoolError
from backtest.history import binary, text
from backtest.history.binary import numbers
from backtest.history.json_bars import ccxt_lists
from backtest.history.rows import Options, Rows
from backtest.history.sources import Member, members
from backtest.history.times import Clock
from backtest.price_files import CANDLES

VALUES = (*CANDLES, "volume")
KLINE = (
    "open_time",
    *VALUES,
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
_TIMES = ("timestamp", "time", "datetime", "date", "open_time", "ts")


def binance(file: Path, options: Options) -> Iterator[Rows]:
    """Klines of Binance's public data: 12 columns, with or without a line of names, times by their size."""
    for member in members(file):
        first = text.cells(text.head(member)[0])
        header = not first[0].lstrip("-").isdigit()
        if header and tuple(first) != KLINE:
            raise PerpoolError(
                f"{member.name}: the first line is {_shown(first)}, expected 12 numbers or the names "
                f"{', '.join(KLINE)}; other tables are imported with the format columns"
            )
        yield from _table(member, KLINE, "open_time", header)


def ccxt(file: Path, options: Options) -> Iterator[Rows]:
    """OHLCV of ccxt: JSON, one list or a list per line, or CSV of 6 columns with or without names."""
    for member in members(file):
        first = text.head(member)[0].lstrip()
        yield from (ccxt_lists(member) if first.startswith(("[", "{")) else _ohlcv(member, text.cells(first)))


def _ohlcv(member: Member, first: list[str]) -> Iterator[Rows]:
    header = text.time_kind(first[0]) is None
    names = tuple(cell.lower() for cell in first)
    if header and (names[0] not in _TIMES or names[1:] != VALUES):
        raise PerpoolError(
            f"{member.name}: the first line is {_shown(first)}, expected a row such as "
            f"1735689600000,1.5,1.6,1.4,1.5,100 or the names timestamp, {', '.join(VALUES)}; "
            "other tables are imported with the format columns"
        )
    yield from _table(
        member, (names[0] if header else "timestamp", *VALUES), names[0] if header else "timestamp", header
    )


def _table(member: Member, names: Sequence[str], time: str, header: bool) -> Iterator[Rows]:
    lines = text.head(member)
    row = text.cells(lines[header]) if len(lines) > header else []
    kind = text.time_kind(row[0]) if row else text.WHOLE
    if kind is None:
        raise PerpoolError(f"{member.name}: the first row has the time {row[0]!r}, expected a number or ISO 8601 text")
    layout = text.Layout(names, {time: kind} | dict.fromkeys(VALUES, text.NUMBER), header)
    clock = Clock(time)
    for frame, place in text.batches(member, layout):
        yield Rows(
            _canonical(frame, clock.read(frame[time], place)), place, {"timestamp": time}, kind == text.NAIVE_TIME
        )


def _shown(cells: Sequence[str]) -> str:
    return ",".join(cells)[:60]


def _canonical(frame: pl.DataFrame, times: pl.Series) -> pl.DataFrame:
    return frame.select(times.alias("timestamp"), *VALUES)


def freqtrade(file: Path, options: Options) -> Iterator[Rows]:
    """Feather or Parquet with `date` (or `timestamp`) in UTC or with a zone, and candles."""
    names = binary.names_of(file)
    time = next((name for name in ("date", "timestamp") if name in names), "date")
    missing = [name for name in (time, *VALUES) if name not in names]
    if missing:
        raise PerpoolError(
            f"{file}: column {', '.join(missing)} is missing (there are: {', '.join(names)}); "
            "other tables are imported with the format columns"
        )
    clock = Clock(time)
    for frame, place in binary.batches(file, [time, *VALUES]):
        kind = frame.schema[time]
        if not isinstance(kind, pl.Datetime) or kind.time_zone is None:
            raise PerpoolError(
                f"{file}: column {time} holds {'times' if kind.is_temporal() else kind} without a zone. "
                f"Where they are in UTC, import the file with the format columns: --map timestamp={time}"
            )
        yield Rows(_canonical(numbers(frame, VALUES, file), clock.read(frame[time], place)), place, {"timestamp": time})
