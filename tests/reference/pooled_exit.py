"""Tokens of exits where longs' collateral lies inside the pool: GMX v1 (gmx.md A7, A9), Jupiter.

A long is paid out of the pool; a short out of its own collateral, which the pool fills up or takes from by the result.
"""

from kernels import codes
from tests.reference import exits, fees, rates
from tests.reference.exits import Settlement
from tests.reference.venue import Refused, Venue


def plan_tokens(venue: Venue, deal: Settlement) -> None:
    """Fill in the tokens of a settlement, and refuse one that the pool cannot pay."""
    number, closing = deal.closing.custody, deal.closing
    high = venue.high(number)
    total = venue.tokens(deal.fees_usd, number, high)
    result_usd = deal.pnl
    deal.close_amount = venue.tokens(deal.close_usd, number, high)
    if deal.seized:
        deal.keeper_units = venue.tokens(deal.liquidator_usd, number, high)
    left_to_pool = exits.is_left_to_pool(venue, deal)
    if left_to_pool:
        exits.leave_to_pool(venue, deal)
    exits.reward_liquidator(venue, deal)
    deal.reserved_units = fees.reserved_units(venue, total, venue.tokens(deal.exit_fee, number, high))
    if closing.side == codes.LONG:
        _long_tokens(venue, deal)
    else:
        _short_tokens(venue, deal, result_usd, total, left_to_pool)
    require_payable(venue, number, deal.owned_change, -closing.locked)


def _long_tokens(venue: Venue, deal: Settlement) -> None:
    """With a reserve the pool gives payout and fees in one conversion; what the two floors lose is nobody's."""
    number = deal.closing.custody
    high = venue.high(number)
    if deal.seized:
        deal.owned_change = -deal.reserved_units - deal.keeper_units
        return
    taken = deal.close_amount + deal.reserved_units
    if venue.params["fee_booking"] == codes.BOOK_RESERVE and deal.close_usd > 0:
        taken = venue.tokens(deal.close_usd + deal.fees_usd, number, high)
    deal.owned_change = -taken
    deal.stranded_units = taken - deal.close_amount - deal.reserved_units


def _short_tokens(venue: Venue, deal: Settlement, result_usd: int, total: int, left_to_pool: bool) -> None:
    """The pool gains losses, funding and the fees that are not reserved; of a bankrupt position all but the reserve."""
    closing, number = deal.closing, deal.closing.custody
    high, kept = venue.high(number), total - deal.reserved_units
    out = deal.close_amount
    if deal.seized:
        fees_usd = deal.exit_fee + deal.borrow_total
        left = max(closing.collateral_usd - fees_usd, 0)
        out = deal.keeper_units
        deal.owned_change = venue.tokens(left, number, high) + kept - out
    elif left_to_pool or deal.deficit_fee > 0:
        deal.owned_change = closing.collateral_units - deal.reserved_units
    else:
        gained = venue.signed_tokens(deal.funding, number, high) - venue.signed_tokens(result_usd, number, high)
        deal.owned_change = gained + kept
    moved = out + deal.reserved_units + deal.owned_change
    deal.collateral_change = -moved
    if deal.full:
        deal.collateral_change = -closing.collateral_units
        deal.stranded_units = closing.collateral_units - moved


def require_payable(venue: Venue, number: int, owned_change: int, locked_change: int) -> None:
    """What stays covers what stays locked, at a lawful rate. GMX v1 _decreasePoolAmount."""
    custody = venue.custodies[number]
    owned, locked = custody.owned + owned_change, custody.locked + locked_change
    if owned < 0 or locked > owned:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    rates.require_rate(venue, number, owned, locked)
