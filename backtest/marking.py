"""What every open position is worth at the last tick: the books of an engine gathered into Arrow columns and marked."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backtest.engine import Engine
from backtest.errors import PerpoolError
from kernels import codes
from kernels.mark import MarkColumns, MarkQuote, MarkResult, mark

_MICRO = 1e6
_PRICE = 1e10
_IDS = (("market", pa.int32()), ("side", pa.uint8()), ("position_no", pa.int64()), ("position_id", pa.int64()))
SCHEMA = pa.schema(
    [pa.field(name, kind, nullable=False) for name, kind in _IDS]
    + [pa.field(name, pa.float64(), nullable=False) for name in MarkColumns._fields + MarkResult._fields]
)


# The variants that the pass computes, by family of the pool's record. The others settle exactly; marked they are not.
KNOWN = {
    "interest_rounding": (codes.ROUND_FLOOR,),
    "trade_price": (codes.PRICE_ORACLE,),
    "borrow_base": (codes.BASE_SIZE,),
    "close_fee": (codes.CLOSE_FEE_FIXED, codes.CLOSE_FEE_AGE_TIERS),
    "profit": (codes.PROFIT_LOCKED_VALUE,),
    "liquidation": (codes.LIQUIDATE_MAX_LEVERAGE,),
}


def _check_rules(engine: Engine) -> None:
    """Raise `PerpoolError` where the full pass would show other numbers than settlement."""
    pool = engine.venue.pool[0]
    for family, variants in KNOWN.items():
        if pool[family] not in variants:
            names = getattr(codes, family.upper(), codes.ROUNDING)
            raise PerpoolError(
                f"cannot mark a book under mechanisms.{family} = {names[pool[family]]!r}: the full pass knows "
                f"{', '.join(repr(names[variant]) for variant in variants)}; use the samples of the run instead"
            )
    if engine.venue.market["min_profit_bps"].any() or engine.venue.custody["peg"].any():
        raise PerpoolError(
            "cannot mark a book with a minimum-profit window or a pegged stable: the full pass knows neither; use the "
            "samples of the run instead"
        )


def mark_book(engine: Engine) -> pa.Table:
    """One row per open position of all books, by (market, side, position_no), as of the last tick the engine has run.

    Columns: market and side as codes, the two ids, then those of `MarkColumns` and `MarkResult` (float64, dollars and
    tokens). No rows when nothing is open. Reads the engine, changes nothing. `PerpoolError` under other rules.
    """
    _check_rules(engine)
    rows = engine.books.row
    rows = rows[rows["status"] == codes.OPEN_POSITION]
    rows = rows[np.lexsort((rows["position_no"], rows["book"]))]
    columns = _gather(engine, rows)
    result = MarkResult(*(np.empty(len(rows)) for _ in MarkResult._fields))
    starts = np.searchsorted(rows["book"], np.arange(2 * len(engine.venue.market) + 1))
    for b, (first, last) in enumerate(pairwise(starts)):
        book = slice(int(first), int(last))
        mark(MarkColumns(*(c[book] for c in columns)), _quote(engine, b), MarkResult(*(c[book] for c in result)))
    ids = (rows["book"] >> 1, rows["book"] & 1, rows["position_no"], rows["position_id"])
    return pa.Table.from_arrays(
        [pa.array(column, type=field.type) for column, field in zip((*ids, *columns, *result), SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def _gather(engine: Engine, rows: npt.NDArray[Any]) -> MarkColumns:
    """The columns `mark` reads, from sorted rows of open positions; Arrow's memory, so read-only."""
    market = engine.venue.market[rows["book"] >> 1]
    custody = np.where(rows["book"] & 1 == codes.LONG, market["long_custody"], market["short_custody"])
    units = engine.venue.custody["unit"][custody].astype(np.float64)
    # No profit is paid within the second of opening.
    locked = np.where(rows["open_s"] < engine.venue.pool["now_s"][0], rows["locked"], 0)
    columns = MarkColumns(
        entry_price=rows["entry_price"] / _PRICE,
        size_usd=rows["size_usd"] / _MICRO,
        collateral_usd=rows["collateral_usd"] / _MICRO,
        exit_fee_usd=rows["exit_fee_usd"] / _MICRO,
        liquidation_fee_usd=rows["liquidation_fee_usd"] / _MICRO,
        interest_usd=(rows["unrealised_interest_usd"] + rows["paid_interest_usd"]) / _MICRO,
        funding_usd=rows["unrealised_funding_usd"] / _MICRO,
        index_snapshot=rows["cum_snapshot"].astype(np.float64),
        funding_snapshot=rows["funding_snapshot"].astype(np.float64),
        locked_tokens=locked / units,
    )
    return MarkColumns(*(pa.array(column).to_numpy() for column in columns))


def _quote(engine: Engine, b: int) -> MarkQuote:
    """Price, low price and indices of the last tick for book b = 2 * market + side."""
    market = engine.venue.market[b >> 1]
    is_long = b & 1 == codes.LONG
    custody = engine.venue.custody[market["long_custody"] if is_long else market["short_custody"]]
    return MarkQuote(
        sign=1.0 if is_long else -1.0,
        price=float(market["price"]) / _PRICE,
        low_price=float(custody["low"]) / _PRICE,
        index=float(custody["index_now"]),
        funding_index=float(market["funding_now"]),
        max_leverage_bps=float(market["max_leverage_bps"]),
    )
