"""Paying out the fees that are not the LPs' to keep.

| booking | what is paid | source |
|---|---|---|
| debt | the pool's debt in dollars, in one stable's tokens at a dollar each | Adrena distribute_fees.rs (spec 1.12) |
| reserve | each custody's reserve; the LPs' share may join the pool | GMX v1 withdrawFees; Jupiter (spec 3.5) |
| protocol_reserve | each custody's reserve | solana-labs withdraw_fees.rs |
"""

import numpy as np

from kernels import codes
from kernels._jit import inner, step
from kernels.events import book_event, flow_without_spread
from kernels.fixed import mul_div_floor
from kernels.flows import any_stale, start_flow, touch
from kernels.pricing import BPS

_MICRO = np.int64(1_000_000)


@step()
def _pay_debt(venue, out, cursor, request):
    """In the fee custody's tokens, one for a dollar, unless that stable has lost its peg."""
    pool = venue.pool[0]
    debt = pool.fees_debt_usd + pool.referrers_debt_usd
    if debt == 0 or pool.fee_custody < 0:
        return codes.NOTHING_TO_DO
    custody = venue.custody[pool.fee_custody]
    units = mul_div_floor(debt, custody.unit, _MICRO)
    if custody.low <= pool.depeg_floor or custody.locked + units > custody.owned:
        return codes.INSUFFICIENT_LIQUIDITY
    event = start_flow(venue, out, cursor, codes.K_DISTRIBUTE_FEES, request.order_id, pool.fee_custody, -units)
    event.fees_out_units = units
    event.debt_paid_usd = debt
    event.spread_usd = event.owned_value_usd - flow_without_spread(event)
    pool.fees_debt_usd = 0
    pool.referrers_debt_usd = 0
    book_event(venue, out, cursor)
    touch(venue, pool.fee_custody)
    return codes.OK


@step()
def _empty_reserve(venue, out, cursor, order_id, c):
    """The whole reserve of a custody leaves it: to the pool, as far as the LPs' share joins, and out."""
    pool = venue.pool[0]
    custody = venue.custody[c]
    fees = custody.fees
    joining = 0
    if pool.fee_booking == codes.BOOK_RESERVE and pool.lp_share_joins != 0:
        joining = mul_div_floor(fees, pool.lp_share_bps, BPS)
    custody.fees = 0
    event = start_flow(venue, out, cursor, codes.K_DISTRIBUTE_FEES, order_id, c, joining)
    event.fee_units = -fees
    event.fees_out_units = fees - joining
    event.reserved_fee_usd = -event.owned_value_usd
    book_event(venue, out, cursor)
    if joining > 0:
        touch(venue, c)


@inner()
def settle_distribution(venue, out, cursor, request):
    """Pay out the debt, or the reserve of one custody, or of all: one event per custody that has any."""
    if any_stale(venue):
        return codes.STALE_PRICE
    if venue.pool[0].fee_booking == codes.BOOK_DEBT:
        return _pay_debt(venue, out, cursor, request)
    reason = codes.NOTHING_TO_DO
    for c in range(venue.custody.shape[0]):
        if venue.custody[c].fees > 0 and (request.custody < 0 or request.custody == c):
            _empty_reserve(venue, out, cursor, request.order_id, c)
            reason = codes.OK
    return reason
