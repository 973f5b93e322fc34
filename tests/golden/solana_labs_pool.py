"""solana-labs/perpetuals unit tests of fees and weights of liquidity (src/state/pool.rs) as scripts of orders.

A pool's value is what the fixture says: 15 bitcoin at $25,000 and dollars for the rest, without positions. LP tokens
are worth a dollar each, so burning n of them takes exactly n dollars out. The LPs' share of fees is none, so that the
whole fee is booked as the protocol's and shows in tokens.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario
from tests.golden.solana_labs_script import Desk, labs

POOL_RS = "src/state/pool.rs"
OPTIMAL = {"fee_max_bps": 250, "fee_optimal_bps": 10, "add_bps": 0, "remove_bps": 0}


def _pool(value_usd: int, token: dict[str, int], **pool: int) -> Desk:
    """15 bitcoin in a pool of that value."""
    limits = {"ratio_min_bps": 1_000, "ratio_max_bps": 9_000, "add_bps": 100, "remove_bps": 100}
    desk = labs(limits | token, {}, 15 * K, (value_usd - 375_000) * M, lp_share_bps=0, **pool)
    desk.quote("BTC", 25_000 * P)
    desk.warp(0)
    return desk


def _change(desk: Desk, tokens: int) -> int:
    """Deposit of so many bitcoin, or withdrawal if negative."""
    return desk.add("BTC", tokens * K) if tokens > 0 else desk.remove("BTC", -tokens * 25_000 * M)


def _fee(mode: int, value_usd: int, tokens: int, fee: int) -> Scenario:
    desk = _pool(value_usd, OPTIMAL if mode == codes.LP_FEE_OPTIMAL else {}, lp_fee=mode, ratio_limit=codes.RATIO_NONE)
    number = _change(desk, tokens)
    out = 0 if tokens > 0 else -tokens * K - fee
    owned = tokens * K - fee if tokens > 0 else tokens * K
    desk.expect("events", number, fee_units=fee, trader_out_units=out, owned_units=owned)
    return desk.scenario(f"labs_lp_fee[{codes.LP_FEE[mode]}][{value_usd}][{tokens}]", POOL_RS + " test_get_fee")


FEES = {
    (codes.LP_FEE_FLAT, 600_000): {20: 200_000_000},
    (codes.LP_FEE_LINEAR, 600_000): {5: 97_000_000, -2: 13_600_000, -6: 60_000_000},
    (codes.LP_FEE_LINEAR, 1_200_000): {5: 30_500_000, -5: 116_500_000, 18: 180_000_000},
    (codes.LP_FEE_OPTIMAL, 1_200_000): {18: 18_000_000, 180: 4_014_000_000, -1: 13_100_000, -10: 231_000_000},
}


def _out_of_range(tokens: int) -> Scenario:
    desk = _pool(1_200_000, OPTIMAL, lp_fee=codes.LP_FEE_OPTIMAL, ratio_limit=codes.RATIO_NONE)
    desk.refuse(_change(desk, tokens), codes.RATIO_LIMIT)
    return desk.scenario(f"labs_lp_fee[out_of_range][{tokens}]", POOL_RS + " test_get_fee")


NEW_RATIO = {100: 5_238, -100: 4_736, -1_000: 0}


def _new_ratio(tokens: int, ratio: int) -> list[Scenario]:
    """1,000 bitcoin are half of $50 million. A bound at the new weight allows the change, one bps inside refuses it."""
    made = []
    for slack in (0, 1):
        bound = {"ratio_max_bps": ratio - slack} if tokens > 0 else {"ratio_min_bps": ratio + slack}
        desk = labs({"add_bps": 0, "remove_bps": 0} | bound, {}, 1_000 * K, 25_000_000 * M)
        desk.quote("BTC", 25_000 * P)
        desk.warp(0)
        number = _change(desk, tokens)
        if slack == 0:
            desk.expect("events", number, owned_units=tokens * K, lp_fee_usd=0)
        else:
            desk.refuse(number, codes.RATIO_LIMIT)
        made.append(desk.scenario(f"labs_new_ratio[{tokens}][{slack}]", POOL_RS + " test_get_new_ratio"))
    return made


def _single_custody() -> Scenario:
    """tests_suite/liquidity/fixed_fees.rs: a dollar pool filled by its first deposit, with a target of 100 %."""
    desk = labs({}, {}, 0)
    desk.custodies[0] |= {"ratio_target_bps": 10_000}
    desk.quote("BTC", 25_000 * P)
    desk.warp(0)
    deposit = desk.add("USDC", 1_000 * M)
    desk.expect("events", deposit, lp_units=980 * M, lp_fee_usd=20 * M, owned_units=999_950_000, fee_units=50_000)
    desk.expect_lp(aum_usd=999_950_000)
    desk.warp(1)
    withdrawal = desk.remove("USDC", 100 * M)
    desk.expect("events", withdrawal, lp_fee_usd=3_061_072, fee_units=7_653, trader_out_units=98_974_642)
    desk.expect_custody("USDC", fees=57_653, owned=900_967_705)
    desk.expect_lp(aum_usd=900_967_705)
    return desk.scenario("labs_fixed_fees", "tests_suite/liquidity/fixed_fees.rs")


def _weights() -> Scenario:
    """tests_suite/liquidity/min_max_ratio.rs: half and half, 30 to 60 % allowed."""
    desk = labs({"ratio_min_bps": 3_000, "ratio_max_bps": 6_000}, {}, K, 1_500 * M, name="ETH")
    desk.custodies[0] |= {"ratio_min_bps": 3_000, "ratio_max_bps": 6_000}
    desk.quote("ETH", 1_500 * P)
    desk.warp(0)
    desk.refuse(desk.add("USDC", 1_000 * M), codes.RATIO_LIMIT)
    desk.refuse(desk.remove("USDC", 1_050 * M), codes.RATIO_LIMIT)
    return desk.scenario("labs_min_max_ratio", "tests_suite/liquidity/min_max_ratio.rs")


SCENARIOS = [
    *(_fee(*rule, tokens, fee) for rule, fees in FEES.items() for tokens, fee in fees.items()),
    _out_of_range(-15),
    _out_of_range(1_800),
    *(scenario for tokens, ratio in NEW_RATIO.items() for scenario in _new_ratio(tokens, ratio)),
    _single_custody(),
    _weights(),
]
