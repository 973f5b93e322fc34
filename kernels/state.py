"""Memory layout of everything the loop owns: records for what is settled, plain columns for what is searched.

Settled state is an array of records (one position, one custody, one event is read and written as a whole,
so its fields lie together); searched state (thresholds, slopes, tree bounds, prices) is one array per
column. Every record field is int64: micro-dollars for `_usd`, token book units for `_units`, 1e10 for
prices, 1e9 per hour for rates and their indices, seconds for `_s`, microseconds for `_us`.
"""

from typing import NamedTuple

import numpy as np

_I64 = np.int64


def _record(fields: str) -> np.dtype:
    return np.dtype([(name, _I64) for name in fields.split()], align=True)


# One row per token held by the pool.
# `fees`: fee reserve, `stranded`: tokens that belong to nobody's book (both outside `owned`), `dollars_usd`: internal
# dollars issued against the custody.
CUSTODY = _record("owned locked collateral fees stranded dollars_usd rate last_update_s cum_index")
# One row per (custody, side): the borrow interest that open positions owe, collectively.
INTEREST = _record("open_positions borrow_size_usd locked cum_interest_usd cum_snapshot")
# One row per (market, side): collective position, for open interest and O(1) AUM.
SIDE = _record(
    "open_positions size_usd exit_fee_usd weighted_hi weighted_lo total_quantity locked collateral_usd "
    "funding_usd funding_snapshot average_price tracker_price"
)
# One row per market: the virtual funding rate; positive when longs pay.
FUNDING_STATE = _record("rate last_update_s long_to_short short_to_long")
# One row in all.
POOL = _record(
    "lp_supply dollar_supply_usd fees_debt_usd referrers_debt_usd next_position_no next_limit_no next_seq "
    "next_distribution_s next_sample_us "
    # cumulative sums since the start of the run, for the attribution of AUM
    "owned_value_usd lp_flow_usd exit_fee_usd borrow_fee_usd lp_fee_usd funding_usd to_others_usd "
    "pnl_usd bad_debt_usd confiscated_usd spread_usd drift_usd debt_paid_usd "
    "open_fee_usd liquidator_usd margin_usd reserved_fee_usd "
    # counters for progress and summary
    "n_open n_closed n_liquidated volume_usd"
)
# One row per slot of a book: a position or a pending limit order.
ROW = _record(
    "status position_no position_id entry_price size_usd borrow_size_usd collateral_usd collateral_units "
    "locked exit_fee_usd liquidation_fee_usd unrealised_interest_usd paid_interest_usd cum_snapshot "
    "funding_snapshot unrealised_funding_usd open_s edit_s increased_s open_us order_id referred "
    "stop_loss stop_limit take_profit trigger_price limit_price leverage_bps "
    # history kept for the row of positions.parquet
    "open_price opened_size_usd closed_size_usd deposited_usd withdrawn_usd payout_usd pnl_usd "
    "open_fees_usd open_fee_units exit_fees_usd borrow_fees_usd funding_fees_usd bad_debt_usd confiscated_usd "
    "initial_leverage_bps "
    "max_locked book"
)
LP_ACCOUNT = _record("account balance last_deposit_s")

EVENT = _record(
    "seq timestamp kind order_id position_id position_no market side custody price custody_price "
    "size_usd collateral_usd "
    "trader_in_units trader_out_units fees_out_units owned_units collateral_units locked_units "
    "pnl_usd exit_fee_usd borrow_fee_usd prepaid_borrow_usd funding_usd lp_fee_usd "
    "lp_share_usd protocol_share_usd referrer_share_usd bad_debt_usd deficit_fee_usd confiscated_usd "
    "payout_usd spread_usd drift_usd owned_value_usd lp_flow_usd debt_paid_usd lp_units lp_account "
    "open_fee_usd liquidator_usd margin_usd reserved_fee_usd fee_units stranded_units change"
)
POSITION = _record(
    "position_no position_id market side custody open_order_id opened_at closed_at outcome "
    "open_price entry_price close_price initial_leverage_bps opened_size_usd closed_size_usd size_usd "
    "deposited_usd withdrawn_usd collateral_usd payout_usd pnl_usd exit_fee_usd borrow_fee_usd "
    "funding_usd bad_debt_usd max_locked_units open_fee_usd confiscated_usd"
)
REJECTION = _record("timestamp order_id position_id action reason outcome")
POOL_SAMPLE = _record(
    "timestamp custody price owned_units locked_units collateral_units value_usd borrow_rate borrow_index "
    "fee_units stranded_units dollars_usd low_price"
)
MARKET_SAMPLE = _record(
    "timestamp market price long_oi_usd short_oi_usd long_positions short_positions "
    "long_locked_units short_locked_units long_pnl_usd short_pnl_usd funding_rate funding_index"
)
LP_SAMPLE = _record(
    "timestamp aum_usd lp_supply lp_price assets_usd fees_debt_usd accrued_borrow_usd accrued_exit_fee_usd "
    "accrued_funding_usd unrealised_pnl_usd collateral_drift_usd "
    "lp_flow_usd exit_fee_usd borrow_fee_usd lp_fee_usd funding_usd to_others_usd trader_pnl_usd "
    "asset_drift_usd bad_debt_usd confiscated_usd spread_usd rounding_usd "
    "open_fee_usd liquidator_usd margin_usd"
)
# What an open position is worth at a tick.
MARK = _record(
    "snapshot_at market side position_no position_id custody opened_at price entry_price size_usd collateral_usd "
    "pnl_usd exit_fee_usd borrow_fee_usd funding_usd equity_usd leverage_bps liquidation_price stop_loss take_profit "
    "locked_units"
)

# Parameters, fixed for a run (or until a dated change). Same units; `_symbol` is a column of the ticks.
CUSTODY_PARAMS = _record(
    "decimals unit stable price_symbol low_symbol high_symbol ema_symbol conf_bps peg minimum_units "
    "max_position_locked_usd max_total_locked_usd max_utilisation_bps "
    # by curve: linear max; two_slope mid, max; kink min (base), mid, max (the two slopes); jump min, mid, max (yearly
    # bps); stepwise max (1e6 per interval)
    "borrow_min borrow_mid borrow_max borrow_optimal_bps interest_in_pnl "
    "add_bps remove_bps swap_in_bps swap_out_bps fee_optimal_bps fee_max_bps fee_mult_bps "
    "ratio_target_bps ratio_min_bps ratio_max_bps weight max_dollars_usd buffer_units"
)
MARKET_PARAMS = _record(
    "price_symbol low_symbol high_symbol ema_symbol long_custody short_custody open_bps close_bps liquidation_bps "
    "spread_long_bps spread_short_bps payoff_long_bps payoff_short_bps utilisation_mult_bps "
    "impact_scalar_usd impact_threshold_usd impact_exponent_e6 impact_factor_e6 impact_max_bps "
    "min_initial_leverage_bps max_initial_leverage_bps max_leverage_bps "
    "max_cumulative_long_usd max_cumulative_short_usd max_position_usd "
    "liquidation_fee_usd liquidator_bps min_profit_bps "
    "funding_max funding_sensitivity_bps funding_min_oi_usd"
)
POOL_PARAMS = _record(
    # mechanism variants
    "borrow borrow_base interest interest_rounding funding trade_price sizing margin average_entry partial_close "
    "open_fee close_fee fee_booking profit liquidation leftover shortfall oi_cap valuation lp_fee ratio_limit "
    "swap_mode "
    # numbers
    "min_collateral_usd min_age_s min_age_after_edit_s edit_lock_s deposit_initial min_profit_s borrow_interval_s "
    "lp_share_bps referrer_share_bps lm_share_bps protocol_share_bps aum_cap_usd lp_guard lp_cooldown_s "
    "distribution_interval_s fee_custody depeg_floor sample_interval_us funding_in_aum unrealised_in_aum "
    "lp_share_joins mint_counts_fee redeem_at_high "
    "mint_bps swap_bps stable_swap_bps tax_bps stable_tax_bps dynamic_fees swap_spread_bps "
    "tracker_on tracker_weight_bps "
    "tier1_s tier1_bps tier2_s tier2_bps tier3_s tier3_bps"
)


def _join(*dtypes: np.dtype) -> np.dtype:
    return _record(" ".join(name for dtype in dtypes for name in dtype.names))


# What the kernels hold: state, parameters and this tick's quotes of one thing in one record.
CUSTODY_RECORD = _join(CUSTODY, CUSTODY_PARAMS, _record("scale price low high ema flags index_now"))
MARKET_RECORD = _join(MARKET_PARAMS, FUNDING_STATE, _record("scale price low high ema buy sell flags funding_now"))
POOL_RECORD = _join(POOL, POOL_PARAMS, _record("now_us now_s"))
# One row per book = (market, side), at market * 2 + side: where its slots and tree lie in the shared columns.
BOOK = np.dtype(
    [(name, _I64) for name in ("base", "capacity", "n_free", "n_rows", "levels", "guard_price")] + [("x", np.float64)],
    align=True,
)
# Search constants of a slot, in mirrored prices; `leaving` marks what this tick has collected.
WATCH = np.dtype(
    [(name, np.float64) for name in ("threshold", "slope", "stop", "take")] + [("leaving", _I64)], align=True
)
# A tree node: bound on adverse thresholds at accrual `anchor`, steepest and flattest slope, bound on targets.
NODE = np.dtype([(name, np.float64) for name in ("bound", "anchor", "slope_high", "slope_low", "take")], align=True)
PLACE = _record("key slot")
# One row in all: where the loop stands, so that it can leave and resume anywhere.
CURSOR = _record(
    "tick phase candidate n_candidates order order_low order_high has_pool_orders "
    "n_events n_positions n_rejections n_pool_samples n_market_samples n_lp_samples status detail scan"
)
MAX_LEVELS = 13
FAN_OUT = 32


class Venue(NamedTuple):
    """State and parameters: custody (C,), interest (2C,), side (2M,), market (M,), pool (1,) records.

    `impact` (M, 62) int64: net change of open interest per second of the last minute, micro-dollars, a ring by second;
    then the second of the last change, and whether there was one.
    """

    custody: np.ndarray
    interest: np.ndarray
    side: np.ndarray
    market: np.ndarray
    pool: np.ndarray
    impact: np.ndarray


class Books(NamedTuple):
    """Every book's slots, trees and the id index, in arrays shared by all books.

    Few, wide arrays: each one passed costs every jitted call seven words. Searched prices are mirrored for
    shorts (negated), so that "adverse" always means downwards: a slot is liquidated when
    p <= threshold + slope * x, stopped (or, pending, filled) when p <= stop, and takes profit when -p <= take.
    Unused entries are -inf.
    """

    book: np.ndarray  # (B,) BOOK
    row: np.ndarray  # (N,) ROW
    watch: np.ndarray  # (N,) WATCH: the search constants of each slot
    free: np.ndarray  # (N,) stacks of free slots, per book at its base
    level: np.ndarray  # (B, MAX_LEVELS, 2) first node and number of nodes of each tree level
    node: np.ndarray  # (K,) NODE
    place: np.ndarray  # (H,) PLACE: open addressing from position id to slot
    draft: np.ndarray  # (3,) ROW: would-be positions; the last one stays blank


class Accounts(NamedTuple):
    """LP accounts: records (A,), and their index by account number."""

    account: np.ndarray
    used: np.ndarray  # (1,) how many accounts there are
    place: np.ndarray


class Outputs(NamedTuple):
    """Buffers of output records; the cursor holds how full each is. `blank` is one event of zeros."""

    blank: np.ndarray
    event: np.ndarray
    position: np.ndarray
    rejection: np.ndarray


class Samples(NamedTuple):
    """Buffers of sample records."""

    pool_sample: np.ndarray
    market_sample: np.ndarray
    lp_sample: np.ndarray


class Work(NamedTuple):
    """Scratch of the loop, kept between calls so that it can leave anywhere.

    `key` (kind, book, age) and `slot` of what this tick triggers, shape (2N,); `request` the order being settled.
    """

    key: np.ndarray
    slot: np.ndarray
    request: np.ndarray  # (1,) REQUEST
    path: np.ndarray  # (MAX_LEVELS, 2) descent: node index and next child per level


class Orders(NamedTuple):
    """A batch of orders, one array per column, shape (n,), sorted by (due_us, order_id); absent is -1.

    Units: `_usd` micro-dollars, `leverage_bps` 10,000 = 1x, `_units` token book units, prices 1e10,
    `fraction_e6` millionths of the position. `stop_loss`, `take_profit`: -1 leave as is, 0 clear.
    """

    due_us: np.ndarray
    order_id: np.ndarray
    action: np.ndarray
    position_id: np.ndarray
    market: np.ndarray
    side: np.ndarray
    size_usd: np.ndarray
    leverage_bps: np.ndarray
    collateral_units: np.ndarray
    collateral_usd: np.ndarray
    limit_price: np.ndarray
    trigger_price: np.ndarray
    stop_loss: np.ndarray
    stop_limit: np.ndarray
    take_profit: np.ndarray
    fraction_e6: np.ndarray
    lp_account: np.ndarray
    custody: np.ndarray
    custody_out: np.ndarray
    amount_units: np.ndarray
    referred: np.ndarray


class Ticks(NamedTuple):
    """Consecutive oracle ticks: `time_us` (T,) int64, `price` (T, S) int64 at 1e10, `flags` (T, S) uint8."""

    time_us: np.ndarray
    price: np.ndarray
    flags: np.ndarray


REQUEST = _record(" ".join(Orders._fields))
