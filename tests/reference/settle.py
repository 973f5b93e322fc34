"""Exits, from the plan to the event. Spec 1.8, close_position_long; the tokens of separate margin are settled here."""

from copy import copy

from kernels import codes
from tests.reference import accounting, events, exits, fees, impact, pooled_exit, rates, shorts
from tests.reference import arithmetic as a
from tests.reference.exits import DOWNSCALED, Settlement
from tests.reference.venue import Record, Refused, Venue


def plan(venue: Venue, position: Record, percentage: int, kind: int) -> Settlement:
    """Exit numbers and the checks of the pool; refused without liquidity or a price."""
    if venue.exit_price(position.market, position.side) <= 0:
        raise Refused(codes.STALE_PRICE)
    deal = exits.settlement(venue, position, percentage, kind)
    if _vault_tokens(venue):
        pooled_exit.plan_tokens(venue, deal)
    else:
        _plan_tokens(venue, deal)
    return deal


def _vault_tokens(venue: Venue) -> bool:
    return venue.pooled and venue.params["partial_close"] == codes.PARTIAL_REALISED


def _plan_tokens(venue: Venue, deal: Settlement) -> None:
    """The closing's collateral joins the pool, which pays the trader, the keeper and the fee reserve."""
    closing, number = deal.closing, deal.closing.custody
    custody, high = venue.custodies[number], venue.high(number)
    deal.close_amount = venue.tokens(deal.close_usd, number, high)
    if not venue.pooled:
        deal.close_amount = exits.backed_units(venue, deal)
    if exits.is_left_to_pool(venue, deal):
        exits.leave_to_pool(venue, deal)
    exits.reward_liquidator(venue, deal)
    if deal.seized:
        deal.keeper_units = venue.tokens(deal.liquidator_usd, number, high)
    locked = custody.locked - closing.locked
    owned = custody.owned + closing.collateral_units - deal.close_amount - deal.keeper_units
    deal.reserved_units = _reserved_units(venue, deal, owned, locked)
    owned -= deal.reserved_units
    deal.owned_change = owned - custody.owned
    deal.collateral_change = -closing.collateral_units
    if venue.pooled:
        pooled_exit.require_payable(venue, number, deal.owned_change, -closing.locked)
        return
    if custody.owned + custody.collateral - locked < deal.close_amount or owned < 0:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    rates.require_rate(venue, number, owned, locked)


def _reserved_units(venue: Venue, deal: Settlement, owned: int, locked: int) -> int:
    """Fee tokens that leave for the reserve; the protocol's share only if so much is free in the pool.

    That share is of the full fee, even of a bankrupt position, and collateral of others counts as free: solana-labs
    close_position.rs L235-246. `owned`, `locked`: after the payout.
    """
    number, closing = deal.closing.custody, deal.closing
    if venue.params["fee_booking"] == codes.BOOK_PROTOCOL_RESERVE:
        fee_units = venue.tokens(deal.original_fee, number, venue.ema(number))
        in_traded = venue.params["close_fee"] == codes.CLOSE_FEE_EMA_TOKENS
        if in_traded and closing.side == codes.LONG and number == venue.traded_custody(closing.market, closing.side):
            fee_units = fees.ema_token_units(venue, closing, deal.kind)
        wanted = fees.reserved_units(venue, fee_units, fee_units)
        free = owned + venue.custodies[number].collateral - closing.collateral_units - locked
        taken = wanted if free >= wanted and owned >= wanted else 0
        deal.protocol_paid = taken > 0
        return taken
    total = venue.tokens(deal.fees_usd, number, venue.high(number))
    return fees.reserved_units(venue, total, total)


def remainder(venue: Venue, position: Record, deal: Settlement) -> Record:
    """What stays of a position after a part of it is closed."""
    after = copy(position)
    for name in DOWNSCALED:
        setattr(after, name, getattr(position, name) - getattr(deal.closing, name))
    if deal.charged:
        after.unrealised_interest_usd = after.unrealised_funding_usd = 0
        after.cum_snapshot = rates.borrow_index(venue, position.custody)
        after.funding_snapshot = rates.funding_index(venue, position.market)
    if _vault_tokens(venue):
        after.collateral_units = position.collateral_units + deal.collateral_change
    return after


def book(venue: Venue, position: Record, deal: Settlement, order_id: int) -> None:
    """Change the books by a planned settlement and write its event."""
    closing, number = deal.closing, deal.closing.custody
    custody = venue.custodies[number]
    shorts.on_decrease(venue, position, closing.size_usd)
    impact.record_change(venue, position.market, -closing.size_usd)
    custody.owned += deal.owned_change
    custody.collateral += deal.collateral_change
    custody.locked -= closing.locked
    custody.fees += deal.reserved_units
    custody.stranded += deal.stranded_units
    shares = fees.split(venue, deal.exit_fee, deal.borrow_fee, position.referred, deal.protocol_paid)
    fees.book_debt(venue, shares)
    changes = {name: -getattr(closing, name) for name in ("size_usd", "collateral_usd", "locked")}
    drift = 0
    if not venue.pooled:
        drift = venue.usd(closing.collateral_units, number, venue.low(number)) - closing.collateral_usd
    _account(venue, position, deal)
    rates.refresh_borrow(venue, number)
    rates.refresh_funding(venue, position.market)
    events.write_position(
        venue,
        deal.kind,
        position,
        order_id,
        size_usd=changes["size_usd"],
        collateral_usd=changes["collateral_usd"],
        trader_out_units=deal.close_amount - deal.reward_units,
        fees_out_units=deal.reward_units + deal.keeper_units,
        owned_units=deal.owned_change,
        collateral_units=deal.collateral_change,
        locked_units=changes["locked"],
        fee_units=deal.reserved_units,
        stranded_units=deal.stranded_units,
        pnl_usd=deal.pnl,
        exit_fee_usd=deal.exit_fee,
        borrow_fee_usd=deal.borrow_fee,
        prepaid_borrow_usd=deal.prepaid,
        funding_usd=deal.funding,
        bad_debt_usd=deal.bad_debt,
        deficit_fee_usd=deal.deficit_fee,
        confiscated_usd=deal.taken,
        liquidator_usd=deal.liquidator_usd,
        payout_usd=deal.payout,
        drift_usd=drift,
        margin_usd=changes["collateral_usd"] if venue.pooled and position.side == codes.LONG else 0,
        **shares.columns,
    )
    if deal.full:
        leave(venue, position, deal.kind)


def _account(venue: Venue, position: Record, deal: Settlement) -> None:
    """Collective books. A part that paid all interest leaves as an increase does: the old out, the rest in."""
    if deal.full:
        accounting.remove(venue, position, full=True)
        return
    after = remainder(venue, position, deal)
    if deal.charged:
        accounting.remove(venue, position, full=True)
        accounting.add(venue, after)
    else:
        accounting.remove(venue, deal.closing, full=False)
    vars(position).update(vars(after))


def leave(venue: Venue, position: Record, kind: int) -> None:
    """The position is closed: its row of the history."""
    venue.rows.remove(position)
    outcome = events.FULL_CLOSES.get(kind, codes.O_LIQUIDATION)
    price = venue.exit_price(position.market, position.side)
    venue.closed_positions.append(events.position_row(position, outcome, venue.now_us, price))


def close_at_once(venue: Venue, position: Record, kind: int) -> None:
    """What a tick triggers: refused ones wait for the next tick."""
    try:
        deal = plan(venue, position, a.PERCENTAGE, kind)
    except Refused:
        return
    book(venue, position, deal, order_id=-1)
