"""solana-labs/perpetuals integration tests (tests/native/tests_suite) that trade or swap, as scripts of orders.

Deposits of the setup, which carry fees there, are what the pool starts with here: only their order of size matters.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario
from tests.golden.solana_labs_script import ANY_LEVERAGE, Desk, labs

POOL_RS = "src/state/pool.rs"
WALLET = 2 * K  # every trader of these tests starts with two ether


def _max_user_profit() -> Scenario:
    """Payoff 0.25: 1 ether times 5, the price doubles; profit is 1.25 ether at $3,000, not 2.425 ether.

    In $1,515, out $2,970: 7,575 * 1,455 / 1,515 = 7,275 before a fee of 75.75, cut to 3,750. 2 - 1.05 + 1.75 = 2.7.
    """
    desk = labs({}, {"payoff_long_bps": 2_500}, 10_000 * K, 1_000 * M, name="ETH")
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    opening = desk.enter_size("ETH", K, 5 * K, limit_price=1_550 * P)
    desk.expect("events", opening, price=1_515 * P, size_usd=7_575 * M, locked_units=1_250_000_000)
    desk.expect("events", opening, trader_in_units=1_050_000_000, collateral_units=K, open_fee_usd=75 * M)
    # 25 bps of the fee are the protocol's; the rest never reaches the pool.
    desk.expect("events", opening, fee_units=125_000, stranded_units=49_875_000, owned_units=0)
    desk.quote("ETH", 3_000 * P)
    desk.warp(2)
    closing = desk.close(limit_price=2_970 * P)
    desk.expect("events", closing, price=2_970 * P, payout_usd=5_250 * M, exit_fee_usd=75_750_000)
    desk.expect("events", closing, trader_out_units=2_700_000_000 - (WALLET - 1_050_000_000), fee_units=63_125)
    return desk.scenario("labs_max_user_profit", "tests_suite/position/max_user_profit.rs")


def _liquidate_position() -> Scenario:
    """1 ether times 5 at $1,500, 10 % down. Interest is off: upstream all happens within a second.

    Loss 7,575 * 178.5 / 1,515 = 892.5 and 50 bps of 5.611111111 ether, $37.875, leave $569.625 or 0.421944444 ether,
    of which the liquidator gets 50 bps again.
    """
    off = {"borrow_mid": 0, "borrow_max": 0}
    desk = labs(off, {}, 100 * K, 1_000 * M, name="ETH")
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    desk.enter_size("ETH", K, 5 * K, limit_price=1_550 * P)
    desk.warp(1)
    desk.quote("ETH", 1_350 * P)
    desk.warp(1)
    desk.liquidations = 1
    kept = 1_369_834_721 - (WALLET - 1_050_000_000)
    gone = {"kind": codes.K_LIQUIDATION}
    desk.expect("events", gone, timestamp=desk.now_us, trader_out_units=kept, fees_out_units=2_109_723)
    desk.expect("events", gone, price=1_336_500_000 * (P // M), exit_fee_usd=37_875_000, fee_units=70_139)
    return desk.scenario("labs_liquidate_position", "tests_suite/position/liquidate_position.rs")


def _leverage_bounds() -> Scenario:
    """Ten times is above the maximum once spread and fee are counted, half a time below the minimum."""
    desk = labs({}, {}, 10_000 * K, 1_000 * M, name="ETH")
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    desk.refuse(desk.enter_size("ETH", K, 10 * K), codes.MAX_LEVERAGE)
    desk.refuse(desk.enter_size("ETH", K, K // 2), codes.MIN_LEVERAGE)
    return desk.scenario("labs_min_max_leverage", "tests_suite/position/min_max_leverage.rs")


def _swap_too_much() -> Scenario:
    """10 ether for about 15,000 of the 7,500 dollars that there are."""
    desk = labs({}, {}, 5 * K, 7_500 * M, name="ETH")
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    desk.refuse(desk.swap("ETH", "USDC", 10 * K), codes.INSUFFICIENT_LIQUIDITY)
    return desk.scenario("labs_swap_insufficient", "tests_suite/swap/insuffisient_fund.rs")


def _swap() -> Scenario:
    """1 ether for dollars by the formulas of swap.rs, a pool of half and half so large that weights do not move.

    Fees are 100 bps on each side, as the new weights are the target to the basis point; 25 bps of them leave for the
    protocol. The price is $1,500 less 3 %.
    """
    desk = labs({}, {}, 100_000 * K, 150_000_000 * M, name="ETH", lp_fee=codes.LP_FEE_FLAT)
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    number = desk.swap("ETH", "USDC", K)
    into, out = {"order_id": number, "kind": codes.K_SWAP_IN}, {"order_id": number, "kind": codes.K_SWAP_OUT}
    desk.expect("events", into, trader_in_units=K, fee_units=25_000, owned_units=K - 25_000)
    desk.expect("events", out, trader_out_units=1_440_450_000, fee_units=36_375, owned_units=-1_440_486_375)
    return desk.scenario("labs_swap", "src/instructions/swap.rs", "by hand: upstream only tests refusals")


def _won_short(dollar: int) -> Desk:
    """1 ether short at $1,500 on 1,500 dollars, all of them locked again; then $100, and a dollar is `dollar`."""
    off = {"borrow_mid": 0, "borrow_max": 0, "borrow_optimal_bps": 10_000}
    desk = labs(off, ANY_LEVERAGE | {"spread_long_bps": 0, "spread_short_bps": 0}, 10 * K, 10_000 * M, name="ETH")
    desk.custodies[0] |= off
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    opening = desk.enter_size("ETH", 1_500 * M, K, codes.SHORT)
    # The fee is 1 % of the ether at its average price, paid in dollars.
    desk.expect("events", opening, trader_in_units=1_515 * M, locked_units=1_500 * M, fee_units=37_500)
    desk.quote("ETH", 100 * P)
    desk.quote_custody("USDC", dollar)
    desk.warp(1)
    return desk


def _close_cap() -> Scenario:
    """Profit 1,400 less 15; at 98 cents that and the collateral are 2,943.9 dollars of which 2,850 are paid.

    The cap takes the fee off in lamports of ether, 150,000,000, as if they were units of the dollar token (pool.rs
    get_close_amount); the protocol's part of it, 25 bps of 15 / 0.98 dollars, is converted.
    """
    desk = _won_short(98 * P // 100)
    closing = desk.close()
    desk.expect("events", closing, exit_fee_usd=15 * M, payout_usd=2_885 * M, trader_out_units=2_850 * M)
    desk.expect("events", closing, fee_units=38_266)
    return desk.scenario("labs_close_cap", POOL_RS + " get_close_amount", "by hand")


def _value_of_shorts() -> Scenario:
    """The shorts' profit counts up to their locked units at the price of an ether (get_assets_under_management_usd).

    1,500,000,000 units of the dollar token are 1.5 ether then, $150, though $1,385 are won.
    """
    desk = _won_short(P)
    desk.expect_lp(aum_usd=10_000 * M + 1_000 * M - 150 * M)
    return desk.scenario("labs_value_of_shorts", POOL_RS + " get_assets_under_management_usd", "by hand")


def _bankrupt() -> Scenario:
    """The protocol's part is that of the whole fee even if the collateral does not cover the loss (liquidate.rs).

    7,575 dollars are 15.15 ether at $500; 50 bps of them 75,750,000 lamports, 25 bps of those 189,375.
    """
    off = {"borrow_mid": 0, "borrow_max": 0}
    desk = labs(off, {}, 100 * K, 1_000 * M, name="ETH")
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    desk.enter_size("ETH", K, 5 * K)
    desk.quote("ETH", 500 * P)
    desk.warp(1)
    desk.liquidations = 1
    gone = {"kind": codes.K_LIQUIDATION}
    desk.expect("events", gone, trader_out_units=0, fees_out_units=0, fee_units=189_375, owned_units=K - 189_375)
    return desk.scenario("labs_bankrupt", "src/instructions/liquidate.rs", "by hand")


def _deposit_is_initial() -> Scenario:
    """At 6 times, with 5 allowed to open and 10 to keep, a deposit must bring leverage to 5 (add_collateral.rs)."""
    limits = {"max_initial_leverage_bps": 50_000, "spread_long_bps": 0, "spread_short_bps": 0, "close_bps": 0}
    desk = labs({"borrow_mid": 0, "borrow_max": 0}, limits, 100 * K, 1_000 * M, name="ETH")
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    desk.enter_size("ETH", K, 4 * K)
    desk.quote("ETH", 1_375 * P)
    desk.warp(1)
    desk.refuse(desk.deposit(K // 100), codes.MAX_LEVERAGE)
    taken = desk.deposit(K // 5)
    desk.expect("events", taken, collateral_usd=275 * M, trader_in_units=K // 5)
    return desk.scenario("labs_deposit", "src/instructions/add_collateral.rs", "by hand")


SCENARIOS = [
    _max_user_profit(),
    _liquidate_position(),
    _leverage_bounds(),
    _swap_too_much(),
    _swap(),
    _close_cap(),
    _value_of_shorts(),
    _bankrupt(),
    _deposit_is_initial(),
]
