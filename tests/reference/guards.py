"""Checks of the tick's prices before an order is looked at."""

from kernels import codes
from tests.reference import position as numbers
from tests.reference.venue import Record, Refused, Venue


def require_prices(venue: Venue, market: int, side: int, closed_allowed: bool = False) -> None:
    trouble = venue.price_trouble(market, side, closed_allowed)
    if trouble:
        raise Refused(trouble)


def require_entry(venue: Venue, market: int, side: int, limit: int) -> None:
    """A price to enter at; a long buys at most at the limit, a short sells at least at it. Spec 1.3, slippage."""
    require_prices(venue, market, side)
    price = venue.entry_price(market, side)
    if price <= 0:
        raise Refused(codes.STALE_PRICE)
    if limit > 0 and (price > limit if side == codes.LONG else price < limit):
        raise Refused(codes.PRICE_LIMIT)


def require_exit(venue: Venue, market: int, side: int) -> None:
    require_prices(venue, market, side)
    if venue.exit_price(market, side) <= 0:
        raise Refused(codes.STALE_PRICE)


def require_reducible(venue: Venue, position: Record, limit: int) -> None:
    """Old enough, and a long sells at least at the limit, a short buys back at most at it. Spec 1.9."""
    if numbers.is_too_young(venue, position):
        raise Refused(codes.POSITION_TOO_YOUNG)
    price = venue.exit_price(position.market, position.side)
    if limit > 0 and (price < limit if position.side == codes.LONG else price > limit):
        raise Refused(codes.PRICE_LIMIT)
