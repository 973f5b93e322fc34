"""Synthetic order flow: from a `FlowConfig` and prices to an order file, the same bytes for the same inputs.

Everything but the triggers is drawn without looking at prices; a trigger is placed from the last tick at or
before the arrival, so prices after a moment change no order up to it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from backtest.errors import PerpoolError, UsageError
from backtest.flow_config import FlowConfig, MarketShare
from backtest.prices import PriceSpan, SymbolSource, TickSource, open_prices
from kernels import codes
from kernels.state import Ticks

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

_HOUR_US = 3_600_000_000
_TICKS_PER_CHUNK = 65_536
_PRICE_SCALE = 1e10
_EVER_US = 2**62  # no price is too old to place a trigger from
# Append only: the position is the key of the random stream.
_STREAMS = (
    *("arrival", "market", "side", "leverage", "collateral", "holding", "referred"),
    *("stop_share", "stop_way", "profit_share", "profit_gain"),
    *("partial_share", "partial_time", "partial_size", "added_share", "added_time", "added_size"),
    *("lp_arrival", "lp_amount", "lp_share", "lp_holding"),
)


class Prices(Protocol):
    """What the generator needs of a `TickSource`: a span, and ticks in order as often as asked."""

    @property
    def span(self) -> PriceSpan: ...

    def chunks(self, ticks_per_chunk: int) -> Iterator[Ticks]: ...


def open_flow_prices(
    config: FlowConfig, paths: str | Path | list[str], start_us: int | None = None, end_us: int | None = None
) -> TickSource:
    """The price history of the config's markets, one column per market, in [start, end) us."""
    symbols = [SymbolSource(item.market, item.symbol, _EVER_US) for item in config.markets]
    return open_prices(paths, symbols, start_us=start_us, end_us=end_us)


def generate(config: FlowConfig, prices: Prices) -> pa.Table:
    """Orders of the flow over the span of the prices, sorted by (timestamp, order_id), ids from 0."""
    return _table(config, _sorted(_orders(config, prices)))


def write_orders(orders: pa.Table, out: str | Path) -> None:
    """Write an order file so that `out` is either whole or untouched."""
    target = Path(out)
    if not target.parent.is_dir():
        raise UsageError(f"{target}: the folder {target.parent} does not exist; make it, or write elsewhere")
    if target.is_dir():
        raise UsageError(f"{target}: is a folder; name the file to write, such as {target / 'orders.parquet'}")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        pq.write_table(orders, part, compression="zstd", store_decimal_as_integer=True, row_group_size=262_144)
        part.replace(target)
    except OSError as error:
        raise PerpoolError(f"{target}: cannot be written ({error}); free space or write elsewhere") from None
    finally:
        part.unlink(missing_ok=True)


# --- draws ----------------------------------------------------------------------------------------------------


def _stream(config: FlowConfig, name: str) -> np.random.Generator:
    seed = np.random.SeedSequence(config.seed, spawn_key=(_STREAMS.index(name),))
    return np.random.Generator(np.random.PCG64(seed))


def _uniform(config: FlowConfig, name: str, low: float, high: float, n: int) -> Float:
    return low + (high - low) * _stream(config, name).random(n)


def _log_uniform(config: FlowConfig, name: str, low: float, high: float, n: int) -> Float:
    return np.exp(_uniform(config, name, np.log(low), np.log(high), n))


def _log_normal(config: FlowConfig, name: str, median: float, sigma: float, n: int) -> Float:
    return median * np.exp(sigma * _stream(config, name).standard_normal(n))


def _chosen(config: FlowConfig, name: str, share: float, n: int) -> Mask:
    return _stream(config, name).random(n) < share


def _arrivals(config: FlowConfig, name: str, span: PriceSpan, n: int) -> Int:
    """Sorted uniform times in the span, both ends included [us]."""
    return np.sort(_stream(config, name).integers(span.start_us, span.end_us, n, endpoint=True))


def _markets(config: FlowConfig, n: int) -> Int:
    weights = np.cumsum([item.weight for item in config.markets])
    drawn = np.searchsorted(weights, _stream(config, "market").random(n) * weights[-1], side="right")
    return np.asarray(np.minimum(drawn, len(weights) - 1), np.int64)


def _holding_us(config: FlowConfig, n: int) -> Int:
    """Time from open to close [us], whole milliseconds."""
    holding = config.holding
    if holding.distribution == "exponential":
        hours = holding.hours * _stream(config, "holding").standard_exponential(n)
    else:
        hours = _log_normal(config, "holding", holding.hours, holding.sigma, n)
    hours = np.clip(hours, holding.min_minutes / 60.0, 1e7)
    return np.asarray(np.rint(hours * (_HOUR_US / 1_000)).astype(np.int64) * 1_000)


# --- prices at the arrivals -------------------------------------------------------------------------------------


def prices_at(prices: Prices, times_us: Int, columns: Int) -> Float:
    """Price [USD] of `columns[i]` at the last tick at or before `times_us[i]` (sorted, in the span), shape (n,)."""
    found = np.zeros(times_us.size)
    done, last = 0, np.empty((0, 0), np.int64)
    for ticks in prices.chunks(_TICKS_PER_CHUNK):
        until = int(np.searchsorted(times_us, ticks.time_us[-1], side="right"))
        tick = np.searchsorted(ticks.time_us, times_us[done:until], side="right") - 1
        known = np.concatenate([last, ticks.price]) if last.size else ticks.price
        found[done:until] = known[tick + (1 if last.size else 0), columns[done:until]]
        done, last = until, ticks.price[-1:]
    if done < times_us.size:
        found[done:] = last[0, columns[done:]]
    return found / _PRICE_SCALE


def _triggers(config: FlowConfig, price: Float, is_long: Mask, leverage: Float) -> tuple[Float, Float]:
    """Stop-loss and take-profit [USD], NaN where there is none; both on the right side of the price."""
    n = price.size
    stop, profit = config.stop_loss, config.take_profit
    way = 1.0 / leverage - 1.0 / stop.liquidation_leverage - stop.cost
    stop_distance = way * _uniform(config, "stop_way", stop.min, stop.max, n)
    gain = _log_uniform(config, "profit_gain", profit.min, profit.max, n) / leverage
    stop_loss = price * np.where(is_long, 1.0 - stop_distance, 1.0 + stop_distance)
    take_profit = np.where(is_long, price * (1.0 + gain), price / (1.0 + gain))
    stop_loss[~_chosen(config, "stop_share", stop.share, n)] = np.nan
    take_profit[~_chosen(config, "profit_share", profit.share, n)] = np.nan
    return _on_grid(stop_loss), _on_grid(take_profit)


def _on_grid(price: Float) -> Float:
    """To the 1e-10 dollars that prices are settled at; what rounds to 0 is no trigger."""
    rounded = np.rint(price * _PRICE_SCALE) / _PRICE_SCALE
    return np.where(rounded > 0.0, rounded, np.nan)


# --- orders -----------------------------------------------------------------------------------------------------


def _block(action: int, time_us: Int, **columns: NDArray[Any]) -> pl.DataFrame:
    return pl.DataFrame({"timestamp": time_us, "action": np.full(time_us.size, action, np.int64), **columns})


def _orders(config: FlowConfig, prices: Prices) -> list[pl.DataFrame]:
    """Orders of each kind, unsorted; amounts as micro-dollars, names as codes, NaN where there is no trigger."""
    n, end_us = config.positions, prices.span.end_us
    opened = _arrivals(config, "arrival", prices.span, n)
    held = _holding_us(config, n)
    market = _markets(config, n)
    is_long = _chosen(config, "side", config.long_share, n)
    leverage = np.round(_log_uniform(config, "leverage", config.leverage.min, config.leverage.max, n), 2)
    size = config.collateral
    dollars = np.clip(_log_normal(config, "collateral", size.median, size.sigma, n), size.min, size.max)
    collateral = np.rint(dollars * 100.0).astype(np.int64) * 10_000
    stop_loss, take_profit = _triggers(config, prices_at(prices, opened, market), is_long, leverage)
    position = np.arange(n, dtype=np.int64)
    opens = _block(
        codes.OPEN,
        opened,
        position_id=position,
        market=market,
        side=np.where(is_long, codes.LONG, codes.SHORT).astype(np.int64),
        leverage=leverage,
        collateral_usd=collateral,
        stop_loss=stop_loss,
        take_profit=take_profit,
        referred=_chosen(config, "referred", config.referred_share, n),
    )
    closed = opened + held
    at, part = _changes(config, "partial", config.partial_close.share, opened, held, end_us)
    fraction = _uniform(config, "partial_size", config.partial_close.min, config.partial_close.max, n)
    decreases = _block(codes.DECREASE, at[part], position_id=position[part], fraction=np.round(fraction[part], 4))
    at, more = _changes(config, "added", config.added_collateral.share, opened, held, end_us)
    times = _uniform(config, "added_size", config.added_collateral.min, config.added_collateral.max, n)
    added = np.maximum(np.rint(collateral * times / 10_000), 1.0).astype(np.int64) * 10_000
    deposits = _block(codes.DEPOSIT_COLLATERAL, at[more], position_id=position[more], collateral_usd=added[more])
    ends = closed <= end_us
    closes = _block(codes.CLOSE, closed[ends], position_id=position[ends])
    return [opens, decreases, deposits, closes, *_liquidity(config, prices.span)]


def _changes(config: FlowConfig, name: str, share: float, opened: Int, held: Int, end_us: int) -> tuple[Int, Mask]:
    """When each position would be changed [us], between 10 % and 90 % of its time, and which ones are."""
    n = opened.size
    after = _uniform(config, f"{name}_time", 0.1, 0.9, n) * held
    at = opened + np.rint(after / 1_000).astype(np.int64) * 1_000
    return at, _chosen(config, f"{name}_share", share, n) & (at <= end_us)


def _liquidity(config: FlowConfig, span: PriceSpan) -> list[pl.DataFrame]:
    """Deposits, one account each (from 1), and withdrawals of 90 % as many LP tokens."""
    pool = config.liquidity
    n = pool.deposits
    if not n:
        return []
    at = _arrivals(config, "lp_arrival", span, n)
    amount = np.round(np.clip(_log_normal(config, "lp_amount", pool.median, pool.sigma, n), pool.min, pool.max), 2)
    account = np.arange(1, n + 1, dtype=np.int64)
    custody = np.full(n, pool.custody)
    adds = _block(codes.ADD_LIQUIDITY, at, lp_account=account, custody=custody, amount=amount)
    days = _stream(config, "lp_holding").standard_exponential(n) * pool.hold_days
    until = at + np.rint(days * (24 * _HOUR_US / 1_000)).astype(np.int64) * 1_000 + 1_000_000
    out = _chosen(config, "lp_share", pool.withdrawn_share, n) & (until <= span.end_us)
    removes = _block(
        codes.REMOVE_LIQUIDITY,
        until[out],
        lp_account=account[out],
        custody=custody[out],
        amount=np.round(amount[out] * 0.9, 2),
    )
    return [adds, removes]


def _sorted(blocks: list[pl.DataFrame]) -> pl.DataFrame:
    """One frame in time order; at one time, by action, then position or account."""
    orders = pl.concat(blocks, how="diagonal")
    keys = [name for name in ("timestamp", "action", "position_id", "lp_account") if name in orders.columns]
    return orders.sort(keys).with_row_index("order_id")


def _names(column: pl.Series, names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(column.cast(pl.Int16).to_arrow(), pa.array(names, pa.string()))


def _table(config: FlowConfig, orders: pl.DataFrame) -> pa.Table:
    """The columns of an order file; doubles that are NaN become null, micro-dollars a decimal of the same bytes."""
    markets: tuple[MarketShare, ...] = config.markets
    columns: dict[str, pa.Array] = {
        "timestamp": orders["timestamp"].to_arrow().cast(pa.timestamp("us", "UTC")),
        "order_id": orders["order_id"].cast(pl.Int64).to_arrow(),
        "action": _names(orders["action"], codes.ACTIONS),
        "position_id": orders["position_id"].to_arrow(),
        "market": _names(orders["market"], tuple(item.market for item in markets)),
        "side": _names(orders["side"], codes.SIDES),
        "leverage": orders["leverage"].to_arrow(),
        "collateral_usd": orders["collateral_usd"].to_arrow().view(pa.decimal64(18, 6)),
    }
    for name in ("stop_loss", "take_profit", "fraction"):
        columns[name] = orders[name].fill_nan(None).to_arrow()
    columns["referred"] = orders["referred"].to_arrow()
    if "custody" in orders.columns:
        custody = orders["custody"].replace_strict({config.liquidity.custody: 0}, default=None, return_dtype=pl.Int16)
        columns["lp_account"] = orders["lp_account"].to_arrow()
        columns["custody"] = _names(custody, (config.liquidity.custody,))
        columns["amount"] = orders["amount"].to_arrow()
    return pa.table(columns)
