"""Borrow rates per hour at 1e9 of a custody with given books, one function per curve."""

from kernels import codes
from tests.reference.arithmetic import BPS, RATE, YEAR_H, ceil_div

Params = dict[str, int]


def linear(params: Params, owned: int, locked: int) -> int:
    """ceil(floor(locked * max * 1e9 / owned) / 1e9). Spec 1.4, Custody::update_borrow_rate."""
    return ceil_div(locked * params["borrow_max"] * RATE // owned, RATE)


def two_slope(params: Params, owned: int, locked: int) -> int:
    """0 to `mid` at the optimal utilisation, `mid` to `max` at 1; above 1 more than `max`, i.e. "refuse". Spec 1.4."""
    highest, middle = params["borrow_max"], params["borrow_mid"]
    utilisation, optimal = _utilisation(owned, locked), _optimal(params)
    if utilisation > RATE:
        return highest + 1
    if utilisation == 0:
        return 0
    if utilisation <= optimal:
        return ceil_div(middle * utilisation, optimal)
    return middle + ceil_div((highest - middle) * (utilisation - optimal), RATE - optimal)


def kink(params: Params, owned: int, locked: int) -> int:
    """Base `min`, slopes `mid` and `max`, floored; utilisation is not capped. solana-labs custody.rs L319-412."""
    utilisation, optimal = _utilisation(owned, locked), _optimal(params)
    if utilisation < optimal or optimal >= RATE:
        return params["borrow_min"] + utilisation * params["borrow_mid"] // optimal
    above = (utilisation - optimal) * params["borrow_max"] // (RATE - optimal)
    return params["borrow_min"] + params["borrow_mid"] + above


def jump(params: Params, owned: int, locked: int) -> int:
    """Yearly basis points rounded up to whole ones, then per hour, floored.

    Jupiter get-borrow-fee-and-funding-rate.ts L98-136.
    """
    lowest, target, highest = params["borrow_min"], params["borrow_mid"], params["borrow_max"]
    utilisation, optimal = _utilisation(owned, locked), _optimal(params)
    if utilisation <= optimal:
        yearly_bps = (ceil_div((target - lowest) * utilisation, optimal) if optimal else 0) + lowest
    else:
        yearly_bps = ceil_div((highest - target) * (utilisation - optimal), RATE - optimal) + target
    return yearly_bps * (RATE // BPS) // YEAR_H


def stepwise(params: Params, owned: int, locked: int) -> int:
    """Per interval, at 1e9, for information only: the index has its own rule. GMX v1 fundingRateFactor."""
    return 1_000 * (params["borrow_max"] * locked // owned)


CURVES = {
    codes.BORROW_LINEAR: linear,
    codes.BORROW_TWO_SLOPE: two_slope,
    codes.BORROW_KINK: kink,
    codes.BORROW_JUMP: jump,
    codes.BORROW_STEPWISE: stepwise,
}


def borrow_rate(params: Params, curve: int, owned: int, locked: int) -> int:
    """Rate of the pool's curve; 0 for an empty custody."""
    return CURVES[curve](params, owned, locked) if owned > 0 else 0


def _utilisation(owned: int, locked: int) -> int:
    return locked * RATE // owned


def _optimal(params: Params) -> int:
    return params["borrow_optimal_bps"] * (RATE // BPS)
