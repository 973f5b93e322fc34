"""Query results as text or bytes: a table for people, CSV, JSON and Parquet for programs.

Money stays exact: a DECIMAL is written with all its digits, never through a float. Times are ISO 8601 in UTC.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, cast

import pyarrow as pa
import pyarrow.compute as pc

MAX_TABLE_ROWS = 1_000

Reader: TypeAlias = pa.RecordBatchReader


def table(reader: Reader) -> Iterator[bytes]:
    """Aligned columns, numbers to the right, at most MAX_TABLE_ROWS rows and a last line that says so."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for field in reader.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
        grid.add_column(Text(field.name), justify="right" if number else "left", no_wrap=True)
    count = 0
    for batch in reader:
        shown = batch[: max(0, MAX_TABLE_ROWS - count)]
        for row in _rows([shown], _plain):
            grid.add_row(*(Text(value or "") for value in row))
        count += batch.num_rows
    console = Console(file=io.StringIO(), width=1_000_000, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(grid)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    text = "\n".join(line for line in lines if line) + "\n"
    if count > MAX_TABLE_ROWS:
        text += f"first {MAX_TABLE_ROWS:,} of {count:,} rows; --format csv writes them all\n"
    yield text.encode()


def csv_(reader: Reader) -> Iterator[bytes]:
    """RFC 4180 with a header line; null is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(reader.schema.names)
    for batch in reader:
        writer.writerows(_rows([batch], _plain))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def json_(reader: Reader) -> Iterator[bytes]:
    """An array with one object per line; decimals are numbers with all their digits, NaN and infinity are null."""
    keys = [json.dumps(name, ensure_ascii=False) for name in reader.schema.names]
    before = "[\n"
    for row in _rows(reader, _quoted):
        cells = ", ".join(f"{key}: {value or 'null'}" for key, value in zip(keys, row, strict=True))
        yield f"{before}{{{cells}}}".encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def parquet(reader: Reader) -> Iterator[bytes]:
    """One Parquet file, zstd, column types as DuckDB gives them."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    with pq.ParquetWriter(sink, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
    yield sink.getvalue()


FORMATS: dict[str, Callable[[Reader], Iterator[bytes]]] = {
    "table": table,
    "csv": csv_,
    "json": json_,
    "parquet": parquet,
}


def _rows(
    batches: Iterable[pa.RecordBatch], texts: Callable[[pa.Array], list[str | None]]
) -> Iterator[tuple[str | None, ...]]:
    for batch in batches:
        yield from zip(*(texts(column) for column in batch.columns), strict=True)


def _plain(array: pa.Array) -> list[str | None]:
    """Text of every value, null as None. A column at a time, which is several times as fast as value by value."""
    kind = array.type
    if pa.types.is_string(kind):
        return cast(list[str | None], array.to_pylist())
    if pa.types.is_decimal(kind):
        texts = cast(list[str | None], pc.cast(array, pa.string()).to_pylist())
        # Arrow writes what is smaller than 1e-6 as 1E-10
        return [format(Decimal(text), "f") if text and "E" in text else text for text in texts]
    if pa.types.is_integer(kind):
        return cast(list[str | None], pc.cast(array, pa.string()).to_pylist())
    if pa.types.is_timestamp(kind):
        return _instants(array)
    if pa.types.is_floating(kind):
        return [None if value is None else repr(value) for value in array.to_pylist()]
    return [None if value is None else as_json(value).strip('"') for value in array.to_pylist()]


def _quoted(array: pa.Array) -> list[str | None]:
    """The same as JSON."""
    kind = array.type
    if pa.types.is_floating(kind):
        return [text if text and math.isfinite(float(text)) else None for text in _plain(array)]
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        return _plain(array)
    if pa.types.is_timestamp(kind) or pa.types.is_string(kind):
        return [None if text is None else json.dumps(text, ensure_ascii=False) for text in _plain(array)]
    return [None if value is None else as_json(value) for value in array.to_pylist()]


def _instants(array: pa.Array) -> list[str | None]:
    """ISO 8601, fractions only where there are some; Z where the type knows its zone (every zone is shown in UTC)."""
    naive = pa.timestamp(array.type.unit)
    texts = pc.cast(array.view(naive), pa.string()).to_pylist()
    zone = "Z" if array.type.tz else ""
    return [None if text is None else _without_zeros(text).replace(" ", "T") + zone for text in texts]


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_json(value: Any) -> str:
    """One value as JSON, on one line: decimals with all their digits, NaN and infinity as null, times in ISO 8601."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "null"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(as_json(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(str(key))}: {as_json(item)}' for key, item in value.items())}}}"
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return f'"{value.hex()}"'
    return json.dumps(value.isoformat() if isinstance(value, date) else str(value), ensure_ascii=False)
