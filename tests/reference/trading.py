"""Orders that change the size of a position: open, increase, decrease, close. Spec 1.3, 1.9.

Each handler checks everything, in the order in which reasons are reported, before it books anything. Where collateral
lies inside the pool, the handlers of pooled.py and pooled_exit.py take over.
"""

from copy import copy

from kernels import codes, state
from tests.reference import accounting, events, fees, health, impact, pooled, rates, realised, settle, shorts
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference.guards import require_entry, require_exit, require_reducible
from tests.reference.sizing import Stake, require_limits, require_rate, stake_of
from tests.reference.venue import Record, Refused, Venue, record

Order = dict[str, int]
SMALLEST_CLOSE = 10_000  # 1 %


def open_position(venue: Venue, order: Order, kind: int) -> None:
    """Open at the entry price of the tick. Spec 1.3, open_position_long and open_position_short."""
    market, side = order["market"], order["side"]
    require_entry(venue, market, side, order["limit_price"])
    stake = stake_of(venue, market, side, order, grows=False)
    position = _blank_position(venue, order)
    if venue.pooled:
        pooled.open_position(venue, position, stake, kind)
        return
    position.leverage_bps = position.initial_leverage_bps = stake.leverage_bps
    _add_stake(position, stake)
    health.require_allowed(venue, position, initial=True)
    require_limits(venue, position, stake)
    require_rate(venue, position, stake)

    venue.pool.next_position_no += 1
    venue.pool.n_open += 1
    venue.rows.append(position)
    _book_stake(venue, kind, None, position, stake, order["order_id"])


def _blank_position(venue: Venue, order: Order) -> Record:
    """A position without size or collateral at this tick's entry price and indices."""
    market, side = order["market"], order["side"]
    custody, price = venue.collateral_custody(market, side), venue.entry_price(market, side)
    return record(
        state.ROW.names,
        market=market,
        side=side,
        custody=custody,
        book=2 * market + side,
        status=codes.OPEN_POSITION,
        position_no=venue.pool.next_position_no,
        position_id=order["position_id"],
        entry_price=price,
        cum_snapshot=rates.borrow_index(venue, custody),
        funding_snapshot=rates.funding_index(venue, market),
        open_s=venue.now,
        increased_s=venue.now,
        open_us=venue.now_us,
        order_id=order["order_id"],
        referred=order["referred"],
        stop_loss=max(order["stop_loss"], 0),
        stop_limit=max(order["stop_limit"], 0),
        take_profit=max(order["take_profit"], 0),
        open_price=price,
    )


def increase(venue: Venue, position: Record, order: Order) -> None:
    """Add size and collateral at this price; interest and funding so far are brought forward.

    Spec 1.9, increase_position.
    """
    require_entry(venue, position.market, position.side, order["limit_price"])
    stake = stake_of(venue, position.market, position.side, order, grows=True)
    if venue.pooled:
        pooled.grow(venue, position, stake, codes.K_INCREASE, order["order_id"])
        return
    grown = copy(position)
    grown.entry_price = numbers.entry_after(venue, position, stake.size_usd)
    grown.unrealised_interest_usd = numbers.interest(venue, position)
    grown.unrealised_funding_usd = numbers.funding(venue, position)
    grown.cum_snapshot = rates.borrow_index(venue, position.custody)
    grown.funding_snapshot = rates.funding_index(venue, position.market)
    _add_stake(grown, stake)
    grown.edit_s = grown.increased_s = venue.now
    health.require_allowed(venue, grown, initial=True)
    require_limits(venue, grown, stake)
    require_rate(venue, grown, stake)
    _book_stake(venue, codes.K_INCREASE, position, grown, stake, order["order_id"])


def _add_stake(position: Record, stake: Stake) -> None:
    position.size_usd += stake.size_usd
    position.borrow_size_usd += stake.borrow_size_usd
    position.collateral_usd += stake.collateral_usd
    position.collateral_units += stake.collateral
    position.locked += stake.locked
    position.exit_fee_usd += stake.exit_fee
    position.liquidation_fee_usd += stake.liquidation_fee


def _book_stake(venue: Venue, kind: int, before: Record | None, after: Record, stake: Stake, order_id: int) -> None:
    """Books and event of an open (`before` is None) or an increase with separate margin.

    The open fee is paid on top of the collateral. What solana-labs keeps for liquidity providers of it reaches nobody's
    book (open_position.rs L323-328).
    """
    custody = venue.custodies[after.custody]
    shorts.on_increase(venue, after, stake.size_usd)
    impact.record_change(venue, after.market, stake.size_usd)
    shares = fees.split(venue, stake.open_fee, 0, after.referred)
    reserved = fees.reserved_units(venue, stake.fee_units, stake.fee_units)
    rest = stake.fee_units - reserved
    owned = rest if venue.params["fee_booking"] == codes.BOOK_DEBT else 0
    custody.locked += stake.locked
    custody.collateral += stake.collateral
    custody.owned += owned
    custody.fees += reserved
    custody.stranded += rest - owned
    fees.book_debt(venue, shares)
    position = after
    if before is not None:
        accounting.remove(venue, before, full=True)
        accounting.add(venue, after)
        vars(before).update(vars(after))
        position = before
    else:
        accounting.add(venue, after)
    rates.refresh_borrow(venue, after.custody)
    rates.refresh_funding(venue, after.market)
    events.write_position(
        venue,
        kind,
        position,
        order_id,
        size_usd=stake.size_usd,
        collateral_usd=stake.collateral_usd,
        trader_in_units=stake.collateral + stake.fee_units,
        collateral_units=stake.collateral,
        locked_units=stake.locked,
        owned_units=owned,
        fee_units=reserved,
        stranded_units=rest - owned,
        open_fee_usd=stake.open_fee,
        **shares.columns,
    )


def decrease(venue: Venue, position: Record, order: Order) -> None:
    """Close a part, at least 1 %; what remains keeps the minimum collateral.

    Spec 1.9, partial close. 100 % is a close.
    """
    if venue.pooled and venue.params["partial_close"] == codes.PARTIAL_REALISED:
        realised.decrease(venue, position, order)
        return
    require_exit(venue, position.market, position.side)
    percentage = order["fraction_e6"]
    if percentage < 0:
        percentage = max(order["size_usd"], 0) * a.PERCENTAGE // position.size_usd
    percentage = min(percentage, a.PERCENTAGE)
    if percentage < SMALLEST_CLOSE:
        raise Refused(codes.INVALID_ORDER)
    require_reducible(venue, position, order["limit_price"])
    kind = codes.K_CLOSE if percentage == a.PERCENTAGE else codes.K_DECREASE
    deal = settle.plan(venue, position, percentage, kind)
    remaining_usd = position.collateral_usd - deal.closing.collateral_usd
    if not deal.full and remaining_usd < venue.params["min_collateral_usd"]:
        raise Refused(codes.MIN_COLLATERAL)
    settle.book(venue, position, deal, order["order_id"])


def close(venue: Venue, position: Record, order: Order) -> None:
    """Spec 1.8, close_position_long and close_position_short."""
    decrease(venue, position, order | {"fraction_e6": a.PERCENTAGE, "collateral_usd": -1})
