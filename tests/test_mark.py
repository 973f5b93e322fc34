"""The full pass `mark` against the exact integers of the slow reference, and its machine code."""

import math
import platform
import re
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from backtest.engine import Engine
from kernels import codes
from kernels.mark import MarkColumns, MarkQuote, MarkResult, mark
from tests.busy_case import busy_case
from tests.case import Case
from tests.properties.strategies import spine_cases
from tests.reference import position as exact
from tests.reference.venue import Record, Venue
from tests.test_marking import engine_after, liquidated_at, reference_after

MICRO, PRICE = 10**6, 10**10
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def gather(engine: Engine, rows: np.ndarray) -> MarkColumns:
    """The columns that `mark` reads, from rows of open positions of one book; read-only, as Arrow's memory is."""
    market = engine.venue.market[rows["book"] >> 1]
    custody = np.where(rows["book"] & 1 == codes.LONG, market["long_custody"], market["short_custody"])
    units = engine.venue.custody["unit"][custody].astype(np.float64)
    # No profit is paid within the second of opening.
    locked = np.where(rows["open_s"] < engine.venue.pool["now_s"][0], rows["locked"], 0)
    columns = MarkColumns(
        entry_price=rows["entry_price"] / PRICE,
        size_usd=rows["size_usd"] / MICRO,
        collateral_usd=rows["collateral_usd"] / MICRO,
        exit_fee_usd=rows["exit_fee_usd"] / MICRO,
        liquidation_fee_usd=rows["liquidation_fee_usd"] / MICRO,
        interest_usd=(rows["unrealised_interest_usd"] + rows["paid_interest_usd"]) / MICRO,
        funding_usd=rows["unrealised_funding_usd"] / MICRO,
        index_snapshot=rows["cum_snapshot"].astype(np.float64),
        funding_snapshot=rows["funding_snapshot"].astype(np.float64),
        locked_tokens=locked / units,
    )
    for column in columns:
        column.flags.writeable = False
    return columns


def quote(engine: Engine, b: int) -> MarkQuote:
    """Price, low price and indices of the last tick for book b = 2 * market + side."""
    market = engine.venue.market[b >> 1]
    is_long = b & 1 == codes.LONG
    custody = engine.venue.custody[market["long_custody"] if is_long else market["short_custody"]]
    return MarkQuote(
        sign=1.0 if is_long else -1.0,
        price=float(market["price"]) / PRICE,
        low_price=float(custody["low"]) / PRICE,
        index=float(custody["index_now"]),
        funding_index=float(market["funding_now"]),
        max_leverage_bps=float(market["max_leverage_bps"]),
    )


def marked(engine: Engine) -> dict[int, dict[str, float]]:
    """What the pass says of every open position, by position_no."""
    found = {}
    for b in range(len(engine.books.book)):
        rows = engine.books.row[(engine.books.row["status"] == codes.OPEN_POSITION) & (engine.books.row["book"] == b)]
        out = some_result(len(rows))
        assert mark(gather(engine, rows), quote(engine, b), out) == len(rows)
        for i, number in enumerate(rows["position_no"]):
            found[int(number)] = {name: float(column[i]) for name, column in out._asdict().items()}
    return found


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
    rows = marked(engine_after(case))
    venue = reference_after(case)
    positions = [row for row in venue.rows if row.status == codes.OPEN_POSITION]
    assert sorted(rows) == sorted(position.position_no for position in positions)
    for position in positions:
        row = rows[position.position_no]
        check_values(venue, position, row)
        check_liquidation_price(venue, position, row)
    return len(positions)


@QUICK
@given(spine_cases())
def test_mark_equals_exact_integers(case: Case) -> None:
    check_book(case)


def test_mark_of_a_busy_book() -> None:
    assert sum(check_book(busy_case(seed, orders=200)) for seed in range(4)) > 20


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
