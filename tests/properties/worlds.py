"""Random worlds for the cases of `strategies`: pools where limits bind, prices that gap and crash."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from kernels import codes
from tests import case as build

SECOND = 1_000_000
START_US = 1_717_200_000 * SECOND
SOL, JITOSOL, BONK, USDC, GOLD = range(5)
START_PRICES = {SOL: 1_500_000_000_000, JITOSOL: 1_700_000_000_000, BONK: 250_000, USDC: 10**10, GOLD: 23 * 10**12}
LARGEST_UNITS = 2**53

# Moves of a price in one tick, in parts per 10,000; a calm, a mild and a wild market.
CALM = (0, 5, -5, 10, -10, 30, -30, 60, -60)
MILD = (0, 10, -10, 40, -40, 80, -80, 150, -150, 250, -250, 700, -700)
WILD = (0, 40, -40, 120, -120, 400, -400, 1_500, -1_500, -4_000, 8_000, -9_990, 90_000)
GAPS_S = (1, 2, 7, 15, 20, 60, 61, 240, 600, 3_599, 3_600, 3_601, 20_000, 400_000)
LEVERAGES = (11_100, 15_000, 20_000, 30_000, 50_000, 100_000, 250_000, 400_000, 700_000, 1_000_000, 1_150_000)
SILLY_LEVERAGES = (0, 1, 9_999, 10_900, 1_300_000, 10**7, 10**11)
STAKES_USD = (12, 25, 60, 150, 400, 1_000, 3_000)
TRADE_WEIGHTS = {
    codes.OPEN: 12,
    codes.LIMIT_OPEN: 4,
    codes.INCREASE: 4,
    codes.DECREASE: 4,
    codes.CLOSE: 3,
    codes.DEPOSIT_COLLATERAL: 3,
    codes.WITHDRAW_COLLATERAL: 3,
    codes.SET_TRIGGERS: 3,
    codes.CANCEL_LIMIT: 2,
    codes.RESOLVE_BORROW: 3,
    codes.ADD_LIQUIDITY: 3,
    codes.REMOVE_LIQUIDITY: 4,
    codes.SWAP: 2,
    codes.DISTRIBUTE_FEES: 2,
}
ACTIONS = [action for action, weight in TRADE_WEIGHTS.items() for _ in range(weight)]


@dataclass
class World:
    """What the orders of a case are drawn from. `tick` is the one they fall due at.

    `used` holds (market, side, status, collateral in micro-dollars) of the position ids in use by then,
    `depositors` the LP accounts that deposit at this very tick.
    """

    custodies: list[dict[str, int]]
    markets: list[dict[str, int]]
    ticks: list[tuple[int, tuple[int, ...], tuple[int, ...]]]
    silly_percent: int
    ids: tuple[int, ...] = ()
    tick: int = 0
    used: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    depositors: list[int] = field(default_factory=list)
    pool: dict[str, int] = field(default_factory=dict)  # variants and numbers; empty: all of the first kind
    actions: list[int] = field(default_factory=lambda: list(ACTIONS))

    def variant(self, family: str) -> int:
        return self.pool.get(family, 0)

    def collateral_custody(self, market: int, side: int) -> int:
        return self.markets[market]["long_custody" if side == codes.LONG else "short_custody"]

    def market_price(self, market: int) -> int:
        return self.ticks[self.tick][1][self.markets[market]["price_symbol"]]

    def units(self, custody: int, usd: int) -> int:
        """Token units worth about that many whole dollars at the tick, within the range the venue accepts."""
        params = self.custodies[custody]
        units = usd * 10**10 * params["unit"] // self.ticks[self.tick][1][params["price_symbol"]]
        return min(max(units, 1), LARGEST_UNITS)


def chance(draw: st.DrawFn, percent: int) -> bool:
    """True in about that many of a hundred; shrinks towards False."""
    return draw(st.integers(0, 99)) >= 100 - percent


def pick(draw: st.DrawFn, *values: int) -> int:
    return draw(st.sampled_from(values))


@st.composite
def custody_params(draw: st.DrawFn, symbol: int, decimals: int, stable: int, conf: tuple[int, ...]) -> dict[str, int]:
    highest = pick(draw, 8_000, 100_000, 2_000_000)
    return build.custody(
        decimals=decimals,
        stable=stable,
        price_symbol=symbol,
        conf_bps=pick(draw, *conf),
        add_bps=pick(draw, 0, 10, 100),
        remove_bps=pick(draw, 0, 10, 200),
        minimum_units=pick(draw, 0, 1_000, 19_000, 59_000) * 10**decimals if stable else 0,
        max_position_locked_usd=pick(draw, 0, 0, 0, 20_000_000_000),
        borrow_max=highest,
        borrow_mid=highest // 2,
        borrow_optimal_bps=pick(draw, 8_000, 5_000, 0, 10_000),
    )


@st.composite
def pools(draw: st.DrawFn, stable_custody: int) -> dict[str, int]:
    """Every variant of every mechanism; fee ages and locks short enough to be crossed by the tick gaps."""
    lp_share = pick(draw, 7_000, 7_500, 5_000)
    tiers: dict[str, int] = {}
    if chance(draw, 40):
        tiers = {"tier1_s": 60, "tier1_bps": 150_000, "tier2_s": 600, "tier2_bps": 30_000}
        tiers |= {"tier3_s": pick(draw, 0, 3_600), "tier3_bps": 15_000}
    return build.pool(
        borrow=pick(draw, codes.BORROW_LINEAR, codes.BORROW_TWO_SLOPE),
        funding=pick(draw, codes.FUNDING_NONE, codes.FUNDING_IMBALANCE),
        close_fee=codes.CLOSE_FEE_AGE_TIERS if tiers else codes.CLOSE_FEE_FIXED,
        leftover=pick(draw, codes.LEFTOVER_TRADER, codes.LEFTOVER_POOL),
        swap_mode=pick(draw, codes.SWAP_WHITELISTED, codes.SWAP_WHITELISTED, codes.SWAP_NONE),
        min_collateral_usd=pick(draw, 9_000_000, 0),
        min_age_s=pick(draw, 0, 20, 240, 3_600),
        min_age_after_edit_s=pick(draw, 0, 120, 7_200),
        edit_lock_s=pick(draw, 0, 240, 7_200),
        lp_share_bps=lp_share,
        referrer_share_bps=pick(draw, 1_000, 0),
        aum_cap_usd=pick(draw, 0, 0, 60_000_000_000, 200_000_000_000),
        lp_guard=pick(draw, 0, 1),
        distribution_interval_s=pick(draw, 0, 0, 600, 21_600),
        fee_custody=pick(draw, stable_custody, stable_custody, stable_custody, -1),
        sample_interval_us=pick(draw, 60, 600, 3_600) * SECOND,
        funding_in_aum=pick(draw, 0, 1),
        **tiers,
    )


@st.composite
def market_params(draw: st.DrawFn, symbol: int, long_custody: int, short_custody: int) -> dict[str, int]:
    return build.market(
        price_symbol=symbol,
        long_custody=long_custody,
        short_custody=short_custody,
        close_bps=pick(draw, 16, 10, 0),
        liquidation_bps=pick(draw, 16, 5, 60),
        max_leverage_bps=pick(draw, 3_000_000, 1_300_000, 5_000_000),
        max_cumulative_long_usd=pick(draw, 0, 0, 30_000_000_000),
        max_cumulative_short_usd=pick(draw, 0, 0, 30_000_000_000),
        funding_max=pick(draw, 100_000, 5_000_000),
        funding_sensitivity_bps=pick(draw, 10_000, 5_000, 30_000),
        funding_min_oi_usd=pick(draw, 0, 2_000_000_000),
    )


@st.composite
def price_paths(draw: st.DrawFn, gaps: tuple[int, ...] = GAPS_S) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """2 to 60 ticks at irregular gaps; jitoSOL follows SOL but for rare slips; flags and stable depegs are rare."""
    moves = st.sampled_from(draw(st.sampled_from((CALM, MILD, MILD, WILD, CALM + MILD + WILD))))
    count = draw(st.integers(1, 59))  # drawn first: lists of free length come out short
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(gaps),
                moves,
                moves,
                st.sampled_from((0,) * 12 + (30, -30, -900)),
                st.sampled_from((0,) * 22 + (-60, 60, -2_000)),
                st.sampled_from((0,) * 24 + (1, 2, 3, 4, 5, 6)),
            ),
            min_size=count,
            max_size=count,
        )
    )
    second = START_US // SECOND + pick(draw, 0, 1, 1_799)
    prices, ticks = dict(START_PRICES), []
    ticks.append((second * SECOND, tuple(prices.values()), (0,) * len(prices)))
    for gap, sol, other, slip, peg, flag in steps:
        second += gap
        changes = {SOL: sol, JITOSOL: sol + slip, BONK: other, USDC: peg, GOLD: other // 4}
        for symbol, change in changes.items():
            start = START_PRICES[symbol]
            moved = prices[symbol] * max(10_000 + change, 1) // 10_000
            # A depeg lasts one tick, else the stable would wander off.
            base = start * (10_000 + peg) // 10_000 if symbol == USDC else moved
            prices[symbol] = min(max(base, start // 4_000, 1), start * 100)
        flags = [0] * len(prices)
        if flag:
            flags[(SOL, JITOSOL, BONK, USDC, SOL, GOLD)[flag - 1]] = 1 + (flag * 7 + gap) % 3
        ticks.append(
            (second * SECOND + (gap * 37_991 % SECOND if gap > 600 else 0), tuple(prices.values()), tuple(flags))
        )
    return ticks


def entry_fields(draw: st.DrawFn, world: World, market: int, side: int) -> dict[str, int]:
    """Collateral and leverage of an open, a limit order or an increase."""
    custody = world.collateral_custody(market, side)
    dollars = pick(draw, *STAKES_USD)
    leverage = pick(draw, *LEVERAGES)
    fields = {"leverage_bps": leverage}
    if chance(draw, 25):
        fields = {"size_usd": dollars * leverage * 100}
    if chance(draw, 25):
        fields["collateral_usd"] = dollars * 10**6 + draw(st.integers(0, 999_999))
    else:
        fields["collateral_units"] = world.units(custody, dollars) + draw(st.integers(0, 999))
    if chance(draw, world.silly_percent):
        silly = draw(st.sampled_from(("leverage", "dust", "zero", "size", "huge")))
        if silly == "leverage":
            fields = {**fields, "leverage_bps": pick(draw, *SILLY_LEVERAGES), "size_usd": -1}
        elif silly == "size":
            fields = {**fields, "leverage_bps": -1, "size_usd": pick(draw, 0, 1, 10**15)}
        else:
            fields |= {"collateral_usd": -1, "collateral_units": {"dust": 3, "zero": 0, "huge": 10**15}[silly]}
    if world.variant("sizing") == codes.SIZE_TOKENS and chance(draw, 30):
        traded = max(world.markets[market]["long_custody"], 0)
        fields |= {"size_usd": -1, "leverage_bps": -1}
        fields["amount_units"] = world.units(traded, dollars * leverage // 10_000) + draw(st.integers(0, 999))
    return fields


def near(draw: st.DrawFn, price: int, side: int, favourable: bool) -> int:
    """A price a little way to the winning or losing side of a position."""
    distance = pick(draw, 0, 10, 50, 200, 1_000, 4_000)
    up = (side == codes.LONG) == favourable
    return max(price * (10_000 + (distance if up else -distance)) // 10_000, 1)
