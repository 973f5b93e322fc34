"""One small backtest as plain integers, the common tongue of the slow reference, the engine and the golden tests."""

from dataclasses import dataclass, field

from backtest.engine import one_price
from kernels import state


def _defaults(dtype, **values: int) -> dict[str, int]:
    unknown = set(values) - set(dtype.names)
    assert not unknown, f"unknown fields {sorted(unknown)}"
    return {name: 0 for name in dtype.names} | values


def custody(**values: int) -> dict[str, int]:
    """Parameters of one custody (kernels.state.CUSTODY_PARAMS); `unit` follows from `decimals`."""
    given = {"decimals": 6, "borrow_max": 100_000, "borrow_mid": 50_000, "borrow_optimal_bps": 8_000} | values
    return _defaults(state.CUSTODY_PARAMS, **one_price(given), unit=10 ** given["decimals"])


def market(**values: int) -> dict[str, int]:
    """Parameters of one market (kernels.state.MARKET_PARAMS)."""
    given = {
        "min_initial_leverage_bps": 11_000,
        "max_initial_leverage_bps": 1_200_000,
        "max_leverage_bps": 3_000_000,
        "close_bps": 16,
        "liquidation_bps": 16,
        "payoff_long_bps": 10_000,
        "payoff_short_bps": 10_000,
    } | values
    return _defaults(state.MARKET_PARAMS, **one_price(given))


def pool(**values: int) -> dict[str, int]:
    """Parameters of the pool (kernels.state.POOL_PARAMS); v1.3.7 shares, no cap, hourly samples."""
    given = {
        "min_collateral_usd": 9_000_000,
        "lp_share_bps": 7_000,
        "referrer_share_bps": 1_000,
        "lm_share_bps": 2_000,
        "protocol_share_bps": 1_000,
        "fee_custody": 0,
        "mint_counts_fee": 1,
        "depeg_floor": 9_900_000_000,
        "sample_interval_us": 3_600_000_000,
    } | values
    return _defaults(state.POOL_PARAMS, **given)


def order(**values: int) -> dict[str, int]:
    """One order (kernels.state.Orders) with everything absent but what is given; `due_us` and `action` are required."""
    unknown = set(values) - set(state.Orders._fields)
    assert not unknown, f"unknown fields {sorted(unknown)}"
    assert {"due_us", "action"} <= set(values)
    absent = {name: -1 for name in state.Orders._fields} | {"lp_account": 0, "referred": 0}
    return absent | values


@dataclass(frozen=True)
class Change:
    """Other parameters from tick number `tick` on; their records are of the shapes of the case's own."""

    tick: int
    custodies: list[dict[str, int]]
    markets: list[dict[str, int]]
    pool: dict[str, int]


@dataclass
class Case:
    """Inputs. `ticks`: (time_us, prices at 1e10 per symbol, flags per symbol); orders sorted by (due_us, order_id).

    `changes` by tick, none at the first; they are numbered from 1.
    """

    custodies: list[dict[str, int]]
    markets: list[dict[str, int]]
    pool: dict[str, int]
    ticks: list[tuple[int, tuple[int, ...], tuple[int, ...]]]
    orders: list[dict[str, int]] = field(default_factory=list)
    genesis: list[int] = field(default_factory=list)  # token units per custody; empty: none
    changes: list[Change] = field(default_factory=list)


@dataclass
class Result:
    """Outputs, each a list of dicts with the fields of the record of the same name in kernels.state.

    `custodies`, `sides`, `interest`, `funding`, `pool` are the final states (dicts by field); `book` the rows
    still open or pending at the end, by (market, side, position_no), with the fields of ROW.
    """

    events: list[dict[str, int]]
    positions: list[dict[str, int]]
    rejections: list[dict[str, int]]
    pool_samples: list[dict[str, int]]
    market_samples: list[dict[str, int]]
    lp_samples: list[dict[str, int]]
    custodies: list[dict[str, int]]
    interest: list[dict[str, int]]  # index custody * 2 + side
    sides: list[dict[str, int]]  # index market * 2 + side
    funding: list[dict[str, int]]
    pool: dict[str, int]
    book: list[dict[str, int]]
