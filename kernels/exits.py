"""Closing positions, whole or in part: by the trader, by stop or target, by liquidation.

Adrena close_position_{long,short}.rs, liquidate_{long,short}.rs, position.rs downscale (spec 1.8, 1.9); solana-labs
close_position.rs, liquidate.rs (reward to the liquidator); Jupiter (all that is left goes to the pool); GMX v1
decreasePosition, liquidatePosition (A7, A9), whose partial decreases are in `kernels.realised`.
"""

import numpy as np

from kernels import accounting, codes, limits, shorts
from kernels._jit import YES, inner, step
from kernels.book import release_slot, watch_position
from kernels.events import book_event, flow_without_spread, new_event, place_event, write_position
from kernels.exit_numbers import (
    TAKES_ALL,
    TAKES_NOTHING,
    TAKES_REST,
    exit_numbers,
    exit_pnl,
    paid_tokens,
    plain_tokens,
    realised_tokens,
    reserve_tokens,
)
from kernels.fees import fee_ceil, note_flow, settled_close_fee
from kernels.fixed import ZERO, mul_div_floor
from kernels.ledger import book_fees
from kernels.liquidation import margin_state
from kernels.pricing import BPS, exit_price, signed_usd_floor, tokens_floor, usd_floor
from kernels.profit import accrued_funding, accrued_interest, is_young_profit, price_result
from kernels.rates import collateral_custody, touch_rates

WHOLE = np.int64(1_000_000)
MIN_FRACTION = 10_000  # the venue closes 1 % at least


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


@step()
def subtract_part(row, part):
    """Take the closed part, field by field, out of its position."""
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
def payable(pool, custody, part, tokens):
    """The custody can pay: enough unlocked tokens, nothing negative, and a legal borrow rate afterwards."""
    locked = custody.locked - part.locked
    owned = custody.owned + tokens.owned
    if owned < 0 or custody.owned + custody.collateral - locked < tokens.paid + tokens.keeper:
        return False
    return limits.rate_allowed(pool.borrow, custody, owned, locked)


@step()
def write_exit(venue, out, cursor, kind, row, part, b, numbers, tokens, confiscated, keeper_usd, order_id):
    """Book the tokens and write the event of an exit; returns the event."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    event = new_event(venue, out, cursor, kind)
    place_event(event, row, b, market, c, custody, exit_price(market, b & 1))
    event.order_id = order_id
    event.size_usd = -part.size_usd
    event.collateral_usd = -part.collateral_usd
    event.trader_out_units = tokens.paid
    event.fees_out_units = tokens.keeper
    event.owned_units = tokens.owned
    event.collateral_units = tokens.collateral
    event.locked_units = -part.locked
    event.stranded_units = tokens.stranded
    custody.owned += tokens.owned
    custody.collateral += tokens.collateral
    custody.locked -= part.locked
    custody.stranded += tokens.stranded

    borrow_fee = max(numbers.borrow_fee - part.paid_interest_usd, 0)
    event.exit_fee_usd = numbers.exit_fee
    event.borrow_fee_usd = borrow_fee
    event.prepaid_borrow_usd = numbers.borrow_fee - borrow_fee
    own = fee_ceil(BPS - pool.lp_share_bps, numbers.exit_fee) if tokens.fees > 0 else ZERO
    book_fees(pool, custody, event, numbers.exit_fee + borrow_fee, own, tokens.fees, row.referred)
    event.funding_usd = numbers.funding
    event.bad_debt_usd = numbers.bad_debt
    event.deficit_fee_usd = numbers.deficit_fee
    event.confiscated_usd = confiscated
    event.liquidator_usd = keeper_usd
    event.payout_usd = numbers.close_usd - confiscated
    event.pnl_usd = exit_pnl(numbers, part.collateral_usd)
    event.owned_value_usd = signed_usd_floor(event.owned_units, custody)
    if pool.margin == codes.MARGIN_SEPARATE:
        event.drift_usd = usd_floor(part.collateral_units, custody, custody.low) - part.collateral_usd
    elif b & 1 == codes.LONG:
        event.margin_usd = -part.collateral_usd
    event.spread_usd = event.owned_value_usd - flow_without_spread(event)
    book_event(venue, out, cursor)
    note_flow(venue.impact, pool, b >> 1, -part.size_usd)
    return event


@step()
def remember(row, part, event):
    """Keep the position's history for its row of positions.parquet."""
    row.closed_size_usd += part.size_usd
    row.payout_usd += event.payout_usd
    row.pnl_usd += event.pnl_usd
    row.exit_fees_usd += event.exit_fee_usd
    row.borrow_fees_usd += event.borrow_fee_usd + event.prepaid_borrow_usd
    row.funding_fees_usd += event.funding_usd
    row.bad_debt_usd += event.bad_debt_usd
    row.confiscated_usd += event.confiscated_usd


@step()
def _end_position(venue, books, out, cursor, b, slot, kind):
    """The position's row of positions.parquet, and its slot free."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
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
    c = collateral_custody(market, b & 1)
    write_position(out, cursor, books.row[slot], b, c, outcome, pool.now_us, exit_price(market, b & 1))
    release_slot(books, b, slot)


@step()
def _note_short(venue, b, row, closed_usd):
    """Let the average entry of a market's shorts follow a decrease."""
    pool = venue.pool[0]
    market = venue.market[b >> 1]
    if b & 1 == codes.SHORT and pool.tracker_on != 0:
        gross = price_result(pool, codes.SHORT, row.size_usd, row.entry_price, market.buy)
        counts = not is_young_profit(pool, market, row, gross)
        shorts.note_decrease(pool, market, venue.side[b], row, closed_usd, counts)


@inner()
def settle_part(venue, books, out, cursor, b, slot, part, kind, order_id, numbers, tokens, confiscated, keeper_usd):
    """Book an exit that has passed every check: event, accounting, rates, and the position's row or its end."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    c = collateral_custody(market, b & 1)
    custody = venue.custody[c]
    row = books.row[slot]
    full = kind != codes.K_DECREASE and kind != codes.K_WITHDRAW_COLLATERAL
    charged = pool.interest == codes.INTEREST_CHARGED
    anew = not full and (charged or kind == codes.K_WITHDRAW_COLLATERAL)
    _note_short(venue, b, row, part.size_usd)
    event = write_exit(venue, out, cursor, kind, row, part, b, numbers, tokens, confiscated, keeper_usd, order_id)
    interest = venue.interest[2 * c + (b & 1)]
    side = venue.side[b]
    index, funding_index = custody.index_now, market.funding_now
    # Where what is owed is paid, or set aside, the whole position leaves the sums, and what remains comes back anew.
    gone = row if anew else part
    accounting.remove_position(pool, gone, full or anew, b & 1, side, interest, index, funding_index)
    remember(row, part, event)
    subtract_part(row, part)
    if anew:
        row.unrealised_interest_usd = ZERO if charged else accrued_interest(pool, row, custody)
        row.unrealised_funding_usd = ZERO if charged else accrued_funding(row, market, b & 1)
        row.cum_snapshot = index
        row.funding_snapshot = funding_index
        accounting.add_position(pool, row, b & 1, side, interest, index, funding_index)
    touch_rates(venue, b)
    if full:
        _end_position(venue, books, out, cursor, b, slot, kind)
    else:
        watch_position(books, b, slot, market, custody, pool)


@step()
def _pay_whole(venue, books, out, cursor, b, slot, kind, order_id, numbers, fee, to_pool, keeper_usd):
    """Tokens of a full exit whose dollars are known, and its settlement. `books.draft[0]` is the position."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    side = b & 1
    custody = venue.custody[collateral_custody(market, side)]
    part = books.draft[0]
    keeper = tokens_floor(keeper_usd, custody, custody.high) if keeper_usd > 0 else ZERO
    confiscated = numbers.close_usd if to_pool else ZERO
    if pool.partial_close == codes.PARTIAL_REALISED:
        paid_usd = numbers.close_usd - confiscated
        taking = TAKES_NOTHING
        if to_pool and pool.liquidation == codes.LIQUIDATE_TWO_STATES:
            taking = TAKES_REST
        elif to_pool or numbers.deficit_fee > 0:
            taking = TAKES_ALL
        tokens = realised_tokens(pool, part, side, custody, numbers, paid_usd, keeper, taking, YES)
    else:
        bps = market.liquidation_bps if kind == codes.K_LIQUIDATION else market.close_bps
        paid = ZERO if to_pool else paid_tokens(pool, part, market, custody, numbers, fee, bps)
        if kind == codes.K_LIQUIDATION and market.liquidator_bps > 0 and paid > 0:
            keeper = fee_ceil(market.liquidator_bps, paid)
            keeper_usd = mul_div_floor(numbers.close_usd, keeper, paid)
            confiscated = keeper_usd
            paid -= keeper
        reserve = reserve_tokens(pool, part, side, market, custody, numbers, fee, bps, paid + keeper)
        tokens = plain_tokens(part, paid, keeper, reserve)
    if not payable(pool, custody, part, tokens):
        return codes.INSUFFICIENT_LIQUIDITY
    settle_part(venue, books, out, cursor, b, slot, part, kind, order_id, numbers, tokens, confiscated, keeper_usd)
    return codes.OK


@inner()
def settle_whole(venue, books, out, cursor, b, slot, kind, order_id):
    """Close a whole position: `kind` is close, stop_loss, take_profit or liquidation. Returns a reason."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    side = b & 1
    custody = venue.custody[collateral_custody(market, side)]
    books.draft[0] = books.row[slot]
    part = books.draft[0]
    liquidation = kind == codes.K_LIQUIDATION
    to_pool = liquidation and pool.leftover == codes.LEFTOVER_POOL
    keeper_usd = ZERO
    if liquidation and pool.liquidation == codes.LIQUIDATE_TWO_STATES:
        if margin_state(pool, part, side, market, custody, YES) == codes.MAX_LEVERAGE:
            to_pool = False  # the second state is a close at the trader's expense and for the trader
        else:
            to_pool = True
            keeper_usd = market.liquidation_fee_usd
    fee = settled_close_fee(venue.impact, pool, market, b >> 1, part, liquidation)
    owed_borrow = accrued_interest(pool, part, custody) + part.paid_interest_usd
    owed_funding = accrued_funding(part, market, side)
    numbers = exit_numbers(pool, part, side, market, custody, fee, owed_borrow, owed_funding, liquidation)
    if pool.shortfall == codes.SHORTFALL_REFUSED and not liquidation and numbers.close_usd == 0:
        if numbers.bad_debt > 0:
            return codes.LOSSES_EXCEED_COLLATERAL
        if fee + owed_borrow + owed_funding > 0:
            return codes.INSUFFICIENT_COLLATERAL
    return _pay_whole(venue, books, out, cursor, b, slot, kind, order_id, numbers, fee, to_pool, keeper_usd)


@step()
def exit_allowed(venue, request, row, b):
    """Fresh price, minimum age and the trader's price bound."""
    market = venue.market[b >> 1]
    reason = limits.price_flags(market, venue.custody[collateral_custody(market, b & 1)], YES)
    if reason != codes.OK:
        return reason
    price = exit_price(market, b & 1)
    if price <= 0:
        return codes.STALE_PRICE
    if limits.too_young(row, venue.pool[0]):
        return codes.POSITION_TOO_YOUNG
    if request.limit_price > 0:
        if b & 1 == codes.LONG and price < request.limit_price:
            return codes.PRICE_LIMIT
        if b & 1 == codes.SHORT and price > request.limit_price:
            return codes.PRICE_LIMIT
    return codes.OK
