"""Orders that move collateral or interest of an open position and leave its size alone. Spec 1.9.

None of them refreshes the borrow rate where margin is separate; pooled margin has its own rules.
"""

from copy import copy

from kernels import codes
from tests.reference import accounting, events, fees, health, pooled, rates, realised
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference.guards import require_prices
from tests.reference.sizing import Order, collateral_given
from tests.reference.venue import Record, Refused, Venue


def deposit_collateral(venue: Venue, position: Record, order: Order) -> None:
    """Collateral grows by the dollars of the tokens. Spec 1.9, add_collateral_long; no refresh of the borrow rate."""
    require_prices(venue, position.market, position.side, closed_allowed=not venue.pooled)
    if numbers.is_edit_locked(venue, position):
        raise Refused(codes.COLLATERAL_EDIT_LOCK)
    custody = position.custody
    units = collateral_given(venue, custody, order)
    if units <= 0:
        raise Refused(codes.INVALID_ORDER)
    if venue.pooled:
        pooled.deposit(venue, position, units, order["order_id"])
        return
    added = venue.usd(units, custody, venue.posted(custody))
    if max(units, added) > a.LARGEST_AMOUNT:
        raise Refused(codes.AMOUNT_OUT_OF_RANGE)
    changed = copy(position)
    changed.collateral_usd += added
    changed.collateral_units += units
    changed.edit_s = venue.now
    health.require_allowed(venue, changed, initial=bool(venue.params["deposit_initial"]))
    vars(position).update(vars(changed))
    venue.custodies[custody].collateral += units
    accounting.change_collateral(venue, position, added)
    events.write_position(
        venue,
        codes.K_DEPOSIT_COLLATERAL,
        position,
        order["order_id"],
        collateral_usd=added,
        trader_in_units=units,
        collateral_units=units,
    )


def withdraw_collateral(venue: Venue, position: Record, order: Order) -> None:
    """Collateral shrinks by the asked dollars, paid at the high price. Spec 1.9, remove_collateral_long."""
    if venue.pooled:
        realised.withdraw(venue, position, order)
        return
    require_prices(venue, position.market, position.side, closed_allowed=True)
    amount, custody = order["collateral_usd"], position.custody
    if amount <= 0 or amount >= position.collateral_usd:
        raise Refused(codes.INVALID_ORDER)
    if numbers.is_edit_locked(venue, position):
        raise Refused(codes.COLLATERAL_EDIT_LOCK)
    units = venue.tokens(amount, custody, venue.high(custody))
    if units > position.collateral_units:
        raise Refused(codes.INSUFFICIENT_COLLATERAL)
    changed = copy(position)
    changed.collateral_usd -= amount
    changed.collateral_units -= units
    changed.edit_s = venue.now  # the program stamps the position's update time here too
    health.require_allowed(venue, changed, initial=True)
    vars(position).update(vars(changed))
    venue.custodies[custody].collateral -= units
    accounting.change_collateral(venue, position, -amount)
    events.write_position(
        venue,
        codes.K_WITHDRAW_COLLATERAL,
        position,
        order["order_id"],
        collateral_usd=-amount,
        trader_out_units=units,
        collateral_units=-units,
        payout_usd=amount,
        drift_usd=venue.usd(units, custody, venue.low(custody)) - amount,
    )


def resolve_borrow(venue: Venue, position: Record, order: Order) -> None:
    """Interest so far becomes paid interest, and its shares become due. Spec 1.9, resolve_position_borrow_fees.

    Profit and loss stay as they were; neither the collective interest nor the borrow rate is touched.
    """
    require_prices(venue, position.market, position.side, closed_allowed=True)
    accrues = venue.params["interest"] == codes.INTEREST_ACCRUED and venue.params["fee_booking"] == codes.BOOK_DEBT
    if venue.pooled or not accrues:
        raise Refused(codes.INVALID_ORDER)  # nothing is set aside that could be paid without tokens
    due = numbers.interest(venue, position)
    if due == 0:
        raise Refused(codes.NOTHING_TO_DO)
    position.unrealised_interest_usd = 0
    position.cum_snapshot = rates.borrow_index(venue, position.custody)
    position.paid_interest_usd += due
    shares = fees.split(venue, 0, due, position.referred)
    fees.book_debt(venue, shares)
    events.write_position(
        venue,
        codes.K_RESOLVE_BORROW,
        position,
        order["order_id"],
        borrow_fee_usd=due,
        prepaid_borrow_usd=-due,
        **shares.columns,
    )
