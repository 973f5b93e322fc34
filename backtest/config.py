"""What a protocol file says: mechanisms by name, and the numbers of pool, fees, custodies and markets.

Structs are frozen and refuse unknown keys. Units are those of the files: dollars, tokens, basis points, fractions per
hour, leverage in x, seconds; `backtest.resolve` turns them into the integers of the kernels.
"""

from typing import Any, Literal

import msgspec

from backtest.config_rows import Calendar, Change, Custody, Market, Row
from backtest.config_units import BandBps, Bps, Dollars, Multiplier, Price, Seconds, Table

__all__ = [
    "DEFAULTS",
    "ROWS",
    "STRUCTS",
    "TABLES",
    "Calendar",
    "Change",
    "CloseFeeTier",
    "Custody",
    "Fees",
    "Market",
    "Mechanisms",
    "Override",
    "Pool",
    "Protocol",
    "Row",
    "key_of",
    "leaves",
]


class Mechanisms(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One variant of each family, in the order of kernels.state.POOL_PARAMS; `backtest.mechanisms` explains each."""

    borrow: Literal["linear", "two_slope", "kink", "jump", "stepwise"]
    borrow_base: Literal["size", "locked_value"] = "size"
    interest: Literal["accrued", "charged"] = "accrued"
    interest_rounding: Literal["floor", "ceil"] = "floor"
    funding: Literal["none", "imbalance"]
    trade_price: Literal["oracle", "ema_spread", "confidence", "min_max"] = "oracle"
    sizing: Literal["collateral_tokens", "dollars", "tokens"] = "collateral_tokens"
    margin: Literal["separate", "pooled"] = "separate"
    average_entry: Literal["harmonic", "pnl_preserving"] = "harmonic"
    partial_close: Literal["pro_rata", "realised"] = "pro_rata"
    open_fee: Literal["none", "flat", "utilisation", "impact"] = "none"
    close_fee: Literal["fixed_at_open", "age_tiers", "flat", "ema_tokens", "impact"]
    fee_booking: Literal["debt", "reserve", "protocol_reserve"] = "debt"
    profit: Literal["locked_value", "uncapped"] = "locked_value"
    liquidation: Literal["max_leverage", "min_margin", "two_states"] = "max_leverage"
    leftover: Literal["trader", "pool"]
    shortfall: Literal["absorbed", "refused"] = "absorbed"
    oi_cap: Literal["locked_stables", "size", "guaranteed"] = "locked_stables"
    valuation: Literal["collective", "collective_min_max", "guaranteed"] = "collective"
    lp_fee: Literal["flat", "linear", "optimal", "tax_rebate"] = "flat"
    ratio_limit: Literal["none", "bounds"] = "none"
    swap: Literal["none", "whitelisted", "spread", "tax_rebate"]


class Pool(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Rules of the whole pool. `aum_cap_usd` 0: no cap on deposits."""

    min_collateral_usd: Dollars = 0.0
    min_age_s: Seconds = 0  # from open to a voluntary exit
    min_age_after_edit_s: Seconds = 0  # from a change of collateral to a voluntary exit
    collateral_edit_lock_s: Seconds = 0  # from one change of collateral to the next
    deposit_checks_initial_leverage: bool = False  # a deposit of collateral must end within the initial range
    strict_stable_deviation: Price = 0.0  # min_max: a stable no further from a dollar is quoted at a dollar
    ema_s: Seconds = 0  # time constant of an average price that no column gives
    min_profit_window_s: Seconds = 0  # from the last increase, in which market.*.min_profit_bps holds
    borrow_interval_s: Seconds | None = None  # stepwise: interest moves once per interval
    aum_cap_usd: Dollars = 0.0
    lp_same_timestamp_guard: bool = False  # LP tokens cannot leave at the second of the last deposit
    lp_cooldown_s: Seconds = 0  # from a deposit to a withdrawal of the same account
    funding_in_aum: bool = False  # accrued funding counts in the pool's value before it is settled
    unrealised_in_aum: bool | None = None  # PnL and interest of open positions count in the pool's value
    mint_counts_fee: bool = True  # LP tokens are minted against an AUM that holds the deposit's kept fee already
    redeem_at_high: bool = False  # LP tokens redeem at the high price, else at the low one
    mint_bps: Bps | None = None  # of a deposit or withdrawal, before tax and rebate
    swap_bps: Bps | None = None
    stable_swap_bps: Bps | None = None
    tax_bps: Bps | None = None  # added or given back by the distance to the target weight
    stable_tax_bps: Bps | None = None
    dynamic_fees: bool | None = None  # off: no tax, no rebate
    swap_spread_bps: BandBps | None = None
    shorts_tracker: bool = False  # a second average entry of shorts, corrected for realised PnL
    shorts_tracker_weight_bps: Bps | None = None  # its share in the average that values the pool


class CloseFeeTier(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Until this age the close fee is multiplied."""

    until_s: Seconds
    multiplier: Multiplier


class Fees(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Split of every fee, and when the part of others is paid. The referrer is paid out of lm + protocol."""

    lp_share_bps: Bps
    lp_share_joins: bool = False  # a reserve's LP part joins the pool when it is distributed, else it is paid outside
    lm_share_bps: Bps  # liquidity mining: stakers of the governance token
    protocol_share_bps: Bps
    referrer_share_bps: Bps = 0
    distribution_interval_s: Seconds = 0  # 0: only by distribute_fees orders
    distribution_custody: str = ""  # debts are paid in it; default: the first stable custody
    depeg_floor_usd: Price = 0.0  # not paid out while the custody trades at or below it
    close_fee_tiers: tuple[CloseFeeTier, ...] = ()


class Override(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A value that a scenario or `--set` put in place of the file's."""

    path: str
    before: Any
    after: Any


class Protocol(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A whole protocol. `sources` and `assumptions` map patterns of dotted paths to where each number comes from.

    `change`: values that come into force later, by rising date; `backtest.stages` applies them.
    """

    name: str
    title: str = ""
    description: str = ""
    as_of: str = ""
    mechanisms: Mechanisms
    pool: Pool = Pool()
    fees: Fees
    custody: tuple[Custody, ...]
    market: tuple[Market, ...]
    calendar: dict[str, Calendar] = msgspec.field(default_factory=dict)
    change: tuple[Change, ...] = ()
    sources: dict[str, str] = msgspec.field(default_factory=dict)
    assumptions: dict[str, str] = msgspec.field(default_factory=dict)
    overrides: tuple[Override, ...] = ()


TABLES = ("mechanisms", "pool", "fees")
ROWS = ("custody", "market")


def leaves(protocol: Protocol) -> dict[str, Any]:
    """Every value by dotted path, such as `pool.min_age_s` or `market.SOL.close_bps`, in order; None: not given."""
    plain = msgspec.to_builtins(protocol)
    found = {f"{table}.{key}": value for table in TABLES for key, value in plain[table].items()}
    for table in ROWS:
        for row in plain[table]:
            found |= {f"{table}.{row['symbol']}.{key}": row[key] for key in row if key != "symbol"}
    return found


def key_of(path: str) -> tuple[str, str]:
    """Table and key of a dotted path, whatever the symbol between them."""
    parts = path.split(".")
    return parts[0], parts[-1]


STRUCTS: dict[str, type[msgspec.Struct]] = {
    "mechanisms": Mechanisms,
    "pool": Pool,
    "fees": Fees,
    "custody": Custody,
    "market": Market,
}
# What a key holds when a file does not give it: a rule or a limit that is not there.
DEFAULTS: dict[tuple[str, str], Any] = {
    (table, field.name): field.default
    for table, kind in STRUCTS.items()
    for field in msgspec.structs.fields(kind)
    if field.default is not msgspec.NODEFAULT
}
