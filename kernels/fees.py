"""Trading fees: what opening and closing cost, and who receives it.

| family | variant | fee in dollars | source |
|---|---|---|---|
| open | flat | ceil(size * bps) | GMX v1 getPositionFee (A4) |
| | utilisation | ceil(tokens * bps), more above the optimum by U, at the ema price | solana-labs get_entry_fee |
| | impact | base + linear + windowed bps, ceil | Jupiter (spec 3.3) |
| close | fixed_at_open | ceil(tokens * bps) of the opening, at its mid price | Adrena pool.rs |
| | age_tiers | the same times a multiplier by age, ceil | Adrena r38 default configuration |
| | flat, impact | as for opening | |
| | ema_tokens | ceil(tokens * bps) of the size at the average price now | solana-labs pool.rs get_exit_fee |

Shares: Adrena cortex.rs get_lp_fee, close_position_*.rs (spec 1.12). Booking: see `kernels.ledger`.
"""

from kernels import codes, impact
from kernels._jit import formula, inner, step
from kernels.borrow import BPS_OF_RATE, RATE
from kernels.fixed import mul_div_ceil, mul_div_floor
from kernels.pricing import BPS, tokens_floor, usd_floor


@formula()
def fee_ceil(bps, amount):
    """ceil(amount * bps / 1e4), in the unit of the amount."""
    return mul_div_ceil(amount, bps, BPS)


@inner()
def size_fee_usd(bps, size_units, custody):
    """Fee on a size in collateral tokens, fixed in dollars at the mid price when the position is opened."""
    return usd_floor(fee_ceil(bps, size_units), custody, custody.price)


@inner()
def ema_fee_tokens(bps, size_usd, market):
    """Fee in traded tokens on a size at the average price (solana-labs get_exit_fee)."""
    return fee_ceil(bps, mul_div_floor(size_usd, market.scale, market.ema))


@formula()
def ema_fee_floor(bps, size_usd, market):
    """The same in dollars."""
    return mul_div_floor(ema_fee_tokens(bps, size_usd, market), market.ema, market.scale)


@formula()
def utilised_fee_ceil(size_units, added_locked, custody, bps, multiplier_bps):
    """Opening fee in tokens, scaled up by the utilisation of the backing custody above its optimum (get_entry_fee)."""
    fee = fee_ceil(bps, size_units)
    used = RATE
    if custody.owned > 0:
        used = min(RATE, mul_div_floor(custody.locked + added_locked, RATE, custody.owned))
    optimal = custody.borrow_optimal_bps * BPS_OF_RATE
    if used > optimal:
        extra = mul_div_floor(multiplier_bps, used - optimal, RATE - optimal)
        fee = mul_div_floor(fee, BPS + extra, BPS)
    return fee


@inner()
def impact_fee_ceil(rings, pool, market, m, base_bps, size_usd, change_usd):
    """Fee of a trade that changes open interest by `change_usd`, with the flow of the last minute in it."""
    bps = base_bps + impact.linear_bps_ceil(size_usd, market.impact_scalar_usd)
    net = impact.net_flow(rings, m, pool.now_s, change_usd)
    added = impact.window_bps_ceil(net, market.impact_threshold_usd, market.impact_exponent_e6, market.impact_factor_e6)
    if added > 0 and market.impact_max_bps > 0:
        return fee_ceil(min(bps + added, market.impact_max_bps), size_usd)
    return fee_ceil(bps + added, size_usd)


@inner()
def note_flow(rings, pool, m, change_usd):
    """Remember a settled change of open interest where a fee depends on the last minute's."""
    if change_usd == 0:
        return
    if pool.open_fee == codes.OPEN_FEE_IMPACT or pool.close_fee == codes.CLOSE_FEE_IMPACT:
        impact.add_flow(rings, m, pool.now_s, change_usd)


@formula()
def close_fee(pool, market, bps, size_usd, fixed_usd):
    """Fee of closing a size, without age tiers and without the flow of the minute: what tests of margin count.

    `fixed_usd` is what was fixed at opening, for the variants that do.
    """
    if pool.close_fee <= codes.CLOSE_FEE_AGE_TIERS:
        return fixed_usd
    if pool.close_fee == codes.CLOSE_FEE_FLAT:
        return fee_ceil(bps, size_usd)
    if pool.close_fee == codes.CLOSE_FEE_EMA_TOKENS:
        return ema_fee_floor(bps, size_usd, market)
    return fee_ceil(bps + impact.linear_bps_ceil(size_usd, market.impact_scalar_usd), size_usd)


@inner()
def exit_check_fee(pool, row, market):
    """Close fee of a voluntary exit, as tests of leverage and margin count it."""
    return close_fee(pool, market, market.close_bps, row.size_usd, row.exit_fee_usd)


@inner()
def liquidation_check_fee(pool, row, market):
    """What the liquidation test counts: the larger of the two fees fixed at opening, else the close fee."""
    fixed = max(row.liquidation_fee_usd, row.exit_fee_usd)
    return close_fee(pool, market, market.close_bps, row.size_usd, fixed)


@step()
def _aged_ceil(pool, fee_usd, age_s):
    """Times the multiplier of the first age tier that still holds. Rounding is not public; taken as ceil."""
    if 0 < pool.tier1_s >= age_s:
        return mul_div_ceil(fee_usd, pool.tier1_bps, BPS)
    if 0 < pool.tier2_s >= age_s:
        return mul_div_ceil(fee_usd, pool.tier2_bps, BPS)
    if 0 < pool.tier3_s >= age_s:
        return mul_div_ceil(fee_usd, pool.tier3_bps, BPS)
    return fee_usd


@inner()
def settled_close_fee(rings, pool, market, m, part, is_liquidation):
    """Fee that closing `part` now is charged."""
    bps = market.liquidation_bps if is_liquidation else market.close_bps
    if pool.close_fee <= codes.CLOSE_FEE_AGE_TIERS:
        if is_liquidation:
            return part.liquidation_fee_usd
        if pool.close_fee == codes.CLOSE_FEE_FIXED:
            return part.exit_fee_usd
        return _aged_ceil(pool, part.exit_fee_usd, pool.now_s - part.open_s)
    if pool.close_fee == codes.CLOSE_FEE_EMA_TOKENS:
        return ema_fee_floor(bps, part.size_usd, market)
    if pool.close_fee == codes.CLOSE_FEE_IMPACT:
        return impact_fee_ceil(rings, pool, market, m, market.close_bps, part.size_usd, -part.size_usd)
    return fee_ceil(market.close_bps, part.size_usd)


@inner()
def split(fee_usd, referred, pool):
    """(LP share, protocol share, referrer share) of a fee; LPs and referrer are floored, the rest is the protocol's."""
    to_lps = mul_div_floor(fee_usd, pool.lp_share_bps, BPS)
    to_referrer = mul_div_floor(fee_usd, pool.referrer_share_bps, BPS) if referred != 0 else 0
    return to_lps, fee_usd - to_lps - to_referrer, to_referrer


@inner()
def opening_fee(venue, m, custody, size_usd, size_units, added_locked):
    """(dollars, traded tokens) that opening a size costs, where it costs at all; tokens 0 for a fee in dollars."""
    market = venue.market[m]
    pool = venue.pool[0]
    if size_usd == 0:
        return 0, 0
    if pool.open_fee == codes.OPEN_FEE_FLAT:
        return fee_ceil(market.open_bps, size_usd), 0
    if pool.open_fee == codes.OPEN_FEE_IMPACT:
        return impact_fee_ceil(venue.impact, pool, market, m, market.open_bps, size_usd, size_usd), 0
    traded = venue.custody[market.long_custody] if market.long_custody >= 0 else custody
    if size_units < 0:
        size_units = tokens_floor(size_usd, traded, traded.ema)
    fee = utilised_fee_ceil(size_units, added_locked, custody, market.open_bps, market.utilisation_mult_bps)
    return usd_floor(fee, traded, traded.ema), fee
