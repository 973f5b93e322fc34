"""From drawn positions and deposits to the rows of an order file, numbered and in order.

Numbers follow the order of time over all populations, so prices after a moment renumber nothing before it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from backtest.flows.changes import Changes
from backtest.flows.config import FlowConfig
from backtest.flows.liquidity import Deposits
from backtest.flows.streams import Int
from backtest.flows.traders import Positions
from kernels import codes

_NEVER_US = 2**62


class Drawn(NamedTuple):
    """All that one population does; rows of the changes are positions."""

    config: FlowConfig
    positions: Positions
    partial_closes: Changes
    added_collateral: Sequence[Changes]
    deposits: Deposits


def order_table(populations: Sequence[Drawn], markets: Sequence[str], end_us: int) -> pa.Table:
    """The orders of all populations, by time; at one time by population, then action, then position. Ids from 0."""
    ids = numbered([drawn.positions.opened for drawn in populations])
    accounts = numbered([drawn.deposits.added for drawn in populations])
    custodies = list(dict.fromkeys(drawn.config.liquidity.custody for drawn in populations))
    blocks = []
    for drawn, position, account in zip(populations, ids, accounts, strict=True):
        rows = np.array([markets.index(item.market) for item in drawn.config.markets], np.int64)
        blocks += _trades(drawn, position, rows, end_us)
        blocks += _flows(drawn, account + 1, custodies.index(drawn.config.liquidity.custody))
    orders = pl.concat(blocks, how="diagonal")
    return _table(orders.sort("timestamp", maintain_order=True), markets, custodies)


def numbered(times: Sequence[Int]) -> list[Int]:
    """The rank of each among all, by time and, at one time, by population; each of `times` is sorted."""
    counts = [part.size for part in times]
    order = np.argsort(np.concatenate(times), kind="stable")
    ranks = np.empty(order.size, np.int64)
    ranks[order] = np.arange(order.size)
    return np.split(ranks, np.cumsum(counts)[:-1])


def _block(action: int, time_us: Int, **columns: NDArray[Any]) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": time_us, "action": np.full(time_us.size, action, np.int16), **columns})


def _trades(drawn: Drawn, position: Int, markets: Int, end_us: int) -> list[pl.DataFrame]:
    """Orders of each kind, in the order of their actions; amounts as micro-dollars, names as codes, NaN for nothing."""
    given = drawn.positions
    opens = _block(
        codes.OPEN,
        given.opened,
        position_id=position,
        market=markets[given.market].astype(np.int16),
        side=np.where(given.is_long, codes.LONG, codes.SHORT).astype(np.int16),
        leverage=given.leverage,
        collateral_usd=given.collateral,
        stop_loss=given.stop_loss,
        take_profit=given.take_profit,
        referred=given.referred,
    )
    part = drawn.partial_closes
    decreases = _block(codes.DECREASE, part.at, position_id=position[part.row], fraction=part.much)
    deposits = [
        _block(codes.DEPOSIT_COLLATERAL, more.at, position_id=position[more.row], collateral_usd=more.much)
        for more in drawn.added_collateral
    ]
    closed = given.opened + given.held
    ends = closed <= end_us
    closes = _block(codes.CLOSE, closed[ends], position_id=position[ends])
    return [opens, decreases, *deposits, closes]


def _flows(drawn: Drawn, account: Int, custody: int) -> list[pl.DataFrame]:
    """Deposits by LPs, one account each, and what they take out again."""
    given = drawn.deposits
    out = given.removed < _NEVER_US
    code = np.full(account.size, custody, np.int16)
    return [
        _block(codes.ADD_LIQUIDITY, given.added, lp_account=account, custody=code, amount=given.amount),
        _block(
            codes.REMOVE_LIQUIDITY,
            given.removed[out],
            lp_account=account[out],
            custody=code[out],
            amount=given.withdrawn[out],
        ),
    ]


def _names(column: pl.Series, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(column.to_arrow(), pa.array(names, pa.string()))


def _table(orders: pl.DataFrame, markets: Sequence[str], custodies: Sequence[str]) -> pa.Table:
    """The columns of an order file; doubles that are NaN become null, micro-dollars a decimal of the same bytes."""
    columns: dict[str, pa.Array] = {
        "timestamp": orders["timestamp"].to_arrow().cast(pa.timestamp("us", "UTC")),
        "order_id": pa.array(np.arange(orders.height)),
        "action": _names(orders["action"], codes.ACTIONS),
        "position_id": orders["position_id"].to_arrow(),
        "market": _names(orders["market"], markets),
        "side": _names(orders["side"], codes.SIDES),
        "leverage": orders["leverage"].to_arrow(),
        "collateral_usd": orders["collateral_usd"].to_arrow().view(pa.decimal64(18, 6)),
    }
    for name in ("stop_loss", "take_profit", "fraction"):
        columns[name] = orders[name].fill_nan(None).to_arrow()
    columns["referred"] = orders["referred"].to_arrow()
    if orders["custody"].null_count() < orders.height:
        columns["lp_account"] = orders["lp_account"].to_arrow()
        columns["custody"] = _names(orders["custody"], custodies)
        columns["amount"] = orders["amount"].to_arrow()
    return pa.table(columns)
