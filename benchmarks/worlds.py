"""Pools, price walks and order arrays that the benchmarks run on."""

from collections.abc import Mapping, Sequence

import numpy as np

from backtest.engine import Engine, Sink, make_venue, one_price
from kernels import codes, state
from kernels.state import Orders, Ticks

START_US = 1_704_067_200_000_000  # 2024-01-01 UTC
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
PRICE_SCALE = 1e10
TICKS_PER_RUN = 65_536


def discard(table: str, records: np.ndarray) -> None:
    """A sink that keeps nothing."""


def _fields(dtype: np.dtype, values: Mapping[str, int]) -> dict[str, int]:
    assert dtype.names is not None and not set(values) - set(dtype.names)
    return {name: 0 for name in dtype.names} | dict(values)


def custody(**values: int) -> dict[str, int]:
    """Parameters of one custody, Adrena's linear borrow rate of at most 0.01 % per hour."""
    given = {"decimals": 6, "borrow_max": 100_000, "borrow_mid": 50_000, "borrow_optimal_bps": 8_000} | values
    return _fields(state.CUSTODY_PARAMS, one_price(given) | {"unit": 10 ** given["decimals"]})


def market(**values: int) -> dict[str, int]:
    """Parameters of one market with Adrena's fees and leverage limits."""
    given = {
        "min_initial_leverage_bps": 11_000,
        "max_initial_leverage_bps": 1_000_000,
        "max_leverage_bps": 1_000_000,
        "close_bps": 16,
        "liquidation_bps": 16,
        "payoff_long_bps": 10_000,
        "payoff_short_bps": 10_000,
    }
    return _fields(state.MARKET_PARAMS, one_price(given | values))


def pool(**values: int) -> dict[str, int]:
    """Parameters of the pool with Adrena's fee split, one sample a day."""
    given = {
        "min_collateral_usd": 9_000_000,
        "lp_share_bps": 7_000,
        "referrer_share_bps": 1_000,
        "lm_share_bps": 2_000,
        "protocol_share_bps": 1_000,
        "depeg_floor": 9_900_000_000,
        "mint_counts_fee": 1,
        "sample_interval_us": DAY_US,
    }
    return _fields(state.POOL_PARAMS, given | values)


def engine_of(
    custodies: Sequence[Mapping[str, int]],
    markets: Sequence[Mapping[str, int]],
    pool_fields: Mapping[str, int],
    sink: Sink = discard,
    *,
    scan: bool = False,
    capacity: int = 1024,
) -> Engine:
    """An engine for these parameters; `capacity` slots per book, a multiple of 32."""
    return Engine(make_venue(custodies, markets, pool_fields), sink, scan=scan, capacity=capacity)


def no_orders() -> Orders:
    """No orders, in the flavour of array that the loop is compiled for."""
    return frozen(Orders(*(np.empty(0, np.int64) for _ in Orders._fields)))


def frozen(orders: Orders) -> Orders:
    """The same columns, read-only as those that come from Arrow."""
    for column in orders:
        column.flags.writeable = False
    return orders


def opens(due_us: np.ndarray, first_id: int, **columns: np.ndarray) -> Orders:
    """Market orders to open in market 0, long unless `side` says otherwise; position id = order id."""
    n = len(due_us)
    number = np.arange(first_id, first_id + n, dtype=np.int64)
    zero = np.zeros(n, np.int64)
    given = {"due_us": due_us, "order_id": number, "position_id": number, "action": zero + codes.OPEN}
    given |= {"market": zero, "side": zero + codes.LONG, "lp_account": zero, "referred": zero} | columns
    absent = zero - 1
    return frozen(Orders(*(np.array(given.get(name, absent), np.int64) for name in Orders._fields)))


def walk(n: int, seed: int, sigma: float, first: float, step_s: int = 60, start_us: int = START_US) -> Ticks:
    """A seeded geometric random walk of one symbol beside a stable one: prices (n, 2) at 1e10."""
    draw = np.random.Generator(np.random.PCG64(seed))
    moves = draw.standard_normal(n) * sigma - sigma * sigma / 2
    moves[0] = 0.0
    price = np.empty((n, 2), np.int64)
    price[:, 0] = np.rint(first * np.exp(np.cumsum(moves)) * PRICE_SCALE)
    price[:, 1] = int(PRICE_SCALE)
    times = start_us + np.arange(n, dtype=np.int64) * step_s * SECOND_US
    return Ticks(times, price, np.zeros((n, 2), np.uint8))


def part(ticks: Ticks, first: int, last: int) -> Ticks:
    """Ticks [first, last), contiguous views."""
    return Ticks(*(column[first:last] for column in ticks))


def run_ticks(engine: Engine, ticks: Ticks) -> None:
    """Run ticks without orders, in pieces as a backtest does."""
    orders, n = no_orders(), len(ticks.time_us)
    for first in range(0, n, TICKS_PER_RUN):
        last = min(first + TICKS_PER_RUN, n)
        engine.run(part(ticks, first, last), orders, is_last=last == n)
