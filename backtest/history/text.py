"""Tables in text files: streamed as typed batches, whatever the line ends, and with the line of the first fault."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.csv as pc  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.history.rows import Place
from backtest.history.sources import Member, whole

NUMBER, WHOLE, WORD = pa.float64(), pa.int64(), pa.string()
SYMBOL = pa.dictionary(pa.int32(), pa.string())
UTC_TIME, NAIVE_TIME = pa.timestamp("us", "UTC"), pa.timestamp("us")
_NULLS = ("", "null", "NULL", "None")
_BLOCK_BYTES = 8 << 20
_HEAD_BYTES = 1 << 16
_PEEK_LINES = 10_000
_EXPECTED = {
    NUMBER: "is no number; write plain numbers such as 0.0123",
    WHOLE: "is no whole number",
    UTC_TIME: "is no time with a zone as in the first row, such as 2025-01-31T12:00:00Z",
    NAIVE_TIME: "is no time without a zone as in the first row, such as 2025-01-31 12:00:00",
}


@dataclass(frozen=True)
class Layout:
    """How to read a text table.

    names: all its columns, in order
    kinds: the columns to take, and as what
    header: the first line holds names
    time_formats: strptime patterns of its times; none: ISO 8601
    """

    names: Sequence[str]
    kinds: Mapping[str, pa.DataType]
    header: bool
    delimiter: str = ","
    time_formats: Sequence[str] = ()


def head(member: Member, count: int = 2) -> list[str]:
    """The first `count` lines that are not blank; PerpoolError where this is no text."""
    with whole(member.file), member.open() as stream:
        raw = stream.read(_HEAD_BYTES)
    if not raw:
        raise PerpoolError(f"{member.name}: the file is empty (0 bytes); get it again or leave it out")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(raw) - 4:  # else the head ends within a character
            raise PerpoolError(f"{member.name}: is not UTF-8 text; save it as CSV in UTF-8") from None
        text = raw[: error.start].decode("utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise PerpoolError(f"{member.name}: holds blank lines only; get it again or leave it out")
    if lines[0].lstrip().startswith("<"):
        shown = lines[0].strip()[:40]
        raise PerpoolError(f"{member.name}: is a web page or XML, not a table (it begins {shown!r}); download it again")
    return lines[:count]


def cells(line: str, delimiter: str = ",") -> list[str]:
    """The cells of a line, without the blanks around them."""
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def time_kind(cell: str) -> pa.DataType | None:
    """What the times of a file are, by its first: a number (WHOLE), ISO text with or without a zone; None: no time."""
    if re.fullmatch(r"-?\d+", cell):
        return WHOLE
    return next((kind for kind in (UTC_TIME, NAIVE_TIME) if cell and _fits([cell], kind)), None)


def batches(member: Member, layout: Layout) -> Iterator[tuple[pl.DataFrame, Place]]:
    """The table, a few megabytes at a time: columns `layout.kinds`, empty cells null; and how to name a row."""
    if len(head(member)) <= layout.header:
        raise PerpoolError(f"{member.name}: the file has no rows; get it again or leave it out")
    first = 0
    with whole(member.file), member.open() as stream:
        try:
            for batch in _open(stream, layout):
                yield pl.DataFrame(pl.from_arrow(batch)), _place(member, layout, first)
                first += len(batch)
        except pa.ArrowInvalid as error:
            raise _explained(member, layout, str(error)) from None


def _open(stream: Any, layout: Layout) -> Any:
    return pc.open_csv(
        stream,
        pc.ReadOptions(block_size=_BLOCK_BYTES, column_names=list(layout.names), skip_rows=int(layout.header)),
        pc.ParseOptions(delimiter=layout.delimiter),
        pc.ConvertOptions(
            column_types=dict(layout.kinds),
            include_columns=list(layout.kinds),
            null_values=list(_NULLS),
            strings_can_be_null=True,
            timestamp_parsers=list(layout.time_formats),
        ),
    )


def _place(member: Member, layout: Layout, first: int) -> Place:
    def place(row: int) -> str:
        number, _ = next(islice(_lines(member, layout), first + row, None))
        return f"{member.name}: line {number}"

    return place


def _lines(member: Member, layout: Layout) -> Iterator[tuple[int, str]]:
    """Every line of data and its number; slow, for messages."""
    with member.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", errors="replace") as text:
        kept = ((number, line.rstrip("\r\n")) for number, line in enumerate(text, 1) if line.rstrip("\r\n"))
        yield from islice(kept, int(layout.header), None)


def _explained(member: Member, layout: Layout, reason: str) -> PerpoolError:
    """The first line that cannot be read, and why."""
    lines = _lines(member, layout)
    while peek := list(islice(lines, _PEEK_LINES)):
        table = [(number, cells(line, layout.delimiter)) for number, line in peek]
        odd = next((at for at, (_, row) in enumerate(table) if len(row) != len(layout.names)), None)
        if problem := _first_misfit(table[:odd], layout):
            return PerpoolError(f"{member.name}: {problem}")
        if odd is not None:
            number, row = table[odd]
            columns = "1 column" if len(row) == 1 else f"{len(row)} columns"
            return PerpoolError(
                f"{member.name}: line {number} has {columns}, expected {len(layout.names)}; "
                "repair the line or get the file again"
            )
    return PerpoolError(f"{member.name}: cannot be read ({' '.join(reason.split())}); get the file again")


def _first_misfit(table: Sequence[tuple[int, list[str]]], layout: Layout) -> str:
    faults = []
    for name, kind in layout.kinds.items():
        column = [row[layout.names.index(name)] for _, row in table]
        if kind in _EXPECTED and not _fits(column, kind, layout.time_formats):
            at = next(at for at, cell in enumerate(column) if not _fits([cell], kind, layout.time_formats))
            faults.append(
                (table[at][0], f"line {table[at][0]}, column {name}: {column[at]!r} {_expected(kind, layout)}")
            )
    return min(faults, default=(0, ""))[1]


def _expected(kind: pa.DataType, layout: Layout) -> str:
    if kind == NAIVE_TIME and layout.time_formats:
        return f"is no time such as {datetime(2025, 1, 31, 12).strftime(layout.time_formats[0])}"  # noqa: DTZ001
    return _EXPECTED[kind]


def _fits(column: Sequence[str], kind: pa.DataType, time_formats: Sequence[str] = ()) -> bool:
    """Whether all cells can be read as `kind`, by the reader itself."""
    text = io.BytesIO("\n".join(f'"{cell}"' for cell in column).encode())
    try:
        for _ in _open(text, Layout(["x"], {"x": kind}, header=False, time_formats=time_formats)):
            pass
    except pa.ArrowInvalid as error:
        return not column or "Empty CSV" in str(error)
    return True
