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
BPS = 10**4
HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Resolved:
    """A protocol as the engine takes it.

    names: symbols by integer id
    custody_params, market_params, pool_params: kernels.state.CUSTODY_PARAMS, MARKET_PARAMS, POOL_PARAMS, by field
    symbols: price symbols; `price_symbol` of the records is the position in here
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
    rows: tuple[Custody | Market, ...] = (*protocol.custody, *protocol.market)
    symbols = tuple(dict.fromkeys(row.price or row.symbol for row in rows))
    ids = {row.symbol: index for index, row in enumerate(protocol.custody)}
    names = Names(
        custodies=tuple(row.symbol for row in protocol.custody),
        custody_decimals=tuple(row.decimals for row in protocol.custody),
        markets=tuple(row.symbol for row in protocol.market),
        long_custody=tuple(ids[row.long_custody] for row in protocol.market),
        short_custody=tuple(ids[row.short_custody] for row in protocol.market),
    )
    return Resolved(
        protocol=protocol,
        names=names,
        custody_params=[
            _custody(row, symbols, names.long_custody.count(index)) for index, row in enumerate(protocol.custody)
        ],
        market_params=[_market(row, symbols, ids) for row in protocol.market],
        pool_params=_pool(protocol, ids, sample_interval_us),
        symbols=symbols,
    )


def _custody(row: Custody, symbols: tuple[str, ...], n_long_markets: int) -> dict[str, int]:
    """Interest of longs is part of the PnL of their market where that market is the only one on a volatile custody."""
    values = {
        "decimals": row.decimals,
        "unit": 10**row.decimals,
        "stable": int(row.stable),
        "price_symbol": symbols.index(row.price or row.symbol),
        "conf_bps": row.conf_bps,
        "add_bps": row.add_bps,
        "remove_bps": row.remove_bps,
        "minimum_units": exact(row.minimum_tokens, 10**row.decimals),
        "max_position_locked_usd": exact(row.max_position_locked_usd, USD),
        "borrow_max": exact(row.max_borrow_per_hour, RATE),
        "borrow_mid": exact(row.mid_borrow_per_hour, RATE),
        "borrow_optimal_bps": row.optimal_utilisation_bps,
        "interest_in_pnl": int(not row.stable and n_long_markets == 1),
    }
    return _complete(values, state.CUSTODY_PARAMS.names)


def _market(row: Market, symbols: tuple[str, ...], ids: dict[str, int]) -> dict[str, int]:
    values = {
        "price_symbol": symbols.index(row.price or row.symbol),
        "long_custody": ids[row.long_custody],
        "short_custody": ids[row.short_custody],
        "close_bps": row.close_bps,
        "liquidation_bps": row.liquidation_bps,
        "min_initial_leverage_bps": exact(row.min_initial_leverage, BPS),
        "max_initial_leverage_bps": exact(row.max_initial_leverage, BPS),
        "max_leverage_bps": exact(row.max_leverage, BPS),
        "max_cumulative_long_usd": exact(row.max_cumulative_long_usd, USD),
        "max_cumulative_short_usd": exact(row.max_cumulative_short_usd, USD),
        "funding_max": exact(row.max_funding_per_hour, RATE),
        "funding_sensitivity_bps": row.funding_sensitivity_bps,
        "funding_min_oi_usd": exact(row.funding_min_oi_usd, USD),
    }
    return _complete(values, state.MARKET_PARAMS.names)


def _pool(protocol: Protocol, ids: dict[str, int], sample_interval_us: int) -> dict[str, int]:
    chosen, pool, fees = protocol.mechanisms, protocol.pool, protocol.fees
    stables = [ids[row.symbol] for row in protocol.custody if row.stable]
    paying = ids[fees.distribution_custody] if fees.distribution_custody else next(iter(stables), -1)
    values = {
        "borrow": codes.BORROW.index(chosen.borrow),
        "funding": codes.FUNDING.index(chosen.funding),
        "close_fee": codes.CLOSE_FEE.index(chosen.close_fee),
        "leftover": codes.LEFTOVER.index(chosen.leftover),
        "swap_mode": codes.SWAP_MODE.index(chosen.swap),
        "min_collateral_usd": exact(pool.min_collateral_usd, USD),
        "min_age_s": pool.min_age_s,
        "min_age_after_edit_s": pool.min_age_after_edit_s,
        "edit_lock_s": pool.collateral_edit_lock_s,
        "lp_share_bps": fees.lp_share_bps,
        "referrer_share_bps": fees.referrer_share_bps,
        "lm_share_bps": fees.lm_share_bps,
        "protocol_share_bps": fees.protocol_share_bps,
        "aum_cap_usd": exact(pool.aum_cap_usd, USD),
        "lp_guard": int(pool.lp_same_timestamp_guard),
        "distribution_interval_s": fees.distribution_interval_s,
        "fee_custody": paying,
        "depeg_floor": exact(fees.depeg_floor_usd, PRICE),
        "sample_interval_us": sample_interval_us,
        "funding_in_aum": int(pool.funding_in_aum),
    }
    for number in range(1, 4):
        tier = fees.close_fee_tiers[number - 1] if number <= len(fees.close_fee_tiers) else None
        values[f"tier{number}_s"] = tier.until_s if tier else 0
        values[f"tier{number}_bps"] = exact(tier.multiplier, BPS) if tier else 0
    return _complete(values, state.POOL_PARAMS.names)


def _complete(values: dict[str, int], fields: tuple[str, ...] | None) -> dict[str, int]:
    """`values` in the order of the record; a field that is added to a record must be given here too."""
    assert set(values) == set(fields or ()), set(values) ^ set(fields or ())
    return {name: values[name] for name in fields or ()}
