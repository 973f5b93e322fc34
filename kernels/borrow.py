"""Borrow fees: the rate curves and the cumulative index every position accrues against.

Rates are 1e9 per hour. The index moves in stored steps, one rounding each time the custody is touched, so it depends
on the path; between touches it is a view, `index_at`, that is never stored. Utilisation U = locked / owned at 1e9.

| curve | hourly rate | source |
|---|---|---|
| linear | U * max, ceil | Adrena custody.rs update_borrow_rate (spec 1.4) |
| two_slope | 0 to mid at the optimum, then to max at U = 1, ceil | Adrena r39, docs |
| kink | base + U * s1 / optimum, then + (U - optimum) * s2 / (1 - optimum), floor | solana-labs custody.rs |
| jump | whole yearly bps: min to target at the optimum, then to max, ceil; per hour floor | Jupiter (spec 3.2) |
| stepwise | per whole interval since the last touch: floor(factor * locked * n / owned) at 1e6 | GMX v1 Vault (A3) |

Interest of a position: (index - snapshot) * borrow size / 1e9, floor (Adrena, solana-labs, GMX) or ceil (Jupiter).
"""

import numpy as np

from kernels import codes
from kernels._jit import formula, inner, step
from kernels.fixed import mul_div_ceil, mul_div_floor

RATE = np.int64(1_000_000_000)
HOUR = np.int64(3_600)
BPS_OF_RATE = RATE // 10_000
_HOURS_OF_YEAR = 8_760
_STEP_SCALE = np.int64(1_000)  # a stepwise index counts millionths


@step()
def _stepwise_growth(custody, n):
    """Growth of a stepwise index over n intervals at the present utilisation: one floor for all of them."""
    return _STEP_SCALE * mul_div_floor(custody.locked, custody.borrow_max * n, custody.owned)


@inner()
def index_at(pool, custody, now_s):
    """Cumulative borrow index now: stored index plus what has accrued since the last touch."""
    elapsed = now_s - custody.last_update_s
    if elapsed <= 0:
        return custody.cum_index
    if pool.borrow == codes.BORROW_STEPWISE:
        n = elapsed // pool.borrow_interval_s
        if n == 0 or custody.owned <= 0:
            return custody.cum_index
        return custody.cum_index + _stepwise_growth(custody, n)
    return custody.cum_index + (elapsed * custody.rate + HOUR - 1) // HOUR


@formula()
def linear_rate_ceil(locked, owned, maximum):
    """Adrena v1.3.7: ceil(floor(locked * max * 1e9 / owned) / 1e9), i.e. a ceil blind below 1e-9 of a unit."""
    rate = mul_div_floor(locked, maximum, owned)
    rest = (locked * maximum) - rate * owned  # modulo 2**64, and the true remainder is below `owned`
    return rate + (1 if mul_div_floor(rest, RATE, owned) > 0 else 0)


@formula()
def two_slope_rate_ceil(locked, owned, maximum, middle, optimal_bps):
    """Adrena r39 (docs only): 0 to `middle` at the optimal utilisation, then to `maximum` at 100 %.

    Rounding is not public; taken as ceil on each slope, like the linear curve.
    """
    used = mul_div_floor(locked, RATE, owned)
    optimal = optimal_bps * BPS_OF_RATE
    if used > RATE:
        return maximum + 1  # more locked than owned: the caller refuses
    if used <= optimal:
        return mul_div_ceil(middle, used, optimal) if used > 0 else 0
    return middle + mul_div_ceil(maximum - middle, used - optimal, RATE - optimal)


@formula()
def kink_rate_floor(locked, owned, base, slope1, slope2, optimal_bps):
    """solana-labs custody.rs update_borrow_rate: two slopes above a base; utilisation is not capped at 1."""
    used = mul_div_floor(locked, RATE, owned)
    optimal = optimal_bps * BPS_OF_RATE
    if used < optimal or optimal >= RATE:
        return base + mul_div_floor(used, slope1, optimal)
    return base + slope1 + mul_div_floor(used - optimal, slope2, RATE - optimal)


@formula()
def jump_rate_floor(locked, owned, least_bps, target_bps, most_bps, optimal_bps):
    """Jupiter get-borrow-fee-and-funding-rate.ts: the year's rate is ceiled to whole basis points of the slope."""
    used = mul_div_floor(locked, RATE, owned)
    optimal = optimal_bps * BPS_OF_RATE
    if used <= optimal:
        yearly = least_bps + mul_div_ceil(target_bps - least_bps, used, optimal)
    else:
        yearly = target_bps + mul_div_ceil(most_bps - target_bps, used - optimal, RATE - optimal)
    return yearly * BPS_OF_RATE // _HOURS_OF_YEAR


@inner()
def rate_for(curve, custody, owned, locked):
    """Hourly rate for would-be books (stepwise: growth per interval); 0 when nothing is owned."""
    if owned <= 0:
        return 0
    low, middle, high = custody.borrow_min, custody.borrow_mid, custody.borrow_max
    if curve == codes.BORROW_LINEAR:
        return linear_rate_ceil(locked, owned, high)
    if curve == codes.BORROW_TWO_SLOPE:
        return two_slope_rate_ceil(locked, owned, high, middle, custody.borrow_optimal_bps)
    if curve == codes.BORROW_KINK:
        return kink_rate_floor(locked, owned, low, middle, high, custody.borrow_optimal_bps)
    if curve == codes.BORROW_JUMP:
        return jump_rate_floor(locked, owned, low, middle, high, custody.borrow_optimal_bps)
    return _STEP_SCALE * mul_div_floor(high, locked, owned)


@inner()
def touch(pool, custody, now_s):
    """Store the index up to now and take the rate of the present utilisation (after the books have changed).

    A stepwise index accrues at the utilisation of before the change, which is what this tick's `index_now` holds.
    """
    if pool.borrow == codes.BORROW_STEPWISE:
        custody.cum_index = custody.index_now
        custody.last_update_s = max(custody.last_update_s, now_s - now_s % pool.borrow_interval_s)
    elif custody.owned <= 0:
        custody.last_update_s = max(now_s, custody.last_update_s)
    elif now_s > custody.last_update_s:
        custody.cum_index = index_at(pool, custody, now_s)
        custody.last_update_s = now_s
    custody.rate = rate_for(pool.borrow, custody, custody.owned, custody.locked)


@inner()
def interest(pool, index, snapshot, borrow_size_usd):
    """Interest [micro-dollars] since a snapshot: (index - snapshot) * borrow_size / 1e9, rounded as the venue does."""
    if index <= snapshot:
        return 0
    if pool.interest_rounding == codes.ROUND_CEIL:
        return mul_div_ceil(index - snapshot, borrow_size_usd, RATE)
    return mul_div_floor(index - snapshot, borrow_size_usd, RATE)
