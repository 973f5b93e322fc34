"""What an expression is worth at given prices, and where it only rises or only falls with a price."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from backtest.history.expressions import Node, Operation, Symbol
from backtest.price_files import Floats

_OPERATIONS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


class _Range(NamedTuple):
    """Bounds of a value and of its slope, each (n,)."""

    low: Floats
    high: Floats
    slope_low: Floats
    slope_high: Floats


def evaluate(node: Node, values: Mapping[str, Floats]) -> Floats:
    """The value (n,) from the prices (n,) of each symbol; inf or NaN where it divides by zero."""
    with np.errstate(all="ignore"):
        return _evaluate(node, values)


def is_monotone(node: Node, low: Floats, high: Floats) -> np.ndarray:
    """Where (n,) an expression of one symbol surely only rises, or only falls, as its price goes from low to high.

    By the bounds of the slope: where they do not tell, the answer is no.
    """
    with np.errstate(all="ignore"):
        bounds = _bounds(node, low, high)
        found: np.ndarray = (bounds.slope_low >= 0) | (bounds.slope_high <= 0)  # False for NaN: a pole
    return found


def _evaluate(node: Node, values: Mapping[str, Floats]) -> Floats:
    if isinstance(node, Symbol):
        return values[node.name]
    if isinstance(node, Operation):
        result: Floats = _OPERATIONS[node.sign](_evaluate(node.left, values), _evaluate(node.right, values))
        return result
    return np.full(len(next(iter(values.values()))), node)


def _bounds(node: Node, low: Floats, high: Floats) -> _Range:
    zero = np.zeros_like(low)
    if isinstance(node, Symbol):
        return _Range(low, high, zero + 1, zero + 1)
    if not isinstance(node, Operation):
        return _Range(zero + node, zero + node, zero, zero)
    a, b = _bounds(node.left, low, high), _bounds(node.right, low, high)
    if node.sign == "+":
        return _Range(a.low + b.low, a.high + b.high, a.slope_low + b.slope_low, a.slope_high + b.slope_high)
    if node.sign == "-":
        return _Range(a.low - b.high, a.high - b.low, a.slope_low - b.slope_high, a.slope_high - b.slope_low)
    (first, last), (rise, fall) = (a.low, a.high), (a.slope_low, a.slope_high)
    if node.sign == "*":
        left, right = _times((rise, fall), (b.low, b.high)), _times((first, last), (b.slope_low, b.slope_high))
        return _Range(*_times((first, last), (b.low, b.high)), left[0] + right[0], left[1] + right[1])
    pole = (b.low <= 0) & (b.high >= 0)
    inverse = (np.where(pole, np.nan, 1 / b.high), np.where(pole, np.nan, 1 / b.low))
    value = _times((first, last), inverse)
    pulled = _times(value, (b.slope_low, b.slope_high))  # (a / b)' = (a' - (a / b) b') / b
    slope = _times((rise - pulled[1], fall - pulled[0]), inverse)
    return _Range(*value, *slope)


def _times(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    products = [one * other for one in a for other in b]
    return np.minimum.reduce(products), np.maximum.reduce(products)
