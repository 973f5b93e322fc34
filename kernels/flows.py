"""Tokens that enter or leave a custody outside trading: one event each, with the fee's shares and bookings in it."""

import numpy as np

from kernels import borrow, codes
from kernels._jit import inner, step
from kernels.events import book_event, flow_without_spread, new_event
from kernels.fees import fee_ceil
from kernels.fixed import MAX_AMOUNT, SATURATED, mul_div_floor
from kernels.pricing import BPS, signed_usd_floor, usd_floor

NO_ACCOUNT = np.int64(-1)


@inner()
def any_stale(venue):
    """The value of the pool needs every price."""
    for c in range(venue.custody.shape[0]):
        if venue.custody[c].flags & codes.FLAG_STALE:
            return True
    for m in range(venue.market.shape[0]):
        if venue.market[m].flags & codes.FLAG_STALE:
            return True
    return False


@inner()
def accept(venue, request):
    """What every amount that comes in must pass first; a reason code."""
    c, amount = request.custody, request.amount_units
    if any_stale(venue):
        return codes.STALE_PRICE
    if amount <= 0 or c < 0:
        return codes.INVALID_ORDER
    if amount > MAX_AMOUNT or venue.custody[c].owned > SATURATED - amount:
        return codes.AMOUNT_OUT_OF_RANGE
    return codes.OK


@inner()
def others_part(pool, fee_units):
    """(tokens of a fee that are not the LPs' to keep, those of them that leave the pool's books for the reserve)."""
    if pool.fee_booking == codes.BOOK_RESERVE:
        return fee_units, fee_units
    others = fee_ceil(BPS - pool.lp_share_bps, fee_units)  # what the floor of the LPs' share leaves
    return others, others if pool.fee_booking == codes.BOOK_PROTOCOL_RESERVE else 0


@inner()
def start_flow(venue, out, cursor, kind, order_id, c, owned_units):
    """Move `owned_units` into (+) or out of (-) what custody c owns and start the event."""
    custody = venue.custody[c]
    custody.owned += owned_units
    event = new_event(venue, out, cursor, kind)
    event.order_id = order_id
    event.custody = c
    event.custody_price = custody.price
    event.owned_units = owned_units
    event.owned_value_usd = signed_usd_floor(owned_units, custody)
    return event


@step()
def _book_fee(event, pool, custody, fee_usd, others, reserved):
    """Who gets a fee of `fee_usd`, and where the others' tokens wait: as a debt of the pool, or in the reserve."""
    event.lp_fee_usd = fee_usd
    event.fee_units = reserved
    event.reserved_fee_usd = usd_floor(reserved, custody, custody.low)
    custody.fees += reserved
    if pool.fee_booking == codes.BOOK_DEBT:
        event.protocol_share_usd = usd_floor(others, custody, custody.price)
        pool.fees_debt_usd += event.protocol_share_usd
    elif pool.fee_booking == codes.BOOK_RESERVE:
        event.protocol_share_usd = fee_usd - mul_div_floor(fee_usd, pool.lp_share_bps, BPS)
    else:
        event.protocol_share_usd = event.reserved_fee_usd
    event.lp_share_usd = fee_usd - event.protocol_share_usd


@inner()
def book_flow(venue, out, cursor, kind, request, c, units, fee_units, fee_usd, flow_usd, lp_units):
    """`units` from (+) or to (-) a trader or LP, of whose tokens `fee_units` are a fee worth `fee_usd`.

    `flow_usd` is what LPs put in (+) or took out (-), before a fee on taking out and after one on putting in. The
    fee's tokens are inside what comes in, and stay behind when tokens go out. Borrow rates are the caller's to touch.
    """
    custody = venue.custody[c]
    pool = venue.pool[0]
    others, reserved = others_part(pool, fee_units)
    event = start_flow(venue, out, cursor, kind, request.order_id, c, units - reserved)
    event.trader_in_units = max(units, 0)
    event.trader_out_units = max(-units, 0)
    _book_fee(event, pool, custody, fee_usd, others, reserved)
    event.lp_flow_usd = flow_usd
    if flow_usd < 0:
        event.payout_usd = usd_floor(-units, custody, custody.low)
    if lp_units != 0 or kind == codes.K_GENESIS:
        event.lp_units = lp_units
        event.lp_account = request.lp_account
    event.spread_usd = event.owned_value_usd - flow_without_spread(event)
    book_event(venue, out, cursor)


@inner()
def touch(venue, c):
    """Borrow index and rate of a custody whose books have changed."""
    pool = venue.pool[0]
    borrow.touch(pool, venue.custody[c], pool.now_s)
