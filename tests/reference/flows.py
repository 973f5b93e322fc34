"""What every action on the pool shares: fresh prices, accounts, and the event with its value and its remainder."""

from kernels import codes, state
from tests.reference import arithmetic as a
from tests.reference import events
from tests.reference.venue import Record, Refused, Venue, record

Order = dict[str, int]
SYMBOLS = ("price_symbol", "low_symbol", "high_symbol", "ema_symbol")


def require_fresh_prices(venue: Venue) -> None:
    """Flows need every price of the pool; a closed market does not matter."""
    symbols = {params[name] for params in venue.custody_params + venue.market_params for name in SYMBOLS}
    if any(venue.flags[symbol] & codes.FLAG_STALE for symbol in symbols):
        raise Refused(codes.STALE_PRICE)


def account(venue: Venue, number: int) -> Record:
    if number not in venue.accounts:
        venue.accounts[number] = record(state.LP_ACCOUNT.names, account=number)
    return venue.accounts[number]


def low_usd(venue: Venue, units: int, custody: int) -> int:
    """Signed value of a signed number of units, at the low price."""
    return a.sign(units) * venue.usd(abs(units), custody, venue.low(custody))


def write(venue: Venue, kind: int, order_id: int, custody: int, **columns: int) -> None:
    """An event of the pool: value of the units by which the books moved, and the spread that explains the rest.

    spread = owned_value - lp_flow - lp_fee + debt_paid + reserved_fee.
    """
    worth = low_usd(venue, columns.get("owned_units", 0), custody)
    named = columns.get("lp_flow_usd", 0) + columns.get("lp_fee_usd", 0)
    named -= columns.get("debt_paid_usd", 0) + columns.get("reserved_fee_usd", 0)
    events.write(
        venue,
        kind,
        order_id=order_id,
        custody=custody,
        custody_price=venue.mid(custody),
        owned_value_usd=worth,
        spread_usd=worth - named,
        **columns,
    )
