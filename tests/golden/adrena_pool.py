"""Adrena's tests of the pool: deposits and withdrawals of liquidity, fees and their payment, AUM, LP price, swaps.

Upstream: tests/tests_suite/{liquidity,fees,get_assets_under_management_usd,lp_token,swap,pool,staking}, and
position/resolve_position_borrow_fees.rs. A view of AUM is the sample of the tick, taken after its orders.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, usdc, with_low

LONG, SHORT = codes.LONG, codes.SHORT
SUITE = "tests/tests_suite/"
NO_FEES = (0, 0, 0, 0)


def _liquidity_fees() -> Scenario:
    script = Script(usdc(1_000_000 * M), aum_cap_usd=10_000_000 * M).setup()
    # 1,000,000,000 of fee, 30 % of it owed and paid at once: 200 to stakers and 100 to the protocol.
    script.expect("events", 1, protocol_share_usd=300_000_000, lp_fee_usd=999_000_000)
    script.expect_lp(aum_usd=998_700_300_000, fees_debt_usd=0)
    script.warp(1)
    removal = script.order(codes.REMOVE_LIQUIDITY, custody=0, amount_units=100 * M)
    paid = script.distribute()
    # Fee 100,171, less floor(70 %) = 70,119, is 30,052; floor(2/3) = 20,034 to stakers, 10,018 to the protocol.
    script.expect("events", removal, protocol_share_usd=30_052, lp_units=-100 * M)
    script.expect("events", paid, fees_out_units=20_034 + 10_018)
    script.expect_lp(aum_usd=998_600_299_979, fees_debt_usd=0)
    return script.scenario("liquidity_fees", SUITE + "liquidity/fees.rs")


def _insufficient() -> Scenario:
    script = Script(usdc(15_000 * M), Token("ETH", 9, 1_500 * P, 10 * K)).setup().warp(1)
    supply = _supply_of(script)
    script.refuse(script.order(codes.REMOVE_LIQUIDITY, custody=0, amount_units=supply + 1), codes.LP_BALANCE)
    some = supply * 75 // 100
    script.refuse(script.order(codes.REMOVE_LIQUIDITY, custody=0, amount_units=some), codes.INSUFFICIENT_LIQUIDITY)
    script.expect_lp(lp_supply=supply)
    return script.scenario("liquidity_insufficient_fund", SUITE + "liquidity/insuffisient_fund.rs")


def _supply_of(script: Script) -> int:
    """LP tokens of two deposits with a fee of 10 bps, of which 70 % stay in the pool (spec 1.11)."""
    first, second = script.tokens
    stable_low, low = P - P * first.conf_bps // 10_000, second.price - second.price * second.conf_bps // 10_000
    minted = (first.amount - first.amount // 1_000) * stable_low // P
    fee = second.amount // 1_000
    aum = (first.amount - first.amount // 1_000 * 3 // 10) * stable_low // P
    added = (second.amount - fee) * low // 10**13
    return minted + added * minted // (aum + fee * 7 // 10 * low // 10**13)


def _soft_cap() -> Scenario:
    script = Script(usdc(M), aum_cap_usd=10_000_000 * M).setup()
    for amount in (4_999_999, 5_000_000):
        script.order(codes.ADD_LIQUIDITY, custody=0, amount_units=amount * M)
        script.distribute()
    refused = script.order(codes.ADD_LIQUIDITY, custody=0, amount_units=100_000 * M)
    script.refuse(refused, codes.AUM_CAP)
    return script.scenario("aum_soft_cap", SUITE + "pool/aum_soft_cap_usd.rs")


def _lp_price() -> Scenario:
    """The view keeps the band set by hand, 10 bps, at the two later prices."""
    script = Script(usdc(15_000 * M), Token("ETH", 9, 1_500 * P, 10 * K)).setup()
    script.expect_lp(lp_price=10_014_001_235)
    for price, lp_price in ((1_650, 10_522_753_888), (1_320, 9_420_055_090)):
        script.price("ETH", with_low(price * P - price * P // 1_000, 25))
        script.warp(1)
        script.expect_lp(lp_price=lp_price)
    return script.scenario("lp_token_price", SUITE + "lp_token/lp_token_price.rs")


def _fee_distribution() -> list[Scenario]:
    """0.9 ETH x4, closed after 20 s without, then with, payment; deposits are free of fees."""
    found = []
    for paid in (False, True):
        tokens = usdc(3_400_000 * M), Token("ETH", 9, 1_500 * P, 2_200 * K), Token("BTC", 6, 30_000 * P, 110 * M)
        script = Script(*tokens, bps=(0, 10, 16, 16), min_age_s=20).setup().warp(1)
        script.long("ETH", 900_000_000, 40_000, limit_price=1_501 * P)
        script.warp(20)
        closing = script.close()
        script.expect("events", closing, lp_share_usd=8_640_005 - 2_592_002, protocol_share_usd=2_592_002)
        if not paid:
            script.expect("pool", {}, fees_debt_usd=2_592_002, referrers_debt_usd=0)
            script.expect_lp(fees_debt_usd=2_592_002)
        else:
            script.warp(1)
            payment = script.distribute()
            script.expect("events", payment, fees_out_units=1_728_001 + 864_001, debt_paid_usd=2_592_002)
            script.expect("pool", {}, fees_debt_usd=0, referrers_debt_usd=0)
        name = f"fee_distribution_no_referrer[{'paid' if paid else 'owed'}]"
        found.append(script.scenario(name, SUITE + "fees/fee_distribution_no_referrer.rs"))
    return found


def _referral() -> Scenario:
    """Upstream swaps 0.9 ETH into BTC first, with fees we do not have; any of 44,532 to 44,687 units gives the fee."""
    tokens = usdc(3_400_000 * M), Token("ETH", 9, 1_500 * P, 2_200 * K), Token("BTC", 6, 30_000 * P, 110 * M)
    script = Script(*tokens, min_age_s=20).setup().warp(1)
    script.long("BTC", 44_685, 40_000, referred=1)
    script.warp(20)
    closing = script.close()
    script.expect("events", closing, referrer_share_usd=858_000)
    script.expect("pool", {}, referrers_debt_usd=858_000)
    return script.scenario("referral_fee", SUITE + "fees/referral_fee_regular_usecase.rs")


def _resolve_pool() -> Script:
    """1M USDC and 10,000 jitoSOL at $200; 1 jitoSOL x5 on SOL at $100; 700,000 s."""
    sol = Token("SOL", 9, 200 * P, 10_000 * K, trade=100 * P)
    script = Script(usdc(1_000_000 * M), sol, min_age_s=20).setup().warp(1)
    script.long("SOL", K, 50_000, limit_price=1_550 * P)
    return script.warp(700_000)


def _resolve() -> list[Scenario]:
    """Index 9,698 + 6,926 = 16,624: two resolved parts, not the 16,625 of one stretch of 1,200,000 s."""
    source, found, aum = SUITE + "position/resolve_position_borrow_fees.rs", [], 2_993_100_900_000
    start = Script(usdc(1_000_000 * M), Token("SOL", 9, 200 * P, 10_000 * K, trade=100 * P)).setup()
    start.expect_lp(aum_usd=aum)
    start.expect_custody("USDC", owned=999_100_000_000, locked=0, collateral=0)
    start.expect_custody("SOL", owned=10_000 * K, locked=0, collateral=0)
    found.append(start.scenario("resolve_borrow[start]", source))
    for resolved in (False, True):
        script = _resolve_pool()
        if resolved:
            script.order(codes.RESOLVE_BORROW, position_id=1)
        closing = script.close()
        script.expect("events", closing, payout_usd=199_500_000 - 1_609_698, exit_fee_usd=1_600_000, pnl_usd=0)
        script.expect("events", closing, borrow_fee_usd=0 if resolved else 9_698)
        found.append(script.scenario(f"resolve_borrow[result, resolved={resolved}]", source))

    script = _resolve_pool()
    resolve = script.order(codes.RESOLVE_BORROW, position_id=1)
    paid = script.distribute()
    script.expect("events", resolve, borrow_fee_usd=9_698, protocol_share_usd=2_910)
    script.expect("events", paid, fees_out_units=1_940 + 970)
    script.expect_custody("SOL", owned=10_000 * K)
    script.expect_custody("USDC", owned=999_100_000_000 - 2_910)
    script.expect_lp(aum_usd=aum + 1_609_698 - 2_910 + 2)
    found.append(script.scenario("resolve_borrow[resolved]", source))

    script = _resolve_pool()
    script.order(codes.RESOLVE_BORROW, position_id=1)
    script.distribute()
    script.warp(500_000)
    closing = script.close(limit_price=90 * P)
    script.distribute()
    script.expect("events", closing, borrow_fee_usd=6_926, prepaid_borrow_usd=9_698, exit_fee_usd=1_600_000)
    script.expect("events", closing, payout_usd=199_500_000 - 1_616_624, trader_out_units=K - 13_050_494)
    script.expect_custody("SOL", owned=10_000 * K + 13_050_494, locked=0, collateral=0)
    script.expect_custody("USDC", owned=999_100_000_000 - 484_988, locked=0, collateral=0)
    found.append(script.scenario("resolve_borrow[closed]", source))
    return found


def _aum_short() -> Scenario:
    """No fees, USDC without a band; ETH has 25 bps at first and none at the later prices."""
    script = Script(usdc(15_000 * M, conf_bps=0), Token("ETH", 9, 1_500 * P, 10 * K), bps=NO_FEES).setup().warp(1)
    start = 29_962_500_000
    script.short("ETH", 1_500 * M, 20_000, limit_price=1_450 * P)
    script.expect_lp(aum_usd=start)
    for price, change in ((1_500, 60_000), (1_650, 1_837_620_000), (330, -14_002_320_000)):
        if price != 1_500:
            script.trade_price("ETH", price * P)
            script.custody_price("ETH", with_low(price * P, 25))
        script.warp(3_600)
        script.expect_lp(aum_usd=start + change)
    script.expect_custody("ETH", owned=10 * K)
    script.expect_custody("USDC", owned=15_000 * M)
    script.expect_side("ETH", SHORT, open_positions=1, size_usd=3_000 * M, total_quantity=20_000, locked=3_000 * M)
    script.expect_interest(
        "USDC", SHORT, borrow_size_usd=3_000 * M, cum_interest_usd=0, cum_snapshot=0, open_positions=1
    )
    return script.scenario("aum_single_short", SUITE + "get_assets_under_management_usd/single_short.rs")


def _aum_long() -> Scenario:
    sol = Token("SOL", 9, 200 * P, 150 * K, trade=100 * P)
    script = Script(usdc(15_000 * M, conf_bps=0), sol, bps=NO_FEES).setup()
    start = 15_000 * M + 150 * 199_500_000
    script.expect_lp(aum_usd=start)
    script.warp(1)
    script.long("SOL", K, 11_000, limit_price=120 * P)
    script.trade_price("SOL", 110 * P)
    script.custody_price("SOL", with_low(220 * P, 25))
    script.warp(2)
    script.expect_lp(aum_usd=start + 3_073_555_000)
    script.warp(3_600)
    script.expect_lp(aum_usd=start + 3_073_555_000 + 161)
    script.expect_custody("SOL", owned=150 * K)
    script.expect_side("SOL", LONG, open_positions=1, size_usd=219_450_000, total_quantity=21_945)
    script.expect_interest("SOL", LONG, borrow_size_usd=219_450_000, locked=1_100_000_000, cum_interest_usd=0)
    script.expect_interest("SOL", LONG, cum_snapshot=0)
    return script.scenario("aum_single_long", SUITE + "get_assets_under_management_usd/single_long.rs")


def _aum_manipulation() -> Scenario:
    """100 % per hour: the first short owes more than it has and still stands, on a market closed to liquidations.

    The second opens on another market of the same custodies, so the collective interest is one and the same.
    """
    eth = Token("ETH", 9, 1_500 * P, 1_000 * K)
    script = Script(usdc(1_000_000 * M, conf_bps=0), eth, borrow_max=10**9, bps=NO_FEES, aum_cap_usd=10**13)
    script.add_market(eth, "ETH2")
    script.setup()
    script.expect_lp(aum_usd=2_496_250_000_000)
    script.warp(1)
    script.short("ETH", 100_000 * M, 40_000)
    script.warp(3_000, closed="ETH")
    script.short("ETH2", 100_000 * M, 40_000, position_id=2)
    script.expect_lp(aum_usd=2_629_583_333_600)
    script.price("ETH", 1_515 * P)
    script.trade_price("ETH2", 1_515 * P)
    script.warp(1, closed="ETH")
    script.expect_lp(aum_usd=2_652_723_612_000)
    return script.scenario("aum_manipulation", SUITE + "staking/test_aum_manipulation.rs")


def _swaps() -> list[Scenario]:
    tokens = usdc(3_400_000 * M), Token("ETH", 9, 1_500 * P, 2_200 * K), Token("BTC", 6, 30_000 * P, 110 * M)
    script = Script(*tokens, swap_mode=codes.SWAP_WHITELISTED).setup().warp(1)
    script.order(codes.SWAP, custody=2, custody_out=1, amount_units=M)
    script.expect("events", {"kind": codes.K_SWAP_IN}, trader_in_units=M, owned_units=M, custody=2)
    script.expect("events", {"kind": codes.K_SWAP_OUT}, trader_out_units=20 * K, custody=1)
    script.expect_custody("BTC", owned=111 * M, rate=0, cum_index=0)
    script.expect_custody("ETH", owned=2_180 * K, rate=0, cum_index=0)
    script.expect_custody("USDC", owned=3_397_000 * M)
    found = [script.scenario("deep_check_swap", SUITE + "swap/deep_check_swap.rs")]
    for name, given, taken, amount, out in (("in", 0, 1, 150 * M, 99_999_999), ("out", 1, 0, 100_000_000, 150 * M)):
        tokens = usdc(1_500_000 * M), Token("ETH", 9, 1_500 * P, 1_000 * K), Token("BTC", 6, 30_000 * P, 50 * M)
        script = Script(*tokens, swap_mode=codes.SWAP_WHITELISTED).setup().warp(1)
        script.order(codes.SWAP, custody=given, custody_out=taken, amount_units=amount)
        script.expect("events", {"kind": codes.K_SWAP_OUT}, trader_out_units=out)
        found.append(script.scenario(f"basic_interactions[swap {name}]", SUITE + "basic_interactions.rs"))
    return found


SCENARIOS = [
    _liquidity_fees(),
    _insufficient(),
    _soft_cap(),
    _lp_price(),
    *_fee_distribution(),
    _referral(),
    *_resolve(),
    _aum_short(),
    _aum_long(),
    _aum_manipulation(),
    *_swaps(),
]
