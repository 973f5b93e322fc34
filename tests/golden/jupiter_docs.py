"""Worked examples of Jupiter's documentation, forum and example code, as scripts of orders (spec 7.4, 3.4, 3.5).

Where the documentation rounds, the number here is what the integer rules give; each place names the printed one.
"""

from kernels import codes
from tests.golden.jupiter_script import Pool, sol_pool
from tests.golden.script import K, M, P, Scenario

HOW = "jup-ag/space-station 2-how-it-works.md"


def _borrow(utilisation: int, sol: int, hourly_rate: int, fee: int) -> Scenario:
    """Yearly 10 % at rest, 60 % at a utilisation of 80 %, 230 % at 100 %; $10,000 of size for an hour.

    100 SOL locked of 250, or 180 of 200: the second position is there to lock 80 more.
    """
    rates = {"borrow_min": 1_000, "borrow_mid": 6_000, "borrow_max": 23_000}
    pool = sol_pool(sol, market={"open_bps": 0, "close_bps": 0}, **rates)
    pool.warp(0)
    pool.enter_dollars("SOL", 10 * K, 10_000 * M)
    if utilisation == 90:
        pool.enter_dollars("SOL", 10 * K, 8_000 * M, position_id=2)
    pool.expect_index("SOL", hourly_rate, 0)
    pool.warp(3_600)
    closing = pool.close()
    pool.expect("events", closing, borrow_fee_usd=fee, payout_usd=1_000 * M - fee, exit_fee_usd=0)
    return pool.scenario(f"jupiter_borrow[{utilisation}]", HOW + " L407-443: $0.40 and $1.66")


def _round_trip() -> Scenario:
    """$1,000 of SOL from 100 to 110 within 48 hours at 0.012 % per hour, half of the pool locked.

    100 of profit less .60, .60 and 2.88. The page subtracts a closing fee of .66, on the exit notional, and says
    95.86; the program charges the entry notional, as real closings show (jupiter_trips).
    """
    pool = sol_pool(15_006_000_000, borrow=codes.BORROW_LINEAR, borrow_max=120_000)
    pool.warp(0)
    opening = pool.enter_dollars("SOL", 5 * K, 1_000 * M)
    pool.expect("events", opening, open_fee_usd=600_000, fee_units=6_000_000, collateral_usd=499_400_000)
    pool.expect_index("SOL", 60_000, 0)
    pool.quote("SOL", 110 * P)
    pool.warp(48 * 3_600)
    closing = pool.close()
    pool.expect("events", closing, borrow_fee_usd=2_880_000, exit_fee_usd=600_000, pnl_usd=100 * M)
    pool.expect("events", closing, payout_usd=595_920_000)
    return pool.scenario("jupiter_round_trip", HOW + " L502-534")


def _price_impact() -> Scenario:
    """$100,000 of SOL right after $5 million: 6 + 0.8 + 5.1 / 0.75 bps, 13.6 in the forum, 14 in whole bps upwards.

    The $5 million themselves would pay 6 + 40 + 7 and are cut to the maximum of 50 bps.
    """
    limits = {
        "impact_scalar_usd": 1_250_000_000 * M,
        "impact_threshold_usd": 750_000 * M,
        "impact_exponent_e6": M,
        "impact_factor_e6": M,
        "impact_max_bps": 50,
    }
    impact = {"open_fee": codes.OPEN_FEE_IMPACT, "close_fee": codes.CLOSE_FEE_IMPACT}
    pool = sol_pool(200_000 * K, market=limits, **impact)
    pool.warp(0)
    first = pool.enter_dollars("SOL", 10_000 * K, 5_000_000 * M)
    pool.expect("events", first, open_fee_usd=25_000 * M)
    pool.warp(1)
    second = pool.enter_dollars("SOL", 100 * K, 100_000 * M, position_id=2)
    pool.expect("events", second, open_fee_usd=140 * M)
    # A minute after the last trade the flow is forgotten: 6 + 1 bps.
    pool.warp(60)
    third = pool.enter_dollars("SOL", 100 * K, 100_000 * M, position_id=3)
    pool.expect("events", third, open_fee_usd=70 * M)
    return pool.scenario("jupiter_price_impact", "discuss.jup.ag/t/38497")


def _fee_share() -> Scenario:
    """$50 million of volume at 6 bps: 75 % of 30,000 dollars are the LPs'."""
    pool = sol_pool(600_000 * K)
    pool.warp(0)
    opening = pool.enter_dollars("SOL", 10_000 * K, 50_000_000 * M)
    pool.expect("events", opening, open_fee_usd=30_000 * M, lp_share_usd=22_500 * M, protocol_share_usd=7_500 * M)
    return pool.scenario("jupiter_fee_share", "jup-ag/space-station 7-jlp/2-How-JLP-Works.md L64-94")


def _weights(name: str, change: int, refused: bool) -> Scenario:
    """USDC at its target of 26 %, 20.8 to 31.2 % allowed, in a pool of a million dollars."""
    dollars = {"decimals": 6, "stable": 1, "peg": codes.PEG_FLOORED}
    bounds = {"ratio_target_bps": 2_600, "ratio_min_bps": 2_080, "ratio_max_bps": 3_120}
    wide = {"decimals": 9, "ratio_target_bps": 7_400, "ratio_max_bps": 10_000}
    genesis = {"USDC": 260_000 * M, "SOL": 7_400 * K}
    pool = Pool({"USDC": dollars | bounds, "SOL": wide}, {"SOL": {}}, genesis, ratio_limit=codes.RATIO_BOUNDS)
    pool.quote("SOL", 100 * P)
    pool.warp(0)
    number = pool.add("USDC", change) if change > 0 else pool.remove("USDC", -change)
    if refused:
        pool.refuse(number, codes.RATIO_LIMIT)
    else:
        pool.expect("events", number, owned_units=change)
    return pool.scenario(f"jupiter_weights[{name}]", "jup-ag/space-station 7-jlp/2-How-JLP-Works.md L185-188")


def _paid_tokens() -> Scenario:
    """$150 at $110 are 1.3636 SOL: a SOL of $100 as collateral, $500 of size, 10 % up, no fees."""
    pool = sol_pool(1_000 * K, market={"open_bps": 0, "close_bps": 0})
    pool.warp(0)
    pool.enter_dollars("SOL", K, 500 * M)
    pool.quote("SOL", 110 * P)
    pool.warp(1)
    closing = pool.close()
    pool.expect("events", closing, payout_usd=150 * M, trader_out_units=1_363_636_363)
    return pool.scenario("jupiter_paid_tokens[1.36]", "jup-ag/space-station 5-faq.md L92-101")


def _withdrawn_tokens() -> Scenario:
    """$3,086.28 at $189.28 are 16.30 SOL, taken out as collateral."""
    pool = sol_pool(1_000 * K, price=18_928 * P // 100, market={"open_bps": 0, "close_bps": 0})
    pool.warp(0)
    pool.enter_dollars("SOL", 100 * K, 20_000 * M)
    pool.warp(1)
    withdrawal = pool.withdraw(3_086_280_000)
    pool.expect("events", withdrawal, trader_out_units=16_305_367_709, payout_usd=3_086_280_000)
    return pool.scenario("jupiter_paid_tokens[16.30]", "jup-ag/space-station 5-faq.md L92-101")


def _liquidation_price(side: int, entry: int, price: int, adverse: int) -> Scenario:
    """$10,000 at 100 on $1,000: 20 of margin and 6 of fee may be left, 974 lost, at 90.26 or 109.74.

    One cent further $19 are left, which go to the pool.
    """
    pool = sol_pool(1_000 * K, price=entry, market={"open_bps": 0})
    pool.warp(0)
    pool.enter_dollars("SOL", 10 * K if side == codes.LONG else 1_000 * M, 10_000 * M, side)
    pool.quote("SOL", price)
    pool.warp(1)
    pool.quote("SOL", price + adverse)
    pool.warp(1)
    pool.liquidations = 1
    gone = {"kind": codes.K_LIQUIDATION}
    pool.expect("events", gone, timestamp=pool.now_us, pnl_usd=-975 * M, exit_fee_usd=6 * M, confiscated_usd=19 * M)
    pool.expect("events", gone, payout_usd=0, trader_out_units=0)
    return pool.scenario(f"jupiter_liquidation_price[{codes.SIDES[side]}]", "get-liquidation-price.ts")


def _value(dollar: int, stables_usd: int) -> Scenario:
    """Guaranteed 9,000 of the long, 910 free SOL at 110, the shorts' loss of 500; a dollar token is a dollar or more.

    The short's own collateral, 1,000 dollar tokens, is not the pool's.
    """
    pool = sol_pool(1_000 * K, market={"open_bps": 0, "close_bps": 0})
    pool.warp(0)
    pool.enter_dollars("SOL", 10 * K, 10_000 * M)
    pool.enter_dollars("SOL", 1_000 * M, 5_000 * M, codes.SHORT, position_id=2)
    pool.quote("SOL", 110 * P)
    pool.quote_custody("USDC", dollar)
    pool.warp(1)
    pool.expect_lp(aum_usd=stables_usd + 9_000 * M + 910 * 110 * M + 500 * M)
    return pool.scenario(f"jupiter_value[{dollar}]", "calculate-pool-aum.ts L107-176")


SCENARIOS = [
    _borrow(40, 240 * K, 39_954, 399_540),
    _borrow(90, 180 * K, 165_525, 1_655_250),
    _round_trip(),
    _price_impact(),
    _fee_share(),
    _weights("31.19", 75_500 * M, False),
    _weights("31.21", 75_800 * M, True),
    _weights("20.80", -65_600 * M, False),
    _weights("20.78", -65_800 * M, True),
    _paid_tokens(),
    _withdrawn_tokens(),
    _liquidation_price(codes.LONG, 100 * P, 9_026 * P // 100, -P // 100),
    _liquidation_price(codes.SHORT, 100 * P, 10_974 * P // 100, P // 100),
    _value(98 * P // 100, 1_000_000 * M),
    _value(102 * P // 100, 1_020_000 * M),
]
