"""Decrease and withdrawal of GMX v1 (gmx.md A7): the closed share of the result is realised, collateral stays put.

Costs are taken from what goes out, or, where that is too little, from the collateral that stays.
"""

from copy import copy
from dataclasses import dataclass

from kernels import codes
from tests.reference import accounting, events, fees, health, impact, pooled, pooled_exit, rates, settle, shorts
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference.guards import require_exit, require_prices, require_reducible
from tests.reference.venue import Record, Refused, Venue

Order = dict[str, int]


@dataclass
class Reduction:
    """A share closed. `after`: what stays. All money signed as in the event; `fees_usd` are exit fee and interest."""

    before: Record
    after: Record
    kind: int
    removed: int
    result: int
    exit_fee: int
    borrow_fee: int
    owed: int
    paid_usd: int = 0
    from_collateral: bool = False
    paid: int = 0
    owned: int = 0
    aside: int = 0
    reserved: int = 0
    stranded: int = 0

    @property
    def fees_usd(self) -> int:
        return self.exit_fee + self.borrow_fee

    @property
    def costs(self) -> int:
        return self.fees_usd + self.owed


def decrease(venue: Venue, position: Record, order: Order) -> None:
    """Size by fraction or dollars, collateral by dollars; the whole size is a close."""
    require_exit(venue, position.market, position.side)
    removed, withdrawn = max(order["size_usd"], 0), max(order["collateral_usd"], 0)
    if order["fraction_e6"] >= 0:
        removed = position.size_usd * order["fraction_e6"] // a.PERCENTAGE
    if removed > position.size_usd:
        raise Refused(codes.SIZE_EXCEEDS_POSITION)
    if removed == 0 and withdrawn == 0:
        raise Refused(codes.INVALID_ORDER)
    if withdrawn > position.collateral_usd:
        raise Refused(codes.INSUFFICIENT_COLLATERAL)
    require_reducible(venue, position, order["limit_price"])
    if removed == position.size_usd:
        deal = settle.plan(venue, position, a.PERCENTAGE, codes.K_CLOSE)
        settle.book(venue, position, deal, order["order_id"])
        return
    _reduce(venue, position, removed, withdrawn, codes.K_DECREASE, order["order_id"])


def withdraw(venue: Venue, position: Record, order: Order) -> None:
    """The same without a change of size; the checks before it are those of any edit of collateral."""
    require_prices(venue, position.market, position.side, closed_allowed=True)
    withdrawn = order["collateral_usd"]
    if withdrawn <= 0:
        raise Refused(codes.INVALID_ORDER)
    if numbers.is_edit_locked(venue, position):
        raise Refused(codes.COLLATERAL_EDIT_LOCK)
    if withdrawn > position.collateral_usd:
        raise Refused(codes.INSUFFICIENT_COLLATERAL)
    _reduce(venue, position, 0, withdrawn, codes.K_WITHDRAW_COLLATERAL, order["order_id"])


def _reduce(venue: Venue, position: Record, removed: int, withdrawn: int, kind: int, order_id: int) -> None:
    change = _reduction(venue, position, removed, withdrawn, kind)
    _add_tokens(venue, change)
    health.require_allowed(venue, change.after, initial=False)
    pooled_exit.require_payable(venue, position.custody, change.owned, change.after.locked - position.locked)
    _book(venue, position, change, order_id)


def _reduction(venue: Venue, position: Record, removed: int, withdrawn: int, kind: int) -> Reduction:
    """Money of the change, and the position afterwards."""
    part, after, gross = copy(position), copy(position), numbers.gross(venue, position)
    interest, owed = pooled.carry(venue, after)  # of the whole size
    for name in ("exit_fee_usd", "liquidation_fee_usd", "borrow_size_usd", "locked", "size_usd"):
        share = getattr(position, name) * removed // position.size_usd
        setattr(part, name, share)
        setattr(after, name, getattr(position, name) - share)
    exit_fee = fees.settled_fee(venue, part, kind) if removed > 0 else 0
    result = a.sign(gross) * (removed * abs(gross) // position.size_usd)
    change = Reduction(position, after, kind, removed, result, exit_fee, interest, owed)
    after.collateral_usd += min(result, 0)
    if after.collateral_usd < 0:
        raise Refused(codes.LOSSES_EXCEED_COLLATERAL)
    after.collateral_usd -= withdrawn
    out = max(result, 0) + withdrawn
    change.from_collateral = out <= change.costs
    if change.from_collateral:
        after.collateral_usd -= change.costs
    if after.collateral_usd < 0:
        raise Refused(codes.INSUFFICIENT_COLLATERAL)
    change.paid_usd = out if change.from_collateral else out - change.costs
    if kind == codes.K_WITHDRAW_COLLATERAL:
        after.edit_s = venue.now
    return change


def _add_tokens(venue: Venue, change: Reduction) -> None:
    """As for a close: at GMX v1 what a long's payout gives to the trader and to the fees is one conversion."""
    number = change.before.custody
    high = venue.high(number)
    total = venue.tokens(change.fees_usd, number, high)
    change.reserved = fees.reserved_units(venue, total, venue.tokens(change.exit_fee, number, high))
    change.paid = venue.tokens(change.paid_usd, number, high)
    if change.before.side == codes.LONG:
        taken = change.paid + change.reserved
        together = venue.params["partial_close"] == codes.PARTIAL_REALISED
        if together and venue.params["fee_booking"] == codes.BOOK_RESERVE:
            taken = change.paid + total
            if not change.from_collateral:
                taken = venue.tokens(change.paid_usd + change.fees_usd, number, high)
        change.owned = -taken
        change.stranded = taken - change.paid - change.reserved
        return
    gained = venue.signed_tokens(change.owed, number, high) - venue.signed_tokens(change.result, number, high)
    change.owned = gained + total - change.reserved
    moved = change.paid + change.reserved + change.owned
    # A stable that has fallen may cost a short more tokens than it has: the venue's other tokens pay.
    change.after.collateral_units = max(change.before.collateral_units - moved, 0)
    change.aside = change.after.collateral_units - change.before.collateral_units
    change.stranded = -moved - change.aside


def _book(venue: Venue, position: Record, change: Reduction, order_id: int) -> None:
    custody, after = venue.custodies[position.custody], change.after
    freed, collateral_usd = position.locked - after.locked, after.collateral_usd - position.collateral_usd
    shorts.on_decrease(venue, position, change.removed)
    impact.record_change(venue, position.market, -change.removed)
    custody.owned += change.owned
    custody.collateral += change.aside
    custody.locked -= freed
    custody.fees += change.reserved
    custody.stranded += change.stranded
    shares = fees.split(venue, change.exit_fee, change.borrow_fee, position.referred)
    fees.book_debt(venue, shares)
    accounting.remove(venue, position, full=True)
    accounting.add(venue, after)
    vars(position).update(vars(after))
    rates.refresh_borrow(venue, position.custody)
    rates.refresh_funding(venue, position.market)
    events.write_position(
        venue,
        change.kind,
        position,
        order_id,
        deposited=0,
        size_usd=-change.removed,
        collateral_usd=collateral_usd,
        trader_out_units=change.paid,
        owned_units=change.owned,
        collateral_units=change.aside,
        locked_units=-freed,
        fee_units=change.reserved,
        stranded_units=change.stranded,
        pnl_usd=change.result,
        exit_fee_usd=change.exit_fee,
        borrow_fee_usd=change.borrow_fee,
        funding_usd=change.owed,
        payout_usd=change.paid_usd,
        margin_usd=collateral_usd if position.side == codes.LONG else 0,
        **shares.columns,
    )
