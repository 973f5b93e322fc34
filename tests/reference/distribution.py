"""The paying out of fees that are due to others. Spec 1.12; reserves of solana venues 3.1 and gmx A10."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import rates
from tests.reference.flows import Order, low_usd, require_fresh_prices, write
from tests.reference.valued import debts
from tests.reference.venue import Refused, Venue


def distribute_fees(venue: Venue, order: Order) -> None:
    """The debt, or the reserve of one custody or of all."""
    if venue.params["fee_booking"] == codes.BOOK_DEBT:
        _pay_debt(venue, order["order_id"])
        return
    named = order["custody"]
    numbers = [named] if named >= 0 else range(len(venue.custodies))
    numbers = [number for number in numbers if venue.custodies[number].fees > 0]
    if not numbers:
        raise Refused(codes.NOTHING_TO_DO)
    for number in numbers:
        _empty_reserve(venue, order["order_id"], number)


def _empty_reserve(venue: Venue, order_id: int, number: int) -> None:
    """The liquidity providers' part may join the pool; the rest leaves."""
    custody, fees, joining = venue.custodies[number], venue.custodies[number].fees, 0
    if venue.params["lp_share_joins"] and venue.params["fee_booking"] == codes.BOOK_RESERVE:
        joining = fees * venue.params["lp_share_bps"] // a.BPS
    custody.fees = 0
    custody.owned += joining
    if joining:
        rates.refresh_borrow(venue, number)
    columns = {"fees_out_units": fees - joining, "fee_units": -fees, "owned_units": joining}
    columns["reserved_fee_usd"] = -low_usd(venue, joining, number)
    write(venue, codes.K_DISTRIBUTE_FEES, order_id, number, **columns)


def _pay_debt(venue: Venue, order_id: int) -> None:
    """Pay all fee debt from one custody, a token for a dollar, while its low price holds the peg.

    Spec 1.12, distribute_fees.
    """
    pool, number, debt = venue.pool, venue.params["fee_custody"], debts(venue)
    if number < 0 or debt == 0:
        raise Refused(codes.NOTHING_TO_DO)
    if venue.low(number) <= venue.params["depeg_floor"]:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    custody = venue.custodies[number]
    units = debt * venue.custody_params[number]["unit"] // 1_000_000
    if custody.locked + units > custody.owned:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    rates.require_rate(venue, number, custody.owned - units, custody.locked)
    custody.owned -= units
    pool.fees_debt_usd = pool.referrers_debt_usd = 0
    rates.refresh_borrow(venue, number)
    columns = {"fees_out_units": units, "owned_units": -units, "debt_paid_usd": debt}
    write(venue, codes.K_DISTRIBUTE_FEES, order_id, number, **columns)


def distribute_when_due(venue: Venue) -> None:
    """The automatic round. One that cannot pay is skipped until the next."""
    interval = venue.params["distribution_interval_s"]
    if interval <= 0 or venue.now < venue.pool.next_distribution_s:
        return
    venue.pool.next_distribution_s = (venue.now // interval + 1) * interval
    try:
        require_fresh_prices(venue)
        distribute_fees(venue, {"order_id": -1, "custody": -1})
    except Refused:
        pass
