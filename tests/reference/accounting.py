"""Collective positions: one per (market, side) for price and size, one per (custody, side) for borrow interest.

Spec 1.10.
"""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference import rates
from tests.reference.venue import Record, Venue


def interest_level(venue: Venue, custody: int, side: int) -> int:
    """Interest owed by all positions of the book since the collective snapshot, plus what was brought forward."""
    book = venue.interest[custody, side]
    return book.cum_interest_usd + rates.accrued(
        venue, rates.borrow_index(venue, custody), book.cum_snapshot, book.borrow_size_usd
    )


def funding_level(venue: Venue, market: int, side: int) -> int:
    """Funding owed by one side collectively: brought forward + sign * floor(|F - snapshot| * size / 1e9)."""
    book = venue.sides[market, side]
    change = rates.funding_index(venue, market) - book.funding_snapshot
    return book.funding_usd + rates.funding_sign(change, side) * (abs(change) * book.size_usd // a.RATE)


def add(venue: Venue, position: Record) -> None:
    """Enter a position. Spec 1.10, Custody::add_position.

    The interest of the collective so far, and the position's own unrealised part, are brought forward.
    """
    market, side, custody = position.market, position.side, position.custody
    owed = venue.interest[custody, side]
    owed.cum_interest_usd = interest_level(venue, custody, side) + position.unrealised_interest_usd
    owed.cum_snapshot = rates.borrow_index(venue, custody)
    owed.open_positions += 1
    owed.borrow_size_usd += position.borrow_size_usd
    owed.locked += position.locked

    book = venue.sides[market, side]
    book.funding_usd = funding_level(venue, market, side) + position.unrealised_funding_usd
    book.funding_snapshot = rates.funding_index(venue, market)
    book.open_positions += 1
    _change_size(book, position, 1)


def remove(venue: Venue, position: Record, full: bool) -> None:
    """Take out a whole position, or the closed part of one. Spec 1.10, Custody::remove_position.

    Its own interest leaves the collective one, which saturates at 0. The last position resets everything.
    """
    market, side, custody = position.market, position.side, position.custody
    owed = venue.interest[custody, side]
    if full and owed.open_positions == 1:
        _reset(owed)
    else:
        own = numbers.interest(venue, position)
        owed.cum_interest_usd = max(0, interest_level(venue, custody, side) - own)
        owed.cum_snapshot = rates.borrow_index(venue, custody)
        owed.borrow_size_usd -= position.borrow_size_usd
        owed.locked -= position.locked
        owed.open_positions -= int(full)

    book = venue.sides[market, side]
    if full and book.open_positions == 1:
        averages = book.average_price, book.tracker_price  # they outlive the last position
        _reset(book)
        book.average_price, book.tracker_price = averages
        return
    book.funding_usd = funding_level(venue, market, side) - numbers.funding(venue, position)
    book.funding_snapshot = rates.funding_index(venue, market)
    book.open_positions -= int(full)
    _change_size(book, position, -1)


def change_collateral(venue: Venue, position: Record, change_usd: int) -> None:
    """Only longs keep the sum of their collateral: it is the basis of the pool's collateral drift. Spec 1.10, 1.11."""
    if position.side == codes.LONG:
        venue.sides[position.market, position.side].collateral_usd += change_usd


def _change_size(book: Record, position: Record, direction: int) -> None:
    units = a.quantity(position.size_usd, position.entry_price)
    book.size_usd += direction * position.size_usd
    book.exit_fee_usd += direction * position.exit_fee_usd
    book.locked += direction * position.locked
    book.weighted += direction * position.entry_price * units
    book.total_quantity += direction * units
    if position.side == codes.LONG:
        book.collateral_usd += direction * position.collateral_usd


def _reset(book: Record) -> None:
    for name in vars(book):
        setattr(book, name, 0)
