"""Borrow index per custody and virtual funding index per market: what accrues with time, and when the rate changes."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import curves
from tests.reference.venue import Record, Refused, Venue


def borrow_index(venue: Venue, custody: int) -> int:
    """cum(now) = cum + ceil((now - last) * rate / 3600). Spec 1.4, Custody::get_cumulative_interest.

    Stepwise: by whole intervals, with the books of the start of the tick. GMX v1 getNextFundingRate.
    """
    if venue.params["borrow"] == codes.BORROW_STEPWISE:
        return venue.stepwise_index[custody]
    book = venue.custodies[custody]
    if venue.now <= book.last_update_s:
        return book.cum_index
    return book.cum_index + a.ceil_div((venue.now - book.last_update_s) * book.rate, a.HOUR_S)


def rate_with(venue: Venue, custody: int, owned: int, locked: int) -> int:
    return curves.borrow_rate(venue.custody_params[custody], venue.params["borrow"], owned, locked)


def require_rate(venue: Venue, custody: int, owned: int, locked: int) -> None:
    """Refuse an action that would leave the custody with a rate above its maximum. Spec 1.4.

    The other curves know no maximal rate: only what is owned can be locked.
    """
    if venue.params["borrow"] in (codes.BORROW_LINEAR, codes.BORROW_TWO_SLOPE):
        allowed = rate_with(venue, custody, owned, locked) <= venue.custody_params[custody]["borrow_max"]
    else:
        allowed = locked <= owned
    if not allowed:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)


def refresh_borrow(venue: Venue, custody: int) -> None:
    """Accumulate the index up to now, then take the rate of the present books. Spec 1.4, Custody::update_borrow_rate.

    An empty custody only forgets its rate: what accrued since the last update is dropped, as on the venue.
    """
    book = venue.custodies[custody]
    if venue.params["borrow"] == codes.BORROW_STEPWISE:
        _refresh_stepwise(venue, custody)
        return
    if book.owned == 0:
        book.rate = 0
        book.last_update_s = max(venue.now, book.last_update_s)
        return
    if venue.now > book.last_update_s:
        book.cum_index = borrow_index(venue, custody)
        book.last_update_s = venue.now
    book.rate = rate_with(venue, custody, book.owned, book.locked)


def _refresh_stepwise(venue: Venue, custody: int) -> None:
    """GMX v1 updateCumulativeFundingRate: whole intervals only; the clock stays on multiples of the interval.

    The index of this tick was taken before anything changed, so a second touch adds nothing.
    """
    book, interval = venue.custodies[custody], venue.params["borrow_interval_s"]
    book.cum_index = borrow_index(venue, custody)
    if venue.now >= book.last_update_s + interval:
        book.last_update_s = venue.now - venue.now % interval
    book.rate = rate_with(venue, custody, book.owned, book.locked)


def accrued(venue: Venue, index: int, snapshot: int, borrow_size: int) -> int:
    """(index - snapshot) * borrow_size / 1e9, rounded as the venue does, 0 unless the index rose. Spec 1.4."""
    if index <= snapshot:
        return 0
    if venue.params["interest_rounding"] == codes.ROUND_CEIL:
        return a.ceil_div((index - snapshot) * borrow_size, a.RATE)
    return (index - snapshot) * borrow_size // a.RATE


def funding_indices(venue: Venue, market: int) -> tuple[int, int]:
    """(long_to_short, short_to_long) at now: the one of the rate's sign grew by ceil(dt * |rate| / 3600). Spec 1.5."""
    book = venue.funding[market]
    grown = a.ceil_div((venue.now - book.last_update_s) * abs(book.rate), a.HOUR_S)
    return book.long_to_short + (grown if book.rate > 0 else 0), book.short_to_long + (grown if book.rate < 0 else 0)


def funding_index(venue: Venue, market: int) -> int:
    """F(now) = long_to_short - short_to_long; rises when longs pay."""
    if venue.params["funding"] == codes.FUNDING_NONE:
        return 0
    long_to_short, short_to_long = funding_indices(venue, market)
    return long_to_short - short_to_long


def refresh_funding(venue: Venue, market: int) -> None:
    """Accumulate both indices, then the rate of the present imbalance of open interest. Spec 1.5.

    imbalance = floor(|L - S| * 1e4 / (L + S));
    rate = min(floor(max * floor(imbalance * sensitivity / 1e4) / 1e4), max);
    positive when longs outweigh; 0 below the minimum open interest.
    """
    if venue.params["funding"] == codes.FUNDING_NONE:
        return
    book, params = venue.funding[market], venue.market_params[market]
    book.long_to_short, book.short_to_long = funding_indices(venue, market)
    book.last_update_s = venue.now
    longs, shorts = (venue.sides[market, side].size_usd for side in (codes.LONG, codes.SHORT))
    total = longs + shorts
    if total == 0 or total < params["funding_min_oi_usd"]:
        book.rate = 0
        return
    imbalance = abs(longs - shorts) * a.BPS // total
    scaled = imbalance * params["funding_sensitivity_bps"] // a.BPS
    rate = min(params["funding_max"] * scaled // a.BPS, params["funding_max"])
    book.rate = rate if longs > shorts else -rate


def funding_sign(change: int, side: int) -> int:
    """+1 when a position of this side owes for this change of F, -1 when it receives."""
    return a.sign(change) if side == codes.LONG else -a.sign(change)


def funding_owed(venue: Venue, position: Record) -> int:
    """Since the position's snapshot: sign * ceil(|F - F0| * size / 1e9), > 0 owes. Spec 1.5."""
    change = funding_index(venue, position.market) - position.funding_snapshot
    return funding_sign(change, position.side) * a.ceil_div(abs(change) * position.size_usd, a.RATE)
