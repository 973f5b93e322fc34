"""Orders that change the size of a position: open, increase, decrease, close. Spec 1.3, 1.9.

Each handler checks everything, in the order in which reasons are reported, before it books anything.
"""

from copy import copy
from dataclasses import dataclass

from kernels import codes, state
from tests.reference import accounting, events, rates, settle
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference.venue import Record, Refused, Venue, record

Order = dict[str, int]
SMALLEST_CLOSE = 10_000  # 1 %


@dataclass
class Stake:
    """What an open or an increase brings: collateral, the tokens it locks, and their fees."""

    collateral: int
    collateral_usd: int
    leverage_bps: int
    locked: int
    size_usd: int
    exit_fee: int
    liquidation_fee: int


def require_prices(venue: Venue, market: int, side: int, closed_allowed: bool = False) -> None:
    trouble = venue.price_trouble(market, side)
    if trouble and not (closed_allowed and trouble == codes.MARKET_CLOSED):
        raise Refused(trouble)


def require_entry_price(venue: Venue, market: int, side: int, limit: int) -> None:
    """A long buys at most at the limit, a short sells at least at it. Spec 1.3, slippage."""
    price = venue.trade_price(market)
    if limit > 0 and (price > limit if side == codes.LONG else price < limit):
        raise Refused(codes.PRICE_LIMIT)


def require_exit_price(venue: Venue, market: int, side: int, limit: int) -> None:
    """A long sells at least at the limit, a short buys back at most at it."""
    price = venue.trade_price(market)
    if limit > 0 and (price < limit if side == codes.LONG else price > limit):
        raise Refused(codes.PRICE_LIMIT)


def collateral_given(venue: Venue, custody: int, order: Order) -> int:
    """Token units of an order: as given, or bought at the low price by its dollars."""
    if order["collateral_units"] >= 0:
        return order["collateral_units"]
    return venue.tokens(max(order["collateral_usd"], 0), custody, venue.low(custody))


def stake_of(venue: Venue, market: int, side: int, order: Order) -> Stake:
    """Collateral at the low price, and the size it takes at the asked leverage. Spec 1.3, open_position_long."""
    custody, params = venue.collateral_custody(market, side), venue.market_params[market]
    low, mid = venue.low(custody), venue.mid(custody)
    collateral = collateral_given(venue, custody, order)
    if collateral <= 0:
        raise Refused(codes.INVALID_ORDER)
    collateral_usd = venue.usd(collateral, custody, low)
    if collateral_usd < venue.params["min_collateral_usd"]:
        raise Refused(codes.MIN_COLLATERAL)
    leverage = order["leverage_bps"]
    if leverage < 0 and collateral_usd > 0:
        leverage = max(order["size_usd"], 0) * a.BPS // collateral_usd
    locked = collateral * leverage // a.BPS if leverage > 0 else 0
    size_usd = venue.usd(locked, custody, low)
    if leverage <= 0 or size_usd == 0:
        raise Refused(codes.INVALID_ORDER)
    if max(collateral, locked, size_usd) > a.LARGEST_AMOUNT:
        raise Refused(codes.AMOUNT_OUT_OF_RANGE)
    return Stake(
        collateral=collateral,
        collateral_usd=collateral_usd,
        leverage_bps=leverage,
        locked=locked,
        size_usd=size_usd,
        exit_fee=venue.usd(a.fee(params["close_bps"], locked), custody, mid),
        liquidation_fee=venue.usd(a.fee(params["liquidation_bps"], locked), custody, mid),
    )


def require_limits(venue: Venue, position: Record, stake: Stake) -> None:
    """Caps per position and per side, then liquidity and the borrow rate. Spec 1.3; `position` includes the stake."""
    number = position.custody
    custody, custody_params = venue.custodies[number], venue.custody_params[number]
    cap = custody_params["max_position_locked_usd"]
    if cap > 0 and venue.usd(position.locked, number, venue.high(number)) > cap:
        raise Refused(codes.MAX_POSITION_LOCKED)
    market, book = venue.market_params[position.market], venue.sides[position.market, position.side]
    if position.side == codes.SHORT:
        stable_usd = (book.locked + stake.locked) * 1_000_000 // custody_params["unit"]  # one token counts as $1
        if 0 < market["max_cumulative_short_usd"] < stable_usd:
            raise Refused(codes.MAX_CUMULATIVE_SHORT)
    elif 0 < market["max_cumulative_long_usd"] < book.size_usd + stake.size_usd:
        raise Refused(codes.MAX_CUMULATIVE_LONG)
    locked = custody.locked + stake.locked
    if locked > custody.owned:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    rates.require_rate(venue, number, custody.owned, locked)


def open_position(venue: Venue, order: Order, kind: int) -> None:
    """Open at the trade price of the tick. Spec 1.3, open_position_long and open_position_short."""
    market, side = order["market"], order["side"]
    require_prices(venue, market, side)
    require_entry_price(venue, market, side, order["limit_price"])
    custody = venue.collateral_custody(market, side)
    stake, price = stake_of(venue, market, side, order), venue.trade_price(market)
    position = record(
        state.ROW.names,
        market=market,
        side=side,
        custody=custody,
        book=2 * market + side,
        status=codes.OPEN_POSITION,
        position_no=venue.pool.next_position_no,
        position_id=order["position_id"],
        entry_price=price,
        size_usd=stake.size_usd,
        borrow_size_usd=stake.size_usd,
        collateral_usd=stake.collateral_usd,
        collateral_units=stake.collateral,
        locked=stake.locked,
        exit_fee_usd=stake.exit_fee,
        liquidation_fee_usd=stake.liquidation_fee,
        cum_snapshot=rates.borrow_index(venue, custody),
        funding_snapshot=rates.funding_index(venue, market),
        open_s=venue.now,
        open_us=venue.now_us,
        order_id=order["order_id"],
        referred=order["referred"],
        stop_loss=max(order["stop_loss"], 0),
        stop_limit=max(order["stop_limit"], 0),
        take_profit=max(order["take_profit"], 0),
        leverage_bps=stake.leverage_bps,
        initial_leverage_bps=stake.leverage_bps,
        open_price=price,
    )
    numbers.require_initial_leverage(venue, position)
    require_limits(venue, position, stake)

    venue.pool.next_position_no += 1
    venue.pool.n_open += 1
    venue.rows.append(position)
    _take_stake(venue, position, stake)
    accounting.add(venue, position)
    rates.refresh_borrow(venue, custody)
    rates.refresh_funding(venue, market)
    _write_stake(venue, kind, position, stake, order["order_id"])


def increase(venue: Venue, position: Record, order: Order) -> None:
    """Add size and collateral at this price; interest and funding so far are brought forward.

    Spec 1.9, increase_position.
    """
    require_prices(venue, position.market, position.side)
    require_entry_price(venue, position.market, position.side, order["limit_price"])
    stake = stake_of(venue, position.market, position.side, order)
    grown = copy(position)
    grown.entry_price = a.harmonic_price(
        position.size_usd, position.entry_price, stake.size_usd, venue.trade_price(position.market)
    )
    grown.unrealised_interest_usd = numbers.interest(venue, position)
    grown.unrealised_funding_usd = numbers.funding(venue, position)
    grown.cum_snapshot = rates.borrow_index(venue, position.custody)
    grown.funding_snapshot = rates.funding_index(venue, position.market)
    grown.size_usd += stake.size_usd
    grown.borrow_size_usd += stake.size_usd
    grown.collateral_usd += stake.collateral_usd
    grown.collateral_units += stake.collateral
    grown.locked += stake.locked
    grown.exit_fee_usd += stake.exit_fee
    grown.liquidation_fee_usd += stake.liquidation_fee
    grown.edit_s = venue.now
    numbers.require_initial_leverage(venue, grown)
    require_limits(venue, grown, stake)

    _take_stake(venue, position, stake)
    accounting.remove(venue, position, full=True)
    accounting.add(venue, grown)
    vars(position).update(vars(grown))
    rates.refresh_borrow(venue, position.custody)
    rates.refresh_funding(venue, position.market)
    _write_stake(venue, codes.K_INCREASE, position, stake, order["order_id"])


def _take_stake(venue: Venue, position: Record, stake: Stake) -> None:
    venue.custodies[position.custody].locked += stake.locked
    venue.custodies[position.custody].collateral += stake.collateral


def _write_stake(venue: Venue, kind: int, position: Record, stake: Stake, order_id: int) -> None:
    events.write_position(
        venue,
        kind,
        position,
        order_id,
        size_usd=stake.size_usd,
        collateral_usd=stake.collateral_usd,
        trader_in_units=stake.collateral,
        collateral_units=stake.collateral,
        locked_units=stake.locked,
    )


def decrease(venue: Venue, position: Record, order: Order) -> None:
    """Close a part, at least 1 %; what remains keeps the minimum collateral.

    Spec 1.9, partial close. 100 % is a close.
    """
    require_prices(venue, position.market, position.side)
    percentage = order["fraction_e6"]
    if percentage < 0:
        percentage = max(order["size_usd"], 0) * a.PERCENTAGE // position.size_usd
    percentage = min(percentage, a.PERCENTAGE)
    if percentage < SMALLEST_CLOSE:
        raise Refused(codes.INVALID_ORDER)
    if numbers.is_too_young(venue, position):
        raise Refused(codes.POSITION_TOO_YOUNG)
    require_exit_price(venue, position.market, position.side, order["limit_price"])
    kind = codes.K_CLOSE if percentage == a.PERCENTAGE else codes.K_DECREASE
    deal = settle.plan(venue, position, percentage, kind)
    remaining_usd = position.collateral_usd - deal.closing.collateral_usd
    if not deal.full and remaining_usd < venue.params["min_collateral_usd"]:
        raise Refused(codes.MIN_COLLATERAL)
    settle.book(venue, position, deal, order["order_id"])


def close(venue: Venue, position: Record, order: Order) -> None:
    """Spec 1.8, close_position_long and close_position_short."""
    decrease(venue, position, order | {"fraction_e6": a.PERCENTAGE})
