"""Samples of the pool, its markets and its LP token, with the attribution of AUM that sums exactly."""

from kernels import codes
from kernels._jit import inner, step
from kernels.fixed import SATURATED
from kernels.pricing import usd_floor
from kernels.valuation import AT_LOW, collective_position, lp_price_floor, shorts_result, value_pool, value_price


@step()
def _sample_custodies(venue, samples, cursor):
    for c in range(venue.custody.shape[0]):
        custody = venue.custody[c]
        record = samples.pool_sample[cursor.n_pool_samples]
        record.timestamp = venue.pool[0].now_us
        record.custody = c
        record.price = custody.price
        record.owned_units = custody.owned
        record.locked_units = custody.locked
        record.collateral_units = custody.collateral
        record.low_price = value_price(venue.pool[0], custody, AT_LOW)
        record.value_usd = usd_floor(custody.owned, custody, record.low_price)
        record.fee_units = custody.fees
        record.stranded_units = custody.stranded
        record.dollars_usd = custody.dollars_usd
        record.borrow_rate = custody.rate
        record.borrow_index = custody.index_now
        cursor.n_pool_samples += 1


@inner()
def _trader_pnl(venue, m, direction):
    """Collective price PnL of a side as the valuation counts it, cap included, with the costs added back."""
    pool = venue.pool[0]
    if pool.valuation == codes.VALUE_GUARANTEED:
        if direction == codes.SHORT:
            return shorts_result(venue, m, AT_LOW)
        side = venue.side[2 * m]
        custody = venue.custody[venue.market[m].long_custody]
        return usd_floor(side.locked, custody, value_price(pool, custody, AT_LOW)) - side.size_usd
    traders = collective_position(venue, m, direction)
    return traders.profit + traders.exit_fee + traders.interest + traders.funding


@step()
def _sample_markets(venue, samples, cursor):
    """Write one row per market; returns the traders' unrealised PnL over all."""
    total = 0
    for m in range(venue.market.shape[0]):
        market = venue.market[m]
        record = samples.market_sample[cursor.n_market_samples]
        record.timestamp = venue.pool[0].now_us
        record.market = m
        record.price = market.price
        record.long_oi_usd = venue.side[2 * m].size_usd
        record.short_oi_usd = venue.side[2 * m + 1].size_usd
        record.long_positions = venue.side[2 * m].open_positions
        record.short_positions = venue.side[2 * m + 1].open_positions
        record.long_locked_units = venue.side[2 * m].locked
        record.short_locked_units = venue.side[2 * m + 1].locked
        record.long_pnl_usd = _trader_pnl(venue, m, codes.LONG)
        record.short_pnl_usd = _trader_pnl(venue, m, codes.SHORT)
        record.funding_rate = market.rate
        record.funding_index = market.funding_now
        total += record.long_pnl_usd + record.short_pnl_usd
        cursor.n_market_samples += 1
    pool = venue.pool[0]
    if pool.valuation == codes.VALUE_COLLECTIVE_MIN_MAX and pool.unrealised_in_aum == 0:
        return 0
    return total


@step()
def _sample_lp(venue, samples, cursor, unrealised_usd):
    """Level of AUM, and cumulative sources that sum to it: realised sums of the events plus accrued levels."""
    pool = venue.pool[0]
    value = value_pool(venue, AT_LOW)
    record = samples.lp_sample[cursor.n_lp_samples]
    record.timestamp = pool.now_us
    record.aum_usd = value.aum
    record.lp_supply = pool.lp_supply
    record.lp_price = lp_price_floor(value.aum, pool.lp_supply)
    record.assets_usd = value.assets
    record.fees_debt_usd = pool.fees_debt_usd + pool.referrers_debt_usd
    record.accrued_borrow_usd = value.interest
    record.accrued_exit_fee_usd = value.exit_fees
    record.accrued_funding_usd = value.funding
    record.unrealised_pnl_usd = unrealised_usd
    record.collateral_drift_usd = value.drift
    record.lp_flow_usd = pool.lp_flow_usd
    record.exit_fee_usd = pool.exit_fee_usd + value.exit_fees
    record.borrow_fee_usd = pool.borrow_fee_usd + value.interest
    record.lp_fee_usd = pool.lp_fee_usd
    record.funding_usd = pool.funding_usd + value.funding
    record.to_others_usd = pool.to_others_usd
    record.trader_pnl_usd = pool.pnl_usd + unrealised_usd
    record.asset_drift_usd = value.assets - pool.owned_value_usd + pool.drift_usd + value.drift
    record.bad_debt_usd = pool.bad_debt_usd
    record.confiscated_usd = pool.confiscated_usd
    record.spread_usd = pool.spread_usd
    record.open_fee_usd = pool.open_fee_usd
    record.liquidator_usd = pool.liquidator_usd
    record.margin_usd = value.margin
    named = (
        record.lp_flow_usd
        + record.open_fee_usd
        + record.exit_fee_usd
        + record.borrow_fee_usd
        + record.lp_fee_usd
        + record.funding_usd
        - record.to_others_usd
        - record.trader_pnl_usd
        + record.asset_drift_usd
        - record.bad_debt_usd
        + record.confiscated_usd
        + record.spread_usd
        - record.liquidator_usd
        + pool.margin_usd
        - record.margin_usd
    )
    # Nothing is left but what the floor at zero cuts off an insolvent pool, and the floors of the guaranteed form.
    record.rounding_usd = value.aum - named
    cursor.n_lp_samples += 1
    if value.assets >= SATURATED >> 1 or value.aum >= SATURATED >> 1:
        cursor.status = codes.OVERFLOW
        cursor.detail = -1


@step()
def sample_pool(venue, samples, cursor):
    """One sample of everything, as of this tick."""
    _sample_custodies(venue, samples, cursor)
    unrealised = _sample_markets(venue, samples, cursor)
    _sample_lp(venue, samples, cursor, unrealised)
