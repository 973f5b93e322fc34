"""The engine's arrays: growth, recycling, range, and the tree against the scan on a busy book."""

import hashlib

import numpy as np
import pytest

from backtest.engine import Engine, make_venue
from backtest.errors import PerpoolError
from kernels import codes
from kernels.state import Orders, Ticks
from tests.case import Case, custody, market, order, pool
from tests.engine import run_case, to_orders
from tests.reference import run as run_reference

SECOND = 1_000_000
ONE = 10_000_000_000


def _pool_of_two(**pool_values: int) -> dict:
    return {
        "custodies": [
            custody(stable=1, price_symbol=0),
            custody(decimals=9, price_symbol=1, conf_bps=25, interest_in_pnl=1),
        ],
        "markets": [market(price_symbol=1, long_custody=1, short_custody=0)],
        "pool": pool(**pool_values),
    }


def _ticks(prices: list[int]) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    return [(60 * SECOND * (i + 1), (ONE, price * ONE), (0, 0)) for i, price in enumerate(prices)]


def test_books_and_accounts_grow_without_losing_anything() -> None:
    deposits = [
        order(due_us=60 * SECOND, order_id=i, action=codes.ADD_LIQUIDITY, custody=0, amount_units=10**9, lp_account=i)
        for i in range(300)
    ]
    opens = [
        order(
            due_us=120 * SECOND,
            order_id=1_000 + i,
            action=codes.OPEN,
            position_id=i,
            market=0,
            side=i & 1,
            leverage_bps=50_000,
            collateral_usd=20 * SECOND,
        )
        for i in range(500)
    ]
    closes = [order(due_us=180 * SECOND, order_id=2_000 + i, action=codes.CLOSE, position_id=i) for i in range(500)]
    withdrawals = [
        order(
            due_us=240 * SECOND,
            order_id=3_000 + i,
            action=codes.REMOVE_LIQUIDITY,
            custody=0,
            amount_units=10**8,
            lp_account=i,
        )
        for i in range(300)
    ]
    case = Case(**_pool_of_two(), ticks=_ticks([100, 100, 101, 101, 101]), genesis=[10**12, 10**14])
    case.orders = deposits + opens + closes + withdrawals
    result = run_case(case, capacity=32, buffer_rows=16)
    assert not result.rejections
    assert len(result.positions) == 500
    assert len(result.events) == 2 + 300 + 500 + 500 + 300
    assert result.custodies[0]["locked"] == result.custodies[1]["locked"] == 0
    assert result == run_case(case, capacity=4_096)


def test_freed_slots_are_used_again() -> None:
    orders = []
    for i in range(200):
        due = 60 * SECOND * (i + 1)
        fields = {"market": 0, "side": 0, "leverage_bps": 20_000, "collateral_usd": 20 * SECOND}
        orders.append(order(due_us=due, order_id=2 * i, action=codes.OPEN, position_id=i, **fields))
        orders.append(order(due_us=due, order_id=2 * i + 1, action=codes.CLOSE, position_id=i))
    case = Case(**_pool_of_two(), ticks=_ticks([100] * 200), orders=orders, genesis=[10**12, 10**14])
    venue = make_venue(case.custodies, case.markets, case.pool)
    engine = Engine(venue, lambda table, records: None, capacity=32)
    ticks = Ticks(
        np.array([t for t, _, _ in case.ticks]),
        np.array([p for _, p, _ in case.ticks]),
        np.zeros((200, 2), np.uint8),
    )
    engine.start(ticks, case.genesis)
    engine.run(ticks, to_orders(case.orders), is_last=True)
    assert len(engine.books.row) == 64  # one slot at a time needs no growth
    assert int(venue.pool["n_closed"][0]) == 200


def test_a_sum_out_of_range_is_an_error_and_not_a_wrap() -> None:
    """A short of 9 million dollars while the price rises two million times: its loss passes 2.3e12 dollars."""
    short = order(
        due_us=60 * SECOND,
        order_id=0,
        action=codes.OPEN,
        position_id=0,
        market=0,
        side=1,
        leverage_bps=20_000,
        collateral_usd=4_500_000 * SECOND,
    )
    setting = _pool_of_two()
    ticks = [(60 * SECOND, (ONE, ONE // 100), (0, 0)), (120 * SECOND, (ONE, 20_000 * ONE), (0, 0))]
    case = Case(**setting, ticks=ticks, orders=[short], genesis=[10**14, 10**14])
    with pytest.raises(PerpoolError, match="a sum left the range of the books at event"):
        run_case(case)


def _busy(n: int, n_ticks: int) -> tuple[Ticks, Orders]:
    rng = np.random.default_rng(5)
    times = (np.arange(n_ticks, dtype=np.int64) + 1) * 60 * SECOND
    price = np.empty((n_ticks, 2), np.int64)
    price[:, 0] = ONE
    price[:, 1] = np.rint(100 * np.exp(np.cumsum(rng.standard_normal(n_ticks) * 0.004)) * ONE)
    opened = np.sort(rng.integers(0, n_ticks, n))
    columns = {name: np.full(n, -1, np.int64) for name in Orders._fields}
    columns["due_us"] = times[opened]
    columns["order_id"] = columns["position_id"] = np.arange(n)
    columns["action"][:] = codes.OPEN
    columns["market"][:] = columns["lp_account"][:] = columns["referred"][:] = 0
    columns["side"] = rng.integers(0, 2, n)
    columns["leverage_bps"] = np.rint(np.exp(rng.uniform(np.log(2), np.log(80), n)) * 10_000).astype(np.int64)
    columns["collateral_usd"] = rng.integers(10, 200, n) * SECOND
    reach = rng.uniform(0.002, 0.2, n)
    away = np.where(columns["side"] == 0, 1 - reach, 1 + reach)
    entry = price[opened, 1]
    columns["stop_loss"] = np.where(rng.random(n) < 0.2, entry * away, -1).astype(np.int64)
    columns["take_profit"] = np.where(rng.random(n) < 0.2, entry / away, -1).astype(np.int64)
    for column in columns.values():
        column.flags.writeable = False
    return Ticks(times, price, np.zeros((n_ticks, 2), np.uint8)), Orders(**columns)


@pytest.mark.parametrize("funding", [codes.FUNDING_NONE, codes.FUNDING_IMBALANCE])
def test_tree_equals_scan_on_thousands_of_open_positions(funding: int) -> None:
    """20,000 positions, thousands open at once, accrual that rises and falls: the same bytes by either search."""
    ticks, orders = _busy(20_000, 1_500)
    setting = _pool_of_two(funding=funding)
    setting["markets"][0] |= {"funding_max": 2_000_000, "funding_sensitivity_bps": 20_000}
    digests = []
    for scan in (False, True):
        digest = hashlib.sha256()
        venue = make_venue(setting["custodies"], setting["markets"], setting["pool"])
        engine = Engine(venue, lambda table, records, d=digest: d.update(records.tobytes()), scan=scan)
        engine.start(ticks, [10**14, 10**15])
        engine.run(ticks, orders, is_last=True)
        engine.finish()
        digests.append(digest.hexdigest())
        assert int(venue.pool["n_liquidated"][0]) > 3_000
        assert int(venue.pool["n_closed"][0]) > 1_000
    assert digests[0] == digests[1]


@pytest.mark.parametrize(("side", "prices"), [(0, [100, 80, 94, 93]), (1, [100, 120, 106, 107])])
def test_a_limit_order_waits_for_its_band(side: int, prices: list[int]) -> None:
    """Adrena's limit orders fire between trigger and limit price: not at 80 (120) beyond it, but at 94 (106)."""
    trigger, far = (95, 90) if side == 0 else (105, 110)
    fields = {"market": 0, "side": side, "leverage_bps": 20_000, "collateral_usd": 20 * SECOND}
    waiting = order(
        due_us=60 * SECOND,
        order_id=7,
        action=codes.LIMIT_OPEN,
        position_id=1,
        trigger_price=trigger * ONE,
        limit_price=far * ONE,
        **fields,
    )
    case = Case(**_pool_of_two(), ticks=_ticks(prices), orders=[waiting], genesis=[10**12, 10**14])
    filled = [event for event in run_case(case).events if event["kind"] == codes.K_LIMIT_OPEN]
    assert [(event["timestamp"], event["price"]) for event in filled] == [(180 * SECOND, prices[2] * ONE)]


def test_a_capped_profit_that_no_longer_saves_is_found() -> None:
    """The staked token collapses while its market stands: the profit is cut, and the position must go.

    1,000 dollars long at 10x on SOL at 100, up to 150: profit 500. All but 2 dollars of collateral are withdrawn
    (leverage 1000 / 502 = 2x). Then the custody's token falls to 5 % of its price: the locked 10 tokens back only
    50 dollars of profit, margin 52 is under 1000 / 12 = 83, although the market's own price has not moved.
    """
    setting = {
        "custodies": [
            custody(stable=1, price_symbol=0),
            custody(decimals=9, price_symbol=1, interest_in_pnl=1, borrow_max=0),
        ],
        "markets": [market(price_symbol=2, long_custody=1, short_custody=0, close_bps=0, liquidation_bps=0)],
        "pool": pool(),
    }
    setting["markets"][0] |= {"max_leverage_bps": 120_000, "max_initial_leverage_bps": 110_000}
    prices = [(100, 100), (150, 150), (150, 150), (150, 5), (150, 5)]
    ticks = [(60 * SECOND * (i + 1), (ONE, token * ONE, sol * ONE), (0, 0, 0)) for i, (sol, token) in enumerate(prices)]
    fields = {"market": 0, "side": 0, "leverage_bps": 100_000, "collateral_units": 10**9}
    orders = [
        order(due_us=60 * SECOND, order_id=0, action=codes.OPEN, position_id=1, **fields),
        order(
            due_us=120 * SECOND,
            order_id=1,
            action=codes.WITHDRAW_COLLATERAL,
            position_id=1,
            collateral_usd=98 * SECOND,
        ),
    ]
    case = Case(**setting, ticks=ticks, orders=orders, genesis=[10**12, 10**14])
    result = run_case(case)
    assert [event["kind"] for event in result.events[2:]] == [
        codes.K_OPEN,
        codes.K_WITHDRAW_COLLATERAL,
        codes.K_LIQUIDATION,
    ]
    liquidation = result.events[-1]
    assert liquidation["timestamp"] == 240 * SECOND
    assert liquidation["payout_usd"] == 52 * SECOND
    assert result == run_case(case, scan=True) == run_reference(case)
