"""What a valuation says, whichever rule made it: assets by custody, the sides' results, and the sum."""

from dataclasses import dataclass, field

from kernels import codes
from tests.reference.arithmetic import DOLLAR
from tests.reference.venue import Venue

LOW, HIGH, EMA = range(3)  # which price of the custodies is taken


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
    """Micro-dollars; `values` are the assets by custody, at the `prices` the rule takes."""

    prices: list[int]
    values: list[int]
    aum: int
    interest: int = 0  # level of the borrow interest that counts, whichever way it enters
    sides: dict[tuple[int, int], Collective] = field(default_factory=dict)
    drift: int = 0
    margin: int = 0  # traders' collateral inside the assets
    sides_count: bool = True  # the sides' results are part of `aum`

    @property
    def assets(self) -> int:
        return sum(self.values)


def price(venue: Venue, custody: int, mode: int) -> int:
    """A stable may be floored at a dollar: the pool never counts it for less."""
    found, params = (venue.low, venue.high, venue.ema)[mode](custody), venue.custody_params[custody]
    return max(found, DOLLAR) if params["stable"] and params["peg"] == codes.PEG_FLOORED else found


def assets(venue: Venue, prices: list[int]) -> list[int]:
    """Value of what is owned, by custody."""
    return [venue.usd(book.owned, number, prices[number]) for number, book in enumerate(venue.custodies)]


def debts(venue: Venue) -> int:
    """Fees due to others that still lie in the pool."""
    return venue.pool.fees_debt_usd + venue.pool.referrers_debt_usd
