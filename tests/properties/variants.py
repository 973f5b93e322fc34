"""Random pools of every mechanism: variants that can be mixed, and numbers at which each of them binds.

The spine's worlds (tests.properties.worlds) trade on one price per symbol. Here each symbol may have three more columns
(low, high and average price), which custodies and markets are quoted by.
"""

from typing import Any

from hypothesis import strategies as st

from kernels import codes
from tests import case as build
from tests.properties import worlds
from tests.properties.worlds import SECOND, World, chance, pick

Fields = dict[str, int]
Ticks = list[tuple[int, tuple[int, ...], tuple[int, ...]]]
SYMBOLS = len(worlds.START_PRICES)
# Changes of open interest are summed over a minute, so ticks of a pool that charges for impact lie close together.
CLOSE_GAPS_S = (1, 1, 1, 2, 7, 30, 59, 60, 61, 600, 3_600)


def _any(draw: st.DrawFn, family: tuple[str, ...], barred: tuple[int, ...] = ()) -> int:
    return draw(st.sampled_from([code for code in range(len(family)) if code not in barred]))


@st.composite
def mechanisms(draw: st.DrawFn) -> Fields:
    """One variant per family, in a combination that a protocol file may have."""
    pooled = chance(draw, 55)
    only_pooled = () if pooled else (1,)
    realised = pooled and chance(draw, 50)
    found = {
        "margin": codes.MARGIN_POOLED if pooled else codes.MARGIN_SEPARATE,
        "valuation": codes.VALUE_GUARANTEED if pooled else _any(draw, codes.VALUATION, (codes.VALUE_GUARANTEED,)),
        "borrow": _any(draw, codes.BORROW),
        "interest": codes.INTEREST_CHARGED if realised else _any(draw, codes.INTEREST, only_pooled),
        "interest_rounding": _any(draw, codes.ROUNDING),
        "funding": _any(draw, codes.FUNDING),
        "trade_price": _any(draw, codes.TRADE_PRICE),
        "sizing": _any(draw, codes.SIZING),
        "average_entry": _any(draw, codes.AVERAGE_ENTRY),
        "partial_close": codes.PARTIAL_REALISED if realised else codes.PARTIAL_PRO_RATA,
        "open_fee": _any(draw, codes.OPEN_FEE, (codes.OPEN_FEE_UTILISATION,) if pooled else ()),
        "close_fee": _any(draw, codes.CLOSE_FEE, (codes.CLOSE_FEE_EMA_TOKENS,) if pooled else ()),
        "profit": _any(draw, codes.PROFIT),
        "liquidation": _any(draw, codes.LIQUIDATION, () if pooled else (codes.LIQUIDATE_TWO_STATES,)),
        "leftover": _any(draw, codes.LEFTOVER),
        "shortfall": codes.SHORTFALL_REFUSED if realised else codes.SHORTFALL_ABSORBED,
        "oi_cap": _any(draw, codes.OI_CAP),
        "lp_fee": _any(draw, codes.LP_FEE),
        "ratio_limit": _any(draw, codes.RATIO_LIMITS),
        "swap_mode": _any(draw, codes.SWAP_MODE),
    }
    taxed = found["lp_fee"] == codes.LP_FEE_TAX_REBATE or found["swap_mode"] == codes.SWAP_TAX_REBATE
    found["fee_booking"] = codes.BOOK_RESERVE if taxed else _any(draw, codes.FEE_BOOKING)
    if found["funding"] == codes.FUNDING_NONE:
        found["borrow_base"] = _any(draw, codes.BORROW_BASE)
    return found


@st.composite
def numbers(draw: st.DrawFn, chosen: Fields) -> Fields:
    """Numbers of a pool; ages, windows and locks short enough to be crossed by the tick gaps."""
    found: Fields = {}
    if chosen["close_fee"] == codes.CLOSE_FEE_AGE_TIERS:
        found |= {"tier1_s": 60, "tier1_bps": 150_000, "tier2_s": 600, "tier2_bps": 30_000}
        found |= {"tier3_s": pick(draw, 0, 3_600), "tier3_bps": 15_000}
    if chosen["borrow"] == codes.BORROW_STEPWISE:
        found["borrow_interval_s"] = pick(draw, 3_600, 60, 28_800)
    return found | {
        "min_collateral_usd": pick(draw, 0, 9_000_000),
        "min_age_s": pick(draw, 0, 0, 20, 240),
        "min_age_after_edit_s": pick(draw, 0, 0, 120),
        "edit_lock_s": pick(draw, 0, 0, 240),
        "min_profit_s": pick(draw, 0, 60, 3_600),
        "lp_share_bps": pick(draw, 7_500, 7_000, 10_000, 0),
        "referrer_share_bps": pick(draw, 0, 1_000) if chosen["fee_booking"] == codes.BOOK_DEBT else 0,
        "aum_cap_usd": pick(draw, 0, 0, 60_000_000_000, 200_000_000_000),
        "lp_guard": pick(draw, 0, 0, 1),
        "lp_cooldown_s": pick(draw, 0, 0, 60, 900),
        "distribution_interval_s": pick(draw, 0, 0, 600, 21_600),
        "fee_custody": pick(draw, 0, 0, -1),
        "sample_interval_us": pick(draw, 60, 600, 3_600) * SECOND,
        "funding_in_aum": pick(draw, 0, 1),
        "unrealised_in_aum": pick(draw, 1, 1, 0),
        "lp_share_joins": pick(draw, 0, 1),
        "mint_counts_fee": pick(draw, 0, 1),
        "redeem_at_high": pick(draw, 0, 1),
        "deposit_initial": pick(draw, 0, 1),
        "mint_bps": pick(draw, 25, 0, 50),
        "swap_bps": pick(draw, 30, 0),
        "stable_swap_bps": pick(draw, 1, 4),
        "tax_bps": pick(draw, 50, 5),
        "stable_tax_bps": pick(draw, 5, 20),
        "dynamic_fees": pick(draw, 1, 1, 0),
        "swap_spread_bps": pick(draw, 0, 30, 300),
        "tracker_on": pick(draw, 0, 1),
        "tracker_weight_bps": pick(draw, 10_000, 0, 3_333),
    }


@st.composite
def pools(draw: st.DrawFn) -> Fields:
    chosen = draw(mechanisms())
    return build.pool(**draw(numbers(chosen)) | chosen)


def quoted_ticks(draw: st.DrawFn, ticks: Ticks, trade_price: int) -> Ticks:
    """Columns 5 + 3 s of low, high and average price of symbol s, made of the price as the tick builder does.

    At some ticks no keeper is at work on a symbol.
    """
    weight, band, idle_every = pick(draw, 70, 30), pick(draw, 0, 5, 40), pick(draw, 0, 0, 3, 5)
    averages = list(ticks[0][1])
    found: Ticks = []
    for number, (time_us, prices, flags) in enumerate(ticks):
        averages = [max((a * weight + p * (100 - weight)) // 100, 1) for a, p in zip(averages, prices, strict=True)]
        columns: list[int] = []
        for symbol, price in enumerate(prices):
            low, high = max(price - price * band // 10_000, 1), price + price * (band + number % 3) // 10_000
            if trade_price == codes.PRICE_EMA_SPREAD:
                low, high = min(price, averages[symbol]), max(price, averages[symbol])
            columns += [low, high, averages[symbol]]
        idle = codes.FLAG_IDLE if idle_every and number % idle_every == 1 else 0
        watched = [flag | (idle if symbol in (worlds.SOL, worlds.GOLD) else 0) for symbol, flag in enumerate(flags)]
        found.append((time_us, prices + tuple(columns), tuple(watched) + tuple(f for f in flags for _ in range(3))))
    return found


def quotes(trade_price: int, symbol: int) -> Fields:
    """The symbols a custody or market is quoted by: its price, and the three columns beside it."""
    first = SYMBOLS + 3 * symbol
    found = {"price_symbol": symbol, "low_symbol": first, "high_symbol": first + 1, "ema_symbol": first + 2}
    if trade_price == codes.PRICE_ORACLE:
        return dict.fromkeys(found, symbol)
    return found


def borrow_numbers(draw: st.DrawFn, curve: int) -> Fields:
    if curve == codes.BORROW_KINK:
        return {"borrow_min": pick(draw, 0, 1_000), "borrow_mid": 80_000, "borrow_max": 120_000}
    if curve == codes.BORROW_JUMP:  # yearly basis points
        return {"borrow_min": 1_000, "borrow_mid": 6_000, "borrow_max": pick(draw, 23_000, 100_000)}
    if curve == codes.BORROW_STEPWISE:  # millionths per interval
        return {"borrow_max": pick(draw, 100, 600, 9_000)}
    highest = pick(draw, 8_000, 100_000, 2_000_000)
    return {"borrow_mid": highest // 2, "borrow_max": highest}


@st.composite
def custody_params(draw: st.DrawFn, pool: Fields, symbol: int, decimals: int, stable: int, share_bps: int) -> Fields:
    """A custody that should make up `share_bps` of the pool, with room to leave it and edges to run into."""
    width = pick(draw, 1_500, 300, 9_000)
    low, high = max(share_bps - width, 0), min(share_bps + width, 10_000)
    return build.custody(
        **quotes(pool["trade_price"], symbol),
        **borrow_numbers(draw, pool["borrow"]),
        decimals=decimals,
        stable=stable,
        conf_bps=pick(draw, 0, 0, 25),
        peg=pick(draw, codes.PEG_NONE, codes.PEG_CAPPED, codes.PEG_FLOORED) if stable else codes.PEG_NONE,
        borrow_optimal_bps=pick(draw, 8_000, 5_000, 0, 10_000),
        minimum_units=pick(draw, 0, 0, 1_000, 19_000) * 10**decimals if stable else 0,
        max_position_locked_usd=pick(draw, 0, 0, 0, 20_000_000_000),
        max_total_locked_usd=pick(draw, 0, 0, 0, 30_000_000_000),
        max_utilisation_bps=pick(draw, 0, 0, 8_000, 3_000),
        add_bps=pick(draw, 20, 0, 200),
        remove_bps=pick(draw, 30, 0, 300),
        swap_in_bps=pick(draw, 0, 10, 100),
        swap_out_bps=pick(draw, 0, 10, 100),
        fee_optimal_bps=10,
        fee_max_bps=pick(draw, 250, 60),
        fee_mult_bps=pick(draw, 20_000, 5_000),
        ratio_target_bps=share_bps,
        ratio_min_bps=low,
        ratio_max_bps=high,
        weight=pick(draw, share_bps, share_bps, 0, 3 * share_bps),
        max_dollars_usd=pick(draw, 0, 0, 0, 62_000_000_000),
        buffer_units=pick(draw, 0, 0, 1_000) * 10**decimals if stable else 0,
    )


@st.composite
def market_params(draw: st.DrawFn, pool: Fields, symbol: int, long_custody: int, short_custody: int) -> Fields:
    sharp = pool["trade_price"] in (codes.PRICE_EMA_SPREAD, codes.PRICE_CONFIDENCE, codes.PRICE_MIN_MAX)
    two_states = pool["liquidation"] == codes.LIQUIDATE_TWO_STATES
    separate = pool["margin"] == codes.MARGIN_SEPARATE
    return build.market(
        **quotes(pool["trade_price"], symbol),
        long_custody=long_custody,
        short_custody=short_custody,
        open_bps=pick(draw, 6, 10, 100),
        close_bps=pick(draw, 16, 10, 6, 0),
        liquidation_bps=pick(draw, 16, 5, 60),
        spread_long_bps=pick(draw, 0, 10, 100) if sharp else 0,
        spread_short_bps=pick(draw, 0, 10, 100) if sharp else 0,
        payoff_long_bps=pick(draw, 10_000, 10_000, 5_000, 20_000),
        payoff_short_bps=pick(draw, 10_000, 10_000, 5_000),
        utilisation_mult_bps=pick(draw, 20_000, 0, 5_000),
        impact_scalar_usd=pick(draw, 1_250_000_000, 0, 40_000_000) * 10**3,
        impact_threshold_usd=pick(draw, 5_000, 0, 500, 100_000) * 10**6,
        impact_exponent_e6=pick(draw, 1_000_000, 1_500_000, 2_000_000),
        impact_factor_e6=pick(draw, 1_000_000, 0, 1_330_000),
        impact_max_bps=pick(draw, 0, 50, 500),
        min_initial_leverage_bps=pick(draw, 11_000, 10_000),
        max_initial_leverage_bps=pick(draw, 1_200_000, 5_000_000),
        max_leverage_bps=pick(draw, 500_000, 1_000_000) if two_states else pick(draw, 5_000_000, 1_300_000, 500_000),
        max_cumulative_long_usd=pick(draw, 0, 0, 30_000_000_000),
        max_cumulative_short_usd=pick(draw, 0, 0, 30_000_000_000),
        max_position_usd=pick(draw, 0, 0, 25_000_000_000),
        liquidation_fee_usd=pick(draw, 5, 0, 1) * 10**6 if two_states else 0,
        liquidator_bps=pick(draw, 0, 50) if separate else 0,
        min_profit_bps=pick(draw, 0, 0, 150),
        funding_max=pick(draw, 100_000, 5_000_000),
        funding_sensitivity_bps=pick(draw, 10_000, 5_000, 30_000),
        funding_min_oi_usd=pick(draw, 0, 2_000_000_000),
    )


def _backing(
    draw: st.DrawFn, pool: Fields, stable: int, with_bonk: bool, synthetic: bool
) -> list[tuple[int, int, int]]:
    """(symbol, long custody, short custody) of one or two markets; now and then a side is not offered.

    Stables cannot be lent out to longs of a pool that holds the collateral itself.
    """
    if synthetic:
        return [(worlds.GOLD, stable, stable), (worlds.BONK, stable, stable)][: pick(draw, 1, 2)]
    second: list[list[tuple[int, int, int]]] = [[], [(worlds.SOL, 0, stable)]]
    if pool["margin"] == codes.MARGIN_SEPARATE:
        second.append([(worlds.GOLD, stable, stable)])
    if with_bonk:
        second.append([(worlds.BONK, 1, stable)])
    found = [(worlds.SOL, 0, stable), *draw(st.sampled_from(second))]
    if chance(draw, 6):
        symbol, *sides = found[-1]
        sides[pick(draw, 0, 1)] = -1
        found[-1] = (symbol, sides[0], sides[1])
    return found


@st.composite
def drawn_worlds(draw: st.DrawFn, pool: Fields, synthetic: bool = False, own_token: bool = False) -> World:
    """As the spine's: two or three custodies, one or two markets. `own_token`: longs are backed by what they trade;
    `synthetic`: everything is backed by one stable.
    """
    with_bonk = not synthetic and chance(draw, 50)
    share = 10_000 if synthetic else (3_333 if with_bonk else 5_000)
    shapes: list[tuple[Any, ...]] = []
    if not synthetic:
        shapes.append((worlds.SOL if own_token else worlds.JITOSOL, 9, 0))
    if with_bonk:
        shapes.append((worlds.BONK, 5, 0))
    stable = len(shapes)
    shapes.append((worlds.USDC, 6, 1))
    custodies = [draw(custody_params(pool, *shape, share)) for shape in shapes]
    markets = [draw(market_params(pool, *key)) for key in _backing(draw, pool, stable, with_bonk, synthetic)]
    for number, params in enumerate(custodies):
        users = sum(market["long_custody"] == number for market in markets)
        params["interest_in_pnl"] = int(users == 1 and not params["stable"] and chance(draw, 70))
    if pool["fee_custody"] == 0:
        pool["fee_custody"] = stable
    impact = pool["open_fee"] == codes.OPEN_FEE_IMPACT or pool["close_fee"] == codes.CLOSE_FEE_IMPACT
    path = draw(worlds.price_paths(CLOSE_GAPS_S)) if impact else draw(worlds.price_paths())
    world = World(custodies, markets, quoted_ticks(draw, path, pool["trade_price"]), silly_percent=pick(draw, 0, 8, 30))
    world.actions = [*worlds.ACTIONS, codes.ACCRUE, codes.DONATE, codes.SWAP, codes.DISTRIBUTE_FEES]
    dollars = pool["lp_fee"] == codes.LP_FEE_TAX_REBATE
    world.actions += [codes.ISSUE_DOLLARS, codes.REDEEM_DOLLARS] * (3 if dollars else chance(draw, 10))
    return world
