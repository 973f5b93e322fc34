"""Fees: basis points of an amount, age tiers of the close fee, and who receives what.

Adrena pool.rs get_fee_amount, cortex.rs get_lp_fee, close_position_*.rs (spec 1.1, 1.9, 1.12).
"""

from kernels import codes
from kernels._jit import inner
from kernels.fixed import mul_div_ceil, mul_div_floor
from kernels.pricing import BPS, usd_floor


@inner()
def fee_ceil(bps, amount):
    """ceil(amount * bps / 1e4), in the unit of the amount."""
    return mul_div_ceil(amount, bps, BPS)


@inner()
def size_fee_usd(bps, size_units, custody):
    """Fee on a size in collateral tokens, fixed in dollars at the mid price when the position is opened."""
    return usd_floor(fee_ceil(bps, size_units), custody, custody.price)


@inner()
def aged_exit_fee_ceil(exit_fee_usd, age_s, pool):
    """Close fee of a voluntary exit: times the multiplier of the first age tier that still holds (r38 default config).

    Rounding is not public; taken as ceil.
    """
    if pool.close_fee != codes.CLOSE_FEE_AGE_TIERS:
        return exit_fee_usd
    if 0 < pool.tier1_s >= age_s:
        return mul_div_ceil(exit_fee_usd, pool.tier1_bps, BPS)
    if 0 < pool.tier2_s >= age_s:
        return mul_div_ceil(exit_fee_usd, pool.tier2_bps, BPS)
    if 0 < pool.tier3_s >= age_s:
        return mul_div_ceil(exit_fee_usd, pool.tier3_bps, BPS)
    return exit_fee_usd


@inner()
def split(fee_usd, referred, pool):
    """(LP share, protocol share, referrer share) of a fee; LPs and referrer are floored, the rest is the protocol's."""
    to_lps = mul_div_floor(fee_usd, pool.lp_share_bps, BPS)
    to_referrer = mul_div_floor(fee_usd, pool.referrer_share_bps, BPS) if referred != 0 else 0
    return to_lps, fee_usd - to_lps - to_referrer, to_referrer
