"""What a tick does of itself, and the orders that prepare it: liquidations, stops, take-profits, limit entries."""

from collections.abc import Callable

from kernels import codes, state
from tests.reference import events, health, settle, trading
from tests.reference import position as numbers
from tests.reference.venue import Record, Refused, Venue, record

Order = dict[str, int]


def set_triggers(venue: Venue, position: Record, order: Order) -> None:
    """-1 leaves a trigger, 0 clears it, a price sets it; the stop's worst price changes with the stop only.

    Spec 1.9.
    """
    if order["stop_loss"] >= 0:
        position.stop_loss = order["stop_loss"]
        position.stop_limit = max(order["stop_limit"], 0)
    if order["take_profit"] >= 0:
        position.take_profit = order["take_profit"]
    events.write(
        venue,
        codes.K_SET_TRIGGERS,
        order_id=order["order_id"],
        **events.identity(position),
        position_no=position.position_no,
    )


def place_limit(venue: Venue, order: Order) -> None:
    """Keep an entry order until its price comes. Spec 1.9, add_limit_order. It needs no price and writes no event."""
    collateral, size = ("collateral_units", "collateral_usd"), ("leverage_bps", "size_usd")
    given = all(max(order[name] for name in names) > 0 for names in (collateral, size))
    if order["trigger_price"] <= 0 or not given:
        raise Refused(codes.INVALID_ORDER)
    market, side = order["market"], order["side"]
    fields = {name: order[name] for name in state.ROW.names if name in order}
    row = record(state.ROW.names, **fields, market=market, side=side, order=order)
    row.custody = venue.collateral_custody(market, side)
    row.book = 2 * market + side
    row.status = codes.PENDING_LIMIT
    row.open_us = venue.now_us  # when it was placed
    row.position_no = venue.pool.next_limit_no
    venue.pool.next_limit_no += 1
    venue.rows.append(row)


def cancel_limit(venue: Venue, row: Record, order: Order) -> None:
    """Withdraw a pending limit order. Spec 1.9, cancel_limit_order."""
    venue.rows.remove(row)
    events.write(venue, codes.K_CANCEL_LIMIT, order_id=order["order_id"], **events.identity(row))
    venue.reject(row.order, codes.CANCELLED)


def liquidate(venue: Venue) -> None:
    """Close every position that the pool's rule condemns.

    Spec 1.7, 1.8, liquidate_long; refused ones stay for the next tick.
    """
    for market, side in venue.books(codes.OPEN_POSITION):
        if venue.price_trouble(market, side) or venue.is_idle(market, side):
            continue
        for position in venue.book(market, side, codes.OPEN_POSITION):
            if health.is_liquidatable(venue, position):
                settle.close_at_once(venue, position, codes.K_LIQUIDATION)


def stop_losses(venue: Venue) -> None:
    """Long at or below the stop and not below the worst price; short mirrored. Spec 1.9."""
    _close_where(venue, codes.K_STOP_LOSS, _stop_is_hit)


def take_profits(venue: Venue) -> None:
    """Long at or above the target; short mirrored. Spec 1.9."""
    _close_where(venue, codes.K_TAKE_PROFIT, _target_is_hit)


def fill_limits(venue: Venue) -> None:
    """Open where the price has come to the trigger: long at or below it, short at or above. Refused ones wait.

    Spec 1.9.
    """
    for market, side in venue.books(codes.PENDING_LIMIT):
        if venue.is_idle(market, side):
            continue
        for row in venue.book(market, side, codes.PENDING_LIMIT):
            now = venue.entry_price(row.market, row.side)
            passed = row.limit_price > 0 and not _is_at_or_better(row, now, row.limit_price)
            if not _is_at_or_worse(row, now, row.trigger_price) or passed:
                continue
            try:
                trading.open_position(venue, row.order | {"limit_price": -1}, codes.K_LIMIT_OPEN)
            except Refused:
                continue
            venue.rows.remove(row)


def _close_where(venue: Venue, kind: int, is_hit: Callable[[Venue, Record], bool]) -> None:
    for market, side in venue.books(codes.OPEN_POSITION):
        if venue.price_trouble(market, side) or venue.is_idle(market, side):
            continue
        for position in venue.book(market, side, codes.OPEN_POSITION):
            if is_hit(venue, position) and not numbers.is_too_young(venue, position):
                settle.close_at_once(venue, position, kind)


def _is_at_or_worse(row: Record, now: int, price: int) -> bool:
    """`now` is at or below `price` for a long, at or above it for a short."""
    return now <= price if row.side == codes.LONG else now >= price


def _is_at_or_better(row: Record, now: int, price: int) -> bool:
    return now >= price if row.side == codes.LONG else now <= price


def _stop_is_hit(venue: Venue, position: Record) -> bool:
    now = venue.exit_price(position.market, position.side)
    if position.stop_loss <= 0 or not _is_at_or_worse(position, now, position.stop_loss):
        return False
    return position.stop_limit <= 0 or _is_at_or_better(position, now, position.stop_limit)


def _target_is_hit(venue: Venue, position: Record) -> bool:
    now = venue.exit_price(position.market, position.side)
    return position.take_profit > 0 and _is_at_or_better(position, now, position.take_profit)
