"""From a protocol in file units to the integers of the kernels: every field of the parameter records."""

from dataclasses import dataclass

from backtest.config import Custody, Market, Protocol
from backtest.config_checks import check
from backtest.order_schema import Names
from backtest.toml_files import exact
from kernels import codes, state

USD = 10**6
PRICE = 10**10
RATE = 10**9
PER_INTERVAL = 10**6
MILLIONTHS = 10**6
BPS = 10**4
HOUR_US = 3_600_000_000
# Columns of the ticks that a price needs beside its own, by mechanisms.trade_price; `.ema` is read by fees and ratios.
SUFFIXES = {"oracle": (), "ema_spread": (".low", ".high", ".ema"), "confidence": (".low", ".high")}
SUFFIXES["min_max"] = SUFFIXES["confidence"]


@dataclass(frozen=True)
class Resolved:
    """A protocol as the engine takes it.

    names: symbols by integer id
    custody_params, market_params, pool_params: kernels.state.CUSTODY_PARAMS, MARKET_PARAMS, POOL_PARAMS, by field
    symbols: columns of the ticks: price symbols, then the bounds and averages of each as `<price>.low`, `<price>.high`,
        `<price>.ema`; the fields `price_symbol`, `low_symbol`, ... of the records are positions in here
    """

    protocol: Protocol
    names: Names
    custody_params: list[dict[str, int]]
    market_params: list[dict[str, int]]
    pool_params: dict[str, int]
    symbols: tuple[str, ...]


def resolve(protocol: Protocol, *, sample_interval_us: int = HOUR_US) -> Resolved:
    """Integer parameters of a protocol; `UsageError` if its values contradict each other."""
    check(protocol, protocol.name)
    symbols = tick_symbols(protocol)
    ids = {row.symbol: index for index, row in enumerate(protocol.custody)}
    names = Names(
        custodies=tuple(row.symbol for row in protocol.custody),
        custody_decimals=tuple(row.decimals for row in protocol.custody),
        markets=tuple(row.symbol for row in protocol.market),
        long_custody=tuple(ids.get(row.long_custody, -1) for row in protocol.market),
        short_custody=tuple(ids.get(row.short_custody, -1) for row in protocol.market),
    )
    curve = protocol.mechanisms.borrow
    return Resolved(
        protocol=protocol,
        names=names,
        custody_params=[
            _custody(row, symbols, curve, names.long_custody.count(index)) for index, row in enumerate(protocol.custody)
        ],
        market_params=[_market(row, symbols, ids) for row in protocol.market],
        pool_params=_pool(protocol, ids, sample_interval_us),
        symbols=symbols,
    )


def tick_symbols(protocol: Protocol) -> tuple[str, ...]:
    """Columns of the ticks: every price once, then what `mechanisms.trade_price` needs beside each."""
    prices = tuple(dict.fromkeys(row.price or row.symbol for row in (*protocol.custody, *protocol.market)))
    suffixes = SUFFIXES[protocol.mechanisms.trade_price]
    return (*prices, *(price + suffix for price in prices for suffix in suffixes))


def _quotes(price: str, symbols: tuple[str, ...]) -> dict[str, int]:
    """Columns of a price, its bounds and its average; where one is not there, the price stands for it."""
    found = {"price_symbol": symbols.index(price)}
    for name in ("low", "high", "ema"):
        column = f"{price}.{name}"
        found[f"{name}_symbol"] = symbols.index(column if column in symbols else price)
    return found


def _curve(row: Custody, curve: str) -> dict[str, int]:
    """The numbers of a borrow curve at its own scale: 1e9 per hour; jump: basis points a year; stepwise: 1e6."""
    hourly = {
        "linear": (0.0, row.mid_borrow_per_hour, row.max_borrow_per_hour),
        "two_slope": (0.0, row.mid_borrow_per_hour, row.max_borrow_per_hour),
        "kink": (row.base_borrow_per_hour, row.slope1_borrow_per_hour, row.slope2_borrow_per_hour),
    }
    if curve in hourly:
        found = [exact(value or 0.0, RATE) for value in hourly[curve]]
    elif curve == "jump":
        yearly = (row.min_borrow_per_year_bps, row.target_borrow_per_year_bps, row.max_borrow_per_year_bps)
        found = [value or 0 for value in yearly]
    else:
        found = [0, 0, exact(row.max_borrow_per_interval or 0.0, PER_INTERVAL)]
    return dict(zip(("borrow_min", "borrow_mid", "borrow_max"), found, strict=True))


def _custody(row: Custody, symbols: tuple[str, ...], curve: str, n_long_markets: int) -> dict[str, int]:
    """Interest of longs is part of the PnL of their market where that market is the only one on a volatile custody."""
    unit = 10**row.decimals
    values = {
        "decimals": row.decimals,
        "unit": unit,
        "stable": int(row.stable),
        **_quotes(row.price or row.symbol, symbols),
        "conf_bps": row.conf_bps,
        "peg": codes.PEG.index(row.peg),
        "minimum_units": exact(row.minimum_tokens, unit),
        "max_position_locked_usd": exact(row.max_position_locked_usd, USD),
        "max_total_locked_usd": exact(row.max_total_locked_usd, USD),
        "max_utilisation_bps": row.max_utilisation_bps,
        **_curve(row, curve),
        "borrow_optimal_bps": row.optimal_utilisation_bps,
        "interest_in_pnl": int(not row.stable and n_long_markets == 1),
        "add_bps": row.add_bps,
        "remove_bps": row.remove_bps,
        "swap_in_bps": row.swap_in_bps or 0,
        "swap_out_bps": row.swap_out_bps or 0,
        "fee_optimal_bps": row.fee_optimal_bps or 0,
        "fee_max_bps": row.fee_max_bps or 0,
        "fee_mult_bps": row.fee_mult_bps or 0,
        "ratio_target_bps": row.ratio_target_bps,
        "ratio_min_bps": row.ratio_min_bps,
        "ratio_max_bps": row.ratio_max_bps,
        "weight": row.weight or 0,
        "max_dollars_usd": exact(row.max_dollars_usd, USD),
        "buffer_units": exact(row.buffer_tokens, unit),
    }
    return _complete(values, state.CUSTODY_PARAMS.names)


def _market(row: Market, symbols: tuple[str, ...], ids: dict[str, int]) -> dict[str, int]:
    """An open leverage that no variant limits is that of `max_leverage`."""
    values = {
        **_quotes(row.price or row.symbol, symbols),
        "long_custody": ids.get(row.long_custody, -1),
        "short_custody": ids.get(row.short_custody, -1),
        "open_bps": row.open_bps or 0,
        "close_bps": row.close_bps,
        "liquidation_bps": row.liquidation_bps or 0,
        "spread_long_bps": row.spread_long_bps,
        "spread_short_bps": row.spread_short_bps,
        "payoff_long_bps": row.payoff_long_bps,
        "payoff_short_bps": row.payoff_short_bps,
        "utilisation_mult_bps": row.utilisation_mult_bps or 0,
        "impact_scalar_usd": exact(row.impact_scalar_usd or 0.0, USD),
        "impact_threshold_usd": exact(row.impact_threshold_usd or 0.0, USD),
        "impact_exponent_e6": exact(1.0 if row.impact_exponent is None else row.impact_exponent, MILLIONTHS),
        "impact_factor_e6": exact(row.impact_factor_bps or 0.0, MILLIONTHS),
        "impact_max_bps": row.impact_max_bps or 0,
        "min_initial_leverage_bps": exact(row.min_initial_leverage, BPS),
        "max_initial_leverage_bps": exact(row.max_initial_leverage or row.max_leverage, BPS),
        "max_leverage_bps": exact(row.max_leverage, BPS),
        "max_cumulative_long_usd": exact(row.max_cumulative_long_usd, USD),
        "max_cumulative_short_usd": exact(row.max_cumulative_short_usd, USD),
        "max_position_usd": exact(row.max_position_usd, USD),
        "liquidation_fee_usd": exact(row.liquidation_fee_usd or 0.0, USD),
        "liquidator_bps": row.liquidator_bps,
        "min_profit_bps": row.min_profit_bps,
        "funding_max": exact(row.max_funding_per_hour, RATE),
        "funding_sensitivity_bps": row.funding_sensitivity_bps,
        "funding_min_oi_usd": exact(row.funding_min_oi_usd, USD),
    }
    return _complete(values, state.MARKET_PARAMS.names)


def _pool(protocol: Protocol, ids: dict[str, int], sample_interval_us: int) -> dict[str, int]:
    pool, fees = protocol.pool, protocol.fees
    stables = [ids[row.symbol] for row in protocol.custody if row.stable]
    paying = ids[fees.distribution_custody] if fees.distribution_custody else next(iter(stables), -1)
    values = {
        **variant_codes(protocol),
        "min_collateral_usd": exact(pool.min_collateral_usd, USD),
        "min_age_s": pool.min_age_s,
        "min_age_after_edit_s": pool.min_age_after_edit_s,
        "edit_lock_s": pool.collateral_edit_lock_s,
        "deposit_initial": int(pool.deposit_checks_initial_leverage),
        "min_profit_s": pool.min_profit_window_s,
        "borrow_interval_s": pool.borrow_interval_s or 0,
        "lp_share_bps": fees.lp_share_bps,
        "referrer_share_bps": fees.referrer_share_bps,
        "lm_share_bps": fees.lm_share_bps,
        "protocol_share_bps": fees.protocol_share_bps,
        "aum_cap_usd": exact(pool.aum_cap_usd, USD),
        "lp_guard": int(pool.lp_same_timestamp_guard),
        "lp_cooldown_s": pool.lp_cooldown_s,
        "distribution_interval_s": fees.distribution_interval_s,
        "fee_custody": paying,
        "depeg_floor": exact(fees.depeg_floor_usd, PRICE),
        "sample_interval_us": sample_interval_us,
        "funding_in_aum": int(pool.funding_in_aum),
        "unrealised_in_aum": int(pool.unrealised_in_aum or False),
        "lp_share_joins": int(fees.lp_share_joins),
        "mint_counts_fee": int(pool.mint_counts_fee),
        "redeem_at_high": int(pool.redeem_at_high),
        "mint_bps": pool.mint_bps or 0,
        "swap_bps": pool.swap_bps or 0,
        "stable_swap_bps": pool.stable_swap_bps or 0,
        "tax_bps": pool.tax_bps or 0,
        "stable_tax_bps": pool.stable_tax_bps or 0,
        "dynamic_fees": int(pool.dynamic_fees or False),
        "swap_spread_bps": pool.swap_spread_bps or 0,
        "tracker_on": int(pool.shorts_tracker),
        "tracker_weight_bps": pool.shorts_tracker_weight_bps or 0,
    }
    for number in range(1, 4):
        tier = fees.close_fee_tiers[number - 1] if number <= len(fees.close_fee_tiers) else None
        values[f"tier{number}_s"] = tier.until_s if tier else 0
        values[f"tier{number}_bps"] = exact(tier.multiplier, BPS) if tier else 0
    return _complete(values, state.POOL_PARAMS.names)


def variant_codes(protocol: Protocol) -> dict[str, int]:
    """The code of each chosen mechanism, by field of kernels.state.POOL_PARAMS."""
    renamed = {"swap": "swap_mode"}
    tables = {"interest_rounding": codes.ROUNDING, "ratio_limit": codes.RATIO_LIMITS}
    found = {}
    for family in protocol.mechanisms.__struct_fields__:
        field = renamed.get(family, family)
        names = tables[field] if field in tables else getattr(codes, field.upper())
        found[field] = names.index(getattr(protocol.mechanisms, family))
    return found


def _complete(values: dict[str, int], fields: tuple[str, ...] | None) -> dict[str, int]:
    """`values` in the order of the record; a field that is added to a record must be given here too."""
    assert set(values) == set(fields or ()), set(values) ^ set(fields or ())
    return {name: values[name] for name in fields or ()}
