"""Trade fees that grow with size and with the flow of the last minute (Jupiter price-impact-fee.ts; spec 3.3).

A ring of sixty seconds holds the net change of a market's open interest per second, increases positive, decreases
negative, whatever the side. A trade is charged base basis points, ceil(size / scalar) more for its size, and, while the
ring's net is above a threshold, factor * (net / threshold)^exponent more.
"""

import numpy as np

from kernels._jit import formula, inner
from kernels.fixed import mul_div_ceil
from kernels.pricing import BPS

SECONDS = 60
LAST, USED = 60, 61
_E6 = np.int64(1_000_000)


@formula()
def linear_bps_ceil(size_usd, scalar_usd):
    """Basis points for the size alone: at least one where there is a scalar at all."""
    return mul_div_ceil(size_usd, BPS, scalar_usd) if scalar_usd > 0 else 0


@formula()
def window_bps_ceil(net_usd, threshold_usd, exponent_e6, factor_e6):
    """Basis points for the minute's flow, factor * (net / threshold)^exponent; none up to the threshold."""
    if factor_e6 == 0 or threshold_usd == 0 or net_usd <= threshold_usd:
        return 0
    if exponent_e6 == _E6:
        return (mul_div_ceil(net_usd, factor_e6, threshold_usd) + _E6 - 1) // _E6
    powered = (np.float64(net_usd) / np.float64(threshold_usd)) ** (np.float64(exponent_e6) / 1e6)
    return mul_div_ceil(np.int64(min(powered * 1e6, 9.0e15)), factor_e6, _E6 * _E6)


@inner()
def net_flow(rings, m, now_s, change_usd):
    """|sum| of the last minute's changes of market m if `change_usd` were added now."""
    last = rings[m, LAST]
    total = change_usd
    if rings[m, USED] != 0 and now_s - last < SECONDS:
        for second in range(now_s - SECONDS + 1, last + 1):
            total += rings[m, second % SECONDS]
    return abs(total)


@inner()
def add_flow(rings, m, now_s, change_usd):
    """Add a change to the ring of market m and clear the seconds that have passed since the last one."""
    first = now_s - SECONDS + 1
    if rings[m, USED] != 0:
        first = max(first, rings[m, LAST] + 1)
    for second in range(first, now_s + 1):
        rings[m, second % SECONDS] = 0
    rings[m, now_s % SECONDS] += change_usd
    rings[m, LAST] = now_s
    rings[m, USED] = 1
