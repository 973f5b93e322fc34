"""The value of a pool that holds the longs' collateral itself: spec gmx A11 (GlpManager.getAum), solana venues 3.5.

A token that is lent out to longs counts at what they owe for it (size less collateral), the rest at the price;
shorts add or take their collective profit against their average price.
"""

from kernels import codes
from tests.reference import accounting
from tests.reference import arithmetic as a
from tests.reference.valued import EMA, LOW, Collective, Valuation, assets, debts, price
from tests.reference.venue import Venue


def value(venue: Venue, mode: int) -> Valuation:
    """A = stables + guaranteed + free tokens + short losses - short profits, not below 0; less fees due."""
    prices = [price(venue, number, mode) for number in range(len(venue.custodies))]
    values, sides = assets(venue, prices), {key: Collective() for key in venue.sides}
    total = 0
    for number, book in enumerate(venue.custodies):
        if venue.custody_params[number]["stable"]:
            total += values[number]
            continue
        longs = [m for m, params in enumerate(venue.market_params) if params["long_custody"] == number]
        size, collateral = _longs(venue, longs)
        free = venue.usd(max(book.owned - book.locked, 0), number, prices[number])
        total += size - collateral + free
        for market in longs:
            sides[market, codes.LONG].profit = _long_profit(venue, market, prices[number])
    for market in range(len(venue.market_params)):
        delta = short_profit(venue, market, mode)
        sides[market, codes.SHORT].profit = delta
        total -= delta
    if venue.params["funding_in_aum"]:
        for key, side in sides.items():
            side.funding = accounting.funding_level(venue, *key)
            side.profit -= side.funding  # trader_pnl is the price result alone
            total += side.funding
    aum = max(0, max(0, total) - debts(venue))
    margin = sum(venue.sides[market, codes.LONG].collateral_usd for market in range(len(venue.market_params)))
    return Valuation(prices, values, aum, sides=sides, margin=margin)


def _long_profit(venue: Venue, market: int, at: int) -> int:
    """What the tokens lent to the longs of a market are worth above what they owe. The floors are left to rounding."""
    book = venue.sides[market, codes.LONG]
    return venue.usd(book.locked, venue.collateral_custody(market, codes.LONG), at) - book.size_usd


def _longs(venue: Venue, markets: list[int]) -> tuple[int, int]:
    """(size, collateral) of the longs that hold a custody's tokens."""
    books = [venue.sides[market, codes.LONG] for market in markets]
    return sum(book.size_usd for book in books), sum(book.collateral_usd for book in books)


def short_profit(venue: Venue, market: int, mode: int) -> int:
    """Signed profit of all shorts: floor(S * |A - q| / A), + while the average A is above the price q."""
    book, average = venue.sides[market, codes.SHORT], short_average(venue, market)
    if book.size_usd == 0 or average == 0:
        return 0
    if mode == EMA:
        at = venue.market_ema(market)
    else:
        at = venue.market_low(market) if mode == LOW else venue.market_high(market)
    return a.sign(average - at) * (book.size_usd * abs(average - at) // average)


def short_average(venue: Venue, market: int) -> int:
    """The vault's own average, or its mean with the tracker's: floor((A * (1e4 - w) + T * w) / 1e4)."""
    book, weight = venue.sides[market, codes.SHORT], venue.params["tracker_weight_bps"]
    if not venue.params["tracker_on"]:
        return book.average_price
    return (book.average_price * (a.BPS - weight) + book.tracker_price * weight) // a.BPS
