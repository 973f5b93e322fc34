"""The full pass `mark` against the exact integers of the slow reference, and its machine code."""

import math
import platform
import re
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from backtest.engine import Engine, make_venue
from backtest.errors import PerpoolError
from backtest.marking import KNOWN, SCHEMA, mark_book
from kernels import codes
from kernels.mark import MarkColumns, MarkQuote, MarkResult, mark
from tests.busy_case import busy_case
from tests.case import Case
from tests.engine import to_orders, to_ticks
from tests.properties.strategies import mixed_cases, spine_cases
from tests.reference import health
from tests.reference import position as exact
from tests.reference.run import run_tick
from tests.reference.venue import Record, Venue

MICRO, PRICE = 10**6, 10**10
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


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


def close_to(dollars: float, micro: int) -> bool:
    """Within a micro-dollar, which a rounding at its very edge may cost, or nine digits."""
    return abs(dollars - micro / MICRO) <= max(1.01e-6, 1e-9 * abs(micro / MICRO))


def check_values(venue: Venue, position: Record, row: dict[str, Any]) -> None:
    """PnL, fees, equity and leverage equal the venue's integers."""
    profit, loss = exact.pnl(venue, position, position.exit_fee_usd)
    borrow = exact.interest(venue, position) + position.paid_interest_usd
    funding = exact.funding(venue, position)
    assert close_to(row["borrow_fee_usd"], borrow)
    assert close_to(row["funding_usd"], funding)
    assert close_to(row["equity_usd"], position.collateral_usd + profit - loss)
    assert close_to(row["pnl_usd"], profit - loss + position.exit_fee_usd + borrow + funding)
    margin = position.collateral_usd + profit - loss
    if margin <= 0:
        assert row["leverage"] == math.inf
        assert exact.leverage(venue, position, position.exit_fee_usd) == exact.a.INFINITE_LEVERAGE
    else:
        assert row["leverage"] == pytest.approx(position.size_usd / margin, rel=1e-9 + 1.01 / margin)
        assert math.floor(position.size_usd / margin * 10**4) == pytest.approx(
            exact.leverage(venue, position, position.exit_fee_usd), abs=1, rel=1e-9
        )


def liquidated_at(venue: Venue, position: Record, price: int) -> bool:
    """The exact rule at another price of the market, all else as it is."""
    venue.exit_price = lambda market, side: price  # type: ignore[method-assign]
    try:
        return health.is_liquidatable(venue, position)
    finally:
        del venue.exit_price


def check_liquidation_price(venue: Venue, position: Record, row: dict[str, Any]) -> None:
    """The exact rule turns at the price shown: within a micro-dollar of margin, or twelve digits of the price."""
    shown = row["liquidation_price"]
    is_long = position.side == codes.LONG
    adverse = -1 if is_long else 1
    if shown in (0.0, math.inf):
        # A long that no price liquidates, or a position that every price does.
        hopeless = shown == (math.inf if is_long else 0.0)
        best = 10**17 if is_long else 1
        assert liquidated_at(venue, position, best if hopeless else 1) == hopeless
        return
    micro_dollar = -(-position.entry_price // position.size_usd)
    step = micro_dollar + math.ceil(shown * PRICE * 1e-12) + 1
    turn = round(shown * PRICE)
    if turn + step * adverse > 0:
        assert liquidated_at(venue, position, turn + step * adverse)
    assert not liquidated_at(venue, position, max(turn - step * adverse, 1))


def check_book(case: Case) -> int:
    """Every open position of a case; returns how many."""
    table = mark_book(engine_after(case))
    venue = reference_after(case)
    assert table.schema == SCHEMA
    positions = [row for row in venue.rows if row.status == codes.OPEN_POSITION]
    rows = {row["position_no"]: row for row in table.to_pylist()}
    assert [(r["market"], r["side"], r["position_no"]) for r in rows.values()] == sorted(
        (p.market, p.side, p.position_no) for p in positions
    )
    for position in positions:
        row = rows[position.position_no]
        assert row["position_id"] == position.position_id
        check_values(venue, position, row)
        check_liquidation_price(venue, position, row)
    return len(positions)


@QUICK
@given(spine_cases())
def test_mark_equals_exact_integers(case: Case) -> None:
    check_book(case)


def test_mark_of_a_busy_book() -> None:
    assert sum(check_book(busy_case(seed, orders=200)) for seed in range(4)) > 20


@QUICK
@given(mixed_cases())
def test_rules_that_the_pass_does_not_know_are_refused(case: Case) -> None:
    known = all(case.pool[family] in variants for family, variants in KNOWN.items())
    known = known and not any(market["min_profit_bps"] for market in case.markets)
    if known and all(custody["peg"] == 0 for custody in case.custodies):
        check_book(case)
        return
    with pytest.raises(PerpoolError, match="cannot mark"):
        mark_book(engine_after(case))


def test_mark_of_an_empty_book() -> None:
    case = busy_case(orders=0)
    table = mark_book(engine_after(case))
    assert table.num_rows == 0
    assert table.schema == SCHEMA


def some_columns(n: int, **columns: float) -> MarkColumns:
    values = {"entry_price": 100.0, "size_usd": 5_000.0, "collateral_usd": 1_000.0, "locked_tokens": 50.0} | columns
    out = MarkColumns(*(np.full(n, values.get(name, 0.0)) for name in MarkColumns._fields))
    for column in out:
        column.flags.writeable = False
    return out


def some_result(n: int) -> MarkResult:
    return MarkResult(*(np.empty(n) for _ in MarkResult._fields))


def test_mark_worked_out_on_paper() -> None:
    """10 tokens at $100, 5x, fees $8 and $10, at $110: pnl 500; interest 5,000 * 5e-6 = 0.025; funding 5,000 * 1e-6.

    Minimum margin 5,000 * 1e4 / 1,000,001 = 49.999950: the fall may cost 1,000 - 10 - 0.03 - 49.99995 = 939.97005.
    """
    out = some_result(1)
    quote = MarkQuote(1.0, 110.0, 110.0, 5_000.0, 1_000.0, 1_000_000.0)
    assert mark(some_columns(1, exit_fee_usd=8.0, liquidation_fee_usd=10.0), quote, out) == 1
    found = {name: column[0] for name, column in out._asdict().items()}
    assert found == pytest.approx(
        {
            "pnl_usd": 500.0,
            "borrow_fee_usd": 0.025,
            "funding_usd": 0.005,
            "equity_usd": 1_491.97,
            "leverage": 5_000 / 1_491.97,
            "liquidation_price": 100 * (1 - 939.970049 / 5_000),
        },
        rel=1e-12,
    )


def test_a_capped_profit_is_cut() -> None:
    out = some_result(1)
    mark(some_columns(1, locked_tokens=1.0), MarkQuote(1.0, 200.0, 199.0, 0.0, 0.0, 1e6), out)
    assert (out.pnl_usd[0], out.equity_usd[0]) == (199.0, 1_199.0)


def test_what_is_not_a_number_shows() -> None:
    out = some_result(1)
    mark(some_columns(1), MarkQuote(1.0, math.nan, 1.0, 0.0, 0.0, 1e6), out)
    assert math.isnan(out.pnl_usd[0])
    assert math.isnan(out.equity_usd[0])
    assert out.leverage[0] == math.inf


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="looks for x86-64 instructions")
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_mark_is_vectorised() -> None:
    """Packed division, multiplication and rounding of doubles: a branch or a checked division would lose them."""
    fresh = numba.njit(mark.py_func, error_model="numpy", _nrt=False)  # what comes from the cache shows no code
    fresh(some_columns(4), MarkQuote(1.0, 110.0, 110.0, 0.0, 0.0, 1e6), some_result(4))
    code = fresh.inspect_asm(fresh.signatures[0])
    for instruction in (r"v?divpd", r"v?mulpd", r"v?addpd"):
        assert re.search(rf"\b{instruction}\b", code), f"no {instruction}: the loop of mark is scalar"


def test_mark_has_one_overload() -> None:
    check_book(busy_case(1, orders=50))
    mark(some_columns(3), MarkQuote(-1.0, 110.0, 110.0, 0.0, 0.0, 1e6), some_result(3))
    assert len(mark.signatures) == 1
