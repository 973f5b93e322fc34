"""The one registry of output columns: what each record field is called in a file, its Arrow type, unit and meaning.

A record of `kernels.state` is a row of int64; a column of a file is the same eight bytes under a type that says
what they mean. Types follow from names (`_usd`, `_units`, `timestamp`, ...); the texts below carry the meaning.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backtest.columns_text import DOCS
from backtest.errors import PerpoolError
from kernels import codes, state

Int64 = npt.NDArray[np.int64]

REJECTION_OUTCOMES = ("rejected", "pending")
RECORDS: dict[str, np.dtype[np.void]] = {
    "events": state.EVENT,
    "positions": state.POSITION,
    "pool": state.POOL_SAMPLE,
    "markets": state.MARKET_SAMPLE,
    "lp": state.LP_SAMPLE,
    "rejections": state.REJECTION,
    "book": state.MARK,
}
BOOK = "book"  # of a moment, not of the run: a file for each, in a folder of that name
_LIMIT = 10**18  # decimal64(18, x) holds 18 digits: 1e12 dollars, or a price of 1e8


class Labels(NamedTuple):
    """Symbols behind the codes `market` and `custody` of one run."""

    markets: tuple[str, ...]
    custodies: tuple[str, ...]


class Column(NamedTuple):
    """One column; `kind` picks the type, `absent` is the value of the record that is null in the file, if any."""

    field: str
    name: str
    kind: str
    unit: str
    absent: int | None
    doc: str

    @property
    def type(self) -> pa.DataType:
        """Arrow type of the column."""
        return _SYMBOL if self.field in _SYMBOLS else _TYPES[self.kind]


_TYPES: dict[str, pa.DataType] = {
    "timestamp": pa.timestamp("us", "UTC"),
    "usd": pa.decimal64(18, 6),
    "price": pa.decimal64(18, 10),
    "code": pa.dictionary(pa.int8(), pa.string()),
    "id": pa.int64(),
    "integer": pa.int64(),
}
# A run may have more markets or custodies than int8 counts.
_SYMBOLS = {"market", "custody"}
_SYMBOL: pa.DataType = pa.dictionary(pa.int16(), pa.string())
_TIMES = {"timestamp", "opened_at", "closed_at", "snapshot_at"}
_PRICES = {"price", "custody_price", "open_price", "entry_price", "close_price", "lp_price", "low_price"}
_PRICES |= {"liquidation_price", "stop_loss", "take_profit"}
_CODES = {"kind", "market", "side", "custody", "action", "reason", "outcome"}
_IDS = {"order_id", "open_order_id", "position_id", "position_no", "lp_account"}
_UNITS = {
    "lp_units": "LP token 1e-6",
    "lp_supply": "LP token 1e-6",
    "borrow_rate": "1e-9 per hour",
    "borrow_index": "1e-9",
    "funding_rate": "1e-9 per hour",
    "funding_index": "1e-9",
    "initial_leverage_bps": "1e-4 x",
    "leverage_bps": "1e-4 x",
    "seq": "row",
    "change": "number",
    "long_positions": "positions",
    "short_positions": "positions",
}
# Null where the row has no use for it: a price or time of 0, any other of -1. Every other column always holds a value.
_NULLABLE: dict[str, set[str]] = {
    "events": {"order_id", "position_id", "position_no", "market", "side", "custody", "lp_account", "change"},
    "positions": {"open_order_id"},
    "rejections": {"position_id"},
    "book": {"leverage_bps"},
}
_ZERO_IS_NULL: dict[str, set[str]] = {
    "events": {"price", "custody_price"},
    "positions": {"closed_at", "close_price"},
    "book": {"liquidation_price", "stop_loss", "take_profit"},
}


def _column(table: str, field: str, doc: str) -> Column:
    absent = -1 if field in _NULLABLE.get(table, ()) else 0 if field in _ZERO_IS_NULL.get(table, ()) else None
    if field in _TIMES:
        return Column(field, field, "timestamp", "UTC", absent, doc)
    if field in _PRICES:
        return Column(field, f"{field}_usd", "price", "USD per token", absent, doc)
    if field in _CODES:
        return Column(field, field, "code", "name", absent, doc)
    if field in _IDS:
        return Column(field, field, "id", "id", absent, doc)
    if field.endswith("_usd"):
        return Column(field, field, "usd", "USD", absent, doc)
    return Column(field, field, "integer", _UNITS.get(field, "token 1e-decimals"), absent, doc)


def _registry() -> dict[str, tuple[Column, ...]]:
    tables = {}
    for table, text in DOCS.items():
        lines = (line.split(": ", 1) for line in text.strip().splitlines())
        tables[table] = tuple(_column(table, field, doc) for field, doc in lines)
    return tables


SPECS: dict[str, tuple[Column, ...]] = _registry()
TABLES = {table: spec for table, spec in SPECS.items() if table != BOOK}  # one file each in every run


def names_of(table: str, field: str, labels: Labels) -> tuple[str, ...]:
    """Names behind the codes of one code column, in the order of the codes."""
    if field == "market":
        return labels.markets
    if field == "custody":
        return labels.custodies
    if field == "outcome" and table == "rejections":
        return REJECTION_OUTCOMES
    return {
        "kind": codes.KINDS,
        "side": codes.SIDES,
        "action": codes.ACTIONS,
        "reason": codes.REASONS,
        "outcome": codes.OUTCOMES,
    }[field]


def schema(table: str) -> pa.Schema:
    """Arrow schema of a table, with `unit` and `doc` as field metadata."""
    fields = (
        pa.field(c.name, c.type, nullable=c.absent is not None, metadata={"unit": c.unit, "doc": c.doc})
        for c in SPECS[table]
    )
    return pa.schema(fields)


def canonical(table: str, records: Int64) -> None:
    """Write the one value for `not yet` into closed_at and close_price, in place; `records` is (n, n_fields)."""
    if table == "positions":
        for field in ("closed_at", "close_price"):
            column = records[:, _position_of(table, field)]
            column[column < 0] = 0


def _position_of(table: str, field: str) -> int:
    return next(i for i, column in enumerate(SPECS[table]) if column.field == field)


def to_table(table: str, columns: Int64, labels: Labels) -> pa.Table:
    """Arrow table over `columns`, int64 of shape (n_fields, n), C-contiguous, one row per record field.

    All but the code columns share memory with `columns`. Raises PerpoolError when a value does not fit its type.
    """
    spec = SPECS[table]
    if (
        columns.ndim != 2
        or columns.shape[0] != len(spec)
        or not columns.flags.c_contiguous
        or columns.dtype != np.int64
    ):
        raise ValueError(
            f"{table}: want C-contiguous int64 of shape ({len(spec)}, n), got {columns.dtype} {columns.shape}"
        )
    arrays = [_array(table, column, columns[i], labels) for i, column in enumerate(spec)]
    return pa.Table.from_arrays(arrays, schema=schema(table))


def _array(table: str, column: Column, values: Int64, labels: Labels) -> pa.Array:
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    present = None if column.absent is None or not low <= column.absent <= high else values != column.absent
    if column.kind == "code":
        names = names_of(table, column.field, labels)
        lowest = 0 if column.absent is None else column.absent
        if low < lowest or high >= len(names):
            raise _misfit(table, column, values, (values < lowest) | (values >= len(names)))
        indices = pa.array(
            values.astype(column.type.index_type.to_pandas_dtype()), mask=None if present is None else ~present
        )
        return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))
    if column.kind in ("usd", "price") and (low <= -_LIMIT or high >= _LIMIT):
        raise _misfit(table, column, values, (values <= -_LIMIT) | (values >= _LIMIT))
    validity = None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(column.type, len(values), [validity, pa.py_buffer(values)])


def _misfit(table: str, column: Column, values: Int64, bad: npt.NDArray[np.bool_]) -> PerpoolError:
    row = int(np.flatnonzero(bad)[0])
    return PerpoolError(
        f"{table}.parquet: column {column.name}, row {row} of its block: {int(values[row])} does not fit {column.type} "
        f"(unit {column.unit}); book the token at fewer decimals or check the input amounts"
    )


def to_records(table: str, data: pa.Table, labels: Labels) -> Int64:
    """The int64 records behind an Arrow table as read from a file, shape (n, n_fields): the inverse of `to_table`.

    Raises PerpoolError when a column is missing, has another type or a name that the run does not know.
    """
    spec = SPECS[table]
    records = np.empty((data.num_rows, len(spec)), np.int64)
    for i, column in enumerate(spec):
        if column.name not in data.column_names:
            raise PerpoolError(f"{table}.parquet: column {column.name} is missing")
        array = data.column(column.name).combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # no chunks at all: no rows
            continue
        if column.kind == "code":
            records[:, i] = _codes(table, column, array, labels)
        else:
            if array.type != column.type:
                raise PerpoolError(f"{table}.parquet: column {column.name} is {array.type}, not {column.type}")
            records[:, i] = np.frombuffer(array.buffers()[1], np.int64, len(array), array.offset * 8)
            if array.null_count:
                records[array.is_null().to_numpy(zero_copy_only=False), i] = column.absent
    return records


def _codes(table: str, column: Column, array: pa.Array, labels: Labels) -> Int64:
    code: Mapping[str, int] = {name: i for i, name in enumerate(names_of(table, column.field, labels))}
    encoded = array if isinstance(array, pa.DictionaryArray) else array.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    unknown = [name for name in names if name not in code]
    if unknown:
        raise PerpoolError(f"{table}.parquet: column {column.name} holds {unknown[0]!r}, unknown to the manifest")
    lookup = np.array([code[name] for name in names] + [-1], np.int64)
    indices = encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return cast(Int64, lookup[indices])
