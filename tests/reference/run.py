"""The run: ticks in order, and at each tick the phases in their fixed order."""

from collections.abc import Callable
from typing import Any

from kernels import codes, state
from tests.case import Case, Result
from tests.reference import collateral, distribution, events, flows, liquidity, sampling, swaps, trading, triggers
from tests.reference.venue import SIDES, Record, Refused, Venue

Order = dict[str, int]

POSITION_ORDERS = {
    codes.INCREASE: trading.increase,
    codes.DECREASE: trading.decrease,
    codes.CLOSE: trading.close,
    codes.DEPOSIT_COLLATERAL: collateral.deposit_collateral,
    codes.WITHDRAW_COLLATERAL: collateral.withdraw_collateral,
    codes.SET_TRIGGERS: triggers.set_triggers,
    codes.RESOLVE_BORROW: collateral.resolve_borrow,
    codes.CANCEL_LIMIT: triggers.cancel_limit,
}
POOL_ORDERS = {
    codes.ADD_LIQUIDITY: liquidity.add_liquidity,
    codes.REMOVE_LIQUIDITY: liquidity.remove_liquidity,
    codes.SWAP: swaps.swap,
    codes.DISTRIBUTE_FEES: distribution.distribute_fees,
    codes.ACCRUE: liquidity.accrue,
    codes.DONATE: liquidity.donate,
    codes.ISSUE_DOLLARS: liquidity.issue_dollars,
    codes.REDEEM_DOLLARS: liquidity.redeem_dollars,
}


def run(case: Case) -> Result:
    """Settle a case from its first tick to its last."""
    venue = Venue(case)
    waiting = list(case.orders)
    for number, tick in enumerate(case.ticks):
        due = [order for order in waiting if order["due_us"] <= tick[0]]
        waiting = waiting[len(due) :]
        run_tick(venue, number, due)
    _leave_pending(venue, waiting)
    return _result(venue)


def run_tick(venue: Venue, number: int, due: list[Order]) -> None:
    """One tick with the orders that have fallen due, sorted by (due_us, order_id)."""
    _change_rules(venue, number)
    venue.set_tick(*venue.case.ticks[number])
    if number == 0:
        _start(venue)
    triggers.liquidate(venue)
    triggers.stop_losses(venue)
    triggers.take_profits(venue)
    triggers.fill_limits(venue)
    for order in due:
        if order["action"] < codes.FIRST_POOL_ACTION:
            _execute(venue, order, trade)
    for order in due:
        if order["action"] >= codes.FIRST_POOL_ACTION:
            _execute(venue, order, flow)
    distribution.distribute_when_due(venue)
    if number in (0, len(venue.case.ticks) - 1) or venue.now_us >= venue.pool.next_sample_us:
        sampling.sample(venue)


def _change_rules(venue: Venue, tick: int) -> None:
    """Put other parameters in force; what positions and books hold stays as it is."""
    for number, change in enumerate(venue.case.changes, 1):
        if change.tick == tick:
            venue.custody_params, venue.market_params, venue.params = change.custodies, change.markets, change.pool
            venue.now_us = venue.case.ticks[tick][0]
            events.write(venue, codes.K_PARAMETERS, change=number)


def _start(venue: Venue) -> None:
    interval = venue.params["distribution_interval_s"]
    if interval > 0:
        venue.pool.next_distribution_s = (venue.now // interval + 1) * interval
    liquidity.genesis(venue)


def _execute(venue: Venue, order: Order, handle: Callable[[Venue, Order], None]) -> None:
    try:
        handle(venue, order)
    except Refused as refusal:
        venue.reject(order, refusal.reason)


def trade(venue: Venue, order: Order) -> None:
    """One trading order: the position it names is looked up before anything else."""
    action, row = order["action"], venue.find(order["position_id"])
    if action in (codes.OPEN, codes.LIMIT_OPEN):
        if row is not None:
            raise Refused(codes.POSITION_EXISTS)
        if venue.collateral_custody(order["market"], order["side"]) < 0:
            raise Refused(codes.SIDE_NOT_OFFERED)
        if action == codes.OPEN:
            trading.open_position(venue, order, codes.K_OPEN)
        else:
            triggers.place_limit(venue, order)
        return
    needed = codes.PENDING_LIMIT if action == codes.CANCEL_LIMIT else codes.OPEN_POSITION
    if row is None or row.status != needed:
        raise Refused(codes.POSITION_NOT_FOUND)
    POSITION_ORDERS[action](venue, row, order)


def flow(venue: Venue, order: Order) -> None:
    """One order of the pool: liquidity, swap or the paying out of fees."""
    flows.require_fresh_prices(venue)
    POOL_ORDERS[order["action"]](venue, order)


def _leave_pending(venue: Venue, waiting: list[Order]) -> None:
    """What the last tick leaves behind: limits not reached, then orders not due, all stamped with the last tick."""
    limits = [row for row in venue.rows if row.status == codes.PENDING_LIMIT]
    for row in sorted(limits, key=lambda row: row.position_no):
        venue.reject(row.order, codes.LIMIT_NOT_REACHED, pending=True)
    for order in waiting:
        venue.reject(order, codes.NOT_DUE, pending=True)


def _fields(found: Record, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(found, name) for name in names}


def _side_fields(found: Record) -> dict[str, int]:
    """The weighted sum as two signed 64-bit limbs: hi * 2^64 + (lo as unsigned)."""
    low = found.weighted & (2**64 - 1)
    limbs = {"weighted_hi": found.weighted >> 64, "weighted_lo": low - 2**64 if low >= 2**63 else low}
    return _fields(found, state.SIDE.names) | limbs


def _result(venue: Venue) -> Result:
    rows = sorted(venue.rows, key=lambda row: (row.market, row.side, row.position_no, row.status))
    still_open = [row for row in rows if row.status == codes.OPEN_POSITION]
    still_open.sort(key=lambda row: row.position_no)
    custodies, markets = range(len(venue.custodies)), range(len(venue.funding))
    return Result(
        events=venue.events,
        positions=venue.closed_positions + [events.position_row(row, codes.O_OPEN, 0, 0) for row in still_open],
        rejections=venue.rejections,
        pool_samples=venue.pool_samples,
        market_samples=venue.market_samples,
        lp_samples=venue.lp_samples,
        custodies=[_fields(custody, state.CUSTODY.names) for custody in venue.custodies],
        interest=[_fields(venue.interest[c, side], state.INTEREST.names) for c in custodies for side in SIDES],
        sides=[_side_fields(venue.sides[m, side]) for m in markets for side in SIDES],
        funding=[_fields(funding, state.FUNDING_STATE.names) for funding in venue.funding],
        pool=_fields(venue.pool, state.POOL.names),
        book=[_fields(row, state.ROW.names) for row in rows],
    )
