"""Open, increase and deposit where longs' collateral lies inside the pool: GMX v1 (gmx.md A6), Jupiter.

Fees come out of the collateral. Shorts' collateral stays apart.
"""

from copy import copy
from dataclasses import dataclass

from kernels import codes
from tests.reference import accounting, events, fees, health, impact, rates, shorts
from tests.reference import position as numbers
from tests.reference.sizing import Stake, require_limits
from tests.reference.venue import Record, Refused, Venue


@dataclass
class Costs:
    """Taken out of the collateral. `owed` is funding, signed."""

    open_fee: int
    borrow_fee: int
    owed: int

    @property
    def total(self) -> int:
        return self.open_fee + self.borrow_fee + self.owed


def open_position(venue: Venue, position: Record, stake: Stake, kind: int) -> None:
    """`position` is blank: without size or collateral."""
    position.leverage_bps = position.initial_leverage_bps = stake.leverage_bps
    after, costs = _after(venue, position, stake)
    require_room(venue, after, stake, costs, initial=True)
    vars(position).update(vars(after))
    venue.pool.next_position_no += 1
    venue.pool.n_open += 1
    venue.rows.append(position)
    _book(venue, None, position, stake, costs, kind, position.order_id)


def grow(venue: Venue, position: Record, stake: Stake, kind: int, order_id: int) -> None:
    """Increase, or deposit (a stake without size)."""
    after, costs = _after(venue, position, stake)
    after.edit_s = venue.now
    strict = stake.size_usd > 0 or bool(venue.params["deposit_initial"])
    require_room(venue, after, stake, costs, initial=strict)
    before = copy(position)
    vars(position).update(vars(after))
    _book(venue, before, position, stake, costs, kind, order_id)


def deposit(venue: Venue, position: Record, units: int, order_id: int) -> None:
    worth = venue.usd(units, position.custody, venue.posted(position.custody))
    stake = Stake(units, worth, 0, 0, 0, 0, 0, 0, 0, 0)
    grow(venue, position, stake, codes.K_DEPOSIT_COLLATERAL, order_id)


def carry(venue: Venue, position: Record) -> tuple[int, int]:
    """(interest, funding) to settle now; where they accrue instead, they are brought forward on the record.

    Both snapshots move to now.
    """
    interest, owed = numbers.interest(venue, position), numbers.funding(venue, position)
    position.cum_snapshot = rates.borrow_index(venue, position.custody)
    position.funding_snapshot = rates.funding_index(venue, position.market)
    if venue.params["interest"] == codes.INTEREST_ACCRUED:
        position.unrealised_interest_usd, position.unrealised_funding_usd = interest, owed
        return 0, 0
    position.unrealised_interest_usd = position.unrealised_funding_usd = 0
    return interest, owed


def _after(venue: Venue, position: Record, stake: Stake) -> tuple[Record, Costs]:
    after = copy(position)
    if position.size_usd > 0:
        after.entry_price = numbers.entry_after(venue, position, stake.size_usd)
    costs = Costs(stake.open_fee, *carry(venue, after))
    if position.collateral_usd + stake.collateral_usd < costs.total:
        raise Refused(codes.INSUFFICIENT_COLLATERAL)
    after.collateral_usd += stake.collateral_usd - costs.total
    after.size_usd += stake.size_usd
    after.borrow_size_usd += stake.borrow_size_usd
    after.locked += stake.locked
    after.exit_fee_usd += stake.exit_fee
    after.liquidation_fee_usd += stake.liquidation_fee
    after.increased_s = venue.now
    owned, reserved = _owned_change(venue, after, stake, costs)
    if after.side == codes.SHORT:
        # A stable that has fallen may cost a short more tokens than it has: the venue's other tokens pay.
        after.collateral_units = max(after.collateral_units + stake.collateral - reserved - owned, 0)
    if after.size_usd == 0:
        raise Refused(codes.INVALID_ORDER)
    return after, costs


def require_room(venue: Venue, after: Record, stake: Stake, costs: Costs, initial: bool) -> None:
    """Margin, caps with the books as they are, and the pool with the books as they will be."""
    health.require_allowed(venue, after, initial)
    require_limits(venue, after, stake)
    owned, _ = _owned_change(venue, after, stake, costs)
    custody = venue.custodies[after.custody]
    rates.require_rate(venue, after.custody, custody.owned + owned, custody.locked + stake.locked)


def _owned_change(venue: Venue, position: Record, stake: Stake, costs: Costs) -> tuple[int, int]:
    """(change of owned, fee tokens to the reserve); fees at the high price.

    Longs: the tokens that came in less the reserve. Shorts: funding owed, and the fees that are not reserved.
    """
    custody = position.custody
    high = venue.high(custody)
    total = venue.tokens(costs.open_fee + costs.borrow_fee, custody, high)
    reserved = fees.reserved_units(venue, total, venue.tokens(costs.open_fee, custody, high))
    if position.side == codes.LONG:
        return stake.collateral - reserved, reserved
    return venue.signed_tokens(costs.owed, custody, high) + total - reserved, reserved


def _book(
    venue: Venue, before: Record | None, position: Record, stake: Stake, costs: Costs, kind: int, order_id: int
) -> None:
    custody, long = venue.custodies[position.custody], position.side == codes.LONG
    owned, reserved = _owned_change(venue, position, stake, costs)
    aside = position.collateral_units - (before.collateral_units if before else 0)
    stranded = stake.collateral - reserved - owned - aside
    shares = fees.split(venue, costs.open_fee, costs.borrow_fee, position.referred)
    shorts.on_increase(venue, position, stake.size_usd)
    impact.record_change(venue, position.market, stake.size_usd)
    custody.locked += stake.locked
    custody.owned += owned
    custody.collateral += aside
    custody.stranded += stranded
    custody.fees += reserved
    fees.book_debt(venue, shares)
    if before is not None:
        accounting.remove(venue, before, full=True)
    accounting.add(venue, position)
    rates.refresh_borrow(venue, position.custody)
    rates.refresh_funding(venue, position.market)
    net_usd = stake.collateral_usd - costs.total
    events.write_position(
        venue,
        kind,
        position,
        order_id,
        deposited=stake.collateral_usd,
        size_usd=stake.size_usd,
        collateral_usd=net_usd,
        trader_in_units=stake.collateral,
        owned_units=owned,
        collateral_units=aside,
        stranded_units=stranded,
        locked_units=stake.locked,
        fee_units=reserved,
        open_fee_usd=costs.open_fee,
        borrow_fee_usd=costs.borrow_fee,
        funding_usd=costs.owed,
        margin_usd=net_usd if long else 0,
        **shares.columns,
    )
