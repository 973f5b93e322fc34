"""Any table with a header: CSV, Parquet or Feather, its columns named by `--map` or called as in a dataset."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError, UsageError
from backtest.history import binary, text
from backtest.history.rows import Options, Place, Rows, refuse
from backtest.history.sources import Member, members
from backtest.history.store import ORDER, in_order
from backtest.history.times import UTC_US, Clock
from backtest.price_files import CANDLES
from backtest.toml_files import hint

_ALIASES = {"min": "bid", "max": "ask"}
_FIELDS = {name: name for name in ORDER} | {alias: name for name, alias in _ALIASES.items()}
_DELIMITERS = (",", ";", "\t")


def parse_mapping(given: Sequence[str]) -> dict[str, str]:
    """`["timestamp=open_time,price=close"]` as field -> column; an empty column leaves the field out."""
    mapping: dict[str, str] = {}
    for pair in ",".join(given).split(",") if given else ():
        name, equals, column = (part.strip() for part in pair.partition("="))
        if not equals:
            raise UsageError(f"--map {pair!r} is no FIELD=COLUMN; write for example timestamp=open_time,price=close")
        if name not in _FIELDS:
            raise UsageError(f"--map {pair}: {name!r} is no field; {hint(name, _FIELDS)}")
        if _FIELDS[name] in mapping:
            raise UsageError(f"--map names {_FIELDS[name]} twice; name each field once")
        mapping[_FIELDS[name]] = column
    return mapping


def columns(file: Path, options: Options) -> Iterator[Rows]:
    """The fields of a dataset out of a table with a header, of one symbol or of many."""
    if file.suffix.lower() in binary.SUFFIXES:
        yield from _from_binary(file, options)
        return
    for member in members(file):
        yield from _from_text(member, options)


def _from_text(member: Member, options: Options) -> Iterator[Rows]:
    lines = text.head(member)
    delimiter = max(_DELIMITERS, key=lines[0].count)
    names = text.cells(lines[0], delimiter)
    if text.time_kind(names[0]):
        raise PerpoolError(
            f"{member.name}: the first line ({lines[0][:60]}) is a row, but this format needs a line of names; "
            "write one above it, such as timestamp,price"
        )
    found = _fields(member.name, names, options)
    row = text.cells(lines[1], delimiter) if len(lines) > 1 else []
    at = names.index(found["timestamp"])
    cell = row[at] if at < len(row) else ""
    kind = text.time_kind(cell)
    if kind is None and row:
        raise PerpoolError(
            f"{member.name}: line 2, column {found['timestamp']}: {cell!r} is no time; expected a number since 1970 "
            "or ISO 8601 text such as 2025-01-31T12:00:00Z"
        )
    kinds = {column: text.NUMBER for column in found.values()} | {found["timestamp"]: kind or text.WORD}
    if "symbol" in found:
        kinds[found["symbol"]] = text.SYMBOL
    layout = text.Layout(names, kinds, header=True, delimiter=delimiter)
    clock = Clock(found["timestamp"])
    for frame, place in text.batches(member, layout):
        yield Rows(_renamed(frame, found, clock, place), place, found, kind == text.NAIVE_TIME)


def _from_binary(file: Path, options: Options) -> Iterator[Rows]:
    found = _fields(str(file), binary.names_of(file), options)
    clock = Clock(found["timestamp"])
    numbers = [column for field, column in found.items() if field not in ("timestamp", "symbol")]
    for frame, place in binary.batches(file, list(dict.fromkeys(found.values()))):
        times = _moments(frame[found["timestamp"]], place)
        naive = isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is None
        frame = binary.numbers(frame, numbers, file).with_columns(times)
        yield Rows(_renamed(frame, found, clock, place), place, found, naive)


def _moments(raw: pl.Series, place: Place) -> pl.Series:
    """Times as numbers or instants; of text what it says."""
    if raw.dtype.is_integer() or isinstance(raw.dtype, pl.Datetime):
        return raw
    if raw.dtype == pl.Date:
        return raw.cast(pl.Datetime("us"))
    if raw.dtype == pl.String:
        for kind in (text.UTC_TIME, text.NAIVE_TIME):
            try:
                return pl.Series(raw.name, pl.from_arrow(raw.to_arrow().cast(kind)))
            except pa.ArrowInvalid:
                continue
    at = int(raw.is_not_null().arg_max() or 0)
    refuse(place, at, raw.name, f"{raw[at]!r} ({raw.dtype}) is no time; expected timestamps, or numbers since 1970")


def _fields(where: str, names: Sequence[str], options: Options) -> dict[str, str]:
    """Field -> column of the file: as mapped, else the column of that very name."""
    given = {field: column for field, column in options.mapping.items() if column}
    for field, column in given.items():
        if column not in names:
            raise UsageError(f"{where}: --map {field}={column}: there is no such column; {hint(column, names)}")
    for field, alias in _ALIASES.items():
        if field in names and alias in names and field not in options.mapping:
            raise UsageError(f"{where}: columns {field} and {alias} say the same; choose one: --map {field}={alias}")
    same = {field: name for name in names for field in [_FIELDS.get(name, "")] if field}
    found = {field: name for field, name in same.items() if field not in options.mapping} | given
    _check_shape(where, names, found)
    twice = [column for column in found.values() if names.count(column) > 1]
    if twice:
        raise PerpoolError(f"{where}: column {twice[0]} is there twice; keep one")
    if "symbol" not in found and options.symbol is None:
        raise UsageError(f"{where}: has no column symbol; give --symbol, or --map symbol=COLUMN")
    return {field: found[field] for field in in_order(list(found))}


def _check_shape(where: str, names: Sequence[str], found: Mapping[str, str]) -> None:
    there = f"there are: {', '.join(names)}"
    if "timestamp" not in found:
        raise UsageError(f"{where}: which column holds the time? ({there}); give --map timestamp=COLUMN")
    candles = [name for name in CANDLES if name in found]
    if candles and "price" in found:
        raise UsageError(
            f"{where}: has both price and {', '.join(candles)}; leave out one shape: --map price= or "
            f"--map {','.join(f'{name}=' for name in candles)}"
        )
    missing = [name for name in CANDLES if name not in found]
    if "price" not in found and missing:
        raise UsageError(
            f"{where}: which column holds {missing[0] if candles else 'the price'}? ({there}); "
            "give --map price=COLUMN, or open=, high=, low= and close="
        )


def _renamed(frame: pl.DataFrame, found: Mapping[str, str], clock: Clock, place: Place) -> pl.DataFrame:
    times = clock.read(frame[found["timestamp"]], place).cast(UTC_US).alias("timestamp")
    return frame.select(times, *[pl.col(column).alias(name) for name, column in found.items() if name != "timestamp"])
