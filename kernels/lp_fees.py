"""Fees of liquidity and swaps, in basis points of the tokens that move, and how far a custody's share may go.

| variant | fee | source |
|---|---|---|
| flat | base | Adrena pool.rs get_fee_amount |
| linear | base * (1 + mult * distance from the target), or / if that improves the share | solana-labs get_fee_linear |
| optimal | base + a line through `fee_optimal` at the target, `fee_max` at the edge | solana-labs get_fee_optimal |
| tax_rebate | base + tax * mean distance from the target, or - tax * distance before | GMX v1 getFeeBasisPoints |

A share is the custody's value in bps of the pool's, cut at 100 %. Amounts are signed: + into the custody, - out of it.
The tokens of a fee are ceiled, which is the same as flooring what is left.
"""

import numpy as np

from kernels import codes, valuation
from kernels._jit import formula, inner, step
from kernels.fixed import mul_div_floor
from kernels.pricing import BPS, usd_floor

# Instead of basis points: minus the reason why there is no fee.
_NO_RATIO = np.int64(-codes.RATIO_LIMIT)
_NO_FEE = np.int64(-codes.INVALID_ORDER)


@formula()
def share_bps(custody, units, price, pool_usd):
    """Share of a custody in a pool of `pool_usd`, after `units` more of its tokens (solana-labs get_new_ratio)."""
    moved = usd_floor(abs(units), custody, price)
    if units < 0 and (moved >= pool_usd or -units >= custody.owned):
        return np.int64(0)
    pool_usd += moved if units > 0 else -moved
    if pool_usd <= 0:
        return np.int64(0)
    return min(mul_div_floor(usd_floor(custody.owned + units, custody, price), BPS, pool_usd), BPS)


@formula()
def share_allowed(custody, units, price, pool_usd):
    """Within the bounds, or no farther outside than before (solana-labs check_token_ratio)."""
    after = share_bps(custody, units, price, pool_usd)
    if custody.ratio_min_bps <= after <= custody.ratio_max_bps:
        return True
    before = share_bps(custody, np.int64(0), price, pool_usd)
    return after >= before if after < custody.ratio_min_bps else after <= before


@step()
def _linear_bps(base_bps, after, before, custody):
    """Cheaper when the share ends nearer to its target than it was, which is all that the venue's cases come to."""
    target = custody.ratio_target_bps
    edge = custody.ratio_min_bps if after <= target else custody.ratio_max_bps
    distance = abs(after - target)
    factor = BPS
    if edge != target:
        factor += custody.fee_mult_bps * distance // abs(edge - target)
    if distance < abs(before - target):
        return base_bps * BPS // factor
    return base_bps * factor // BPS


@step()
def _optimal_bps(base_bps, after, is_added, custody):
    target = custody.ratio_target_bps
    width = custody.ratio_max_bps - target if after > target else target - custody.ratio_min_bps
    if (is_added and after > custody.ratio_max_bps) or (not is_added and after < custody.ratio_min_bps):
        return _NO_RATIO
    bps = base_bps + custody.fee_optimal_bps
    if width == 0:
        return bps  # the venue divides by zero here
    rise = custody.fee_max_bps - custody.fee_optimal_bps
    # The venue floors the sum of line and optimum toward zero, before it adds the base.
    line = custody.fee_optimal_bps * width + (rise if is_added else -rise) * (after - target)
    cut = line // width if line >= 0 else -(-line // width)
    return base_bps + cut if base_bps + cut >= 0 else _NO_FEE


@formula()
def ratio_fee_bps(variant, base_bps, custody, units, price, pool_usd):
    """Fee by the share that moving `units` leads to; negative: minus the reason for refusal."""
    if variant == codes.LP_FEE_LINEAR:
        before = share_bps(custody, np.int64(0), price, pool_usd)
        return _linear_bps(base_bps, share_bps(custody, units, price, pool_usd), before, custody)
    if variant == codes.LP_FEE_OPTIMAL:
        return _optimal_bps(base_bps, share_bps(custody, units, price, pool_usd), units > 0, custody)
    return base_bps


@formula()
def tax_rebate_bps(base_bps, tax_bps, dollars_usd, target_usd, change_usd):
    """Fee by how far the internal dollars of a custody are from their target, before and after (GMX v1, spec A10)."""
    if target_usd == 0:
        return base_bps
    before = abs(dollars_usd - target_usd)
    after = abs(max(dollars_usd + change_usd, 0) - target_usd)
    if after < before:
        return max(base_bps - mul_div_floor(tax_bps, before, target_usd), 0)
    return base_bps + mul_div_floor(tax_bps, min((before + after) // 2, target_usd), target_usd)


@inner()
def dollar_fee_bps(venue, c, base_bps, tax_bps, dollars_usd, supply_usd, change_usd):
    """`tax_rebate_bps` of a custody with `dollars_usd` issued against it out of `supply_usd`, by its weight."""
    weights = 0
    for i in range(venue.custody.shape[0]):
        weights += venue.custody[i].weight
    if venue.pool[0].dynamic_fees == 0 or weights == 0:
        return base_bps
    target_usd = mul_div_floor(venue.custody[c].weight, supply_usd, weights)
    return tax_rebate_bps(base_bps, tax_bps, dollars_usd, target_usd, change_usd)


@step()
def pool_usd(venue):
    """The value of the pool that shares are taken of, at average prices (solana-labs: AUM by EMA); 0 if none is."""
    pool = venue.pool[0]
    by_share = pool.lp_fee == codes.LP_FEE_LINEAR or pool.lp_fee == codes.LP_FEE_OPTIMAL
    if not by_share and pool.ratio_limit == codes.RATIO_NONE:
        return np.int64(0)
    return valuation.value_pool(venue, valuation.AT_EMA).aum
