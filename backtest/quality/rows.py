"""The rows of a price dataset as they are, faults and all: one symbol in memory at a time.

What `perpool run` refuses row by row is read here, to be counted; a file that it cannot read at all is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.history.store import in_order
from backtest.price_checks import LATEST_S
from backtest.price_files import CANDLES, LONG, PER_SECOND, SECOND_US, find_files, shape_of
from backtest.quote_checks import quote_names

QUOTES = ("min", "max", "ema")
KINDS = {CANDLES: "candles", LONG: "prices"}


@dataclass(frozen=True)
class Survey:
    """What a dataset holds.

    shape: the price columns of its files
    columns: per file that can be read, the name that it has for each column beyond `timestamp` and `symbol`
    holds: per file that can be read, the symbols in it
    refused: per file that cannot, why
    symbols: in the order of their names
    unnamed: rows whose symbol is null
    """

    shape: tuple[str, ...]
    columns: Mapping[Path, Mapping[str, str]]
    holds: Mapping[Path, frozenset[str]]
    refused: Mapping[Path, str]
    symbols: tuple[str, ...]
    unnamed: int

    @property
    def candles(self) -> bool:
        """True for candles, False for the long form."""
        return self.shape == CANDLES


def survey(paths: str | Path | Sequence[str | Path]) -> Survey:
    """Look at the files of a dataset; the shape is that of the first file that can be read.

    Raises the error of the first file when none can be read.
    """
    shape: tuple[str, ...] = ()
    columns: dict[Path, dict[str, str]] = {}
    holds: dict[Path, frozenset[str]] = {}
    errors: dict[Path, PerpoolError] = {}
    unnamed = 0
    for file in find_files(paths):
        try:
            its_shape, its_columns = _columns(file)
            if shape and its_shape != shape:
                raise PerpoolError(
                    f"{file}: holds {KINDS[its_shape]}, but {next(iter(columns))} holds {KINDS[shape]}; keep candles "
                    "and prices in folders of their own"
                )
            there = _symbols(file)
        except PerpoolError as error:
            errors[file] = error
            continue
        shape, columns[file] = its_shape, its_columns
        holds[file] = frozenset(there["symbol"].drop_nulls())
        unnamed += int(there.filter(pl.col("symbol").is_null())["len"].sum())
    if not columns:
        raise next(iter(errors.values()))
    refused = {file: str(error) for file, error in errors.items()}
    return Survey(shape, columns, holds, refused, tuple(sorted(set().union(*holds.values()))), unnamed)


def _columns(file: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    shape = shape_of(file)
    schema = pq.read_schema(file)
    beside = quote_names(file, (*QUOTES, "confidence") if "confidence" in schema.names else QUOTES)
    if schema.names.count("volume") == 1 and _is_number(schema.field("volume").type):
        beside["volume"] = "volume"
    return shape, {name: name for name in shape} | beside


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _symbols(file: Path) -> pl.DataFrame:
    lazy = pl.scan_parquet(file).select(pl.col("symbol").cast(pl.String))
    return _collected(file, lazy.group_by("symbol").len())


def _collected(file: Path, lazy: pl.LazyFrame) -> pl.DataFrame:
    try:
        return lazy.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = " ".join(str(error).split())
        raise PerpoolError(f"{file}: cannot be read ({reason}); write the file again") from None


def rows_of(found: Survey, symbol: str) -> pl.DataFrame:
    """Every row of `symbol`, files in order: `file` (its number), `row` in it, `time_us`, `timed`, then the columns.

    time_us: microseconds UTC; null where there is no time or it is not between 1970 and 2200
    timed: whether the row has a timestamp at all
    Columns are float64, and null where a file does not have them.
    """
    frames = []
    for number, (file, columns) in enumerate(found.columns.items()):
        if symbol not in found.holds[file]:
            continue
        unit = pq.read_schema(file).field("timestamp").type.unit
        raw = pl.col("timestamp").to_physical()
        sound = raw.is_between(0, LATEST_S * PER_SECOND[unit] - 1)
        micros = raw // (PER_SECOND[unit] // SECOND_US) if unit == "ns" else raw * (SECOND_US // PER_SECOND[unit])
        lazy = (
            pl.scan_parquet(file)
            .select("timestamp", "symbol", *columns.values())
            .with_row_index("row")
            .filter(pl.col("symbol").cast(pl.String) == symbol)
            .select(
                pl.lit(number, pl.UInt32).alias("file"),
                pl.col("row").cast(pl.Int64),
                pl.when(sound).then(micros).alias("time_us"),
                pl.col("timestamp").is_not_null().alias("timed"),
                *[pl.col(there).cast(pl.Float64).alias(name) for name, there in columns.items()],
            )
        )
        frames.append(_collected(file, lazy))
    return pl.concat(frames, how="diagonal")


def values_of(rows: pl.DataFrame) -> list[str]:
    """The columns of `rows_of` that hold values of the rows, in the order of a dataset."""
    return [name for name in in_order(rows.columns) if name != "timestamp"]
