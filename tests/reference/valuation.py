"""Assets under management: what the pool would be worth if every position closed at this tick, by three rules.

`collective` (spec 1.11) and `collective_min_max` (spec 2, "AUM") see each side of each market as one position;
`guaranteed` (tests.reference.guaranteed) sees what is guaranteed to the pool and the short side's profit.
"""

from kernels import codes
from tests.reference import accounting, guaranteed
from tests.reference import arithmetic as a
from tests.reference.valued import LOW, Collective, Valuation, assets, debts, price
from tests.reference.venue import SIDES, Venue

MICRO_DOLLAR = 10_000  # in prices


def collective(venue: Venue, market: int, side: int) -> Collective:
    """Profit or loss of one side at its average entry price, and the costs in it. Spec 1.11, Pool::get_pnl_usd."""
    book, custody = venue.sides[market, side], venue.collateral_custody(market, side)
    if book.open_positions == 0:
        return Collective()
    interest = funding = 0
    if side == codes.LONG and market == _market_with_interest(venue, custody):
        interest = accounting.interest_level(venue, custody, side)
    if venue.params["funding_in_aum"]:
        funding = accounting.funding_level(venue, market, side)
    fee = _close_fee(venue, market, side)
    found = Collective(exit_fee=fee, interest=interest, funding=funding)
    entry = book.weighted // book.total_quantity if book.total_quantity else 0
    if venue.params["valuation"] == codes.VALUE_COLLECTIVE_MIN_MAX:
        entry -= entry % MICRO_DOLLAR  # its prices have six decimals
    if entry:
        net = _result(venue, market, side, entry) - fee - interest - funding
        if net > 0 and _move(venue, market, side, entry) > 0:
            net = min(net, _profit_cap(venue, market, side))
        found.profit, found.loss = max(net, 0), max(-net, 0)
    return found


def _move(venue: Venue, market: int, side: int, entry: int) -> int:
    """How far the price has moved in favour of a side since its average entry."""
    change = venue.exit_price(market, side) - entry
    return change if side == codes.LONG else -change


def _result(venue: Venue, market: int, side: int, entry: int) -> int:
    """Price result of all traders of a side, signed; a loss is rounded up where profits are capped."""
    size, move = venue.sides[market, side].size_usd, _move(venue, market, side, entry)
    if move < 0 and venue.params["profit"] != codes.PROFIT_UNCAPPED:
        return -a.ceil_div(size * -move, entry)
    return a.sign(move) * (size * abs(move) // entry)


def _close_fee(venue: Venue, market: int, side: int) -> int:
    """What closing the whole side at once would cost: the close fee in the form of the leverage check."""
    book, params = venue.sides[market, side], venue.market_params[market]
    variant, bps, size = venue.params["close_fee"], params["close_bps"], book.size_usd
    if variant == codes.CLOSE_FEE_FLAT:
        return a.fee(bps, size)
    if variant == codes.CLOSE_FEE_IMPACT:
        scalar = params["impact_scalar_usd"]
        return a.fee(bps + (a.ceil_div(size * a.BPS, scalar) if scalar else 0), size)
    if variant == codes.CLOSE_FEE_EMA_TOKENS:
        traded, ema = venue.traded_custody(market, side), venue.market_ema(market)
        return venue.usd(a.fee(bps, venue.tokens(size, traded, ema)), traded, ema)
    return book.exit_fee_usd


def _profit_cap(venue: Venue, market: int, side: int) -> int:
    """Value of the locked tokens at the high price. Shorts of a market with a token of its own take a detour.

    Spec 1.11.

    Their stables, at the high price, are turned into tokens of the long custody at its low price, and back.
    The min-max rule takes the locked tokens of either side for tokens of the traded custody, as upstream.
    """
    if venue.params["valuation"] == codes.VALUE_COLLECTIVE_MIN_MAX:
        traded = venue.traded_custody(market, side)
        return venue.usd(venue.sides[market, side].locked, traded, venue.low(traded))
    custody = venue.collateral_custody(market, side)
    cap = venue.usd(venue.sides[market, side].locked, custody, venue.high(custody))
    long_custody = venue.collateral_custody(market, codes.LONG)
    if side == codes.LONG or long_custody in (custody, -1):
        return cap
    low = venue.low(long_custody)
    return venue.usd(venue.tokens(cap, long_custody, low), long_custody, low)


def _market_with_interest(venue: Venue, custody: int) -> int:
    """The market whose collective long carries the interest of this custody; -1: the interest counts directly."""
    if not venue.custody_params[custody]["interest_in_pnl"]:
        return -1
    for market, found in enumerate(venue.market_params):
        if found["long_custody"] == custody and venue.sides[market, codes.LONG].open_positions:
            return market
    return -1


def collateral_drift(venue: Venue) -> int:
    """Volatile collateral at today's low price less what it was worth when it came in. (gain > 0) Spec 1.11."""
    return sum(_drift_of(venue, custody) for custody in range(len(venue.custodies)))


def _drift_of(venue: Venue, custody: int) -> int:
    if venue.custody_params[custody]["stable"]:
        return 0
    booked = sum(
        venue.sides[market, codes.LONG].collateral_usd
        for market, params in enumerate(venue.market_params)
        if params["long_custody"] == custody
    )
    return venue.usd(venue.custodies[custody].collateral, custody, venue.low(custody)) - booked


def _value_collective(venue: Venue) -> Valuation:
    """A = assets + interest + losses - profits + drift, not below 0; less fees due, not below 0. Spec 1.11.

    Pool::get_assets_under_management_usd.
    """
    prices = [venue.low(number) for number in range(len(venue.custodies))]
    values = assets(venue, prices)
    direct = interest = 0
    for number in range(len(venue.custodies)):
        for side in SIDES:
            level = accounting.interest_level(venue, number, side)
            interest += level
            if side == codes.SHORT or _market_with_interest(venue, number) < 0:
                direct += level
    sides = {key: collective(venue, *key) for key in venue.sides}
    drift = collateral_drift(venue)
    gross = sum(values) + direct + drift + sum(side.loss - side.profit for side in sides.values())
    aum = max(0, max(0, gross) - debts(venue))
    return Valuation(prices, values, aum, interest=interest, sides=sides, drift=drift)


def _value_min_max(venue: Venue, mode: int) -> Valuation:
    """A = assets + interest of the stables + losses - profits, not below 0: no drift, no debt. Spec 2, "AUM".

    Of the interest of a stable only what came since the collective snapshot counts.
    """
    prices = [price(venue, number, mode) for number in range(len(venue.custodies))]
    values = assets(venue, prices)
    sides = {key: collective(venue, *key) for key in venue.sides}
    if not venue.params["unrealised_in_aum"]:
        return Valuation(prices, values, sum(values), sides=sides, sides_count=False)
    direct = 0
    for number, params in enumerate(venue.custody_params):
        if params["stable"]:
            books = [venue.interest[number, side] for side in SIDES]
            direct += sum(accounting.interest_level(venue, number, side) for side in SIDES)
            direct -= sum(book.cum_interest_usd for book in books)
    gross = sum(values) + direct + sum(side.loss - side.profit for side in sides.values())
    interest = direct + sum(side.interest for side in sides.values())
    return Valuation(prices, values, max(0, gross), interest=interest, sides=sides)


def value(venue: Venue, mode: int = LOW) -> Valuation:
    """The pool by its own rule; `mode` says which price of the custodies is taken (collective: always the low)."""
    rule = venue.params["valuation"]
    if rule == codes.VALUE_GUARANTEED:
        return guaranteed.value(venue, mode)
    return _value_collective(venue) if rule == codes.VALUE_COLLECTIVE else _value_min_max(venue, mode)


def aum(venue: Venue, mode: int = LOW) -> int:
    return value(venue, mode).aum
