"""Random cases under the rules of the shipped protocols: their own parameters, drawn prices, pools and orders.

A protocol's columns of the ticks follow the worlds' price paths at levels of their own, so that a case moves in as many
ways as any other: calm, wild, depegged, without news.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from backtest.protocols import load_protocol
from backtest.resolve import Resolved
from backtest.stages import Stage, stages
from kernels import codes
from tests.case import Case, Change
from tests.properties import variants, worlds
from tests.properties.strategies import settled
from tests.properties.worlds import World, pick

DOLLAR = 10**10
PARTS = ("low", "high", "ema")
# Price symbol: the path it follows, and its first price at 1e10. Bitcoin is cheap: silly orders count token units, and
# prices rise a hundredfold; at its own price such an order would be larger than what books are made for.
PATHS = {
    "SOL": (worlds.SOL, 150 * DOLLAR),
    "jitoSOL": (worlds.JITOSOL, 170 * DOLLAR),
    "BTC": (worlds.BONK, 600 * DOLLAR),
    "WBTC": (worlds.BONK, 600 * DOLLAR),
    "BONK": (worlds.BONK, 250_000),
    "ETH": (worlds.SOL, 3_000 * DOLLAR),
    "LINK": (worlds.BONK, 15 * DOLLAR),
    "UNI": (worlds.SOL, 8 * DOLLAR),
    "XAU": (worlds.GOLD, 2_300 * DOLLAR),
    "XAG": (worlds.BONK, 28 * DOLLAR),
    "WTI": (worlds.SOL, 70 * DOLLAR),
}
POOL_ACTIONS = (codes.ACCRUE, codes.DONATE, codes.SWAP, codes.DISTRIBUTE_FEES)
STABLE_PATH = (worlds.USDC, DOLLAR)


@cache
def history(name: str) -> list[Stage]:
    """The rules of a shipped protocol from its beginning and after each of its dated changes."""
    return stages(load_protocol(name), 0)


def stable_prices(resolved: Resolved) -> set[str]:
    return {row.price or row.symbol for row in resolved.protocol.custody if row.stable}


def column_of(path: int, part: str) -> int:
    """Where `variants.quoted_ticks` puts the price of a path, or a part of its quote."""
    return variants.SYMBOLS + 3 * path + PARTS.index(part) if part else path


def columns(draw: st.DrawFn, resolved: Resolved, path: variants.Ticks) -> variants.Ticks:
    """Ticks with a column for each of the protocol's symbols: a price, or `<price>.low`, `.high`, `.ema`."""
    quoted = variants.quoted_ticks(draw, path, resolved.pool_params["trade_price"])
    stables, found = stable_prices(resolved), []
    taken: list[tuple[int, int, int]] = []  # column of the path, first price, first price wanted
    for symbol in resolved.symbols:
        price, _, part = symbol.partition(".")
        base, level = STABLE_PATH if price in stables else PATHS[price]
        taken.append((column_of(base, part), worlds.START_PRICES[base], level))
    for time_us, prices, flags in quoted:
        moved = (max(prices[column] * level // first, 1) for column, first, level in taken)
        found.append((time_us, tuple(moved), tuple(flags[column] for column, _, _ in taken)))
    return found


def strained(draw: st.DrawFn, stage: Resolved) -> Resolved:
    """The same rules with other numbers: what open positions are searched by moves under their feet."""
    largest = pick(draw, 50, 20, 150)
    markets = [
        row
        | {
            "max_leverage_bps": row["max_leverage_bps"] * largest // 100,
            "close_bps": row["close_bps"] + 7,
            "liquidation_bps": row["liquidation_bps"] + 30,
            "liquidation_fee_usd": row["liquidation_fee_usd"] * 3,
        }
        for row in stage.market_params
    ]
    custodies = [row | {"borrow_max": row["borrow_max"] * 4, "add_bps": 35} for row in stage.custody_params]
    pool = stage.pool_params | {"min_age_s": 30, "min_profit_s": 600, "lp_share_bps": 6_000}
    return replace(stage, market_params=markets, custody_params=custodies, pool_params=pool)


@st.composite
def protocol_cases(draw: st.DrawFn, name: str, changing: bool = False) -> Case:
    """A case under one stage of a shipped protocol; `changing`: two or three changes of the rules come on the way.

    Orders are drawn from what is open under the rules of the moment.
    """
    past = history(name)
    first = draw(st.integers(0, len(past) - 1))
    stage = past[first].resolved
    pool = dict(stage.pool_params)
    impact = codes.OPEN_FEE_IMPACT in {step.resolved.pool_params["open_fee"] for step in past}
    path = draw(worlds.price_paths(variants.CLOSE_GAPS_S) if impact else worlds.price_paths())
    ticks = columns(draw, stage, path)
    world = World(stage.custody_params, stage.market_params, ticks, silly_percent=pick(draw, 0, 8, 30))
    world.actions = [*worlds.ACTIONS, *POOL_ACTIONS]
    if pool["lp_fee"] == codes.LP_FEE_TAX_REBATE:
        world.actions += [codes.ISSUE_DOLLARS, codes.REDEEM_DOLLARS]
    changes = list(_changes(draw, [step.resolved for step in past[first + 1 :]], stage, len(ticks))) if changing else []
    return draw(settled(world, pool, changes=changes))


def _changes(draw: st.DrawFn, later: Iterable[Resolved], stage: Resolved, n_ticks: int) -> Iterable[Change]:
    """The protocol's own next changes, then rules under strain, at ticks after the first."""
    last = strained(draw, stage)
    found = [*list(later)[:2], last]
    at = sorted(draw(st.sets(st.integers(1, max(n_ticks - 1, 1)), min_size=1, max_size=len(found))))
    for tick, rules in zip(at, found[-len(at) :], strict=True):
        if tick < n_ticks:
            yield Change(tick, rules.custody_params, rules.market_params, rules.pool_params)
