"""Prices in memory for tests of the flow generator, and its orders as frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from backtest.flows.config import FlowConfig
from backtest.flows.generate import generate
from backtest.flows.prices_seen import Seen
from backtest.prices import PriceSpan
from kernels.state import Ticks

T0 = 1_735_689_600_000_000  # Wednesday, 1 January 2025
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SYMBOLS = ("SOL", "BTC", "BONK")


@dataclass
class FakePrices:
    """Ticks `step_us` apart from T0; prices (T, S) at 1e10."""

    price: np.ndarray
    step_us: int = MINUTE
    symbols: tuple[str, ...] = SYMBOLS

    @property
    def times(self) -> np.ndarray:
        return T0 + np.arange(len(self.price), dtype=np.int64) * self.step_us

    @property
    def span(self) -> PriceSpan:
        return PriceSpan(T0, int(self.times[-1]), len(self.price))

    def chunks(self, ticks_per_chunk: int) -> Iterator[Ticks]:
        for start in range(0, len(self.price), 97):  # a chunk size of its own, so that borders are crossed
            part = slice(start, start + 97)
            yield Ticks(self.times[part], self.price[part], np.zeros(self.price[part].shape, np.uint8))


def walk(seed: int, n: int = 3_000, markets: int = 3, sigma: float = 0.003) -> np.ndarray:
    """A random walk of each market from 100 dollars, (n, markets) at 1e10."""
    steps = np.random.default_rng(seed).normal(0.0, sigma, (n, markets))
    return np.rint(100.0 * np.exp(np.cumsum(steps, axis=0)) * 1e10).astype(np.int64)


def seen(price: Sequence[float] | np.ndarray, step_us: int = MINUTE) -> Seen:
    """One market at these prices in dollars."""
    scaled = np.rint(np.asarray(price, np.float64) * 1e10).astype(np.int64)
    return Seen(T0 + np.arange(scaled.size, dtype=np.int64) * step_us, scaled[None, :])


def orders_of(prices: FakePrices | np.ndarray, *configs: FlowConfig) -> pl.DataFrame:
    """Generated orders, names as text and dollars as floats."""
    given = prices if isinstance(prices, FakePrices) else FakePrices(prices, symbols=SYMBOLS[: prices.shape[1]])
    frame = pl.DataFrame(pl.from_arrow(generate(configs, given)))
    texts = [name for name in ("action", "market", "side", "custody") if name in frame.columns]
    return frame.with_columns(pl.col(texts).cast(pl.String), pl.col("collateral_usd").cast(pl.Float64))


def opens_of(config: FlowConfig, prices: FakePrices | np.ndarray | None = None) -> pl.DataFrame:
    """The opens among them."""
    return orders_of(walk(1) if prices is None else prices, config).filter(pl.col("action") == "open")


def us(column: pl.Series) -> np.ndarray:
    """Timestamps as microseconds since T0."""
    return column.to_physical().to_numpy() - T0


def hours_held(orders: pl.DataFrame) -> np.ndarray:
    """Hours from each open to its close."""
    opens = orders.filter(pl.col("action") == "open").select("position_id", "timestamp")
    closes = orders.filter(pl.col("action") == "close").select("position_id", "timestamp")
    both = opens.join(closes, on="position_id", suffix="_close", validate="1:1")
    return (both["timestamp_close"] - both["timestamp"]).dt.total_microseconds().to_numpy() / 3.6e9
