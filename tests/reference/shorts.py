"""Average entry price of all shorts of a market: the vault's own, and the tracker's, which knows realised results.

GMX v1: Vault.getNextGlobalShortAveragePrice and ShortsTracker (gmx.md A6, A12). Both are kept where the pool's value is
built on them, and outlive the last short.
"""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference.arithmetic import SCALE
from tests.reference.venue import Record, Venue


def on_increase(venue: Venue, position: Record, added: int) -> None:
    """Before the side grows by `added` dollars at this tick's entry price."""
    if not _is_kept(venue, position, added):
        return
    book, price = venue.sides[position.market, codes.SHORT], venue.entry_price(position.market, codes.SHORT)
    _track(venue, position.market, added, realised=0, mark=venue.market_low(position.market))
    if book.size_usd == 0:
        book.average_price = price
        return
    gain = -1 if book.average_price > price else 1
    book.average_price = a.preserving_price(book.average_price, book.size_usd, added, price, price, gain)


def on_decrease(venue: Venue, position: Record, removed: int) -> None:
    """Before the side shrinks by `removed` dollars of this position. The vault's own average stays."""
    if not _is_kept(venue, position, removed):
        return
    size, mark = venue.sides[position.market, codes.SHORT].size_usd, venue.market_high(position.market)
    realised = 0
    if not numbers.profit_is_ignored(venue, position):
        fraction = abs(position.entry_price - mark) * SCALE // position.entry_price
        realised = a.sign(position.entry_price - mark) * (fraction * removed // size)
    _track(venue, position.market, -removed, realised, mark)


def _is_kept(venue: Venue, position: Record, change: int) -> bool:
    guaranteed = venue.params["valuation"] == codes.VALUE_GUARANTEED
    return guaranteed and position.side == codes.SHORT and change > 0


def _track(venue: Venue, market: int, change: int, realised: int, mark: int) -> None:
    """A' leaves the unrealised result of what stays as it was, less what this change realises.

    d = |A - mark| / A, + while shorts are in profit; d' = d - realised; n = next size / size; all as fractions of the
    size, scaled by SCALE: A' = mark * n / (n - d').
    """
    if not venue.params["tracker_on"]:
        return
    book = venue.sides[market, codes.SHORT]
    size, average = book.size_usd, book.tracker_price
    if size + change <= 0:
        book.tracker_price = 0
        return
    if size == 0 or average == 0:
        book.tracker_price = mark
        return
    pending = a.sign(average - mark) * (abs(average - mark) * SCALE // average) - realised
    share = (size + change) * SCALE // size
    if change > 0:  # fractions of the size after it
        share, pending = SCALE, a.sign(pending) * (abs(pending) * size // (size + change))
    if share - pending > 0:  # else no price would explain the result: the average stays
        book.tracker_price = mark * share // (share - pending)
