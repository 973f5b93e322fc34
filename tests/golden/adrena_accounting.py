"""Adrena's tests of accounting: whole and partial closes ten hours after opening, at another price.

Upstream: tests/tests_suite/position. Their maximum leverage of 10x is lifted: at the exit the positions stand at more,
which nobody acts on there and which liquidates at once here; it enters no number.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, usdc, with_high

LONG, SHORT = codes.LONG, codes.SHORT
SUITE = "tests/tests_suite/position/"
SOL_LIMITS = {"max_initial_leverage_bps": 100_000}


def sol_pool(**pool: int) -> Script:
    """150,000 USDC and 100 jitoSOL at $200 behind SOL at $100."""
    sol = Token("SOL", 9, 200 * P, 100 * K, trade=100 * P, limits=SOL_LIMITS)
    return Script(usdc(150_000 * M), sol, min_age_s=20, **pool).setup().warp(1)


def bonk_pool(price: int, amount: int) -> Script:
    """150,000 USDC and BONK (5 decimals)."""
    return Script(usdc(150_000 * M), Token("BONK", 5, price, amount), min_age_s=20).setup().warp(1)


def _long_accounting() -> list[Scenario]:
    """1 jitoSOL at $200 x5 on SOL at $100; ten hours; SOL at $90. With and without resolving the borrow fee first."""
    found, source = [], SUITE + "open_and_close_long_position_accounting.rs"
    script = sol_pool()
    script.long("SOL", K, 50_000, limit_price=110 * P)
    script.expect_position(entry_price=100 * P, size_usd=997_500_000, borrow_size_usd=997_500_000, locked=5 * K)
    script.expect_position(collateral_usd=199_500_000, collateral_units=K, cum_snapshot=0, unrealised_interest_usd=0)
    script.expect_position(exit_fee_usd=1_600_000, liquidation_fee_usd=1_600_000)
    script.expect_side("SOL", LONG, open_positions=1, size_usd=997_500_000, total_quantity=99_750, locked=5 * K)
    script.expect_side("SOL", LONG, weighted=99_750_000_000_000_000)
    script.expect_interest("SOL", LONG, borrow_size_usd=997_500_000, locked=5 * K, cum_interest_usd=0, cum_snapshot=0)
    found.append(script.scenario("open_long_accounting", source))
    for resolved in (False, True):
        script = sol_pool()
        script.long("SOL", K, 50_000)
        script.trade_price("SOL", 90 * P)
        script.warp(36_000)
        if resolved:
            resolve = script.order(codes.RESOLVE_BORROW, position_id=1)
            script.expect("events", resolve, borrow_fee_usd=49_875, prepaid_borrow_usd=-49_875)
        closing = script.close(limit_price=80 * P)
        script.distribute()
        script.expect("events", closing, trader_out_units=489_277_431, exit_fee_usd=1_600_000, size_usd=-997_500_000)
        script.expect("events", closing, borrow_fee_usd=0 if resolved else 49_875)
        script.expect("events", closing, prepaid_borrow_usd=49_875 if resolved else 0)
        script.expect("events", closing, payout_usd=199_500_000 - 101_399_875, pnl_usd=-99_750_000)
        script.expect("pool", {}, fees_debt_usd=0, referrers_debt_usd=0)
        script.expect_empty("SOL")
        found.append(script.scenario(f"open_and_close_long_accounting[resolved={resolved}]", source))
    return found


def _long_partial() -> Scenario:
    script = sol_pool()
    script.long("SOL", K, 50_000)
    script.trade_price("SOL", 90 * P)
    script.warp(36_000)
    closing = script.order(codes.DECREASE, position_id=1, fraction_e6=600_000, limit_price=80 * P)
    script.distribute()
    script.expect("events", closing, kind=codes.K_DECREASE, trader_out_units=293_566_458, exit_fee_usd=960_000)
    script.expect("events", closing, borrow_fee_usd=29_925, size_usd=-598_500_000, locked_units=-3 * K)
    script.expect("events", closing, payout_usd=119_700_000 - 60_839_925, collateral_usd=-119_700_000)
    script.expect_position(size_usd=399_000_000, locked=2 * K, collateral_usd=79_800_000)
    script.expect_side("SOL", LONG, open_positions=1, size_usd=399_000_000, locked=2 * K, total_quantity=39_900)
    script.expect_side("SOL", LONG, weighted=39_900_000_000_000_000)
    script.expect_interest("SOL", LONG, borrow_size_usd=399_000_000, locked=2 * K)
    script.expect_interest("SOL", LONG, cum_snapshot=50_000, cum_interest_usd=19_950)
    script.expect("pool", {}, fees_debt_usd=0, referrers_debt_usd=0)
    source = SUITE + "open_and_partial_close_long_position_accounting.rs"
    return script.scenario("open_and_partial_close_long_accounting", source)


def _short_accounting() -> list[Scenario]:
    """500 USDC x3 short SOL at $100; ten hours; SOL at $90."""
    script = sol_pool()
    script.short("SOL", 500 * M, 30_000, limit_price=90 * P)
    script.expect_position(entry_price=100 * P, size_usd=1_498_500_000, borrow_size_usd=1_498_500_000)
    script.expect_position(collateral_usd=499_500_000, collateral_units=500 * M, locked=1_500 * M, cum_snapshot=0)
    script.expect_side("SOL", SHORT, open_positions=1, size_usd=1_498_500_000, total_quantity=149_850)
    script.expect_side("SOL", SHORT, weighted=149_850_000_000_000_000, locked=1_500 * M)
    script.expect_interest("USDC", SHORT, open_positions=1, borrow_size_usd=1_498_500_000, locked=1_500 * M)
    opened = script.scenario("open_short_accounting", SUITE + "open_and_close_short_position_accounting.rs")

    script = sol_pool()
    script.short("SOL", 500 * M, 30_000)
    script.trade_price("SOL", 90 * P)
    script.warp(36_000)
    closing = script.close(limit_price=100 * P)
    script.expect("events", closing, trader_out_units=646_288_712, exit_fee_usd=2_400_000, size_usd=-1_498_500_000)
    # Profit 149,850,000 - 2,400,000 - 14,999 of interest (index 10,010).
    script.expect("events", closing, payout_usd=499_500_000 + 147_435_001, borrow_fee_usd=14_999)
    script.expect_empty("SOL")
    closed = script.scenario("open_and_close_short_accounting", SUITE + "open_and_close_short_position_accounting.rs")

    script = sol_pool()
    script.short("SOL", 500 * M, 30_000)
    script.trade_price("SOL", 90 * P)
    script.warp(36_000)
    closing = script.order(codes.DECREASE, position_id=1, fraction_e6=600_000, limit_price=100 * P)
    script.expect("events", closing, trader_out_units=387_773_227, exit_fee_usd=1_440_000, size_usd=-899_100_000)
    script.expect("events", closing, payout_usd=299_700_000 + 88_461_001, locked_units=-900 * M)
    script.expect_position(size_usd=599_400_000)
    script.expect_side("SOL", SHORT, open_positions=1, size_usd=599_400_000, total_quantity=59_940)
    script.expect_side("SOL", SHORT, weighted=59_940_000_000_000_000, locked=600 * M)
    script.expect_interest("USDC", SHORT, open_positions=1, borrow_size_usd=599_400_000, locked=600 * M)
    script.expect_interest("USDC", SHORT, cum_interest_usd=6_000, cum_snapshot=10_010)
    source = SUITE + "open_and_partial_close_short_position_accounting.rs"
    return [opened, closed, script.scenario("open_and_partial_close_short_accounting", source)]


def _bonk() -> list[Scenario]:
    """10M BONK x5 from 170,329 to 153,296 (1e-10 dollars), whole and 60 %; 2.5M x100 from 189,512 to 189,038.

    At the exit the band is 301 and 359 upstream, not 25 bps: tokens leave at the high price, so the custody's mid is
    the one with that high price.
    """
    found = []
    for fraction in (1_000_000, 600_000):
        script = bonk_pool(170_329, 10**13)
        opening = script.long("BONK", 10**12, 50_000, limit_price=190_000)
        script.expect("events", opening, size_usd=849_520_000, collateral_usd=169_904_000, locked_units=5 * 10**12)
        script.expect("market_samples", {"timestamp": script.now_us}, long_oi_usd=849_520_000)
        script.custody_price("BONK", with_high(153_296 + 301, 25))
        script.trade_price("BONK", 153_296)
        script.warp(36_000)
        if fraction == 1_000_000:
            closing = script.close(limit_price=80_000)
            script.expect("events", closing, trader_out_units=541_443_576_371, exit_fee_usd=1_362_632)
            script.expect("events", closing, borrow_fee_usd=424_760, payout_usd=169_904_000 - 86_739_891)
            script.expect_empty("BONK")
            found.append(script.scenario("open_and_close_bonk", SUITE + "open_and_close_bonk_position.rs"))
            continue
        closing = script.order(codes.DECREASE, position_id=1, fraction_e6=fraction, limit_price=80_000)
        script.expect("events", closing, trader_out_units=324_866_136_708, exit_fee_usd=817_580, borrow_fee_usd=254_856)
        script.expect("events", closing, size_usd=-509_712_000, payout_usd=101_942_400 - 52_043_936)
        script.expect("market_samples", {"timestamp": script.now_us}, long_oi_usd=339_808_000)
        rest = script.scenario("open_and_partial_close_bonk", SUITE + "open_and_partial_close_bonk_position.rs")
        script.expect_side("BONK", LONG, size_usd=339_808_000, total_quantity=498_752_414_444 - 299_251_448_666)
        script.expect_side("BONK", LONG, weighted=84_951_999_999_832_076 - 50_971_199_999_831_114)
        script.expect_interest("BONK", LONG, cum_snapshot=500_000, borrow_size_usd=339_808_000, locked=2 * 10**12)
        found.append(rest)

        script = bonk_pool(170_329, 10**13)
        script.long("BONK", 10**12, 50_000)
        script.custody_price("BONK", with_high(153_296 + 301, 25))
        script.trade_price("BONK", 153_296)
        script.warp(36_000)
        script.order(codes.DECREASE, position_id=1, fraction_e6=fraction)
        closing = script.close()
        script.expect("events", closing, trader_out_units=541_443_569_860 - 324_866_136_708)
        script.expect_empty("BONK")
        source = SUITE + "open_and_partial_close_bonk_position.rs"
        found.append(script.scenario("open_and_partial_close_bonk[rest]", source))

    script = bonk_pool(170_329, 10**13)
    script.long("BONK", 10**12, 50_000)
    script.expect_position(entry_price=170_329, size_usd=849_520_000, collateral_usd=169_904_000, locked=5 * 10**12)
    script.expect_position(exit_fee_usd=1_362_632, liquidation_fee_usd=1_362_632, borrow_size_usd=849_520_000)
    script.expect_side("BONK", LONG, total_quantity=498_752_414_444, weighted=84_951_999_999_832_076)
    found.append(script.scenario("open_bonk", SUITE + "open_and_close_bonk_position.rs"))

    script = bonk_pool(189_512, 10**14)
    script.long("BONK", 25 * 10**10, 1_000_000)
    script.expect_position(size_usd=4_725_975_000, collateral_usd=47_259_750, locked=25 * 10**12)
    script.expect_position(exit_fee_usd=7_580_480, liquidation_fee_usd=7_580_480, entry_price=189_512)
    script.expect_side("BONK", LONG, total_quantity=2_493_760_289_585, weighted=472_597_499_999_832_520)
    found.append(script.scenario("open_bonk_x100", SUITE + "open_and_close_bonk_position_x100.rs"))

    script = bonk_pool(189_512, 10**14)
    script.long("BONK", 25 * 10**10, 1_000_000)
    script.custody_price("BONK", with_high(189_038 + 359, 25))
    script.trade_price("BONK", 189_038)
    script.warp(36_000)
    resolve = script.order(codes.RESOLVE_BORROW, position_id=1)
    closing = script.close(limit_price=80_000)
    script.expect("events", resolve, borrow_fee_usd=1_181_493)
    script.expect("events", closing, trader_out_units=140_854_147_636, exit_fee_usd=7_580_480, borrow_fee_usd=0)
    script.expect("events", closing, prepaid_borrow_usd=1_181_493, payout_usd=47_259_750 - 20_582_397)
    script.expect_empty("BONK")
    found.append(script.scenario("open_and_close_bonk_x100", SUITE + "open_and_close_bonk_position_x100.rs"))
    return found


SCENARIOS = [*_long_accounting(), _long_partial(), *_short_accounting(), *_bonk()]
