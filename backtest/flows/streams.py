"""Random numbers of a population: one stream per quantity, and amounts drawn from it by inverse distribution.

A stream is keyed by (seed, name of the population, quantity). Its k-th number does not depend on how many are drawn.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from backtest.flows import exact_math
from backtest.flows.config import FlowConfig
from backtest.flows.sections import Amount, Holding

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_LEAST = 2.0**-54  # half the step of a draw: keeps a quantile finite
_LONGEST_HOURS = 1e7
# 1, 2 and 5 times powers of ten, in dollars, and where the nearest changes (in ratio).
_ROUND = np.array([digit * 10**power / 100 for power in range(13) for digit in (1, 2, 5)])
_BETWEEN = np.sqrt(_ROUND[:-1] * _ROUND[1:])


def draw(config: FlowConfig, quantity: str, n: int) -> Float:
    """The first `n` numbers of the stream, uniform in [0, 1), shape (n,)."""
    digest = hashlib.sha256(f"{config.name}\0{quantity}".encode()).digest()
    seed = np.random.SeedSequence(config.seed, spawn_key=(int.from_bytes(digest[:16]),))
    return np.random.Generator(np.random.PCG64(seed)).random(n)


def uniform(config: FlowConfig, quantity: str, low: float, high: float, n: int) -> Float:
    """Uniform in [low, high), shape (n,)."""
    return low + (high - low) * draw(config, quantity, n)


def chosen(config: FlowConfig, quantity: str, share: float, n: int) -> Mask:
    """True for `share` of them, shape (n,)."""
    return draw(config, quantity, n) < share


def log_uniform(config: FlowConfig, quantity: str, low: float, high: float, n: int) -> Float:
    """Log-uniform in [low, high], shape (n,)."""
    ends = exact_math.log(np.array([low, high]))
    return exact_math.exp(uniform(config, quantity, float(ends[0]), float(ends[1]), n))


def log_normal(config: FlowConfig, quantity: str, median: float, sigma: float, n: int) -> Float:
    """Log-normal with this median and `sigma` of the logarithm, shape (n,)."""
    return median * exact_math.exp(sigma * exact_math.normal_quantile(np.maximum(draw(config, quantity, n), _LEAST)))


def exponential(config: FlowConfig, quantity: str, mean: float, n: int) -> Float:
    """Exponential with this mean, shape (n,)."""
    return -mean * exact_math.log(1.0 - draw(config, quantity, n))


def pick(config: FlowConfig, quantity: str, weights: tuple[float, ...], n: int) -> Int:
    """Positions in `weights`, drawn in their proportion, shape (n,)."""
    ends = np.cumsum(weights)
    found = np.searchsorted(ends, draw(config, quantity, n) * ends[-1], side="right")
    return np.asarray(np.minimum(found, len(weights) - 1), np.int64)


def amount(config: FlowConfig, quantity: str, section: Amount, n: int) -> Float:
    """Amounts of a section: drawn from its distribution, clipped to [min, max], shape (n,)."""
    if section.distribution == "discrete":
        weights = section.weights or (1.0,) * len(section.values)
        return np.array(section.values)[pick(config, quantity, weights, n)]
    if section.distribution == "log_uniform":
        found = log_uniform(config, quantity, section.min, section.max, n)
    elif section.distribution == "log_normal":
        found = log_normal(config, quantity, section.median, section.sigma, n)
    else:
        found = section.min * exact_math.power(1.0 - draw(config, quantity, n), -1.0 / section.tail)
    return np.minimum(np.maximum(found, section.min), section.max)


def round_dollars(dollars: Float) -> Float:
    """The nearest of 1, 2 and 5 times a power of ten, by ratio, shape as given."""
    return _ROUND[np.searchsorted(_BETWEEN, dollars)]


def holding_us(config: FlowConfig, holding: Holding, n: int) -> Int:
    """Time from open to close [us], whole milliseconds, shape (n,)."""
    if holding.distribution == "exponential":
        hours = exponential(config, "holding", holding.hours, n)
    elif holding.distribution == "log_normal":
        hours = log_normal(config, "holding", holding.hours, holding.sigma, n)
    else:  # Lomax: scale * (u**(-1/tail) - 1), the scale such that u = 1/2 gives `hours`
        ratio = exact_math.power(1.0 - draw(config, "holding", n), -1.0 / holding.tail)
        median = float(exact_math.power(np.array([0.5]), -1.0 / holding.tail)[0])
        hours = (ratio - 1.0) * (holding.hours / (median - 1.0))
    return whole_ms(np.minimum(np.maximum(hours, holding.min_minutes / 60.0), _LONGEST_HOURS) * HOUR_US)


def whole_ms(time_us: Float) -> Int:
    """Microseconds to the nearest millisecond, shape as given."""
    return np.rint(time_us / 1_000.0).astype(np.int64) * 1_000
