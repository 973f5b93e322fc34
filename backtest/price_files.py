"""Price files on disk: find them, name their shape, and turn their columns into arrays.

A dataset is one or more Parquet files of one shape. Long: `timestamp, symbol, price`. Candles: `timestamp, symbol,
open, high, low, close`, where `timestamp` is when the candle opens. Either may carry what some venues quote beside
the price (`min` and `max`, also called `bid` and `ask`; `confidence`; `ema`). Other columns are ignored.
"""

import glob
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

LONG = ("price",)
CANDLES = ("open", "high", "low", "close")
SECOND_US = 1_000_000
BATCH_ROWS = 262_144
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(time_us: int) -> str:
    """Write `time_us` as ISO 8601 in UTC, with a fraction of a second only where there is one."""
    try:
        moment = _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        return f"{time_us} us since 1970"
    return moment.isoformat().replace("+00:00", "Z")


def find_files(paths: str | Path | Sequence[str | Path]) -> dict[Path, str]:
    """Map each file of the dataset to the name it has in a manifest (its path below the folder, or its own name).

    `paths` is a file, a folder (every *.parquet below it) or a glob, or several of them; order is by path.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise PerpoolError("no price files given; name a Parquet file, a folder or a glob")
    found: dict[Path, str] = {}
    seen: set[Path] = set()
    for entry in given:
        for file, name in _expand(Path(entry)):
            if file.resolve() not in seen:  # a folder and a file in it may both be named
                seen.add(file.resolve())
                found[file] = name
    return dict(sorted(found.items()))


def _expand(entry: Path) -> list[tuple[Path, str]]:
    if entry.is_file():
        return [(entry, entry.name)]
    if entry.is_dir():
        files = sorted(file for file in entry.rglob("*.parquet") if file.is_file() and not _hidden(file, entry))
        if not files:
            raise PerpoolError(f"{entry}: the folder holds no *.parquet files; name a folder with price files")
        return [(file, file.relative_to(entry).as_posix()) for file in files]
    if not glob.has_magic(str(entry)):
        raise PerpoolError(f"{entry}: no such price file or folder; check the path")
    files = sorted(Path(file) for file in glob.glob(str(entry), recursive=True) if Path(file).is_file())
    if not files:
        raise PerpoolError(f"{entry}: no file matches; check the pattern")
    return [(file, file.name) for file in files]


def _hidden(file: Path, folder: Path) -> bool:
    """Whether the file lies in a hidden folder of `folder`: work in progress, not prices."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def fingerprint(paths: str | Path | Sequence[str | Path]) -> list[dict[str, str | int]]:
    """Name every file of the dataset with its size and SHA-256: `{"path", "bytes", "sha256"}`, in reading order."""
    prints: list[dict[str, str | int]] = []
    for file, name in find_files(paths).items():
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        prints.append({"path": name, "bytes": file.stat().st_size, "sha256": digest})
    return prints


def shape_of(file: Path) -> tuple[str, ...]:
    """Tell candles from prices by the column names, and check names and types."""
    if file.stat().st_size == 0:
        raise PerpoolError(f"{file}: the file is empty (0 bytes); write it again or leave it out")
    try:
        parquet = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise PerpoolError(f"{file}: not a readable Parquet file; convert it to Parquet first") from error
    with parquet:
        schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
    names = set(schema.names)
    candles = [name for name in CANDLES if name in names]
    if candles and "price" in names:
        raise PerpoolError(f"{file}: has both price and {', '.join(candles)}; keep either price or the candle columns")
    columns = CANDLES if candles else LONG
    missing = [name for name in ("timestamp", "symbol", *columns) if name not in names]
    if missing:
        raise PerpoolError(
            f"{file}: column {', '.join(missing)} is missing (there are: {', '.join(schema.names)}); price files hold "
            "timestamp, symbol, price or timestamp, symbol, open, high, low, close"
        )
    twice = sorted(name for name in ("timestamp", "symbol", *columns) if schema.names.count(name) > 1)
    if twice:
        raise PerpoolError(f"{file}: column {', '.join(twice)} is there twice; keep one")
    _check_types(file, schema, columns)
    if rows == 0:
        raise PerpoolError(f"{file}: the file has no rows; write it again or leave it out")
    return columns


def _check_types(file: Path, schema: pa.Schema, columns: tuple[str, ...]) -> None:
    kind = schema.field("timestamp").type
    if not pa.types.is_timestamp(kind):
        raise PerpoolError(
            f"{file}: column timestamp has type {kind}; expected a timestamp in UTC. "
            "Convert it first, for example pl.from_epoch('timestamp', 'ms').dt.replace_time_zone('UTC')"
        )
    if kind.tz is None:
        raise PerpoolError(
            f"{file}: column timestamp has no time zone ({kind}); if the times are UTC, say so: "
            "pl.col('timestamp').dt.replace_time_zone('UTC')"
        )
    kind = schema.field("symbol").type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        raise PerpoolError(f"{file}: column symbol has type {kind}; expected text such as 'SOL'")
    for name in columns:
        check_number(file, name, schema.field(name).type)


def check_number(file: Path, name: str, kind: pa.DataType) -> None:
    """Refuse a column of prices that does not hold numbers."""
    if not (pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_integer(kind)):
        raise PerpoolError(
            f"{file}: column {name} has type {kind}; expected a number, US dollars per token: "
            f"pl.col('{name}').cast(pl.Float64)"
        )


def decode(batch: pa.RecordBatch, symbols: Sequence[str]) -> tuple[Places, list[str | None]]:
    """Give each row the position of its symbol in `symbols`, or -1, shape (rows,); and the symbols the batch names."""
    encoded = batch.column("symbol")
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    names: list[str | None] = encoded.dictionary.to_pylist()
    place = {symbol: number for number, symbol in enumerate(symbols)}
    lookup = np.array([place.get(name, -1) if name is not None else -2 for name in [*names, None]], dtype=np.intp)
    indices = encoded.indices
    if indices.null_count:
        indices = indices.cast(pa.int64()).fill_null(len(names))
    return lookup[indices.to_numpy(zero_copy_only=False)], names


def times_us(column: pa.Array) -> Ints:
    """Microseconds since the epoch, UTC, shape (rows,). Finer instants are cut to the microsecond."""
    per_second = PER_SECOND[column.type.unit]
    raw: Ints = column.cast(pa.int64()).to_numpy()
    if per_second > SECOND_US:
        return raw // (per_second // SECOND_US)
    return raw * (SECOND_US // per_second)


def floats(column: pa.Array) -> Floats:
    """Prices in US dollars, shape (rows,), float64."""
    if not pa.types.is_float64(column.type):
        column = column.cast(pa.float64(), safe=False)
    values: Floats = column.to_numpy(zero_copy_only=False)
    return values


def open_file(file: Path) -> pq.ParquetFile:
    """Open for reading with symbols kept as codes, which is several times faster than text."""
    return pq.ParquetFile(file, read_dictionary=["symbol"])
