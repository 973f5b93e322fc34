"""What Adrena's tests see refused or triggered: leverage and size limits, liquidation.

Upstream only says "is an error"; the reason is read off the program's source. At ticks marked closed nothing is
liquidated: there upstream keeps positions over the maximum leverage alive to try collateral changes on them.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, usdc, with_high

LONG, SHORT = codes.LONG, codes.SHORT
SUITE = "tests/tests_suite/position/"


def _eth_pool(stable: int, amount: int = 10_000 * K, borrow_max: int = 100_000, **limits: int) -> Script:
    eth = Token("ETH", 9, 1_500 * P, amount, limits=limits)
    return Script(usdc(stable), eth, borrow_max=borrow_max, min_age_s=20).setup().warp(1)


def _liquidate() -> Scenario:
    """1 ETH x5, maximum 10x: stands at $1,500, falls at $1,350 with a band of 10 bps (high price 1,351.35)."""
    script = _eth_pool(150_000 * M, 100 * K, 0, max_initial_leverage_bps=100_000, max_leverage_bps=100_000)
    script.long("ETH", K, 50_000)
    script.warp(1)
    script.expect_count("events", {"kind": codes.K_LIQUIDATION, "timestamp": script.now_us}, 0)
    script.trade_price("ETH", 1_350 * P)
    script.custody_price("ETH", with_high(135_135 * P // 100, 25))
    script.warp(1)
    script.liquidations = 1
    # 2 ETH before, 1 in the position: 1,544,733,044 afterwards.
    script.expect("events", {"kind": codes.K_LIQUIDATION}, trader_out_units=544_733_044, timestamp=script.now_us)
    return script.scenario("liquidate_position", SUITE + "liquidate_position.rs")


def _profit() -> Scenario:
    script = _eth_pool(1_000_000 * M)
    script.long("ETH", K, 50_000, limit_price=1_550 * P)
    script.price("ETH", 3_000 * P)
    script.warp(20)
    closing = script.close(limit_price=2_970 * P)
    script.expect("events", closing, trader_out_units=K + 1_981_047_379)
    return script.scenario("max_user_profit", SUITE + "max_user_profit.rs")


def _leverage() -> Scenario:
    script = _eth_pool(1_000_000 * M, max_initial_leverage_bps=100_000, max_leverage_bps=100_000)
    script.refuse(script.long("ETH", K, 100_005), codes.MAX_LEVERAGE)
    script.refuse(script.long("ETH", K, 5_000), codes.MIN_LEVERAGE)
    return script.scenario("min_max_leverage", SUITE + "min_max_leverage.rs")


def _basic() -> Scenario:
    """Too young to close 2 s after opening; $7.48 of collateral is below the minimum of $9."""
    script = _eth_pool(1_500_000 * M, 1_000 * K)
    script.refuse(script.long("ETH", 5_000_000, 40_000, position_id=2), codes.MIN_COLLATERAL)
    script.long("ETH", 100_000_000, 11_000, limit_price=1_550 * P)
    script.warp(1)
    script.increase(100_000_000, 11_000, limit_price=1_550 * P)
    script.warp(1)
    script.refuse(script.close(limit_price=1_450 * P), codes.POSITION_TOO_YOUNG)
    script.warp(20)
    closing = script.close(limit_price=1_451 * P)
    script.expect("events", closing, kind=codes.K_CLOSE)
    return script.scenario("basic_interactions[position]", "tests/tests_suite/basic_interactions.rs")


def _cumulative_short() -> Scenario:
    """$500,000 of shorts on BTC, counted in USDC locked: 600 refused, 200 + 200, 150 refused, 100 reaches the cap."""
    btc = Token("BTC", 6, 30_000 * P, 333 * M, limits={"max_cumulative_short_usd": 500_000 * M})
    script = Script(usdc(10_000_000 * M), btc).setup().warp(1)
    script.refuse(script.short("BTC", 200_000 * M, 30_000), codes.MAX_CUMULATIVE_SHORT)
    script.short("BTC", 50_000 * M, 40_000)
    script.short("BTC", 50_000 * M, 40_000, position_id=2)
    script.refuse(script.short("BTC", 50_000 * M, 30_000, position_id=3), codes.MAX_CUMULATIVE_SHORT)
    script.short("BTC", 50_000 * M, 20_000, position_id=3)
    script.refuse(script.short("BTC", 5_000 * M, 20_000, position_id=4), codes.MAX_CUMULATIVE_SHORT)
    script.expect_side("BTC", SHORT, open_positions=3, locked=500_000 * M)
    return script.scenario("max_cumulative_short", SUITE + "max_cumulative_short.rs")


def _add_collateral_long() -> Scenario:
    script = _eth_pool(1_000_000 * M)
    script.long("ETH", K, 50_000)
    script.warp(1)
    script.deposit(K)
    script.warp(1)
    script.deposit(2 * K)
    script.warp(1)
    script.refuse(script.deposit(2 * K), codes.MIN_LEVERAGE)
    script.price("ETH", 250 * P)
    script.warp(1, closed="ETH")
    script.refuse(script.deposit(K), codes.MAX_LEVERAGE)
    script.deposit(10 * K)
    script.price("ETH", 2_550 * P)
    script.warp(1, closed="ETH")
    script.refuse(script.deposit(K), codes.MIN_LEVERAGE)
    script.expect_position(collateral_units=14 * K)
    return script.scenario("add_collateral_long", SUITE + "add_collateral_long.rs")


def _add_collateral_short() -> Scenario:
    limits = {"max_initial_leverage_bps": 100_000, "max_leverage_bps": 100_000}
    sol = Token("SOL", 9, 200 * P, 10_000 * K, trade=100 * P, limits=limits)
    script = Script(usdc(1_000_000 * M, locked_cap_usd=8_000_000 * M), sol).setup().warp(1)
    script.short("SOL", 500 * M, 15_000, limit_price=90 * P)
    script.warp(1)
    script.deposit(100 * M)
    script.warp(1)
    script.refuse(script.deposit(880 * M), codes.MIN_LEVERAGE)
    script.trade_price("SOL", 300 * P)
    script.warp(1, closed="SOL")
    script.refuse(script.deposit(M), codes.MAX_LEVERAGE)
    script.deposit(1_000 * M)
    script.trade_price("SOL", 80 * P)
    script.warp(1, closed="SOL")
    script.refuse(script.deposit(M), codes.MIN_LEVERAGE)
    script.expect_position(collateral_units=1_600 * M)
    return script.scenario("add_collateral_short", SUITE + "add_collateral_short.rs")


def _remove_collateral_long() -> Scenario:
    script = _eth_pool(1_000_000 * M)
    script.long("ETH", 100 * K, 11_001)
    script.warp(1)
    # 10,000 ETH before, 100 in the position: 9,901,030,756,442 afterwards.
    script.expect("events", script.withdraw(1_550 * M), trader_out_units=1_030_756_442)
    script.warp(1)
    script.refuse(script.withdraw(1_550_000 * M), codes.INVALID_ORDER)
    script.expect("events", script.withdraw(M), trader_out_units=9_901_031_421_446 - 9_901_030_756_442)
    script.warp(1)
    for amount in (148_283_985_000, 148_283_985_000 - 1, 0):
        script.refuse(script.withdraw(amount), codes.INVALID_ORDER)
    script.price("ETH", 20 * P)
    script.warp(1, closed="ETH")
    script.refuse(script.withdraw(M), codes.MAX_LEVERAGE)
    script.price("ETH", 1_900 * P)
    script.warp(1)
    script.refuse(script.withdraw(M), codes.MIN_LEVERAGE)
    script.expect("events", script.withdraw(50_000 * M), payout_usd=50_000 * M)
    return script.scenario("remove_collateral_long", SUITE + "remove_collateral_long.rs")


def _remove_collateral_short() -> Scenario:
    script = _eth_pool(2_000_000 * M)
    script.short("ETH", 1_000_000 * M, 11_001)
    script.warp(1)
    script.expect("events", script.withdraw(1_000 * M), trader_out_units=999_000_999)
    script.warp(1)
    script.refuse(script.withdraw(999_000 * M), codes.INVALID_ORDER)
    script.expect("events", script.withdraw(M), trader_out_units=1_000_999_999_999 - 1_000_999_000_999)
    script.refuse(script.withdraw(997_898_900_000), codes.MAX_LEVERAGE)
    script.refuse(script.withdraw(997_898_800_000 * 1_000), codes.INVALID_ORDER)
    script.refuse(script.withdraw(0), codes.INVALID_ORDER)
    script.price("ETH", 2_850 * P)
    script.warp(1)
    script.refuse(script.withdraw(M), codes.MAX_LEVERAGE)
    script.price("ETH", 2_800 * P)
    script.warp(1)
    script.refuse(script.withdraw(200_000 * M), codes.MAX_LEVERAGE)
    script.price("ETH", 1_000 * P)
    script.warp(1)
    script.refuse(script.withdraw(M), codes.MIN_LEVERAGE)
    script.expect("events", script.withdraw(400_000 * M), payout_usd=400_000 * M)
    return script.scenario("remove_collateral_short", SUITE + "remove_collateral_short.rs")


SCENARIOS = [
    _liquidate(),
    _profit(),
    _leverage(),
    _basic(),
    _cumulative_short(),
    _add_collateral_long(),
    _add_collateral_short(),
    _remove_collateral_long(),
    _remove_collateral_short(),
]
