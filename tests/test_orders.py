"""Order files: what is refused and in which words, how values become integers, and how the stream is cut."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.errors import PerpoolError
from backtest.order_schema import BY_NAME, CHOICES, COLUMNS
from backtest.orders import Names, OrderSource, empty_orders, schema_table
from kernels import codes
from kernels.state import Orders

NAMES = Names(("USDC", "SOL", "WBTC"), (6, 9, 8), ("SOL", "BTC", "GOLD"), (1, 2, 0), (0, 0, 0))
T0 = 1_735_689_600_000_000  # 2025-01-01
TYPES = {"id": pa.int64(), "text": pa.string(), "number": pa.float64(), "flag": pa.bool_()}
TYPES["time"] = pa.timestamp("us", "UTC")

OPEN = {
    "action": "open",
    "position_id": 7,
    "market": "SOL",
    "side": "long",
    "leverage": 5.0,
    "collateral_usd": 100.0,
}
CLOSE = {"action": "close", "position_id": 7}


def write(path: Path, rows: list[dict[str, Any]], **types: pa.DataType) -> Path:
    """Rows as an order file: timestamps a second apart and ids 0, 1, ... unless given."""
    rows = [{"timestamp": T0 + i * 1_000_000, "order_id": i} | row for i, row in enumerate(rows)]
    columns = ["timestamp", "order_id", "action"]
    columns += [name for name in dict.fromkeys(key for row in rows for key in row) if name not in columns]
    types = {name: TYPES[BY_NAME[name].kind] for name in columns if name in BY_NAME} | types
    arrays = {name: pa.array([row.get(name) for row in rows], types.get(name)) for name in columns}
    pq.write_table(pa.table(arrays), path)
    return path


def read(path: Any, **options: Any) -> Orders:
    return joined(list(OrderSource(path, NAMES, **options).remaining()))


def joined(parts: list[Orders]) -> Orders:
    return Orders(*[np.concatenate(column) for column in zip(*(parts or [empty_orders()]), strict=True)])


def same(left: Orders, right: Orders) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


FAULTS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "null timestamp": (
        [OPEN, CLOSE | {"timestamp": None}],
        "row 1, column 'timestamp': is null; every order needs one",
    ),
    "null order_id": ([OPEN | {"order_id": None}], "row 0, column 'order_id': is null; every order needs one"),
    "null action": ([{"action": None}], "row 0, column 'action': is null; every order needs one"),
    "unknown action": (
        [OPEN, {"action": "opne"}],
        "row 1, column 'action': 'opne' is not a known action; known: open, increase, decrease, close, "
        "deposit_collateral, withdraw_collateral, set_triggers, limit_open, cancel_limit, resolve_borrow, "
        "add_liquidity, remove_liquidity, swap, distribute_fees, accrue, donate, issue_dollars, redeem_dollars",
    ),
    "unknown market": (
        [OPEN | {"market": "DOGE"}],
        "row 0, column 'market': 'DOGE' is not a known market; known: SOL, BTC, GOLD",
    ),
    "unknown side": ([OPEN | {"side": "Long"}], "row 0, column 'side': 'Long' is not a known side; known: long, short"),
    "unknown custody": (
        [{"action": "add_liquidity", "custody": "ETH", "amount": 1.0}],
        "row 0, column 'custody': 'ETH' is not a known custody; known: USDC, SOL, WBTC",
    ),
    "nan": (
        [OPEN, OPEN | {"leverage": float("nan")}],
        "row 1, column 'leverage': nan x is not a finite number; write null where there is no value",
    ),
    "infinite": (
        [OPEN | {"collateral_usd": float("inf")}],
        "row 0, column 'collateral_usd': inf USD is not a finite number; write null where there is no value",
    ),
    "minus infinite": (
        [CLOSE | {"limit_price": float("-inf")}],
        "row 0, column 'limit_price': -inf USD is not a finite number; write null where there is no value",
    ),
    "negative": (
        [OPEN | {"collateral_usd": -5.0}],
        "row 0, column 'collateral_usd': -5.0 USD must be positive; write null where there is no value",
    ),
    "zero": (
        [OPEN | {"leverage": 0.0}],
        "row 0, column 'leverage': 0.0 x must be positive; write null where there is no value",
    ),
    "a stop of 0 clears, but only in set_triggers": (
        [OPEN | {"stop_loss": 0.0}],
        "row 0, column 'stop_loss': 0.0 USD must be positive; write null where there is no value",
    ),
    "rounds to zero": (
        [OPEN | {"collateral_usd": 1e-7}],
        "row 0, column 'collateral_usd': 1e-07 USD rounds to 0: the smallest step is 1e-06 USD; check the unit",
    ),
    "too large": (
        [OPEN | {"collateral_usd": 1e10}],
        "row 0, column 'collateral_usd': 10000000000.0 USD is too large: the books hold at most 9007199255 USD; "
        "check the unit",
    ),
    "too large for the decimals of its token": (
        [OPEN | {"collateral_usd": None, "collateral": 1e8}],
        "row 0, column 'collateral': 100000000.0 tokens is too large: the books hold at most 9007199.255 tokens; "
        "check the unit",
    ),
    "missing market": (
        [OPEN | {"market": None}],
        "row 0, column 'market': is null, but action 'open' needs it; fill it in",
    ),
    "missing position": (
        [{"action": "close"}],
        "row 0, column 'position_id': is null, but action 'close' needs it; fill it in",
    ),
    "missing trigger": (
        [OPEN | {"action": "limit_open"}],
        "row 0, column 'trigger_price': is null, but action 'limit_open' needs it; fill it in",
    ),
    "missing withdrawal": (
        [{"action": "withdraw_collateral", "position_id": 1}],
        "row 0, column 'collateral_usd': is null, but action 'withdraw_collateral' needs it; fill it in",
    ),
    "missing amount": (
        [{"action": "swap", "custody": "USDC", "custody_out": "SOL"}],
        "row 0, column 'amount': is null, but action 'swap' needs it; fill it in",
    ),
    "neither size": (
        [OPEN | {"leverage": None}],
        "row 0, column 'leverage': is null and so are 'size_usd' and 'amount'; action 'open' needs exactly one of "
        "leverage, size_usd and amount",
    ),
    "neither size of an increase": (
        [{"action": "increase", "position_id": 1, "collateral_usd": 5.0}],
        "row 0, column 'leverage': is null and so is 'size_usd'; action 'increase' needs exactly one of leverage and "
        "size_usd",
    ),
    "size in dollars and in tokens": (
        [OPEN | {"leverage": None, "size_usd": 500.0, "amount": 2.0}],
        "row 0, column 'size_usd': 500.0 USD is given beside amount 2.0 tokens; action 'open' takes exactly one of "
        "leverage, size_usd and amount: set the other to null",
    ),
    "size in tokens of a limit": (
        [OPEN | {"action": "limit_open", "trigger_price": 9.0, "leverage": None, "size_usd": 9.0, "amount": 2.0}],
        "row 0, column 'amount': 2.0 tokens is given, but action 'limit_open' has no use for it; leave it null",
    ),
    "nothing to accrue": (
        [{"action": "accrue"}],
        "row 0, column 'custody': is null, but action 'accrue' needs it; fill it in",
    ),
    "no dollars to redeem": (
        [{"action": "redeem_dollars", "custody": "SOL"}],
        "row 0, column 'size_usd': is null, but action 'redeem_dollars' needs it; fill it in",
    ),
    "no amount to issue": (
        [{"action": "issue_dollars", "custody": "SOL"}],
        "row 0, column 'amount': is null, but action 'issue_dollars' needs it; fill it in",
    ),
    "amount of nothing known": (
        [{"action": "donate", "amount": 1.0}],
        "row 0, column 'custody': is null, but action 'donate' needs it; fill it in",
    ),
    "both sizes": (
        [OPEN | {"size_usd": 500.0}],
        "row 0, column 'leverage': 5.0 x is given beside size_usd 500.0 USD; action 'open' takes exactly one of "
        "leverage, size_usd and amount: set the other to null",
    ),
    "both collaterals": (
        [OPEN | {"collateral": 1.0}],
        "row 0, column 'collateral': 1.0 tokens is given beside collateral_usd 100.0 USD; action 'open' takes exactly "
        "one of collateral and collateral_usd: set the other to null",
    ),
    "neither fraction nor size": (
        [{"action": "decrease", "position_id": 1}],
        "row 0, column 'fraction': is null and so is 'size_usd'; action 'decrease' needs exactly one of fraction and "
        "size_usd",
    ),
    "both fraction and size": (
        [{"action": "decrease", "position_id": 1, "fraction": 0.5, "size_usd": 3.0}],
        "row 0, column 'fraction': 0.5 of the position is given beside size_usd 3.0 USD; action 'decrease' takes "
        "exactly one of fraction and size_usd: set the other to null",
    ),
    "no trigger to set": (
        [{"action": "set_triggers", "position_id": 1}],
        "row 0, column 'stop_loss': is null and so is 'take_profit'; action 'set_triggers' needs at least one of "
        "stop_loss and take_profit",
    ),
    "fraction is a percentage": (
        [{"action": "decrease", "position_id": 1, "fraction": 50.0}],
        "row 0, column 'fraction': 50.0 of the position is more than 1 of the position; give a share, not a percentage",
    ),
    "fraction of nothing": (
        [{"action": "decrease", "position_id": 1, "fraction": 0.0}],
        "row 0, column 'fraction': 0.0 of the position must be positive; write null where there is no value",
    ),
    "tokens without a market": (
        [{"action": "deposit_collateral", "position_id": 1, "collateral": 2.0}],
        "row 0, column 'collateral': 2.0 tokens cannot be read without 'market', which is null; give market and side "
        "(they decide the token), or collateral_usd instead",
    ),
    "tokens without a side": (
        [{"action": "increase", "position_id": 1, "collateral": 2.0, "leverage": 2.0, "market": "SOL"}],
        "row 0, column 'collateral': 2.0 tokens cannot be read without 'side', which is null; give market and side "
        "(they decide the token), or collateral_usd instead",
    ),
    "wrong collateral custody": (
        [OPEN | {"side": "short", "collateral_custody": "SOL"}],
        "row 0, column 'collateral_custody': 'SOL' is not what backs a short in SOL: that is 'USDC'; change it, or "
        "leave it null",
    ),
    "collateral custody that cannot be checked": (
        [CLOSE | {"collateral_custody": "SOL"}],
        "row 0, column 'collateral_custody': 'SOL' cannot be read without 'market', which is null; give market and "
        "side, or leave it null",
    ),
    "a field without use": (
        [CLOSE | {"fraction": 0.5}],
        "row 0, column 'fraction': 0.5 of the position is given, but action 'close' has no use for it; leave it null",
    ),
    "negative id": (
        [OPEN | {"position_id": -1}],
        "row 0, column 'position_id': -1 is not an id; use integers from 0 to 2^63 - 1",
    ),
    "before 1970": (
        [OPEN | {"timestamp": -1_000_000}],
        "row 0, column 'timestamp': 1969-12-31T23:59:59Z is before 1970; correct it",
    ),
    "unsorted": (
        [OPEN, OPEN, OPEN | {"timestamp": T0}],
        "row 2, column 'timestamp': (2025-01-01T00:00:00Z, order_id 2) does not come after (2025-01-01T00:00:01Z, "
        'order_id 1) of row 1; sort the rows, e.g. pl.read_parquet(file).sort("timestamp", "order_id")'
        ".write_parquet(file)",
    ),
    "unsorted ids at one time": (
        [OPEN | {"timestamp": T0, "order_id": 4}, OPEN | {"timestamp": T0, "order_id": 3}],
        "row 1, column 'timestamp': (2025-01-01T00:00:00Z, order_id 3) does not come after (2025-01-01T00:00:00Z, "
        'order_id 4) of row 0; sort the rows, e.g. pl.read_parquet(file).sort("timestamp", "order_id")'
        ".write_parquet(file)",
    ),
    "duplicate id": (
        [OPEN | {"order_id": 9}, OPEN | {"order_id": 3}, OPEN | {"order_id": 9}, OPEN | {"order_id": 3}],
        "row 2, column 'order_id': 9 was used by an earlier row; give every order its own id",
    ),
    "duplicate row": (
        [OPEN | {"timestamp": T0, "order_id": 1}, OPEN | {"timestamp": T0, "order_id": 1}],
        "row 1, column 'order_id': 1 was used by an earlier row; give every order its own id",
    ),
    "the first row at fault is named": (
        [OPEN, OPEN | {"leverage": -1.0}, OPEN | {"market": "?"}, {"action": None}],
        "row 1, column 'leverage': -1.0 x must be positive; write null where there is no value",
    ),
    "a duplicate after another fault": (
        [
            OPEN | {"order_id": 9},
            OPEN | {"order_id": 3},
            OPEN | {"leverage": -1.0, "order_id": 4},
            OPEN | {"order_id": 9},
        ],
        "row 2, column 'leverage': -1.0 x must be positive; write null where there is no value",
    ),
}


@pytest.mark.parametrize("rows_per_batch", [1, 2, 1000])
@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_rows(name: str, rows_per_batch: int, tmp_path: Path) -> None:
    rows, message = FAULTS[name]
    path = write(tmp_path / "orders.parquet", rows)
    with pytest.raises(PerpoolError) as caught:
        read(path, rows_per_batch=rows_per_batch)
    assert str(caught.value) == f"{path}: {message}"


SCHEMA_FAULTS: dict[str, tuple[dict[str, pa.Array], str]] = {
    "unknown column": (
        {"leverge": pa.array([1.0])},
        "column 'leverge' is not part of the order schema; did you mean 'leverage'? Rename or drop it",
    ),
    "unknown column, nothing close": (
        {"zzz": pa.array([1.0])},
        "column 'zzz' is not part of the order schema; known: " + ", ".join(BY_NAME) + ". Rename or drop it",
    ),
    "naive": (
        {"timestamp": pa.array([T0], pa.timestamp("us"))},
        "column 'timestamp' has type timestamp[us] without a time zone; write timestamps in UTC, "
        'e.g. pl.col("timestamp").dt.replace_time_zone("UTC")',
    ),
    "integer timestamp": (
        {"timestamp": pa.array([T0])},
        "column 'timestamp' has type int64; write it as timestamp[us, UTC] (any precision, never naive) in UTC",
    ),
    "text for a number": (
        {"leverage": pa.array(["5x"])},
        "column 'leverage' has type string; write it as double, decimal or any integer in x",
    ),
    "double for an id": (
        {"position_id": pa.array([1.0])},
        "column 'position_id' has type double; write it as int64 (any integer)",
    ),
    "integer for a flag": ({"referred": pa.array([1])}, "column 'referred' has type int64; write it as bool"),
    "number for text": (
        {"market": pa.array([1])},
        "column 'market' has type int64; write it as string (or dictionary of strings)",
    ),
}


@pytest.mark.parametrize("name", SCHEMA_FAULTS)
def test_faults_of_schemas(name: str, tmp_path: Path) -> None:
    columns, message = SCHEMA_FAULTS[name]
    path = tmp_path / "orders.parquet"
    base = {"timestamp": pa.array([T0], TYPES["time"]), "order_id": pa.array([1]), "action": pa.array(["close"])}
    pq.write_table(pa.table(base | columns), path)
    with pytest.raises(PerpoolError) as caught:
        OrderSource(path, NAMES)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            "timestamp",
            "timestamp[us, UTC] (any precision, never naive), when the order is sent; due this plus the execution "
            "delay",
        ),
        ("order_id", "int64 (any integer), unique; orders of one timestamp are taken in its order"),
        ("action", "string (or dictionary of strings), one of " + ", ".join(codes.ACTIONS)),
    ],
)
def test_missing_column(column: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "orders.parquet", [OPEN])
    pq.write_table(pq.read_table(path).drop_columns([column]), path)
    with pytest.raises(PerpoolError) as caught:
        OrderSource(path, NAMES)
    assert str(caught.value) == f"{path}: column '{column}' is missing; add it: {message}"


def test_faults_of_files(tmp_path: Path) -> None:
    hint = "give a Parquet file of orders (`perpool flow generate` writes one)"
    with pytest.raises(PerpoolError) as caught:
        OrderSource(tmp_path / "none.parquet", NAMES)
    assert str(caught.value) == f"{tmp_path / 'none.parquet'}: no such file; {hint}"
    with pytest.raises(PerpoolError) as caught:
        OrderSource(tmp_path, NAMES)
    assert str(caught.value) == f"{tmp_path}: the folder holds no *.parquet file; {hint}"
    text = tmp_path / "orders.csv"
    text.write_text("timestamp,order_id\n")
    with pytest.raises(PerpoolError, match=r"orders\.csv: cannot be read as Parquet \(.*\); write the orders as"):
        OrderSource(text, NAMES)
    with pytest.raises(PerpoolError, match=r"^no order files given; name a Parquet file, a folder or a glob$"):
        OrderSource([], NAMES)


def test_corrupt_pages_are_an_error_without_traceback(tmp_path: Path) -> None:
    path = write(tmp_path / "orders.parquet", [OPEN] * 5_000)
    data = bytearray(path.read_bytes())
    data[8:2_000] = b"\xff" * 1_992
    path.write_bytes(data)
    with pytest.raises(PerpoolError, match=r"orders\.parquet: cannot be read as Parquet"):
        read(path)


def test_empty_files_are_no_orders(tmp_path: Path) -> None:
    source = OrderSource(write(tmp_path / "orders.parquet", []), NAMES)
    assert source.n_rows == 0
    assert source.peek_due_us() is None
    assert source.take_due(2**60, 10).due_us.size == 0
    assert list(source.remaining()) == []


def test_conversion(tmp_path: Path) -> None:
    rows = [
        OPEN | {"leverage": 1.23456, "collateral_usd": 0.1 + 0.2, "stop_loss": 1.5e-5, "referred": True},
        OPEN | {"collateral_usd": None, "collateral": 1.000000001, "collateral_custody": "SOL"},
        OPEN | {"side": "short", "collateral_usd": None, "collateral": 2.5, "leverage": None, "size_usd": 10.0},
        {"action": "decrease", "position_id": 7, "fraction": 1 / 3, "limit_price": 102_000.1234567891},
        {"action": "set_triggers", "position_id": 7, "stop_loss": 0.0, "take_profit": 3.0, "stop_limit": 2.0},
        {"action": "add_liquidity", "custody": "WBTC", "amount": 1.5, "lp_account": 3},
        {"action": "remove_liquidity", "custody": "WBTC", "amount": 1.5},
        {"action": "swap", "custody": "SOL", "custody_out": "USDC", "amount": 2.0},
        {"action": "distribute_fees"},
    ]
    orders = read(write(tmp_path / "orders.parquet", rows), execution_delay_us=5)
    assert orders.due_us.tolist() == [T0 + i * 1_000_000 + 5 for i in range(9)]
    assert orders.action.tolist() == [codes.ACTIONS.index(row["action"]) for row in rows]
    assert orders.market.tolist() == [0, 0, 0] + [-1] * 6
    assert orders.side.tolist() == [0, 0, 1] + [-1] * 6
    assert orders.leverage_bps.tolist() == [12_346, 50_000] + [-1] * 7
    assert orders.size_usd.tolist() == [-1, -1, 10_000_000] + [-1] * 6
    assert orders.collateral_usd.tolist() == [300_000] + [-1] * 8
    assert orders.collateral_units.tolist() == [-1, 1_000_000_001, 2_500_000] + [-1] * 6
    assert orders.stop_loss.tolist() == [150_000, -1, -1, -1, 0, -1, -1, -1, -1]
    assert orders.take_profit.tolist() == [-1] * 4 + [30_000_000_000] + [-1] * 4
    assert orders.stop_limit.tolist() == [-1] * 4 + [20_000_000_000] + [-1] * 4
    assert orders.limit_price.tolist() == [-1] * 3 + [1_020_001_234_567_891] + [-1] * 5
    assert orders.fraction_e6.tolist() == [-1] * 3 + [333_333] + [-1] * 5
    assert orders.custody.tolist() == [-1] * 5 + [2, 2, 1, -1]
    assert orders.custody_out.tolist() == [-1] * 7 + [0, -1]
    assert orders.amount_units.tolist() == [-1] * 5 + [150_000_000, 1_500_000, 2_000_000_000, -1]
    assert orders.lp_account.tolist() == [0] * 5 + [3, 0, 0, 0]
    assert orders.referred.tolist() == [1] + [0] * 8


def test_conversion_of_what_venues_with_reserves_and_internal_dollars_take(tmp_path: Path) -> None:
    rows = [
        OPEN | {"market": "BTC", "side": "short", "leverage": None, "amount": 1.5},  # WBTC has 8 decimals
        OPEN | {"market": "GOLD", "leverage": None, "amount": 1.5},  # nothing but USDC behind it
        {"action": "decrease", "position_id": 7, "fraction": 0.5, "collateral_usd": 12.5},
        {"action": "accrue", "custody": "SOL"},
        {"action": "donate", "custody": "SOL", "amount": 2.0},
        {"action": "issue_dollars", "custody": "WBTC", "amount": 0.5},
        {"action": "redeem_dollars", "custody": "USDC", "size_usd": 99.25},
        {"action": "distribute_fees", "custody": "WBTC"},
    ]
    orders = read(write(tmp_path / "orders.parquet", rows))
    assert orders.action.tolist() == [codes.ACTIONS.index(row["action"]) for row in rows]
    assert orders.amount_units.tolist() == [150_000_000, 1_500_000, -1, -1, 2_000_000_000, 50_000_000, -1, -1]
    assert orders.collateral_usd.tolist() == [100_000_000, 100_000_000, 12_500_000, -1, -1, -1, -1, -1]
    assert orders.size_usd.tolist() == [-1] * 6 + [99_250_000, -1]
    assert orders.custody.tolist() == [-1, -1, -1, 1, 1, 2, 0, 2]


def test_orders_for_a_side_that_is_not_offered_are_read_and_left_to_the_venue(tmp_path: Path) -> None:
    names = NAMES.__class__(*(NAMES.custodies, NAMES.custody_decimals, NAMES.markets, (1, -1, 0), (0, -1, -1)))
    tokens = OPEN | {"market": "BTC", "collateral_usd": None, "collateral": 0.25}
    rows = [tokens, tokens | {"side": "short", "leverage": None, "amount": 0.5}]
    source = OrderSource(write(tmp_path / "orders.parquet", rows), names)
    orders = joined(list(source.remaining()))
    assert orders.collateral_units.tolist() == [250_000, 250_000]
    assert orders.amount_units.tolist() == [-1, 500_000]


@pytest.mark.parametrize("kind", [pa.decimal32(9, 4), pa.decimal64(18, 6), pa.decimal128(18, 6), pa.decimal128(38, 18)])
def test_decimals_are_exact(kind: pa.DataType, tmp_path: Path) -> None:
    text = {4: "12345.6789", 6: "9007199254.740991", 18: "9007199254.740991"}[kind.scale]
    rows = [OPEN | {"collateral_usd": Decimal(text)}, CLOSE]
    orders = read(write(tmp_path / "orders.parquet", rows, collateral_usd=kind))
    assert orders.collateral_usd.tolist() == [int(Decimal(text) * 10**6), -1]


def test_decimals_round_half_to_even_and_refuse_what_is_too_large(tmp_path: Path) -> None:
    kind = pa.decimal128(38, 7)
    values = ["1.0000005", "1.0000015", "1.0000014", "1.0000016"]
    path = write(
        tmp_path / "a.parquet", [OPEN | {"collateral_usd": Decimal(value)} for value in values], collateral_usd=kind
    )
    assert (read(path).collateral_usd - 1_000_000).tolist() == [0, 2, 1, 2]
    huge = write(tmp_path / "b.parquet", [OPEN | {"collateral_usd": Decimal("1e25")}], collateral_usd=kind)
    with pytest.raises(PerpoolError, match=r"row 0, column 'collateral_usd': .* USD is too large"):
        read(huge)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64(), pa.float32()])
def test_numbers_of_other_types(kind: pa.DataType, tmp_path: Path) -> None:
    orders = read(write(tmp_path / "orders.parquet", [OPEN | {"leverage": 5}, CLOSE], leverage=kind))
    assert orders.leverage_bps.tolist() == [50_000, -1]


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)])
def test_timestamps_of_any_precision(unit: str, per_second: int, tmp_path: Path) -> None:
    second = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    path = write(
        tmp_path / "orders.parquet", [OPEN | {"timestamp": second * per_second}], timestamp=pa.timestamp(unit, "UTC")
    )
    assert read(path).due_us.tolist() == [T0]


def test_nanoseconds_round_up_so_that_no_order_is_early(tmp_path: Path) -> None:
    path = write(
        tmp_path / "orders.parquet", [OPEN | {"timestamp": T0 * 1_000 + 1}], timestamp=pa.timestamp("ns", "UTC")
    )
    assert read(path).due_us.tolist() == [T0 + 1]


def test_categories_and_null_columns(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    frame = pl.DataFrame([{"order_id": i} | row for i, row in enumerate([OPEN, OPEN | {"market": "BTC"}, CLOSE])])
    times = pl.Series("timestamp", [T0, T0, T0], pl.Int64).cast(pl.Datetime("us", "UTC"))
    frame.with_columns(times, pl.col("market").cast(pl.Categorical), pl.lit(None).alias("stop_loss")).write_parquet(
        path
    )
    orders = read(path)
    assert orders.market.tolist() == [0, 1, -1]
    assert orders.stop_loss.tolist() == [-1, -1, -1]


def test_arrays_are_what_kernels_are_compiled_for(tmp_path: Path) -> None:
    source = OrderSource(write(tmp_path / "orders.parquet", [OPEN] * 5), NAMES, rows_per_batch=2)
    for orders in [source.take_due(T0 + 2_000_000, 100), *source.remaining(), empty_orders()]:
        for column in orders:
            assert column.dtype == np.int64
            assert column.flags.c_contiguous
            assert not column.flags.writeable


def test_files_are_one_stream_in_the_order_given(tmp_path: Path) -> None:
    late = write(tmp_path / "a.parquet", [CLOSE | {"timestamp": T0 + 9, "order_id": 2}])
    early = write(tmp_path / "b.parquet", [OPEN | {"timestamp": T0, "order_id": 1}])
    source = OrderSource([early, late], NAMES)
    assert source.files == (early, late)
    assert source.n_rows == 2
    assert joined(list(source.remaining())).order_id.tolist() == [1, 2]
    with pytest.raises(PerpoolError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{early}: row 0, column 'timestamp': (2025-01-01T00:00:00Z, order_id 1) does not come after "
        f"(2025-01-01T00:00:00.000009Z, order_id 2) of {late}, row 0; give the files in the order of their times, or "
        "sort their rows into one"
    )


def test_a_duplicate_in_another_file_is_named(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", [OPEN | {"order_id": 5}, OPEN | {"order_id": 4}])
    second = write(tmp_path / "b.parquet", [CLOSE | {"timestamp": T0 + 10**9, "order_id": 5}])
    with pytest.raises(PerpoolError, match=r"b\.parquet: row 0, column 'order_id': 5 was used by an earlier row"):
        read([first, second])


def test_ids_may_fall_as_long_as_they_are_unique(tmp_path: Path) -> None:
    rows = [OPEN | {"order_id": 5}, OPEN | {"order_id": 2}, OPEN | {"order_id": 9}]
    assert read(write(tmp_path / "orders.parquet", rows), rows_per_batch=1).order_id.tolist() == [5, 2, 9]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.integers(0, 2), min_size=1, max_size=40),
    rows_per_batch=st.integers(1, 9),
    limits=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    stride=st.integers(1, 5),
)
def test_the_stream_does_not_depend_on_how_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], rows_per_batch: int, limits: list[int], stride: int
) -> None:
    due = T0 + np.cumsum(steps)
    path = tmp_path_factory.mktemp("cut") / "orders.parquet"
    write(path, [OPEN | {"timestamp": int(time), "position_id": i} for i, time in enumerate(due)])
    whole = read(path)
    source = OrderSource(path, NAMES, rows_per_batch=rows_per_batch)
    parts: list[Orders] = []
    until, call = T0, 0
    while (following := source.peek_due_us()) is not None and until < due[-1]:
        limit = limits[call % len(limits)]
        call += 1
        part = source.take_due(until, limit)
        left = int((due <= until).sum()) - sum(p.due_us.size for p in parts)  # due and not yet given
        if following > until:
            assert part.due_us.size == 0
            until += stride
            continue
        parts.append(part)
        groups = np.unique(part.due_us).size
        assert (part.due_us <= until).all()
        assert part.due_us.size == left or part.due_us.size <= limit or groups == 1
        after = source.peek_due_us()
        assert after is None or after > part.due_us[-1]  # a due time is never split
        if part.due_us.size < left:  # the cut is as late as the limit allows
            group = int((due == after).sum())
            assert part.due_us.size + group > limit
    assert same(joined([*parts, *source.remaining()]), whole)
    assert source.peek_due_us() is None


def test_the_schema_is_documented_completely() -> None:
    rows = schema_table()
    assert [row["column"] for row in rows] == [column.name for column in COLUMNS]
    assert all(row["meaning"] and row["type"] for row in rows)
    by_name = {row["column"]: row for row in rows}
    assert by_name["order_id"]["required by"] == "every action"
    assert by_name["trigger_price"]["required by"] == "limit_open"
    assert by_name["fraction"]["required by"] == "decrease (or else size_usd)"
    assert by_name["stop_loss"]["optional for"] == "open, limit_open"
    assert {column.field for column in COLUMNS if column.field} == set(Orders._fields)
    named = {name for choice in CHOICES for name in choice.columns}
    assert named <= set(BY_NAME)
