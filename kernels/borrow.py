"""Borrow fees: the rate curves and the cumulative index every position accrues against.

Adrena custody.rs (update_borrow_rate, get_cumulative_interest, get_interest_amount_usd; spec 1.4). Rates are
1e9 per hour. The index moves in stored steps, one ceil each time the custody is touched, so it depends on the
path; between touches it is a view, `index_at`, that is never stored.
"""

import numpy as np

from kernels import codes
from kernels._jit import inner
from kernels.fixed import mul_div_ceil, mul_div_floor

RATE = np.int64(1_000_000_000)
HOUR = np.int64(3_600)
_BPS_OF_RATE = RATE // 10_000


@inner()
def index_at(custody, now_s):
    """Cumulative borrow index now: stored index + ceil(elapsed * rate / 3600)."""
    elapsed = now_s - custody.last_update_s
    if elapsed <= 0:
        return custody.cum_index
    return custody.cum_index + (elapsed * custody.rate + HOUR - 1) // HOUR


@inner()
def linear_rate_ceil(locked, owned, maximum):
    """Adrena v1.3.7: ceil(floor(locked * max * 1e9 / owned) / 1e9), i.e. a ceil blind below 1e-9 of a unit."""
    rate = mul_div_floor(locked, maximum, owned)
    rest = (locked * maximum) - rate * owned  # modulo 2**64, and the true remainder is below `owned`
    return rate + (1 if mul_div_floor(rest, RATE, owned) > 0 else 0)


@inner()
def two_slope_rate_ceil(locked, owned, maximum, middle, optimal_bps):
    """Adrena r39 (docs only): 0 to `middle` at the optimal utilisation, then to `maximum` at 100 %.

    Rounding is not public; taken as ceil on each slope, like the linear curve.
    """
    used = mul_div_floor(locked, RATE, owned)
    optimal = optimal_bps * _BPS_OF_RATE
    if used > RATE:
        return maximum + 1  # more locked than owned: the caller refuses
    if used <= optimal:
        return mul_div_ceil(middle, used, optimal) if used > 0 else 0
    return middle + mul_div_ceil(maximum - middle, used - optimal, RATE - optimal)


@inner()
def rate_for(curve, custody, owned, locked):
    """Hourly rate for would-be books; 0 when nothing is owned. Above `borrow_max` the action must be refused."""
    if owned <= 0:
        return 0
    if curve == codes.BORROW_TWO_SLOPE:
        return two_slope_rate_ceil(locked, owned, custody.borrow_max, custody.borrow_mid, custody.borrow_optimal_bps)
    return linear_rate_ceil(locked, owned, custody.borrow_max)


@inner()
def touch(curve, custody, now_s):
    """Store the index up to now and take the rate of the present utilisation (after the books have changed)."""
    if custody.owned <= 0:
        custody.rate = 0
        custody.last_update_s = max(now_s, custody.last_update_s)
        return
    if now_s > custody.last_update_s:
        custody.cum_index = index_at(custody, now_s)
        custody.last_update_s = now_s
    custody.rate = rate_for(curve, custody, custody.owned, custody.locked)


@inner()
def interest_floor(index, snapshot, borrow_size_usd):
    """Interest [micro-dollars] since a snapshot: floor((index - snapshot) * borrow_size / 1e9)."""
    if index <= snapshot:
        return 0
    return mul_div_floor(index - snapshot, borrow_size_usd, RATE)
