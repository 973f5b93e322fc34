"""Rules of solana-labs/perpetuals that its tests do not reach, computed by hand from the source named with each."""

from kernels import codes
from tests.golden.script import K, M, P, Scenario
from tests.golden.solana_labs_script import ANY_LEVERAGE, Desk, labs

INSTRUCTIONS, STATE = "src/instructions/", "src/state/"
NO_RATE = {"borrow_mid": 0, "borrow_max": 0, "borrow_optimal_bps": 10_000}
NO_SPREAD = {"spread_long_bps": 0, "spread_short_bps": 0}
BY_HAND = "by hand"


def _ether(market: dict[str, int], dollars: int = 15_000 * M, token: dict[str, int] | None = None) -> Desk:
    """Ten ether of $1,500 and dollars, no borrow fee."""
    desk = labs(NO_RATE | (token or {}), ANY_LEVERAGE | market, 10 * K, dollars, name="ETH")
    desk.custodies[0] |= NO_RATE | (token or {})
    desk.quote("ETH", 1_500 * P)
    return desk


def _borrow_size() -> Scenario:
    """With a payoff below 1, what is locked is borrowed: a long's at its entry price, a short's at the high price.

    $1,515 times 1.25 ether; 742.5 dollar tokens times $1.01.
    """
    desk = _ether({"payoff_long_bps": 2_500, "payoff_short_bps": 5_000})
    desk.quote_custody("USDC", P, 101 * P // 100)
    desk.warp(0)
    desk.enter_size("ETH", K, 5 * K)
    desk.enter_size("ETH", 1_500 * M, K, codes.SHORT, position_id=2)
    desk.expect_position(borrow_size_usd=1_893_750_000, locked=1_250_000_000, size_usd=7_575 * M)
    desk.expect_position(2, borrow_size_usd=749_925_000, locked=742_500_000, size_usd=1_485 * M)
    return desk.scenario("labs_borrow_size", INSTRUCTIONS + "open_position.rs", BY_HAND)


def _dear_dollar() -> Scenario:
    """A dollar token of $1.01 to 1.02 is a dollar as collateral (get_min_price), $1.01 as liquidity and in the AUM."""
    desk = _ether(NO_SPREAD, token={"add_bps": 0})
    desk.quote_custody("USDC", 102 * P // 100, 101 * P // 100)
    desk.warp(0)
    opening = desk.enter_size("ETH", 1_500 * M, K, codes.SHORT)
    deposit = desk.add("USDC", 1_000 * M)
    desk.expect("events", opening, collateral_usd=1_500 * M, locked_units=1_500 * M)
    # Supply is the first deposits at the low price, 30,150; the AUM before is at the high one, with $15 of close fee.
    desk.expect("events", deposit, lp_flow_usd=1_010 * M, lp_units=1_010 * M * 30_150 // 30_315)
    desk.expect_lp(aum_usd=15_000 * M + 16_000 * 101 * M // 100 + 15 * M)
    return desk.scenario(
        "labs_dear_dollar", STATE + "oracle.rs get_min_price, " + INSTRUCTIONS + "add_liquidity.rs", BY_HAND
    )


def _min_and_max() -> Scenario:
    """Ether at $1,500, $1,600 on average: deposits count at the low price of an AUM at the high one, and back."""
    desk = _ether({}, token={"add_bps": 0, "remove_bps": 0})
    desk.quote("ETH", 1_500 * P, 1_600 * P)
    desk.warp(0)
    deposit = desk.add("ETH", K)
    minted = 1_500 * M * 30_000 // 31_000
    desk.expect("events", deposit, lp_units=minted, lp_flow_usd=1_500 * M, fee_units=0)
    desk.expect_lp(aum_usd=31_500 * M, lp_supply=30_000 * M + minted)
    desk.warp(1)
    withdrawal = desk.remove("ETH", 1_000 * M)
    taken = 31_500 * M * 1_000 * M // (30_000 * M + minted)
    desk.expect("events", withdrawal, lp_flow_usd=-taken, trader_out_units=taken * K // (1_600 * M))
    return desk.scenario("labs_min_and_max", INSTRUCTIONS + "add_liquidity.rs, remove_liquidity.rs", BY_HAND)


def _whole_micro_dollars() -> Scenario:
    """Prices with spread are cut to six decimals: 1,500.1234567 * 1.01 and * 0.99."""
    desk = _ether({})
    desk.quote("ETH", 15_001_234_567_000)
    desk.warp(0)
    opening = desk.enter_size("ETH", K, K)
    desk.warp(1)
    closing = desk.close()
    desk.expect("events", opening, price=1_515_124_691 * P // M)
    desk.expect("events", closing, price=1_485_122_222 * P // M)
    return desk.scenario("labs_whole_micro_dollars", STATE + "pool.rs get_price", BY_HAND)


def _utilisation_cap() -> Scenario:
    """Utilisation is floored to basis points before it is compared: 90.005 % passes a cap of 90 %, 90.01 % does not."""
    desk = _ether(NO_SPREAD | {"open_bps": 0}, token={"max_utilisation_bps": 9_000})
    desk.warp(0)
    over = desk.enter_size("ETH", 9 * K, 9_001_000_000, position_id=2)
    under = desk.enter_size("ETH", 9 * K, 9_000_500_000)
    desk.refuse(over, codes.MAX_UTILISATION)
    desk.expect("events", under, locked_units=9_000_500_000)
    return desk.scenario("labs_utilisation_cap", STATE + "custody.rs lock_funds", BY_HAND)


def _stable_interest() -> Scenario:
    """The AUM counts interest on the dollar token only since the last change of its collective position.

    15 % then 30 % of 10,000 locked: 12,000 per hour on 1,500, 24,000 on 3,000; 18 and 72 thousandths of a dollar. The
    close fee of 1 % of the shorts counts as won.
    """
    rate = {"borrow_mid": 80_000, "borrow_max": 0, "borrow_optimal_bps": 10_000}
    desk = _ether(NO_SPREAD, 10_000 * M)
    desk.custodies[0] |= rate
    desk.warp(0)
    desk.enter_size("ETH", 1_500 * M, K, codes.SHORT)
    desk.warp(3_599)
    desk.warp(1)
    desk.expect_index("USDC", 12_000, 12_000)
    desk.expect_lp(aum_usd=25_015_018_000)
    desk.warp(1)
    desk.enter_size("ETH", 1_500 * M, K, codes.SHORT, position_id=2)
    desk.warp(3_600)
    desk.expect_lp(aum_usd=25_030_072_000)
    return desk.scenario("labs_stable_interest", STATE + "pool.rs get_assets_under_management_usd", BY_HAND)


SCENARIOS = [
    _borrow_size(),
    _dear_dollar(),
    _min_and_max(),
    _whole_micro_dollars(),
    _utilisation_cap(),
    _stable_interest(),
]
