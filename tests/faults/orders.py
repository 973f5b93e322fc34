"""Faults of order files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.changes import NAN, RUN, Fault, orders, scrambled, written
from tests.shell import CLOSE, MINUTE, OPEN, SECOND, T0, write_orders

ORDERS = {
    "nan": Fault(
        "orders.parquet: row 1, column 'leverage': nan x is not a finite number; write null where there is no value",
        orders(OPEN, OPEN | {"leverage": NAN}),
    ),
    "negative": Fault(
        "orders.parquet: row 0, column 'collateral_usd': -5.0 USD must be positive; write null where there is no value",
        orders(OPEN | {"collateral_usd": -5.0}),
    ),
    "too large": Fault(
        "orders.parquet: row 0, column 'collateral_usd': 1000000000000.0 USD is too large: the books hold at most "
        "9007199255 USD; check the unit",
        orders(OPEN | {"collateral_usd": 1e12}),
    ),
    "too small": Fault(
        "orders.parquet: row 0, column 'collateral_usd': 1e-09 USD rounds to 0: the smallest step is 1e-06 USD; check "
        "the unit",
        orders(OPEN | {"collateral_usd": 1e-9}),
    ),
    "percentage": Fault(
        "orders.parquet: row 0, column 'fraction': 50.0 of the position is more than 1 of the position; give a share, "
        "not a percentage",
        orders({"action": "decrease", "position_id": 7, "fraction": 50.0}),
    ),
    "unsorted": Fault(
        "orders.parquet: row 1, column 'timestamp': (2024-12-31T23:59:59Z, order_id 1) does not come after "
        '(2025-01-01T00:00:00Z, order_id 0) of row 0; sort the rows, e.g. pl.read_parquet(file).sort("timestamp", '
        '"order_id").write_parquet(file)',
        orders(OPEN, CLOSE | {"timestamp": T0 - SECOND}),
    ),
    "unsorted files": Fault(
        "orders.parquet: row 0, column 'timestamp': (2025-01-01T00:00:00Z, order_id 0) does not come after "
        "(2025-01-01T00:05:00Z, order_id 99) of b.parquet, row 0; give the files in the order of their times, or sort "
        "their rows into one",
        lambda: write_orders(Path("b.parquet"), [OPEN | {"timestamp": T0 + 5 * MINUTE, "order_id": 99}]),
        f"{RUN} --orders b.parquet --orders orders.parquet",
    ),
    "duplicate id": Fault(
        "orders.parquet: row 1, column 'order_id': 0 was used by an earlier row; give every order its own id",
        orders(OPEN, CLOSE | {"order_id": 0}),
    ),
    "file given twice": Fault(
        "orders.parquet: row 0, column 'order_id': 0 was used by an earlier row; give every order its own id",
        args=f"{RUN} --orders orders.parquet --orders orders.parquet",
    ),
    "null timestamp": Fault(
        "orders.parquet: row 0, column 'timestamp': is null; every order needs one", orders(OPEN | {"timestamp": None})
    ),
    "time in another unit": Fault(
        f"orders.parquet: row 0, column 'timestamp': {T0 * 1000} us since 1970 is after 2200; check the unit the times "
        "were written in",
        orders(OPEN | {"timestamp": T0 * 1000}),
    ),
    "unknown action": Fault(
        "orders.parquet: row 1, column 'action': 'opne' is not a known action; known: open, increase, decrease, close, "
        "deposit_collateral, withdraw_collateral, set_triggers, limit_open, cancel_limit, resolve_borrow, "
        "add_liquidity, remove_liquidity, swap, distribute_fees, accrue, donate, issue_dollars, redeem_dollars",
        orders(OPEN, OPEN | {"action": "opne"}),
    ),
    "unknown market": Fault(
        "orders.parquet: row 0, column 'market': 'DOGE' is not a known market; known: SOL",
        orders(OPEN | {"market": "DOGE"}),
    ),
    "unknown side": Fault(
        "orders.parquet: row 0, column 'side': 'buy' is not a known side; known: long, short",
        orders(OPEN | {"side": "buy"}),
    ),
    "unknown custody": Fault(
        "orders.parquet: row 0, column 'custody': 'ETH' is not a known custody; known: USDC, SOL",
        orders({"action": "add_liquidity", "custody": "ETH", "amount": 1.0}),
    ),
    "wrong custody": Fault(
        "orders.parquet: row 0, column 'collateral_custody': 'SOL' is not what backs a short in SOL: that is 'USDC'; "
        "change it, or leave it null",
        orders(OPEN | {"side": "short", "collateral_custody": "SOL"}),
    ),
    "both sizes": Fault(
        "orders.parquet: row 0, column 'leverage': 5.0 x is given beside size_usd 5.0 USD; action 'open' takes exactly "
        "one of leverage, size_usd and amount: set the other to null",
        orders(OPEN | {"size_usd": 5.0}),
    ),
    "no size": Fault(
        "orders.parquet: row 0, column 'leverage': is null and so are 'size_usd' and 'amount'; action 'open' needs "
        "exactly one of leverage, size_usd and amount",
        orders(OPEN | {"leverage": None}),
    ),
    "no use": Fault(
        "orders.parquet: row 1, column 'fraction': 0.5 of the position is given, but action 'close' has no use for it; "
        "leave it null",
        orders(OPEN, CLOSE | {"fraction": 0.5}),
    ),
    "unknown column": Fault(
        "orders.parquet: column 'leverge' is not part of the order schema; did you mean 'leverage'? Rename or drop it",
        orders(OPEN | {"leverge": 5.0}, leverge=pa.float64()),
    ),
    "missing column": Fault(
        "orders.parquet: column 'order_id' is missing; add it: int64 (any integer), unique; orders of one timestamp "
        "are taken in its order",
        lambda: pq.write_table(pq.read_table("orders.parquet").drop_columns(["order_id"]), "orders.parquet"),
    ),
    "naive": Fault(
        "orders.parquet: column 'timestamp' has type timestamp[us] without a time zone; write timestamps in UTC, e.g. "
        'pl.col("timestamp").dt.replace_time_zone("UTC")',
        orders(OPEN, timestamp=pa.timestamp("us")),
    ),
    "wrong type": Fault(
        "orders.parquet: column 'position_id' has type double; write it as int64 (any integer)",
        orders(OPEN, position_id=pa.float64()),
    ),
    "far into the file": Fault(
        "orders.parquet: row 3000, column 'leverage': -1.0 x must be positive; write null where there is no value",
        orders(*[OPEN | {"position_id": number} for number in range(3000)], OPEN | {"leverage": -1.0}),
    ),
    "no file": Fault(
        "none.parquet: no such file; give a Parquet file of orders (`perpool flow generate` writes one)",
        args=f"{RUN} --orders none.parquet",
    ),
    "no Parquet": Fault(
        "orders.parquet: cannot be read as Parquet (...); write the orders as a Parquet file",
        written("orders.parquet", "timestamp,order_id\n"),
    ),
    "damaged pages": Fault(
        "orders.parquet: cannot be read as Parquet (...); write the orders as a Parquet file",
        scrambled("orders.parquet"),
    ),
    "in a folder that is made": Fault(
        "orders.parquet: row 1, column 'order_id': 0 was used by an earlier row; give every order its own id",
        orders(OPEN, CLOSE | {"order_id": 0}),
        "run scenario.toml --out new/er/out",
    ),
}
