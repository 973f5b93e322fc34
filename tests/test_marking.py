"""What a book is marked at: what a close really pays, and the price at which a position is really liquidated."""

import numpy as np
from hypothesis import HealthCheck, given, settings

from backtest.columns import Labels, schema
from backtest.engine import Engine, make_venue
from backtest.marking import in_order, mark_book, marks
from kernels import codes
from kernels.state import Ticks
from tests import case as build
from tests.busy_case import busy_case
from tests.case import Case
from tests.engine import to_dicts, to_orders, to_ticks
from tests.properties.strategies import cases, mixed_cases
from tests.reference import health
from tests.reference.run import run_tick
from tests.reference.venue import Record, Venue

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
CROWDED = settings(QUICK, max_examples=10)
HIGHEST = 10**18 - 1
Mark = dict[str, int]


def engine_after(case: Case) -> Engine:
    engine = Engine(make_venue(case.custodies, case.markets, case.pool), lambda table, records: None, capacity=32)
    ticks = to_ticks(case)
    engine.start(ticks, case.genesis)
    engine.run(ticks, to_orders([o for o in case.orders if o["due_us"] <= case.ticks[-1][0]]), is_last=True)
    return engine


def reference_after(case: Case) -> Venue:
    venue = Venue(case)
    waiting = list(case.orders)
    for number, tick in enumerate(case.ticks):
        due = [order for order in waiting if order["due_us"] <= tick[0]]
        waiting = waiting[len(due) :]
        run_tick(venue, number, due)
    return venue


def labels_of(case: Case) -> Labels:
    return Labels(
        tuple(f"M{number}" for number in range(len(case.markets))),
        tuple(f"C{number}" for number in range(len(case.custodies))),
    )


def without_changes(case: Case) -> Case:
    return Case(case.custodies, case.markets, case.pool, case.ticks, case.orders, case.genesis)


# --- a close pays what the mark says ----------------------------------------------------------------------------------


def closing(engine: Engine, last: Ticks, mark: Mark) -> Mark | None:
    """The event of closing one position at the last tick once more, on a copy of the engine; None if refused."""
    events: list[Mark] = []
    twin = engine.fork(lambda table, records: events.extend(to_dicts(records)) if table == "events" else None)
    due_us = int(last.time_us[0])
    order = build.order(due_us=due_us, order_id=10**6, action=codes.CLOSE, position_id=mark["position_id"])
    twin.run(last, to_orders([order]))
    twin.finish()
    mine = [e for e in events if e["position_no"] == mark["position_no"] and e["kind"] == codes.K_CLOSE]
    return mine[0] if mine else None


def check_closes(case: Case) -> int:
    """Close every open position of a case; returns how many did close."""
    return check_engine(engine_after(case), Ticks(*(column[-1:] for column in to_ticks(case))))


def check_engine(engine: Engine, last: Ticks) -> int:
    """Close every open position, each on its own, at the tick that the engine has run last."""
    found = to_dicts(marks(engine))
    before = [array.copy() for array in (*engine.venue, *engine.books)]
    closed = 0
    for mark in found:
        event = closing(engine, last, mark)
        if event is None:
            continue
        closed += 1
        fees = mark["exit_fee_usd"] + mark["borrow_fee_usd"]
        charged = event["exit_fee_usd"] + event["borrow_fee_usd"] + event["prepaid_borrow_usd"]
        assert (event["size_usd"], event["collateral_usd"]) == (-mark["size_usd"], -mark["collateral_usd"])
        assert (event["pnl_usd"], event["funding_usd"]) == (mark["pnl_usd"], mark["funding_usd"])
        assert charged + event["deficit_fee_usd"] == fees
        assert event["payout_usd"] == max(mark["equity_usd"], 0)
        assert event["deficit_fee_usd"] + event["bad_debt_usd"] == max(-mark["equity_usd"], 0)
        if not event["deficit_fee_usd"]:
            assert event["exit_fee_usd"] == mark["exit_fee_usd"]
    after = (*engine.venue, *engine.books)
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    return closed


@QUICK
@given(cases())
def test_a_close_pays_what_the_mark_says(case: Case) -> None:
    check_closes(without_changes(case))


def test_closes_of_a_busy_book() -> None:
    assert sum(check_closes(busy_case(seed, orders=150)) for seed in range(3)) > 20


# --- the liquidation price --------------------------------------------------------------------------------------------


def liquidated_at(venue: Venue, position: Record, price: int) -> bool:
    """The exact rule of the slow reference at another price of the market, all else as it is."""
    venue.exit_price = lambda market, side: price  # type: ignore[method-assign]
    try:
        return health.is_liquidatable(venue, position)
    finally:
        del venue.exit_price


def check_liquidation_price(venue: Venue, position: Record, mark: Mark) -> None:
    """The rule turns exactly at the price shown: one step of the price grid (1e-10 dollars) before it does not hold."""
    shown, favourable = mark["liquidation_price"], 1 if position.side == codes.LONG else -1
    worst, best = (1, HIGHEST) if position.side == codes.LONG else (HIGHEST, 1)
    if shown == 0:
        assert not liquidated_at(venue, position, worst)
        return
    assert liquidated_at(venue, position, shown)
    assert liquidated_at(venue, position, worst)
    if shown + favourable > 0 and liquidated_at(venue, position, shown + favourable):
        assert shown == mark["price"]
        assert liquidated_at(venue, position, best)


def check_prices(case: Case) -> int:
    found = {mark["position_no"]: mark for mark in to_dicts(marks(engine_after(case)))}
    venue = reference_after(case)
    positions = [row for row in venue.rows if row.status == codes.OPEN_POSITION]
    assert sorted(found) == sorted(position.position_no for position in positions)
    for position in positions:
        check_liquidation_price(venue, position, found[position.position_no])
    return len(positions)


@QUICK
@given(cases())
def test_the_rule_turns_at_the_liquidation_price(case: Case) -> None:
    check_prices(without_changes(case))


@CROWDED
@given(mixed_cases(crowded=True))
def test_the_rule_turns_at_the_liquidation_price_in_any_mix(case: Case) -> None:
    check_prices(without_changes(case))


def test_liquidation_prices_of_a_busy_book() -> None:
    assert sum(check_prices(busy_case(seed, orders=150)) for seed in range(3)) > 20


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_is_sorted_and_named() -> None:
    case = busy_case(2, orders=200)
    engine = engine_after(case)
    table = mark_book(engine, labels_of(case))
    assert table.schema == schema("book")
    found = table.to_pylist()
    assert len(found) == len(marks(engine)) > 5
    keys = [(row["market"], ("long", "short").index(row["side"]), row["position_no"]) for row in found]
    assert keys == sorted(keys)
    assert in_order(marks(engine)).shape == (table.num_columns, table.num_rows)


def test_an_empty_book_is_an_empty_table() -> None:
    case = busy_case(orders=0)
    table = mark_book(engine_after(case), labels_of(case))
    assert (table.num_rows, table.schema) == (0, schema("book"))
