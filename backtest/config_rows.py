"""The rows of a protocol file: custodies, markets, calendars and dated changes, in the units of the file.

A key without a default is read by every variant. A key that is `None` unless given is read by some variants only, and
`backtest.mechanisms` says which: a variant whose numbers are missing is refused. 0 dollars as a limit: no limit.
"""

from typing import Any, Literal

from backtest.config_units import (
    BandBps,
    Bps,
    Decimals,
    Dollars,
    Exponent,
    FineBps,
    Leverage,
    MultiplierBps,
    PayoffBps,
    PerHour,
    PerInterval,
    SensitivityBps,
    Table,
    Tokens,
    Weight,
    YearlyBps,
)


class Row(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What custodies and markets share. `price` is the price symbol, default the symbol itself."""

    symbol: str
    price: str = ""


class Custody(Row, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One token that the pool holds."""

    decimals: Decimals
    stable: bool
    conf_bps: BandBps = 0  # half width of the price band around the quote
    peg: Literal["none", "capped", "floored"] = "none"  # a stable: at most $1 as collateral, or at least $1 in the AUM
    add_bps: Bps = 0
    remove_bps: Bps = 0
    swap_in_bps: Bps | None = None
    swap_out_bps: Bps | None = None
    fee_optimal_bps: Bps | None = None  # LP fee at the target ratio
    fee_max_bps: Bps | None = None  # LP fee at the edge of the ratio's range
    fee_mult_bps: MultiplierBps | None = None  # 10000: the LP fee doubles at the edge of the range
    minimum_tokens: Tokens = 0.0  # what a withdrawal must leave, stables only
    buffer_tokens: Tokens = 0.0  # what a swap must leave
    max_dollars_usd: Dollars = 0.0  # internal dollars issued against the token
    weight: Weight | None = None  # share of the internal dollars that the LP fee steers towards
    max_position_locked_usd: Dollars = 0.0
    max_total_locked_usd: Dollars = 0.0
    max_utilisation_bps: Bps = 0  # 0: all of `owned` can be locked
    max_borrow_per_hour: PerHour | None = None  # at full utilisation: linear, two_slope
    mid_borrow_per_hour: PerHour = 0.0  # at the kink: two_slope
    base_borrow_per_hour: PerHour | None = None  # at no utilisation: kink
    slope1_borrow_per_hour: PerHour | None = None  # added from 0 to the kink: kink
    slope2_borrow_per_hour: PerHour | None = None  # added from the kink to full utilisation: kink
    min_borrow_per_year_bps: YearlyBps | None = None  # at no utilisation: jump
    target_borrow_per_year_bps: YearlyBps | None = None  # at the kink: jump
    max_borrow_per_year_bps: YearlyBps | None = None  # at full utilisation: jump
    max_borrow_per_interval: PerInterval | None = None  # at full utilisation, per pool.borrow_interval_s: stepwise
    optimal_utilisation_bps: Bps = 10_000  # place of the kink
    ratio_target_bps: Bps = 0
    ratio_min_bps: Bps = 0
    ratio_max_bps: Bps = 10_000


class Market(Row, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One traded symbol and the custodies that back its two sides; "" as custody: that side is not offered."""

    calendar: str = ""  # a [calendar.NAME]; none: always open
    long_custody: str
    short_custody: str
    open_bps: Bps | None = None
    close_bps: Bps
    liquidation_bps: Bps | None = None
    liquidation_fee_usd: Dollars | None = None
    liquidator_bps: Bps = 0  # of the payout of a liquidated position, to who liquidates
    spread_long_bps: BandBps = 0  # on top of the high price: buys
    spread_short_bps: BandBps = 0  # below the low price: sells
    payoff_long_bps: PayoffBps = 10_000  # 10000: as many tokens locked as traded
    payoff_short_bps: PayoffBps = 10_000
    utilisation_mult_bps: MultiplierBps | None = None
    impact_scalar_usd: Dollars | None = None  # size that adds 100 % linear fee; 0: no linear part
    impact_threshold_usd: Dollars | None = None  # net flow of a minute above which the fee rises; 0: it never does
    impact_exponent: Exponent | None = None
    impact_factor_bps: FineBps | None = None  # added at a net flow of once the threshold; 0: none
    impact_max_bps: Bps | None = None  # of the fee as a whole; 0: none
    min_profit_bps: Bps = 0  # a smaller profit within pool.min_profit_window_s counts as none
    min_initial_leverage: Leverage = 1.0
    max_initial_leverage: Leverage | None = None
    max_leverage: Leverage
    max_cumulative_long_usd: Dollars = 0.0
    max_cumulative_short_usd: Dollars = 0.0
    max_position_usd: Dollars = 0.0
    max_funding_per_hour: PerHour = 0.0
    funding_sensitivity_bps: SensitivityBps = 0
    funding_min_oi_usd: Dollars = 0.0


class Calendar(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """When markets are open. `backtest.calendars` reads the texts.

    zone: of the times below, such as "America/New_York", which follows daylight saving; default UTC
    open: weekly sessions such as "Sun 18:00 - Fri 17:00"
    breaks: daily pauses within them, such as "17:00 - 18:00"
    holidays: whole days, such as "2025-12-25", or spans, such as "2025-12-24 13:00 - 2025-12-25 18:00"
    """

    zone: str = "UTC"
    open: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()


class Change(Table, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Values that a venue put in force at a date (midnight UTC, or a full timestamp), with who says so."""

    date: str
    source: str = ""
    assumption: str = ""
    set: dict[str, Any]
