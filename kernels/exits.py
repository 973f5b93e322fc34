"""Closing positions, whole or in part: by the trader, by stop or target, by liquidation.

Adrena close_position_{long,short}.rs, liquidate_{long,short}.rs, pool.rs get_exit_position_numbers, position.rs
downscale (spec 1.8, 1.9).
"""

from collections import namedtuple

import numpy as np

from kernels import accounting, codes, limits
from kernels._jit import YES, inner
from kernels.book import release_slot, watch_position
from kernels.events import book_event, flow_without_spread, new_event, place_event, write_position
from kernels.fees import aged_exit_fee_ceil, split
from kernels.fixed import mul_div_floor
from kernels.pricing import signed_usd_floor, tokens_floor, usd_floor
from kernels.profit import accrued_funding, accrued_interest, net_profit, profit_cap
from kernels.rates import collateral_custody, touch_rates

WHOLE = np.int64(1_000_000)
NOTHING = np.int64(0)
MIN_FRACTION = 10_000  # the venue closes 1 % at least

# close_usd: dollars owed to the trader; exit_fee, borrow_fee: charged (borrow with what was resolved before);
# deficit_fee: fees that could not be charged; bad_debt: loss beyond collateral and fees; paid: tokens out.
Exit = namedtuple("Exit", "close_usd exit_fee borrow_fee deficit_fee bad_debt funding paid")


@inner()
def _resolve(collateral_usd, profit, exit_fee, borrow_fee):
    """(close, exit fee, borrow fee, uncollected fee, bad debt): short of money, the borrow fee is paid first."""
    left = collateral_usd + profit
    if left >= 0:
        return left, exit_fee, borrow_fee, 0, 0
    deficit = -left
    if deficit > exit_fee + borrow_fee:
        return 0, 0, 0, exit_fee + borrow_fee, deficit - exit_fee - borrow_fee
    if deficit > exit_fee:
        return 0, 0, borrow_fee - (deficit - exit_fee), deficit, 0
    return 0, exit_fee - deficit, borrow_fee, deficit, 0


@inner()
def exit_numbers(part, side, market, custody, fee_usd, now_s):
    """Dollars and tokens of closing `part` with the given fee; tokens leave at the high price, capped by backing."""
    owed_borrow = accrued_interest(part, custody) + part.paid_interest_usd
    owed_funding = accrued_funding(part, market, side)
    cap = profit_cap(part, custody, now_s)
    cost = fee_usd + owed_borrow
    profit = net_profit(side, part.size_usd, part.entry_price, market.price, cost, owed_funding, cap)
    close_usd, exit_fee, borrow_fee, deficit_fee, bad_debt = _resolve(part.collateral_usd, profit, fee_usd, owed_borrow)
    fee_tokens = tokens_floor(fee_usd, custody, custody.low) + tokens_floor(borrow_fee, custody, custody.price)
    backed = max(part.locked + part.collateral_units - fee_tokens, 0)
    paid = min(tokens_floor(close_usd, custody, custody.high), backed)
    return Exit(close_usd, exit_fee, borrow_fee, deficit_fee, bad_debt, owed_funding, paid)


@inner()
def _unpaid(numbers):
    """The same exit with nothing paid out: the pool keeps the leftover."""
    return Exit(
        numbers.close_usd,
        numbers.exit_fee,
        numbers.borrow_fee,
        numbers.deficit_fee,
        numbers.bad_debt,
        numbers.funding,
        NOTHING,
    )


@inner()
def _scaled_part_floor(value, rest_e6):
    """The closed part of a signed field: what is left of its magnitude after the floored rest is taken away."""
    magnitude = abs(value)
    part = magnitude - mul_div_floor(magnitude, rest_e6, WHOLE)
    return part if value >= 0 else -part


@inner()
def take_part(part, rest_e6):
    """Scale a copy of a position down to the closed part, each field on its own."""
    part.size_usd = _scaled_part_floor(part.size_usd, rest_e6)
    part.borrow_size_usd = _scaled_part_floor(part.borrow_size_usd, rest_e6)
    part.collateral_usd = _scaled_part_floor(part.collateral_usd, rest_e6)
    part.unrealised_interest_usd = _scaled_part_floor(part.unrealised_interest_usd, rest_e6)
    part.locked = _scaled_part_floor(part.locked, rest_e6)
    part.collateral_units = _scaled_part_floor(part.collateral_units, rest_e6)
    part.exit_fee_usd = _scaled_part_floor(part.exit_fee_usd, rest_e6)
    part.liquidation_fee_usd = _scaled_part_floor(part.liquidation_fee_usd, rest_e6)
    part.paid_interest_usd = _scaled_part_floor(part.paid_interest_usd, rest_e6)
    part.unrealised_funding_usd = _scaled_part_floor(part.unrealised_funding_usd, rest_e6)


@inner()
def _subtract_part(row, part):
    row.size_usd -= part.size_usd
    row.borrow_size_usd -= part.borrow_size_usd
    row.collateral_usd -= part.collateral_usd
    row.unrealised_interest_usd -= part.unrealised_interest_usd
    row.locked -= part.locked
    row.collateral_units -= part.collateral_units
    row.exit_fee_usd -= part.exit_fee_usd
    row.liquidation_fee_usd -= part.liquidation_fee_usd
    row.paid_interest_usd -= part.paid_interest_usd
    row.unrealised_funding_usd -= part.unrealised_funding_usd


@inner()
def _payable(pool, custody, part, paid):
    """The custody can pay: enough unlocked tokens, nothing negative, and a legal borrow rate afterwards."""
    locked = custody.locked - part.locked
    owned = custody.owned + part.collateral_units - paid
    if owned < 0 or custody.owned + custody.collateral - locked < paid:
        return False
    return limits.rate_allowed(pool.borrow, custody, owned, locked)


@inner()
def _write_exit(venue, out, cursor, kind, row, part, b, numbers, confiscated, order_id):
    """Book the tokens and write the event of an exit; returns the event."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    event = new_event(venue, out, cursor, kind)
    place_event(event, row, b, market, c, custody)
    event.order_id = order_id
    event.size_usd = -part.size_usd
    event.collateral_usd = -part.collateral_usd
    event.trader_out_units = numbers.paid
    event.owned_units = part.collateral_units - numbers.paid
    event.collateral_units = -part.collateral_units
    event.locked_units = -part.locked
    custody.owned += event.owned_units
    custody.collateral -= part.collateral_units
    custody.locked -= part.locked

    borrow_fee = max(numbers.borrow_fee - part.paid_interest_usd, 0)
    to_lps, to_protocol, to_referrer = split(numbers.exit_fee + borrow_fee, row.referred, pool)
    pool.fees_debt_usd += to_protocol
    pool.referrers_debt_usd += to_referrer
    event.exit_fee_usd = numbers.exit_fee
    event.borrow_fee_usd = borrow_fee
    event.prepaid_borrow_usd = numbers.borrow_fee - borrow_fee
    event.funding_usd = numbers.funding
    event.lp_share_usd = to_lps
    event.protocol_share_usd = to_protocol
    event.referrer_share_usd = to_referrer
    event.bad_debt_usd = numbers.bad_debt
    event.deficit_fee_usd = numbers.deficit_fee
    event.confiscated_usd = confiscated
    event.payout_usd = numbers.close_usd - confiscated
    event.pnl_usd = (
        numbers.close_usd
        - part.collateral_usd
        + numbers.exit_fee
        + numbers.borrow_fee
        + numbers.funding
        - numbers.bad_debt
    )
    event.owned_value_usd = signed_usd_floor(event.owned_units, custody)
    event.drift_usd = usd_floor(part.collateral_units, custody, custody.low) - part.collateral_usd
    event.spread_usd = event.owned_value_usd - flow_without_spread(event)
    book_event(venue, out, cursor)
    return event


@inner()
def _remember(row, part, event):
    """Keep the position's history for its row of positions.parquet."""
    row.closed_size_usd += part.size_usd
    row.payout_usd += event.payout_usd
    row.pnl_usd += event.pnl_usd
    row.exit_fees_usd += event.exit_fee_usd
    row.borrow_fees_usd += event.borrow_fee_usd + event.prepaid_borrow_usd
    row.funding_fees_usd += event.funding_usd
    row.bad_debt_usd += event.bad_debt_usd


@inner()
def _settle_part(venue, books, out, cursor, b, slot, part, kind, order_id, numbers, confiscated):
    """Book an exit that has passed every check: event, accounting, rates, and the position's row or its end."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    row = books.row[slot]
    full = kind != codes.K_DECREASE
    event = _write_exit(venue, out, cursor, kind, row, part, b, numbers, confiscated, order_id)
    interest = venue.interest[2 * c + (b & 1)]
    side = venue.side[b]
    accounting.remove_position(part, full, b & 1, side, interest, custody.index_now, market.funding_now)
    touch_rates(venue, b)
    _remember(row, part, event)
    _subtract_part(row, part)
    if not full:
        watch_position(books, b, slot, market, custody)
        return
    outcome = codes.O_CLOSE
    if kind == codes.K_LIQUIDATION:
        outcome = codes.O_LIQUIDATION
        pool.n_liquidated += 1
    else:
        pool.n_closed += 1
        if kind == codes.K_STOP_LOSS:
            outcome = codes.O_STOP_LOSS
        elif kind == codes.K_TAKE_PROFIT:
            outcome = codes.O_TAKE_PROFIT
    write_position(out, cursor, row, b, c, outcome, pool.now_us, market.price)
    release_slot(books, b, slot)


@inner()
def settle_whole(venue, books, out, cursor, b, slot, kind, order_id):
    """Close a whole position: `kind` is close, stop_loss, take_profit or liquidation. Returns a reason."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    custody = venue.custody[collateral_custody(market, b & 1)]
    books.draft[0] = books.row[slot]
    part = books.draft[0]
    if kind == codes.K_LIQUIDATION:
        fee = part.liquidation_fee_usd
    else:
        fee = aged_exit_fee_ceil(part.exit_fee_usd, pool.now_s - part.open_s, pool)
    numbers = exit_numbers(part, b & 1, market, custody, fee, pool.now_s)
    confiscated = NOTHING
    if kind == codes.K_LIQUIDATION and pool.leftover == codes.LEFTOVER_POOL:
        confiscated = numbers.close_usd
        numbers = _unpaid(numbers)
    if not _payable(pool, custody, part, numbers.paid):
        return codes.INSUFFICIENT_LIQUIDITY
    _settle_part(venue, books, out, cursor, b, slot, part, kind, order_id, numbers, confiscated)
    return codes.OK


@inner()
def _exit_allowed(venue, request, row, b):
    """Minimum age and the trader's price bound."""
    market = venue.market[b >> 1]
    if limits.too_young(row, venue.pool[0]):
        return codes.POSITION_TOO_YOUNG
    if request.limit_price > 0:
        if b & 1 == codes.LONG and market.price < request.limit_price:
            return codes.PRICE_LIMIT
        if b & 1 == codes.SHORT and market.price > request.limit_price:
            return codes.PRICE_LIMIT
    return codes.OK


@inner()
def settle_close(venue, books, out, cursor, request, b, slot):
    """The trader closes a whole position."""
    market = venue.market[b >> 1]
    reason = limits.price_flags(market, venue.custody[collateral_custody(market, b & 1)], YES)
    if reason != codes.OK:
        return reason
    reason = _exit_allowed(venue, request, books.row[slot], b)
    if reason != codes.OK:
        return reason
    return settle_whole(venue, books, out, cursor, b, slot, codes.K_CLOSE, request.order_id)


@inner()
def settle_decrease(venue, books, out, cursor, request, b, slot):
    """The trader closes a fraction; the rest must keep the minimum collateral."""
    row = books.row[slot]
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    custody = venue.custody[collateral_custody(market, b & 1)]
    reason = limits.price_flags(market, custody, YES)
    if reason != codes.OK:
        return reason
    fraction = request.fraction_e6
    if fraction < 0 and request.size_usd > 0:
        fraction = min(mul_div_floor(request.size_usd, WHOLE, row.size_usd), WHOLE)
    if fraction < MIN_FRACTION:
        return codes.INVALID_ORDER
    if fraction >= WHOLE:
        return settle_close(venue, books, out, cursor, request, b, slot)
    reason = _exit_allowed(venue, request, row, b)
    if reason != codes.OK:
        return reason
    books.draft[0] = row
    part = books.draft[0]
    take_part(part, WHOLE - fraction)
    fee = aged_exit_fee_ceil(part.exit_fee_usd, pool.now_s - row.open_s, pool)
    numbers = exit_numbers(part, b & 1, market, custody, fee, pool.now_s)
    if not _payable(pool, custody, part, numbers.paid):
        return codes.INSUFFICIENT_LIQUIDITY
    if row.collateral_usd - part.collateral_usd < pool.min_collateral_usd:
        return codes.MIN_COLLATERAL
    _settle_part(venue, books, out, cursor, b, slot, part, codes.K_DECREASE, request.order_id, numbers, NOTHING)
    return codes.OK
