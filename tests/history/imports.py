"""Small price files of every format, and an import of them."""

import gzip
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from backtest.history import store
from backtest.history.importing import Report, import_prices
from backtest.history.rows import Options
from tests.real import real_data

T0 = datetime(2025, 1, 1, tzinfo=UTC)
MS0 = int(T0.timestamp() * 1_000)
BARS = [(100.0, 101.5, 99.5, 101.0, 7.0), (101.0, 102.0, 100.0, 100.5, 0.0), (100.5, 100.5, 98.25, 99.0, 2.5)]
NAMES = ("open", "high", "low", "close", "volume")


def minute(number: int) -> datetime:
    """The `number`-th minute of 2025."""
    return T0 + timedelta(minutes=number)


def bars(count: int = 3, first: int = 0) -> pl.DataFrame:
    """Candles of the minutes from `first`, BARS over and over."""
    rows = [BARS[number % len(BARS)] for number in range(first, first + count)]
    times = pl.Series("timestamp", [minute(number) for number in range(first, first + count)], pl.Datetime("us", "UTC"))
    return pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.Float64), orient="row").insert_column(0, times)


def csv(rows: list[tuple[Any, ...]], header: str = "", delimiter: str = ",", end: str = "\n") -> str:
    """Rows as text, one a line."""
    lines = [header] if header else []
    return end.join([*lines, *(delimiter.join(map(str, row)) for row in rows), ""])


def klines(count: int = 3, first: int = 0, unit: int = 1) -> str:
    """Rows of Binance's public data; `unit`: parts of a millisecond."""
    times = [(MS0 + 60_000 * number) * unit for number in range(first, first + count)]
    values = [BARS[number % len(BARS)] for number in range(first, first + count)]
    return csv([(time, *row, time + 60_000 * unit - 1, 1, 2, 3, 4, 0) for time, row in zip(times, values, strict=True)])


def ohlcv(count: int = 3) -> list[list[float]]:
    """ccxt's list of lists."""
    return [[MS0 + 60_000 * number, *BARS[number % len(BARS)]] for number in range(count)]


def zipped(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def gzipped(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def written(path: Path, content: Any) -> Path:
    """Write text, bytes or, to a .json, anything."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_bytes(content.encode())
    else:
        path.write_text(json.dumps(content))
    return path


def write_feather(path: Path, frame: pl.DataFrame) -> Path:
    feather.write_feather(pa.table(frame.to_arrow()), str(path))
    return path


def imported(out: Path, kind: str, *files: Path, repair: str = "", **options: Any) -> Report:
    """Import into `out`, of the symbol SOL unless another one, or None, is asked for."""
    given = Options(**({"symbol": "SOL"} | options))
    return import_prices(kind, files, out, options=given, repairs=repair.split(",") if repair else [])


def rows(out: Path, symbol: str = "SOL") -> pl.DataFrame:
    """The rows of a symbol, without its name, which is checked."""
    frame = pl.read_parquet(store.file_of(out, symbol))
    assert set(frame["symbol"]) == {symbol}
    assert frame.schema == {name: store.SCHEMA[name] for name in store.in_order(frame.columns)}
    return frame.drop("symbol")


def nothing_left(folder: Path) -> bool:
    """Whether no hidden file or folder stands in `folder`."""
    return not [path for path in folder.rglob(".*")]


def real(*parts: str) -> Path:
    """A file of the real data; the test is skipped where it is absent."""
    path = real_data().joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"no {'/'.join(parts)} in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds real prices"
        )
    return path
