"""Every integer code that crosses the kernel boundary, with its name, in one table each.

Kernels compare the integers; files, SQL and messages show the names. The order of a table is its
encoding: append, never reorder.
"""

SIDES = ("long", "short")
LONG, SHORT = range(2)

ACTIONS = (
    "open",
    "increase",
    "decrease",
    "close",
    "deposit_collateral",
    "withdraw_collateral",
    "set_triggers",
    "limit_open",
    "cancel_limit",
    "resolve_borrow",
    "add_liquidity",
    "remove_liquidity",
    "swap",
    "distribute_fees",
    "accrue",
    "donate",
    "issue_dollars",
    "redeem_dollars",
)
(
    OPEN,
    INCREASE,
    DECREASE,
    CLOSE,
    DEPOSIT_COLLATERAL,
    WITHDRAW_COLLATERAL,
    SET_TRIGGERS,
    LIMIT_OPEN,
    CANCEL_LIMIT,
    RESOLVE_BORROW,
    ADD_LIQUIDITY,
    REMOVE_LIQUIDITY,
    SWAP,
    DISTRIBUTE_FEES,
    ACCRUE,
    DONATE,
    ISSUE_DOLLARS,
    REDEEM_DOLLARS,
) = range(18)
FIRST_POOL_ACTION = ADD_LIQUIDITY  # this and later ones settle after the trades of a tick

KINDS = (
    "genesis",
    "open",
    "limit_open",
    "increase",
    "decrease",
    "close",
    "stop_loss",
    "take_profit",
    "liquidation",
    "deposit_collateral",
    "withdraw_collateral",
    "set_triggers",
    "cancel_limit",
    "resolve_borrow",
    "add_liquidity",
    "remove_liquidity",
    "swap_in",
    "swap_out",
    "distribute_fees",
    "accrue",
    "donate",
    "issue_dollars",
    "redeem_dollars",
    "parameters",
)
(
    K_GENESIS,
    K_OPEN,
    K_LIMIT_OPEN,
    K_INCREASE,
    K_DECREASE,
    K_CLOSE,
    K_STOP_LOSS,
    K_TAKE_PROFIT,
    K_LIQUIDATION,
    K_DEPOSIT_COLLATERAL,
    K_WITHDRAW_COLLATERAL,
    K_SET_TRIGGERS,
    K_CANCEL_LIMIT,
    K_RESOLVE_BORROW,
    K_ADD_LIQUIDITY,
    K_REMOVE_LIQUIDITY,
    K_SWAP_IN,
    K_SWAP_OUT,
    K_DISTRIBUTE_FEES,
    K_ACCRUE,
    K_DONATE,
    K_ISSUE_DOLLARS,
    K_REDEEM_DOLLARS,
    K_PARAMETERS,
) = range(24)

# Why an order was refused; NOT_DUE and LIMIT_NOT_REACHED are those of orders still pending at the end.
REASONS = (
    "executed",
    "stale_price",
    "market_closed",
    "invalid_order",
    "price_limit",
    "position_exists",
    "position_not_found",
    "min_collateral",
    "min_leverage",
    "max_leverage",
    "max_position_locked",
    "max_cumulative_long",
    "max_cumulative_short",
    "insufficient_liquidity",
    "position_too_young",
    "collateral_edit_lock",
    "insufficient_collateral",
    "aum_cap",
    "lp_balance",
    "lp_same_timestamp",
    "custody_minimum",
    "swaps_disabled",
    "nothing_to_do",
    "cancelled",
    "amount_out_of_range",
    "not_due",
    "limit_not_reached",
    "before_start",
    "side_not_offered",
    "losses_exceed_collateral",
    "fees_exceed_collateral",
    "liquidation_fee_exceeds_collateral",
    "max_utilisation",
    "max_total_locked",
    "max_position_size",
    "ratio_limit",
    "custody_cap",
    "buffer",
    "cooldown",
    "size_exceeds_position",
)
(
    OK,
    STALE_PRICE,
    MARKET_CLOSED,
    INVALID_ORDER,
    PRICE_LIMIT,
    POSITION_EXISTS,
    POSITION_NOT_FOUND,
    MIN_COLLATERAL,
    MIN_LEVERAGE,
    MAX_LEVERAGE,
    MAX_POSITION_LOCKED,
    MAX_CUMULATIVE_LONG,
    MAX_CUMULATIVE_SHORT,
    INSUFFICIENT_LIQUIDITY,
    POSITION_TOO_YOUNG,
    COLLATERAL_EDIT_LOCK,
    INSUFFICIENT_COLLATERAL,
    AUM_CAP,
    LP_BALANCE,
    LP_SAME_TIMESTAMP,
    CUSTODY_MINIMUM,
    SWAPS_DISABLED,
    NOTHING_TO_DO,
    CANCELLED,
    AMOUNT_OUT_OF_RANGE,
    NOT_DUE,
    LIMIT_NOT_REACHED,
    BEFORE_START,
    SIDE_NOT_OFFERED,
    LOSSES_EXCEED_COLLATERAL,
    FEES_EXCEED_COLLATERAL,
    LIQUIDATION_FEE_EXCEEDS_COLLATERAL,
    MAX_UTILISATION,
    MAX_TOTAL_LOCKED,
    MAX_POSITION_SIZE,
    RATIO_LIMIT,
    CUSTODY_CAP,
    BUFFER,
    COOLDOWN,
    SIZE_EXCEEDS_POSITION,
) = range(40)

# How a position ended (column `outcome` of positions.parquet).
OUTCOMES = ("open", "close", "stop_loss", "take_profit", "liquidation")
O_OPEN, O_CLOSE, O_STOP_LOSS, O_TAKE_PROFIT, O_LIQUIDATION = range(5)

# Flags of a price at a tick. Idle: no keeper is at work, so nothing is triggered; trading goes on.
FLAG_STALE, FLAG_CLOSED, FLAG_IDLE = 1, 2, 4

# Mechanism variants, by family. A protocol file names one of each.
BORROW = ("linear", "two_slope", "kink", "jump", "stepwise")
BORROW_LINEAR, BORROW_TWO_SLOPE, BORROW_KINK, BORROW_JUMP, BORROW_STEPWISE = range(5)
BORROW_BASE = ("size", "locked_value")
BASE_SIZE, BASE_LOCKED_VALUE = range(2)
INTEREST = ("accrued", "charged")
INTEREST_ACCRUED, INTEREST_CHARGED = range(2)
ROUNDING = ("floor", "ceil")
ROUND_FLOOR, ROUND_CEIL = range(2)
FUNDING = ("none", "imbalance")
FUNDING_NONE, FUNDING_IMBALANCE = range(2)
TRADE_PRICE = ("oracle", "ema_spread", "confidence", "min_max")
PRICE_ORACLE, PRICE_EMA_SPREAD, PRICE_CONFIDENCE, PRICE_MIN_MAX = range(4)
SIZING = ("collateral_tokens", "dollars", "tokens")
SIZE_COLLATERAL_TOKENS, SIZE_DOLLARS, SIZE_TOKENS = range(3)
MARGIN = ("separate", "pooled")
MARGIN_SEPARATE, MARGIN_POOLED = range(2)
AVERAGE_ENTRY = ("harmonic", "pnl_preserving")
AVERAGE_HARMONIC, AVERAGE_PNL_PRESERVING = range(2)
PARTIAL_CLOSE = ("pro_rata", "realised")
PARTIAL_PRO_RATA, PARTIAL_REALISED = range(2)
OPEN_FEE = ("none", "flat", "utilisation", "impact")
OPEN_FEE_NONE, OPEN_FEE_FLAT, OPEN_FEE_UTILISATION, OPEN_FEE_IMPACT = range(4)
CLOSE_FEE = ("fixed_at_open", "age_tiers", "flat", "ema_tokens", "impact")
CLOSE_FEE_FIXED, CLOSE_FEE_AGE_TIERS, CLOSE_FEE_FLAT, CLOSE_FEE_EMA_TOKENS, CLOSE_FEE_IMPACT = range(5)
FEE_BOOKING = ("debt", "reserve", "protocol_reserve")
BOOK_DEBT, BOOK_RESERVE, BOOK_PROTOCOL_RESERVE = range(3)
PROFIT = ("locked_value", "uncapped")
PROFIT_LOCKED_VALUE, PROFIT_UNCAPPED = range(2)
LIQUIDATION = ("max_leverage", "min_margin", "two_states")
LIQUIDATE_MAX_LEVERAGE, LIQUIDATE_MIN_MARGIN, LIQUIDATE_TWO_STATES = range(3)
LEFTOVER = ("trader", "pool")
LEFTOVER_TRADER, LEFTOVER_POOL = range(2)
SHORTFALL = ("absorbed", "refused")
SHORTFALL_ABSORBED, SHORTFALL_REFUSED = range(2)
OI_CAP = ("locked_stables", "size", "guaranteed")
CAP_LOCKED_STABLES, CAP_SIZE, CAP_GUARANTEED = range(3)
VALUATION = ("collective", "collective_min_max", "guaranteed")
VALUE_COLLECTIVE, VALUE_COLLECTIVE_MIN_MAX, VALUE_GUARANTEED = range(3)
LP_FEE = ("flat", "linear", "optimal", "tax_rebate")
LP_FEE_FLAT, LP_FEE_LINEAR, LP_FEE_OPTIMAL, LP_FEE_TAX_REBATE = range(4)
RATIO_LIMITS = ("none", "bounds")
RATIO_NONE, RATIO_BOUNDS = range(2)
SWAP_MODE = ("none", "whitelisted", "spread", "tax_rebate")
SWAP_NONE, SWAP_WHITELISTED, SWAP_SPREAD, SWAP_TAX_REBATE = range(4)
# What a stable's price is taken for: as quoted; at most a dollar as collateral; at least a dollar in the pool's value.
PEG = ("none", "capped", "floored")
PEG_NONE, PEG_CAPPED, PEG_FLOORED = range(3)

# Row status of a book.
FREE, OPEN_POSITION, PENDING_LIMIT = range(3)

# What the chunk loop returns.
DONE, EVENTS_FULL, BOOK_FULL, ACCOUNTS_FULL, SAMPLES_FULL, OVERFLOW = range(6)
