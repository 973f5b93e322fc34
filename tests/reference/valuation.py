"""Assets under management: what the pool would be worth if every position closed at this tick. Spec 1.11."""

from dataclasses import dataclass

from kernels import codes
from tests.reference import accounting
from tests.reference.position import profit_and_loss
from tests.reference.venue import SIDES, Venue


@dataclass
class Collective:
    """One side of one market seen as a single position; all zero when nothing is open."""

    profit: int = 0
    loss: int = 0
    exit_fee: int = 0
    interest: int = 0  # only where interest enters AUM through the profit or loss
    funding: int = 0  # only where funding enters AUM

    @property
    def trader_pnl(self) -> int:
        """Price result of the traders before their fees; + they win."""
        return self.profit - self.loss + self.exit_fee + self.interest + self.funding


@dataclass
class Valuation:
    assets: int
    interest: int  # level of all borrow interest, whichever way it enters
    sides: dict[tuple[int, int], Collective]
    drift: int
    aum: int


def collective(venue: Venue, market: int, side: int) -> Collective:
    """Profit or loss of one side at its average entry price, and the costs in it. Spec 1.11, Pool::get_pnl_usd."""
    book = venue.sides[market, side]
    if book.open_positions == 0:
        return Collective()
    interest = funding = 0
    if side == codes.LONG and market == _market_with_interest(venue, venue.collateral_custody(market, side)):
        interest = accounting.interest_level(venue, venue.collateral_custody(market, side), side)
    if venue.params["funding_in_aum"]:
        funding = accounting.funding_level(venue, market, side)
    found = Collective(exit_fee=book.exit_fee_usd, interest=interest, funding=funding)
    entry = book.weighted // book.total_quantity if book.total_quantity else 0
    if entry == 0:
        return found
    cost = found.exit_fee + interest + max(funding, 0)
    found.profit, found.loss = profit_and_loss(
        side,
        book.size_usd,
        entry,
        venue.trade_price(market),
        cost,
        max(-funding, 0),
        0,
        _profit_cap(venue, market, side),
    )
    return found


def _profit_cap(venue: Venue, market: int, side: int) -> int:
    """Value of the locked tokens at the high price. Shorts of a market with a token of its own take a detour.

    Spec 1.11.

    Their stables, at the high price, are turned into tokens of the long custody at its low price, and back.
    """
    custody = venue.collateral_custody(market, side)
    cap = venue.usd(venue.sides[market, side].locked, custody, venue.high(custody))
    long_custody = venue.collateral_custody(market, codes.LONG)
    if side == codes.LONG or long_custody == custody:
        return cap
    low = venue.low(long_custody)
    return venue.usd(venue.tokens(cap, long_custody, low), long_custody, low)


def _market_with_interest(venue: Venue, custody: int) -> int:
    """The market whose collective long carries the interest of this custody; -1: the interest counts directly."""
    if not venue.custody_params[custody]["interest_in_pnl"]:
        return -1
    for market, params in enumerate(venue.market_params):
        if params["long_custody"] == custody and venue.sides[market, codes.LONG].open_positions:
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


def value(venue: Venue) -> Valuation:
    """A = assets + interest + losses - profits + drift, not below 0; less fees due, not below 0. Spec 1.11.

    Pool::get_assets_under_management_usd.
    """
    assets = direct = interest = 0
    for number, custody in enumerate(venue.custodies):
        assets += venue.usd(custody.owned, number, venue.low(number))
        for side in SIDES:
            level = accounting.interest_level(venue, number, side)
            interest += level
            if side == codes.SHORT or _market_with_interest(venue, number) < 0:
                direct += level
    sides = {key: collective(venue, *key) for key in venue.sides}
    drift = collateral_drift(venue)
    gross = assets + direct + drift + sum(side.loss - side.profit for side in sides.values())
    aum = max(0, max(0, gross) - venue.pool.fees_debt_usd - venue.pool.referrers_debt_usd)
    return Valuation(assets=assets, interest=interest, sides=sides, drift=drift, aum=aum)


def aum(venue: Venue) -> int:
    return value(venue).aum
