"""What a protocol file says: mechanisms by name, and the numbers of pool, fees, custodies and markets.

Structs are frozen and refuse unknown keys. Units are those of the files: dollars, tokens, basis points, fractions per
hour, leverage in x, seconds; `backtest.resolve` turns them into the integers of the kernels.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_BPS = {"unit": "basis points"}
Bps = Annotated[int, Meta(ge=0, le=10_000, extra=_BPS)]
BandBps = Annotated[int, Meta(ge=0, le=9_999, extra=_BPS)]  # a band of 100 % would make the low price 0
SensitivityBps = Annotated[int, Meta(ge=0, le=1_000_000, extra=_BPS)]
Dollars = Annotated[float, Meta(ge=0, le=1e12, extra={"unit": "dollars", "scale": 10**6})]
Price = Annotated[float, Meta(ge=0, le=1e6, extra={"unit": "dollars per token", "scale": 10**10})]
Tokens = Annotated[float, Meta(ge=0, le=1e12, extra={"unit": "tokens", "scale": 10**9})]
_PER_HOUR = {"unit": "the notional per hour (0.0001 is 0.01 %)", "scale": 10**9}
PerHour = Annotated[float, Meta(ge=0, le=1, extra=_PER_HOUR)]
Leverage = Annotated[float, Meta(ge=1, le=10_000, extra={"unit": "x", "scale": 10**4})]
Seconds = Annotated[int, Meta(ge=0, le=31_536_000, extra={"unit": "seconds"})]
Decimals = Annotated[int, Meta(ge=0, le=9, extra={"unit": "decimal places"})]
Multiplier = Annotated[float, Meta(ge=0, le=1_000, extra={"unit": "times the close fee", "scale": 10**4})]


class _Table(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    pass


class Mechanisms(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One variant of each family; the lower half has one variant so far. The order is that of kernels.codes."""

    borrow: Literal["linear", "two_slope"]
    funding: Literal["none", "imbalance"]
    close_fee: Literal["fixed_at_open", "age_tiers"]
    leftover: Literal["trader", "pool"]
    swap: Literal["none", "whitelisted"]
    trade_price: Literal["oracle"] = "oracle"
    profit: Literal["locked_value"] = "locked_value"
    liquidation: Literal["max_leverage"] = "max_leverage"
    valuation: Literal["adrena"] = "adrena"
    lp_fee: Literal["flat"] = "flat"


class Pool(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Rules of the whole pool. `aum_cap_usd` 0: no cap on deposits."""

    min_collateral_usd: Dollars = 0.0
    min_age_s: Seconds = 0  # from open to a voluntary exit
    min_age_after_edit_s: Seconds = 0  # from a change of collateral to a voluntary exit
    collateral_edit_lock_s: Seconds = 0  # from one change of collateral to the next
    aum_cap_usd: Dollars = 0.0
    lp_same_timestamp_guard: bool = False  # LP tokens cannot leave at the second of the last deposit
    funding_in_aum: bool = False  # accrued funding counts in the pool's value before it is settled


class CloseFeeTier(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Until this age the close fee is multiplied."""

    until_s: Seconds
    multiplier: Multiplier


class Fees(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Split of every trading fee, and when the debt to others is paid. The referrer is paid out of lm + protocol."""

    lp_share_bps: Bps
    lm_share_bps: Bps  # liquidity mining: stakers of the governance token
    protocol_share_bps: Bps
    referrer_share_bps: Bps = 0
    distribution_interval_s: Seconds = 0  # 0: only by distribute_fees orders
    distribution_custody: str = ""  # default: the first stable custody
    depeg_floor_usd: Price = 0.0  # not paid out while the custody trades at or below it
    close_fee_tiers: tuple[CloseFeeTier, ...] = ()


class Custody(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One token that the pool holds. `price` is its price symbol, default the symbol itself; 0 dollars: no limit."""

    symbol: str
    decimals: Decimals
    stable: bool
    price: str = ""
    conf_bps: BandBps = 0  # half width of the price band around mid
    add_bps: Bps = 0
    remove_bps: Bps = 0
    minimum_tokens: Tokens = 0.0  # what a withdrawal must leave, stables only
    max_position_locked_usd: Dollars = 0.0
    max_borrow_per_hour: PerHour
    mid_borrow_per_hour: PerHour = 0.0  # rate at the kink, two_slope only
    optimal_utilisation_bps: Bps = 10_000  # place of the kink, two_slope only
    ratio_target_bps: Bps = 0
    ratio_min_bps: Bps = 0
    ratio_max_bps: Bps = 10_000


class Market(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One traded symbol and the custodies that back its two sides. A cap of 0 dollars: none."""

    symbol: str
    price: str = ""
    long_custody: str
    short_custody: str
    close_bps: Bps
    liquidation_bps: Bps
    min_initial_leverage: Leverage = 1.0
    max_initial_leverage: Leverage
    max_leverage: Leverage
    max_cumulative_long_usd: Dollars = 0.0
    max_cumulative_short_usd: Dollars = 0.0
    max_funding_per_hour: PerHour = 0.0
    funding_sensitivity_bps: SensitivityBps = 0
    funding_min_oi_usd: Dollars = 0.0


class Override(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A value that a scenario or `--set` put in place of the file's."""

    path: str
    before: Any
    after: Any


class Protocol(_Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole protocol. `sources` and `assumptions` map patterns of dotted paths to where each number comes from."""

    name: str
    title: str = ""
    description: str = ""
    as_of: str = ""
    mechanisms: Mechanisms
    pool: Pool = Pool()
    fees: Fees
    custody: tuple[Custody, ...]
    market: tuple[Market, ...]
    sources: dict[str, str] = {}
    assumptions: dict[str, str] = {}
    overrides: tuple[Override, ...] = ()


TABLES = ("mechanisms", "pool", "fees")
ROWS = ("custody", "market")


def leaves(protocol: Protocol) -> dict[str, Any]:
    """Every value in force by dotted path, such as `pool.min_age_s` or `market.SOL.close_bps`, in file order."""
    plain = msgspec.to_builtins(protocol)
    found = {f"{table}.{key}": value for table in TABLES for key, value in plain[table].items()}
    for table in ROWS:
        for row in plain[table]:
            found |= {f"{table}.{row['symbol']}.{key}": row[key] for key in row if key != "symbol"}
    return found
