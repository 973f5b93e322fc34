"""One batch of an order file turned into the integers that the kernels read.

Every value is checked by masks over the batch; only the first bad row is looked at as a value, to say what is
wrong with it. A fault in an earlier row always wins; within a row, the order of the checks in `convert` decides.
"""

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.compute as pc  # type: ignore[import-untyped,unused-ignore]

from backtest.order_checks import Batch, Int, Mask, actions_mask, choices, mandatory, usage
from backtest.order_schema import COLUMNS, LP_DECIMALS, Column, Names
from backtest.price_checks import LATEST_S
from backtest.price_files import PER_SECOND
from kernels import codes
from kernels.state import Orders

# Beyond it a double no longer tells integers apart, and sums in int64 books come within reach of overflow.
LARGEST = 2**53
_DOLLAR_DECIMALS = 6  # for tokens of a side that is not offered: the order is read, and refused when it is due
_TENS = np.array([float(f"1e{power}") for power in range(64)])
_INTEGER_TENS = np.array([10**power for power in range(19)], np.int64)


def convert(batch: Batch, execution_delay_us: int) -> Orders:
    """Orders of the batch, shape (n,) each; meaningless from `batch.fault_row` on, if that is not -1."""
    mandatory(batch)
    batch.action = np.maximum(_codes(batch, "action", codes.ACTIONS), 0)  # an unknown one is a fault already
    columns: dict[str, Int] = {
        "action": batch.action,
        "due_us": _microseconds(batch) + execution_delay_us,
        "market": _codes(batch, "market", batch.names.markets),
        "side": _codes(batch, "side", codes.SIDES),
        "custody": _codes(batch, "custody", batch.names.custodies),
        "custody_out": _codes(batch, "custody_out", batch.names.custodies),
    }
    behind = _custody_behind(batch.names, columns["market"], columns["side"])
    usage(batch)
    choices(batch)
    _collateral_custody(batch, behind, columns["market"], columns["side"])
    traded = _custody_behind(batch.names, columns["market"], np.zeros_like(columns["side"]))  # what backs longs
    amount_of = np.where(batch.action == codes.OPEN, np.where(traded >= 0, traded, behind), columns["custody"])
    powers = {"collateral": _decimals(batch.names, behind), "amount": _amount_decimals(batch, amount_of)}
    for column in COLUMNS:
        if column.kind == "number":
            power = column.scale if isinstance(column.scale, int) else powers[column.scale]
            columns[column.field] = _number(batch, column, power)
        elif column.kind == "id":
            columns[column.field] = _identifier(batch, column)
        elif column.kind == "flag":
            columns[column.field] = _flag(batch, column)
    return freeze(Orders(**columns))


def freeze(orders: Orders) -> Orders:
    """The same orders, contiguous and read-only: what kernels are compiled for."""
    arrays = [np.ascontiguousarray(column, np.int64) for column in orders]
    for array in arrays:
        array.flags.writeable = False
    return Orders(*arrays)


def _collateral_custody(batch: Batch, behind: Int, market: Int, side: Int) -> None:
    given = _codes(batch, "collateral_custody", batch.names.custodies)
    batch.flag(
        (given >= 0) & (behind >= 0) & (given != behind),
        "collateral_custody",
        lambda row: (
            f"{batch.shown('collateral_custody', row)} is not what backs a {codes.SIDES[side[row]]} in "
            f"{batch.names.markets[market[row]]}: that is '{batch.names.custodies[behind[row]]}'; "
            "change it, or leave it null"
        ),
    )


# --- one column to integers ---------------------------------------------------------------------------------


def _codes(batch: Batch, column: str, known: tuple[str, ...]) -> Int:
    """Names to their position in `known`, shape (n,); -1 where null. Only distinct names are looked at one by one."""
    cells = batch.cells.get(column)
    if cells is None:
        return np.full(batch.n_rows, -1, np.int64)
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    code_of = {name: code for code, name in enumerate(known)}
    table = np.array([code_of.get(name, -2) for name in cells.dictionary.to_pylist()] + [-1], np.int64)
    missing = len(table) - 1
    indices = pc.fill_null(cells.indices.cast(pa.int64()), missing).to_numpy()
    found = table[indices]
    label = "custody" if "custody" in column else column
    batch.flag(
        found == -2,
        column,
        lambda row: f"{batch.shown(column, row)} is not a known {label}; known: {', '.join(known)}",
    )
    return np.asarray(np.maximum(found, -1))


def _microseconds(batch: Batch) -> Int:
    """Timestamps as microseconds since 1970, shape (n,). Nanoseconds round up: an order is never early."""
    cells = batch.cells.get("timestamp")
    if cells is None:
        return np.zeros(batch.n_rows, np.int64)
    raw = pc.fill_null(cells.cast(pa.int64()), 0).to_numpy()
    per_second = PER_SECOND[cells.type.unit]
    batch.flag(raw < 0, "timestamp", lambda row: f"{batch.shown('timestamp', row)} is before 1970; correct it")
    batch.flag(
        raw >= LATEST_S * per_second,
        "timestamp",
        lambda row: f"{raw[row]} {cells.type.unit} since 1970 is after 2200; check the unit the times were written in",
    )
    if per_second > 1_000_000:
        return np.asarray(-(-raw // (per_second // 1_000_000)))
    return np.asarray(raw * (1_000_000 // per_second))


def _identifier(batch: Batch, column: Column) -> Int:
    cells = batch.cells.get(column.name)
    if cells is None:
        return np.full(batch.n_rows, column.absent, np.int64)
    values = np.asarray(pc.fill_null(cells.cast(pa.int64(), safe=False), column.absent).to_numpy())
    batch.flag(
        (values < 0) & batch.present(column.name),
        column.name,
        lambda row: f"{batch.shown(column.name, row)} is not an id; use integers from 0 to 2^63 - 1",
    )
    return values


def _flag(batch: Batch, column: Column) -> Int:
    cells = batch.cells.get(column.name)
    if cells is None:
        return np.full(batch.n_rows, column.absent, np.int64)
    return np.asarray(pc.fill_null(cells, False).cast(pa.int64()).to_numpy())


def _custody_behind(names: Names, market: Int, side: Int) -> Int:
    """Custody that backs (market, side), shape (n,); -1 where either is unknown."""
    table = np.array([names.long_custody, names.short_custody], np.int64).reshape(2, -1)
    known = (market >= 0) & (side >= 0)
    if not known.any():
        return np.full(market.size, -1, np.int64)
    return np.where(known, table[np.maximum(side, 0), np.maximum(market, 0)], -1)


def _decimals(names: Names, custody: Int) -> Int:
    """Decimals of custody ids, shape (n,); where the id is -1 (absent, at fault or refused later) those of dollars."""
    return np.array([*names.custody_decimals, _DOLLAR_DECIMALS], np.int64)[custody]


def _amount_decimals(batch: Batch, custody: Int) -> Int:
    return np.where(batch.action == codes.REMOVE_LIQUIDITY, LP_DECIMALS, _decimals(batch.names, custody))


def _number(batch: Batch, column: Column, power: int | Int) -> Int:
    """A decimal, double or integer column times 10^power, to nearest, shape (n,); -1 where null."""
    cells = batch.cells.get(column.name)
    if cells is None:
        return np.full(batch.n_rows, -1, np.int64)
    present = batch.present(column.name)
    if pa.types.is_floating(cells.type):
        value = np.asarray(pc.fill_null(cells.cast(pa.float64()), 1.0).to_numpy())
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.rint(value * _TENS[power])
            usable = (value > 0.0) & (scaled >= 1.0) & (scaled <= LARGEST)
            units = np.where(usable, scaled, 0.0).astype(np.int64)
    else:
        units, usable = _exact(cells, power)
        value = units
    good = usable
    if column.zero:
        good = good | ((value == 0) & (units == 0) & actions_mask(column.zero)[batch.action])
    if column.maximum is not None:
        good = good & (units <= round(column.maximum * 10 ** int(power)))
    batch.flag(
        present & ~good,
        column.name,
        lambda row: _number_problem(batch, column, row, np.broadcast_to(power, units.shape)),
    )
    return units if cells.null_count == 0 else np.where(present, units, -1)


def _exact(cells: pa.Array, power: int | Int) -> tuple[Int, Mask]:
    """Integers or decimals times 10^power, half to even, without passing through a double; and which are usable."""
    scale = 0
    fits: Mask | bool = True
    if pa.types.is_integer(cells.type):  # a uint64 beyond int64 turns negative here, so it is refused too
        raw = np.asarray(pc.fill_null(cells.cast(pa.int64(), safe=False), 1).to_numpy())
    else:
        scale = min(cells.type.scale, int(np.max(power)))
        words = _decimal_words(cells, scale)
        raw, fits = words[:, 0], words[:, 1] == words[:, 0] >> 63
    shift = np.asarray(power, np.int64) - scale
    up, down = _INTEGER_TENS[np.maximum(shift, 0)], _INTEGER_TENS[np.maximum(-shift, 0)]
    whole, rest = np.divmod(raw, down)
    whole = whole + ((2 * rest > down) | ((2 * rest == down) & (whole % 2 == 1)))
    estimate = whole * up.astype(np.float64)
    usable = fits & (raw > 0) & (estimate >= 1.0) & (estimate <= LARGEST)
    return np.where(usable, whole * up, np.where(raw == 0, 0, -1)), usable


def _decimal_words(cells: pa.Array, scale: int) -> Int:
    """Decimals of `scale` digits, unscaled, as two int64 words, low then high, shape (n, 2); 1.0 where null."""
    wide = cells.cast(pa.decimal128(38, cells.type.scale))
    if cells.type.scale > scale:
        wide = pc.round(wide, scale, round_mode="half_to_even").cast(pa.decimal128(38, scale))
    if wide.null_count:
        wide = pc.fill_null(wide, pa.scalar(1, pa.decimal128(38, 0)).cast(wide.type))
    return np.frombuffer(wide.buffers()[1], np.int64).reshape(-1, 2)[wide.offset : wide.offset + len(wide)]


def _number_problem(batch: Batch, column: Column, row: int, power: Int) -> str:
    """What is wrong with the number in a row that failed a check, and what to do about it."""
    shown = batch.shown(column.name, row)
    value = float(batch.cells[column.name][row].as_py())
    if not np.isfinite(value):
        return f"{shown} is not a finite number; write null where there is no value"
    if value < 0.0 or value == 0.0:
        return f"{shown} must be positive; write null where there is no value"
    units = value * 10.0 ** int(power[row])
    if column.maximum is not None and units > column.maximum * 10.0 ** int(power[row]):
        return f"{shown} is more than {column.maximum:g} {column.unit}; give a share, not a percentage"
    if units > LARGEST:
        most = f"{LARGEST / 10.0 ** int(power[row]):.10g}"
        return f"{shown} is too large: the books hold at most {most} {column.unit}; check the unit"
    return f"{shown} rounds to 0: the smallest step is {10.0 ** -int(power[row]):g} {column.unit}; check the unit"
