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
) = range(14)
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
) = range(19)

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
) = range(28)

# How a position ended (column `outcome` of positions.parquet).
OUTCOMES = ("open", "close", "stop_loss", "take_profit", "liquidation")
O_OPEN, O_CLOSE, O_STOP_LOSS, O_TAKE_PROFIT, O_LIQUIDATION = range(5)

# Flags of a price at a tick.
FLAG_STALE, FLAG_CLOSED = 1, 2

# Mechanism variants, by family. A protocol file names one of each.
BORROW = ("linear", "two_slope")
BORROW_LINEAR, BORROW_TWO_SLOPE = range(2)
FUNDING = ("none", "imbalance")
FUNDING_NONE, FUNDING_IMBALANCE = range(2)
CLOSE_FEE = ("fixed_at_open", "age_tiers")
CLOSE_FEE_FIXED, CLOSE_FEE_AGE_TIERS = range(2)
LEFTOVER = ("trader", "pool")
LEFTOVER_TRADER, LEFTOVER_POOL = range(2)
SWAP_MODE = ("none", "whitelisted")
SWAP_NONE, SWAP_WHITELISTED = range(2)

# Row status of a book.
FREE, OPEN_POSITION, PENDING_LIMIT = range(3)

# What the chunk loop returns.
DONE, EVENTS_FULL, BOOK_FULL, ACCOUNTS_FULL, SAMPLES_FULL, OVERFLOW = range(6)
