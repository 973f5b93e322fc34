"""Closing part of a position, and taking out collateral where that settles what is owed.

pro_rata (Adrena position.rs downscale, spec 1.9; Jupiter): the closed fraction of every field leaves like a position of
its own. realised (GMX v1 decreasePosition, A7): the fraction's PnL is paid out or taken from the collateral, which
otherwise stays; fees of the whole position are due; collateral may be taken out in the same step.
"""

from kernels import codes, limits
from kernels._jit import NO, inner, step
from kernels.exit_numbers import (
    FEES_APART,
    TAKES_NOTHING,
    Exit,
    exit_numbers,
    paid_tokens,
    plain_tokens,
    realised_tokens,
    reserve_tokens,
)
from kernels.exits import MIN_FRACTION, WHOLE, payable, settle_part, subtract_part, take_part
from kernels.fees import settled_close_fee
from kernels.fixed import ZERO, mul_div_floor
from kernels.profit import accrued_funding, accrued_interest, gross_result
from kernels.rates import collateral_custody


@step()
def plan_decrease(venue, books, request, slot):
    """Turn a decrease into what will be closed: `fraction_e6` (WHOLE: all of it) or, realised, dollars. A reason."""
    row = books.row[slot]
    if venue.pool[0].partial_close == codes.PARTIAL_REALISED:
        if request.fraction_e6 >= 0:
            request.size_usd = mul_div_floor(row.size_usd, min(request.fraction_e6, WHOLE), WHOLE)
        request.size_usd = max(request.size_usd, 0)
        request.collateral_usd = max(request.collateral_usd, 0)
        if request.size_usd == 0 and request.collateral_usd == 0:
            return codes.INVALID_ORDER
        if request.size_usd > row.size_usd:
            return codes.SIZE_EXCEEDS_POSITION
        if request.collateral_usd > row.collateral_usd:
            return codes.INSUFFICIENT_COLLATERAL
        request.fraction_e6 = WHOLE if request.size_usd == row.size_usd else 0
        return codes.OK
    if request.fraction_e6 < 0 and request.size_usd > 0:
        request.fraction_e6 = min(mul_div_floor(request.size_usd, WHOLE, row.size_usd), WHOLE)
    return codes.OK if request.fraction_e6 >= MIN_FRACTION else codes.INVALID_ORDER


@inner()
def settle_pro_rata(venue, books, out, cursor, request, b, slot):
    """Close a fraction of everything; the rest must keep the minimum collateral. The exit itself is allowed."""
    row = books.row[slot]
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    custody = venue.custody[collateral_custody(market, b & 1)]
    books.draft[0] = row
    part = books.draft[0]
    take_part(part, WHOLE - request.fraction_e6)
    fee = settled_close_fee(venue.impact, pool, market, b >> 1, part, NO)
    owing = row if pool.interest == codes.INTEREST_CHARGED else part
    owed_borrow = accrued_interest(pool, owing, custody) + owing.paid_interest_usd
    owed_funding = accrued_funding(owing, market, b & 1)
    numbers = exit_numbers(pool, part, b & 1, market, custody, fee, owed_borrow, owed_funding, NO)
    paid = paid_tokens(pool, part, market, custody, numbers, fee, market.close_bps)
    reserve = reserve_tokens(pool, part, b & 1, market, custody, numbers, fee, market.close_bps, paid)
    tokens = plain_tokens(part, paid, ZERO, reserve)
    if not payable(pool, custody, part, tokens):
        return codes.INSUFFICIENT_LIQUIDITY
    if row.collateral_usd - part.collateral_usd < pool.min_collateral_usd:
        return codes.MIN_COLLATERAL
    kind, order = codes.K_DECREASE, request.order_id
    settle_part(venue, books, out, cursor, b, slot, part, kind, order, numbers, tokens, ZERO, ZERO)
    return codes.OK


@inner()
def settle_realised(venue, books, out, cursor, request, b, slot, kind):
    """Realise the PnL of `size_usd` of a position, take `collateral_usd` out of it, settle what it owes."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    side = b & 1
    custody = venue.custody[collateral_custody(market, side)]
    row = books.row[slot]
    closed_usd, taken_usd = request.size_usd, request.collateral_usd
    if taken_usd > row.collateral_usd:
        return codes.INSUFFICIENT_COLLATERAL
    books.draft[0] = row
    part = books.draft[0]
    _fill_realised_part(part, row, closed_usd)
    fee = settled_close_fee(venue.impact, pool, market, b >> 1, part, NO) if closed_usd > 0 else ZERO
    borrow_fee, funding = ZERO, ZERO
    if pool.interest == codes.INTEREST_CHARGED:
        borrow_fee = accrued_interest(pool, row, custody)
        funding = accrued_funding(row, market, side)
    costs = fee + borrow_fee + funding
    gross = gross_result(pool, row, side, market)
    result = mul_div_floor(closed_usd, abs(gross), row.size_usd)
    left = row.collateral_usd
    paid_usd = taken_usd
    if gross > 0:
        paid_usd += result
    elif result > left:
        return codes.LOSSES_EXCEED_COLLATERAL
    else:
        left -= result
    left -= taken_usd
    # Fees come out of what is paid, or of the collateral where nothing or too little is.
    if left < 0:
        return codes.INSUFFICIENT_COLLATERAL
    taking = TAKES_NOTHING
    if paid_usd > costs:
        paid_usd -= costs
    else:
        taking = FEES_APART
        left -= costs
        if left < 0:
            return codes.INSUFFICIENT_COLLATERAL
    numbers = Exit(paid_usd, fee, borrow_fee, ZERO, ZERO, funding)
    part.collateral_usd = row.collateral_usd - left
    tokens = realised_tokens(pool, part, side, custody, numbers, paid_usd, ZERO, taking, NO)
    part.collateral_units = -tokens.collateral
    reason = _rest_allowed(venue, books, part, row, b)
    if reason != codes.OK:
        return reason
    if not payable(pool, custody, part, tokens):
        return codes.INSUFFICIENT_LIQUIDITY
    if kind == codes.K_WITHDRAW_COLLATERAL:
        row.edit_s = pool.now_s
    order = request.order_id
    settle_part(venue, books, out, cursor, b, slot, part, kind, order, numbers, tokens, ZERO, ZERO)
    return codes.OK


@step()
def _fill_realised_part(part, row, closed_usd):
    """The closed part: its share of size, reserve and fixed fees; what the collateral loses is settled later."""
    part.size_usd = closed_usd
    part.borrow_size_usd = mul_div_floor(row.borrow_size_usd, closed_usd, row.size_usd)
    part.locked = mul_div_floor(row.locked, closed_usd, row.size_usd)
    part.unrealised_interest_usd = 0
    part.unrealised_funding_usd = 0
    part.exit_fee_usd = mul_div_floor(row.exit_fee_usd, closed_usd, row.size_usd)
    part.liquidation_fee_usd = mul_div_floor(row.liquidation_fee_usd, closed_usd, row.size_usd)


@step()
def _rest_allowed(venue, books, part, row, b):
    """What remains, with what has been charged, must be a legal position."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    custody = venue.custody[collateral_custody(market, b & 1)]
    books.draft[1] = row
    rest = books.draft[1]
    subtract_part(rest, part)
    if pool.interest == codes.INTEREST_CHARGED:
        rest.unrealised_interest_usd = 0
        rest.unrealised_funding_usd = 0
        rest.cum_snapshot = custody.index_now
        rest.funding_snapshot = market.funding_now
    return limits.margin_allowed(rest, b & 1, market, custody, pool, NO)
