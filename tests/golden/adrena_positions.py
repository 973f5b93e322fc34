"""Adrena's deep checks of one position: open, close, liquidate, collateral in and out.

Upstream: tests/tests_suite/position. Where an upstream test does two things within one second, `borrow_max=0` keeps
the second that must lie between two ticks here free of interest.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, usdc

LONG, SHORT = codes.LONG, codes.SHORT
SUITE = "tests/tests_suite/position/"
DAY_POOL_USDC = 3_397_000 * M  # 3.4M less 30 % of the three deposit fees: 1,020 + 990 + 990
SIZE, COLLATERAL = 14_962_500_000, 1_496_250_000  # 1 ETH at 1,496.25, times 10
SHORT_SIZE, SHORT_COLLATERAL = 14_985_000_000, 1_498_500_000  # 1,500 USDC at 0.999, times 10


def deep_pool(**pool: int) -> Script:
    """3.4M USDC, 2,200 ETH at $1,500, 110 BTC (6 decimals) at $30,000; usual fees; one second later."""
    borrow_max = pool.pop("borrow_max", 100_000)
    tokens = usdc(3_400_000 * M), Token("ETH", 9, 1_500 * P, 2_200 * K), Token("BTC", 6, 30_000 * P, 110 * M)
    return Script(*tokens, borrow_max=borrow_max, min_age_s=20, aum_cap_usd=10_000_000 * M, **pool).setup().warp(1)


def _setup() -> Scenario:
    script = deep_pool()
    volumes = {"USDC": 3_396_600 * M, "ETH": 3_291_750 * M, "BTC": 3_291_750 * M}
    for number, (name, volume) in enumerate(volumes.items()):
        script.expect("events", 2 * number + 1, kind=codes.K_ADD_LIQUIDITY, owned_value_usd=volume)
        script.expect_custody(name, collateral=0, locked=0, rate=0, cum_index=0)
    script.expect_custody("USDC", owned=DAY_POOL_USDC)
    return script.scenario("deep_check_setup", SUITE + "deep_check_*.rs, utils/test_setup.rs")


def _open_long() -> Scenario:
    script = deep_pool()
    opening = script.long("ETH", K, 100_000, limit_price=1_550 * P)
    script.expect("events", opening, size_usd=SIZE, collateral_usd=COLLATERAL, trader_in_units=K, price=1_500 * P)
    script.expect_position(entry_price=1_500 * P, size_usd=SIZE, borrow_size_usd=SIZE, collateral_usd=COLLATERAL)
    script.expect_position(unrealised_interest_usd=0, cum_snapshot=0, locked=10 * K, collateral_units=K)
    script.expect_position(exit_fee_usd=24 * M, liquidation_fee_usd=24 * M)
    _expect_long_books(script, COLLATERAL, K)
    return script.scenario("deep_check_open_position_long", SUITE + "deep_check_open_position_long.rs")


def _expect_long_books(script: Script, collateral_usd: int, collateral_units: int) -> None:
    script.expect_custody("ETH", owned=2_200 * K, locked=10 * K, collateral=collateral_units, rate=455, cum_index=0)
    script.expect_custody("USDC", owned=DAY_POOL_USDC, locked=0, collateral=0, rate=0, cum_index=0)
    script.expect_side("ETH", LONG, open_positions=1, size_usd=SIZE, exit_fee_usd=24 * M, locked=10 * K)
    script.expect_side("ETH", LONG, weighted=1_496_250_000_000_000_000, total_quantity=99_750)
    script.expect_side("ETH", LONG, collateral_usd=collateral_usd)
    script.expect_side("ETH", SHORT, open_positions=0, size_usd=0, total_quantity=0, weighted=0)
    script.expect_interest("ETH", LONG, open_positions=1, borrow_size_usd=SIZE, locked=10 * K)
    script.expect_interest("ETH", LONG, cum_interest_usd=0, cum_snapshot=0)


def _open_short() -> Scenario:
    script = deep_pool()
    opening = script.short("ETH", 1_500 * M, 100_000, limit_price=1_450 * P)
    script.expect("events", opening, size_usd=SHORT_SIZE, trader_in_units=1_500 * M, collateral_usd=SHORT_COLLATERAL)
    script.expect_position(entry_price=1_500 * P, size_usd=SHORT_SIZE, borrow_size_usd=SHORT_SIZE)
    script.expect_position(unrealised_interest_usd=0, cum_snapshot=0, locked=15_000 * M, collateral_units=1_500 * M)
    script.expect_position(exit_fee_usd=24 * M, liquidation_fee_usd=24 * M, collateral_usd=SHORT_COLLATERAL)
    _expect_short_books(script, 1_500 * M)
    return script.scenario("deep_check_open_position_short", SUITE + "deep_check_open_position_short.rs")


def _expect_short_books(script: Script, collateral_units: int) -> None:
    script.expect_custody("USDC", owned=DAY_POOL_USDC, locked=15_000 * M, collateral=collateral_units, rate=442)
    script.expect_custody("USDC", cum_index=0)
    script.expect_custody("ETH", owned=2_200 * K, locked=0, collateral=0, rate=0, cum_index=0)
    script.expect_side("ETH", SHORT, open_positions=1, size_usd=SHORT_SIZE, exit_fee_usd=24 * M, locked=15_000 * M)
    script.expect_side("ETH", SHORT, weighted=1_498_500_000_000_000_000, total_quantity=99_900, collateral_usd=0)
    script.expect_interest("USDC", SHORT, open_positions=1, borrow_size_usd=SHORT_SIZE, locked=15_000 * M)
    script.expect_interest("USDC", SHORT, cum_interest_usd=0, cum_snapshot=0)


def _close_long() -> Scenario:
    """By hand. Band 25 bps of 1,500 is 3.75: low 1,496.25, high 1,503.75.

    Open. collateral 1 ETH -> 1,496.25; size 10 ETH -> 14,962.50; exit fee ceil(16 * 10e9 / 1e4) = 16,000,000 units
    = 0.016 ETH, at the mid 1,500 -> 24.00. Leverage 14,962.5 / (1,496.25 - 24) = 10.163, allowed.
    Rate: 10e9 * 100,000 * 1e9 / 2,200e9 = 454,545,454,545.45 -> floor, / 1e9 ceil -> 455 per hour.
    Close, 20 s later. Index ceil(20 * 455 / 3,600) = ceil(2.527...) = 3; interest floor(3 * 14,962,500,000 / 1e9) =
    floor(44.8875) = 44. Price unmoved: loss = 0 + 24,000,000 + 44 = 24,000,044; close 1,496,250,000 - 24,000,044 =
    1,472,249,956; at the high price floor(1,472,249,956 * 1e13 / 15,037,500,000,000) = 979,052,339 units (the floor
    cuts 0.817...); backing 10e9 + 1e9 - fees is far above. The trader has lost 1,000,000,000 - 979,052,339 = 20,947,661
    units, which is what the pool owns more. Fee 24,000,044: LPs floor(70 %) = 16,800,030, debt 7,200,014, paid in
    USDC: 3,397,000,000,000 - 7,200,014 = 3,396,992,799,986. Nothing locked any more: rate 0, index stays 3.
    """
    script = deep_pool()
    script.long("ETH", K, 100_000, limit_price=1_550 * P)
    script.warp(20)
    closing = script.close(limit_price=1_330 * P)
    paid = script.distribute()
    script.expect("events", closing, size_usd=-SIZE, exit_fee_usd=24 * M, borrow_fee_usd=44, prepaid_borrow_usd=0)
    script.expect("events", closing, payout_usd=COLLATERAL - 24_000_044, pnl_usd=0, collateral_usd=-COLLATERAL)
    script.expect("events", closing, trader_out_units=K - 20_947_661, owned_units=20_947_661)
    script.expect("events", closing, lp_share_usd=16_800_030, protocol_share_usd=7_200_014, referrer_share_usd=0)
    script.expect("events", paid, fees_out_units=7_200_014)
    script.expect_custody("ETH", owned=2_200 * K + 20_947_661, locked=0, collateral=0, rate=0, cum_index=3)
    script.expect_custody("USDC", owned=3_396_992_799_986, locked=0, collateral=0, rate=0, cum_index=0)
    script.expect_empty("ETH")
    return script.scenario("deep_check_close_position_long", SUITE + "deep_check_close_position_long.rs")


def _close_short() -> Scenario:
    """The harness pays out no fees after this close."""
    script = deep_pool()
    script.short("ETH", 1_500 * M, 100_000, limit_price=1_450 * P)
    script.warp(20)
    closing = script.close(limit_price=1_600 * P)
    script.expect("events", closing, size_usd=-SHORT_SIZE, exit_fee_usd=24 * M, borrow_fee_usd=44)
    script.expect("events", closing, payout_usd=SHORT_COLLATERAL - 24_000_044, pnl_usd=0)
    script.expect("events", closing, trader_out_units=1_500 * M - 26_973_071)
    script.expect_custody("ETH", owned=2_200 * K, locked=0, collateral=0, rate=0, cum_index=0)
    script.expect_custody("USDC", owned=3_397_026_973_071, locked=0, collateral=0, rate=0, cum_index=3)
    script.expect_empty("ETH")
    return script.scenario("deep_check_close_position_short", SUITE + "deep_check_close_position_short.rs")


def _liquidate_long() -> Scenario:
    script = deep_pool(borrow_max=0)
    script.long("ETH", K, 400_000)
    script.price("ETH", 1_465 * P)
    script.warp(1)
    script.distribute()
    script.liquidations = 1
    liquidation = {"kind": codes.K_LIQUIDATION}
    script.expect("events", liquidation, payout_usd=COLLATERAL - 1_492_500_000, exit_fee_usd=96 * M, borrow_fee_usd=0)
    script.expect("events", liquidation, size_usd=-40 * COLLATERAL, bad_debt_usd=0, confiscated_usd=0)
    script.expect("events", liquidation, pnl_usd=96 * M - 1_492_500_000)
    script.expect_custody("ETH", locked=0, collateral=0, rate=0, cum_index=0)
    script.expect_custody("USDC", owned=3_396_971_200_000, rate=0, cum_index=0)
    script.expect_empty("ETH")
    note = "the band at the liquidation was 10.1 bps upstream; no number printed there depends on it"
    return script.scenario("deep_check_liquidate_position_long", SUITE + "deep_check_liquidate_position_long.rs", note)


def _liquidate_short() -> Scenario:
    script = deep_pool(borrow_max=0)
    script.short("ETH", 1_500 * M, 400_000)
    script.price("ETH", 1_535 * P)
    script.warp(1)
    script.distribute()
    script.liquidations = 1
    liquidation = {"kind": codes.K_LIQUIDATION}
    script.expect("events", liquidation, payout_usd=SHORT_COLLATERAL - 1_494_600_000, exit_fee_usd=96 * M)
    script.expect("events", liquidation, trader_out_units=1_500 * M - 1_496_103_897, size_usd=-40 * SHORT_COLLATERAL)
    script.expect_custody("ETH", owned=2_200 * K, locked=0, collateral=0)
    script.expect_custody("USDC", owned=3_398_467_303_897, locked=0, collateral=0, rate=0, cum_index=0)
    script.expect_empty("ETH")
    return script.scenario("deep_check_liquidate_position_short", SUITE + "deep_check_liquidate_position_short.rs")


def _add_collateral() -> list[Scenario]:
    script = deep_pool()
    script.long("ETH", K, 100_000)
    script.warp(1)
    deposit = script.deposit(K)
    script.expect("events", deposit, collateral_usd=COLLATERAL, trader_in_units=K)
    script.expect_position(size_usd=SIZE, borrow_size_usd=SIZE, collateral_usd=2 * COLLATERAL, collateral_units=2 * K)
    script.expect_position(unrealised_interest_usd=0, cum_snapshot=0, locked=10 * K, exit_fee_usd=24 * M)
    _expect_long_books(script, 2 * COLLATERAL, 2 * K)
    long = script.scenario("deep_check_add_collateral_long", SUITE + "deep_check_add_collateral_long.rs")

    script = deep_pool()
    script.short("ETH", 1_500 * M, 100_000)
    script.warp(1)
    deposit = script.deposit(1_500 * M)
    script.expect("events", deposit, collateral_usd=SHORT_COLLATERAL, trader_in_units=1_500 * M)
    script.expect_position(size_usd=SHORT_SIZE, collateral_usd=2 * SHORT_COLLATERAL, collateral_units=3_000 * M)
    script.expect_position(unrealised_interest_usd=0, cum_snapshot=0, locked=15_000 * M, exit_fee_usd=24 * M)
    _expect_short_books(script, 3_000 * M)
    return [long, script.scenario("deep_check_add_collateral_short", SUITE + "deep_check_add_collateral_short.rs")]


def _remove_collateral() -> list[Scenario]:
    script = deep_pool()
    script.long("ETH", K, 100_000)
    script.warp(1)
    withdrawal = script.withdraw(150 * M)
    script.expect("events", withdrawal, trader_out_units=K - 900_249_377, payout_usd=150 * M)
    script.expect_position(size_usd=SIZE, collateral_usd=COLLATERAL - 150 * M, collateral_units=900_249_377)
    script.expect_position(unrealised_interest_usd=0, cum_snapshot=0, locked=10 * K, liquidation_fee_usd=24 * M)
    _expect_long_books(script, COLLATERAL - 150 * M, 900_249_377)
    long = script.scenario("deep_check_remove_collateral_long", SUITE + "deep_check_remove_collateral_long.rs")

    script = deep_pool()
    script.short("ETH", 1_499_999_990, 100_000)
    script.warp(1)
    withdrawal = script.withdraw(150 * M)
    left = 1_499_999_990 - 149_850_149
    script.expect("events", withdrawal, trader_out_units=149_850_149, payout_usd=150 * M)
    script.expect_position(size_usd=14_984_999_900, borrow_size_usd=14_984_999_900, locked=14_999_999_900)
    script.expect_position(collateral_usd=1_498_499_990 - 150 * M, collateral_units=left, exit_fee_usd=24 * M)
    script.expect_side("ETH", SHORT, weighted=1_498_485_000_000_000_000, total_quantity=99_899, size_usd=14_984_999_900)
    script.expect_side("ETH", SHORT, open_positions=1, exit_fee_usd=24 * M, locked=14_999_999_900)
    script.expect_interest("USDC", SHORT, borrow_size_usd=14_984_999_900, locked=14_999_999_900, cum_interest_usd=0)
    script.expect_custody("USDC", owned=DAY_POOL_USDC, locked=14_999_999_900, collateral=left, rate=442, cum_index=0)
    return [
        long,
        script.scenario("deep_check_remove_collateral_short", SUITE + "deep_check_remove_collateral_short.rs"),
    ]


SCENARIOS = [
    _setup(),
    _open_long(),
    _open_short(),
    _close_long(),
    _close_short(),
    _liquidate_long(),
    _liquidate_short(),
    *_add_collateral(),
    *_remove_collateral(),
]
