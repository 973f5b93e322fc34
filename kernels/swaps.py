"""Swaps of one custody's tokens for another's.

| variant | price | fee | source |
|---|---|---|---|
| whitelisted | mid prices | none; borrow rates are left alone | Adrena swap.rs (spec 1.11) |
| spread | low in, high out, less the spread | on both tokens, by share; only the one on what goes out lowers it | \
solana-labs swap.rs |
| tax_rebate | low in, high out | one, the dearer of the two sides', out of what goes out | GMX v1 Vault (A10) |
"""

import numpy as np

from kernels import codes, lp_fees
from kernels._jit import formula, inner, step
from kernels.fees import fee_ceil
from kernels.fixed import MAX_AMOUNT, SATURATED, ZERO, mul_div_floor
from kernels.flows import any_stale, book_flow, others_part, touch
from kernels.pricing import BPS, usd_floor

_SCALE = np.int64(1_000_000_000)
_ONE = np.int64(1)
_UNCUT = np.int64(0)
_POWERS = tuple(10**power for power in range(19))


@inner()
def _short_price(price):
    """(mantissa below 2^28, power of ten cut off) of a price."""
    power = 0
    while price >= 1 << 28:
        price //= 10
        power += 1
    return price, power


@formula()
def short_swap_floor(amount, price_in, price_out, decimals_in, decimals_out, spread_bps):
    """Tokens out for tokens in: both prices cut to short mantissas, their ratio to nine digits, less a spread.

    Adrena and solana-labs pool.rs get_swap_price, get_swap_amount; the cuts cost the swapper a few units in 1e9.
    """
    short_in, power_in = _short_price(price_in)
    short_out, power_out = _short_price(price_out)
    ratio = short_in * _SCALE // short_out
    ratio -= mul_div_floor(ratio, spread_bps, BPS)
    power = power_in - power_out - 9 - decimals_in + decimals_out
    if power > 0:
        return mul_div_floor(amount, mul_div_floor(ratio, _POWERS[power], _ONE), _ONE)
    if power < -18:  # a floor of a floor is one floor
        return mul_div_floor(amount, ratio, _POWERS[18]) // _POWERS[-power - 18]
    return mul_div_floor(amount, ratio, _POWERS[-power])


@formula()
def exact_swap_floor(amount, price_in, price_out, decimals_in, decimals_out):
    """floor(amount * price_in / price_out) in the other token's units (GMX v1 swap); SATURATED if out of range."""
    shift = decimals_out - decimals_in
    if shift <= 0:
        if price_out <= SATURATED // _POWERS[-shift]:
            return mul_div_floor(amount, price_in, price_out * _POWERS[-shift])
        unscaled = mul_div_floor(amount, price_in, price_out)
        return unscaled // _POWERS[-shift] if unscaled < SATURATED else SATURATED  # a floor of a floor is one floor
    if price_in <= SATURATED // _POWERS[shift]:
        return mul_div_floor(amount, price_in * _POWERS[shift], price_out)
    if amount <= SATURATED // _POWERS[shift]:
        return mul_div_floor(amount * _POWERS[shift], price_in, price_out)
    return SATURATED


@step()
def _gross_out(pool, into, source, amount):
    """Tokens out before fees."""
    if pool.swap_mode == codes.SWAP_WHITELISTED:
        return short_swap_floor(amount, into.price, source.price, into.decimals, source.decimals, _UNCUT)
    if pool.swap_mode == codes.SWAP_SPREAD:
        return short_swap_floor(amount, into.low, source.high, into.decimals, source.decimals, pool.swap_spread_bps)
    return exact_swap_floor(amount, into.low, source.high, into.decimals, source.decimals)


@step()
def _dollar_swap_bps(venue, c_in, c_out, moved_usd):
    """The dearer of the fees for putting `moved_usd` into one custody and taking it out of the other."""
    pool = venue.pool[0]
    into, source = venue.custody[c_in], venue.custody[c_out]
    base, tax = pool.swap_bps, pool.tax_bps
    if into.stable != 0 and source.stable != 0:
        base, tax = pool.stable_swap_bps, pool.stable_tax_bps
    supply = pool.dollar_supply_usd
    return max(
        lp_fees.dollar_fee_bps(venue, c_in, base, tax, into.dollars_usd, supply, moved_usd),
        lp_fees.dollar_fee_bps(venue, c_out, base, tax, source.dollars_usd, supply, -moved_usd),
    )


@step()
def _limits(venue, c_in, c_out, amount, taken, moved_usd, pool_usd):
    """Limits on what the custodies hold when `amount` has come into one and `taken` has left the other."""
    pool = venue.pool[0]
    into, source = venue.custody[c_in], venue.custody[c_out]
    by_dollars = pool.swap_mode == codes.SWAP_TAX_REBATE
    if by_dollars and 0 < into.max_dollars_usd < into.dollars_usd + moved_usd:
        return codes.CUSTODY_CAP
    if pool.swap_mode != codes.SWAP_WHITELISTED and pool.ratio_limit != codes.RATIO_NONE:
        if not lp_fees.share_allowed(into, amount, into.price, pool_usd):
            return codes.RATIO_LIMIT
        if not lp_fees.share_allowed(source, -taken, source.price, pool_usd):
            return codes.RATIO_LIMIT
    if source.owned - taken < source.locked:
        return codes.INSUFFICIENT_LIQUIDITY
    if by_dollars and source.owned - taken < source.buffer_units:
        return codes.BUFFER
    return codes.OK


@inner()
def settle_swap(venue, out, cursor, request):
    """Take `amount_units` of one custody's tokens in and pay another's: two events, in and out."""
    pool = venue.pool[0]
    c_in, c_out, amount = request.custody, request.custody_out, request.amount_units
    if any_stale(venue):
        return codes.STALE_PRICE
    if pool.swap_mode == codes.SWAP_NONE:
        return codes.SWAPS_DISABLED
    if c_in < 0 or c_out < 0 or c_in == c_out or amount <= 0:
        return codes.INVALID_ORDER
    into, source = venue.custody[c_in], venue.custody[c_out]
    if amount > MAX_AMOUNT or into.owned > SATURATED - amount:
        return codes.AMOUNT_OUT_OF_RANGE
    gross = _gross_out(pool, into, source, amount)
    if gross <= 0:
        return codes.INVALID_ORDER
    if gross >= SATURATED and pool.swap_mode != codes.SWAP_TAX_REBATE:
        return codes.INSUFFICIENT_LIQUIDITY
    moved_usd = usd_floor(amount, into, into.low)
    pool_usd = 0
    bps_in = 0
    bps_out = 0
    if pool.swap_mode == codes.SWAP_TAX_REBATE:
        bps_out = _dollar_swap_bps(venue, c_in, c_out, moved_usd)
    if pool.swap_mode != codes.SWAP_WHITELISTED:
        pool_usd = lp_fees.pool_usd(venue)
    if pool.swap_mode == codes.SWAP_SPREAD:
        bps_in = lp_fees.ratio_fee_bps(pool.lp_fee, into.swap_in_bps, into, amount, into.price, pool_usd)
        bps_out = lp_fees.ratio_fee_bps(pool.lp_fee, source.swap_out_bps, source, -gross, source.price, pool_usd)
    if bps_in < 0:
        return -bps_in
    if bps_out < 0:
        return -bps_out
    fee_in, fee_out = fee_ceil(bps_in, amount), fee_ceil(bps_out, gross)
    paid = gross - fee_out
    if fee_in > amount or paid <= 0:
        return codes.INVALID_ORDER
    _, reserved_in = others_part(pool, fee_in)
    _, reserved_out = others_part(pool, fee_out)
    reason = _limits(venue, c_in, c_out, amount - reserved_in, paid + reserved_out, moved_usd, pool_usd)
    if reason != codes.OK:
        return reason
    fee_usd = usd_floor(fee_in, into, into.low)
    book_flow(venue, out, cursor, codes.K_SWAP_IN, request, c_in, amount, fee_in, fee_usd, ZERO, ZERO)
    fee_usd = usd_floor(fee_out, source, source.low)
    book_flow(venue, out, cursor, codes.K_SWAP_OUT, request, c_out, -paid, fee_out, fee_usd, ZERO, ZERO)
    if pool.swap_mode == codes.SWAP_WHITELISTED:
        return codes.OK
    if pool.swap_mode == codes.SWAP_TAX_REBATE:
        into.dollars_usd += moved_usd
        source.dollars_usd = max(source.dollars_usd - moved_usd, 0)
    touch(venue, c_in)
    touch(venue, c_out)
    return codes.OK
