"""Position histories as they come: CSV, Parquet or JSON files as frames, each row with its place for an error."""

import glob
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from backtest.errors import PerpoolError

# What dashboards write where there is no value.
NULLS = ("", "-", "--", "—", "null", "NULL", "None", "none", "nan", "NaN", "N/A", "n/a", "NA")
ROW = "__row"
_READERS = (".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson")
_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class History:
    """The rows of one file with a column ROW (from 0 in the file), less those that hold nothing.

    `first_line`: line of row 0 where a row is a line, counted from 1; None where rows are named from 0.
    `decimal_comma`: the file may write 1,5 for 1.5, so a comma in a number says nothing for sure.
    """

    path: Path
    rows: pl.DataFrame
    sha256: str
    first_line: int | None = None
    decimal_comma: bool = False

    @property
    def columns(self) -> list[str]:
        return [name for name in self.rows.columns if name != ROW]

    def place(self, row: int) -> str:
        return f"row {row}" if self.first_line is None else f"line {row + self.first_line}"


def history_files(paths: Sequence[str | Path]) -> list[Path]:
    """The files that `paths` name, in order: a file as it is, a folder or a glob sorted by name, none twice."""
    files = [file for entry in paths for file in _expand(Path(entry))]
    return list({file.resolve(): file for file in files}.values())


def _expand(entry: Path) -> list[Path]:
    if entry.is_file():
        return [entry]
    named = entry.rglob("*") if entry.is_dir() else map(Path, glob.glob(str(entry), recursive=True))
    files = sorted(file for file in named if file.is_file() and file.suffix.lower() in _READERS)
    if not files:
        found = f"the folder holds no {', '.join(_READERS)} file" if entry.is_dir() else "no such file"
        raise PerpoolError(f"{entry}: {found}; give a position history as CSV, Parquet or JSON")
    return files


def read_history(path: Path) -> History:
    """Read one file; text formats give text, Parquet and JSON their own types. `PerpoolError` for what is none."""
    content = path.read_bytes()
    if not content.strip():
        raise PerpoolError(f"{path}: the file is empty; export it again or leave it out")
    try:
        match path.suffix.lower():
            case ".parquet":
                rows, first_line, decimal_comma = pl.read_parquet(content), None, False
            case ".json" | ".jsonl" | ".ndjson":
                (rows, first_line), decimal_comma = _read_json(content), False
            case _:
                rows, first_line, decimal_comma = _read_csv(content)
    except (pl.exceptions.PolarsError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".:")
        raise PerpoolError(f"{path}: cannot be read ({reason}); export it as CSV, Parquet or JSON lines") from None
    columns = [name for name, kind in rows.schema.items() if not (kind.is_nested() or kind in (pl.Binary, pl.Time))]
    rows = rows.select(columns).with_row_index(ROW).filter(~pl.all_horizontal(pl.col(columns).is_null()))
    if rows.is_empty():
        raise PerpoolError(f"{path}: the file has no rows; export it again or leave it out")
    return History(path, rows, hashlib.sha256(content).hexdigest(), first_line, decimal_comma)


def _read_csv(content: bytes) -> tuple[pl.DataFrame, int | None, bool]:
    """Rows as text, the line of the first one if each row is one line, and whether commas may be decimal."""
    lines = content.rstrip(b"\n").split(b"\n")
    header = lines[0].decode("utf-8-sig")
    separator = max(_SEPARATORS, key=header.count)
    try:
        rows = pl.read_csv(content, separator=separator, infer_schema=False, null_values=list(NULLS))
    except pl.exceptions.ComputeError as error:
        if "more fields" not in str(error):
            raise
        width = header.count(separator)
        line = next((n for n, text in enumerate(lines, 1) if text.count(separator.encode()) > width), 0)
        raise ValueError(f"line {line} has more fields than the header") from None
    rows = rows.rename({name: name.strip() for name in rows.columns})
    return rows, 2 if len(lines) == rows.height + 1 else None, separator == ";"


def _read_json(content: bytes) -> tuple[pl.DataFrame, int | None]:
    """One object per line, or one document that holds a list of objects somewhere; and the line of the first row."""
    text = content.decode("utf-8-sig").strip()
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        rows = pl.read_ndjson(text.encode(), infer_schema_length=None)
        return rows, 1 if text.count("\n") + 1 == rows.height else None
    return pl.DataFrame(_records(document), infer_schema_length=None, strict=False), None


def _records(document: Any) -> list[dict[str, Any]]:
    """The rows of a JSON document: the first list of objects in it, however deep, or the object itself."""
    level = [document]
    while level:
        for value in level:
            if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                return value
        level = [inner for value in level if isinstance(value, dict) for inner in value.values()]
    if isinstance(document, dict) and document:
        return [document]
    raise ValueError("it holds no list of objects")
