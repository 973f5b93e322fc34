"""What a venue reads beside the price: a low and a high side, and a moving average.

A row may bring them (columns `min` and `max`, `confidence`, `ema`); what it does not bring is worked out from prices
up to then, so that a tick knows nothing of the future and no result depends on where a run's memory windows end.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from backtest.price_files import Floats, Ints

PRICE_SCALE = 1e10
ONE_DOLLAR = 10**10
PARTS = ("price", "low", "high", "ema")
PRICE, LOW, HIGH, EMA = range(4)
_WEIGHT = 10**12  # weights are cut to whole parts of this, so that machines whose exp() differs in a bit agree


@dataclass(frozen=True)
class Quotes:
    """How a protocol's quotes come about.

    trade_price: kernels.codes.TRADE_PRICE. `ema_spread`: low and high are the lower and the higher of price and
        average; `confidence`: price less and plus the column `confidence`; `min_max`: the columns `min` and `max`,
        the price where they are absent; `oracle`: the price
    averaged: somebody reads the average
    ema_us: its time constant, µs
    """

    trade_price: str
    averaged: bool
    ema_us: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked for in files."""
        sides = {"min_max": ("min", "max"), "confidence": ("confidence",)}.get(self.trade_price, ())
        return (*sides, "ema") if self.averaged else sides


@dataclass
class Average:
    """Exponential moving average of one source, carried along: a gap of t weighs the new price 1 - exp(-t / ema).

    Seeded with the first price. Exact in the order of rows: pieces of any size give the same values.
    """

    ema_us: int
    _at_us: int = 0
    _value: float = math.nan
    _weights: dict[int, float] = field(default_factory=dict)

    def extend(self, times: Ints, prices: Ints, given: Floats | None) -> Ints:
        """The average (n,) at 1e10 after each moment; `given` (n,) are averages of the file, NaN where it has none."""
        if not len(times):
            return prices
        if math.isnan(self._value):
            self._value, self._at_us = float(prices[0]), int(times[0])
        gaps, kinds = np.unique(np.diff(times, prepend=self._at_us), return_inverse=True)
        weights = np.array([self._weight(gap) for gap in gaps.tolist()])[kinds]
        unknown = [math.nan] * len(times) if given is None else given.tolist()
        value, found = self._value, list[float]()
        for price, weight, known in zip(prices.tolist(), weights.tolist(), unknown, strict=True):
            value = value + (price - value) * weight if math.isnan(known) else known
            found.append(value)
        self._at_us, self._value = int(times[-1]), value
        averages: Ints = np.rint(np.array(found)).astype(np.int64)
        return averages

    def _weight(self, gap_us: int) -> float:
        weight = self._weights.get(gap_us)
        if weight is None:
            weight = round(-math.expm1(-gap_us / self.ema_us) * _WEIGHT) / _WEIGHT if self.ema_us else 1.0
            self._weights[gap_us] = weight
        return weight


def quoted(quotes: Quotes, times: Ints, prices: Ints, extra: Floats, average: Average) -> Ints:
    """The PARTS (n, 4) of a source at 1e10, from its prices (n,) at 1e10 and its `extra` columns (n, k), US dollars.

    `extra` are `quotes.columns`, NaN where unknown: a side without a column is the price.
    """
    named = dict(zip(quotes.columns, (extra * PRICE_SCALE).T, strict=True))
    ema = average.extend(times, prices, _any(named["ema"])) if quotes.averaged else prices
    if quotes.trade_price == "ema_spread":
        low, high = np.minimum(prices, ema), np.maximum(prices, ema)
    elif quotes.trade_price == "confidence":
        width = _rounded(named["confidence"], np.zeros_like(prices))
        low, high = np.maximum(prices - width, 1), prices + width
    elif quotes.trade_price == "min_max":
        low, high = _rounded(named["min"], prices), _rounded(named["max"], prices)
    else:
        low = high = prices
    return np.column_stack([prices, low, high, ema])


def _any(values: Floats) -> Floats | None:
    return None if np.isnan(values).all() else values


def _rounded(values: Floats, otherwise: Ints) -> Ints:
    unknown = np.isnan(values)
    return np.where(unknown, otherwise, np.rint(np.where(unknown, 0.0, values)).astype(np.int64))


def strict(part: int, prices: Ints, band: int) -> Ints:
    """Quotes of a strict stable: a dollar within `band` (1e10) of it; beyond, the low side only falls, the high rises.

    Source: GMX, VaultPriceFeed.getPrice (strictStableTokens, maxStrictPriceDeviation).
    """
    if part == LOW:
        prices = np.minimum(prices, ONE_DOLLAR)
    elif part == HIGH:
        prices = np.maximum(prices, ONE_DOLLAR)
    return np.where(np.abs(prices - ONE_DOLLAR) <= band, ONE_DOLLAR, prices)
