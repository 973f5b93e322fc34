"""solana-labs/perpetuals unit tests of positions and rates (src/state/pool.rs, custody.rs) as scripts of orders.

Their fixture: spot $25,000, average $25,300, spread 1 %, collateral one token of $25,000, size $100,000 at a given
entry price, 4 tokens locked, no close fee. Here the long is opened at a tick whose price is the entry price, with no
spread for buyers, so that it is filled at that price; the custody's token has a symbol of its own, which stays at
$25,000. Size is asked for in tokens and floored in dollars: with twelve decimals and one unit more than the floor
of $100,000 / entry it comes out as $100,000 to the micro-dollar for every entry price.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario
from tests.golden.solana_labs_script import ANY_LEVERAGE, Desk, labs

POOL_RS, CUSTODY_RS = "src/state/pool.rs", "src/state/custody.rs"
T = 10**12  # one token with twelve decimals
SIZE, COLLATERAL = 100_000 * M, 25_000 * M
FREE = {"open_bps": 0, "close_bps": 0, "liquidation_bps": 0, "liquidator_bps": 0, "utilisation_mult_bps": 0}
NO_SPREAD = {"spread_long_bps": 0, "spread_short_bps": 0}
NO_RATE = {"borrow_mid": 0, "borrow_max": 0}


def _opened(entry: int, market: dict[str, int], tokens: int = 1) -> Desk:
    """$100,000 long at `entry` dollars, on so many tokens of $25,000."""
    desk = labs({"decimals": 12} | NO_RATE, ANY_LEVERAGE | FREE | {"spread_long_bps": 0} | market, 1_000 * T)
    desk.quote("BTC", 25_000 * P)
    desk.quote_market("BTC", entry * P)
    desk.warp(0)
    opening = desk.enter_size("BTC", tokens * T, -(-100_000 * T // entry))
    desk.expect("events", opening, price=entry * P, size_usd=SIZE, collateral_usd=tokens * COLLATERAL, open_fee_usd=0)
    return desk


def _price(side: int, entry: int, leaving: int) -> Scenario:
    """Longs buy at the higher price plus spread and sell at the lower one minus spread; shorts the other way round."""
    desk = labs(NO_RATE, ANY_LEVERAGE | FREE, 100 * K, 1_000_000 * M)
    desk.quote("BTC", 25_000 * P, 25_300 * P)
    desk.warp(0)
    units = 2 * K if side == codes.LONG else 50_000 * M
    opening = desk.enter_size("BTC", units, K, side)
    desk.warp(1)
    closing = desk.close()
    desk.expect("events", opening, price=entry * P)
    desk.expect("events", closing, price=leaving * P)
    return desk.scenario(f"labs_price[{codes.SIDES[side]}]", POOL_RS + " test_get_price")


ENTRY_FEE = {
    (20_000, 5_000): {100_000: 1_000, 150_000: 3_000, 200_000: 6_000, 300_000: 9_000},
    (10_000, 5_000): {100_000: 1_000, 150_000: 2_250, 200_000: 4_000, 300_000: 6_000},
    (5_000, 5_000): {100_000: 1_000, 150_000: 1_875, 200_000: 3_000, 300_000: 4_500},
    (20_000, 10_000): {100_000: 1_000, 150_000: 1_500, 200_000: 2_000, 300_000: 3_000},
}


def _entry_fee(multiplier: int, optimal: int, size: int, fee: int) -> Scenario:
    """200,000 units owned, one unit a dollar.

    A size of 300,000 could not be locked; at half the payoff, 150,000 of 150,000 are, and utilisation is 1 as it
    is upstream, where it is cut to 1.
    """
    payoff, owned = (5_000, 150_000) if size > 200_000 else (10_000, 200_000)
    token = {"decimals": 0, "borrow_optimal_bps": optimal} | NO_RATE
    limits = NO_SPREAD | ANY_LEVERAGE | FREE | {"open_bps": 100, "utilisation_mult_bps": multiplier}
    desk = labs(token, limits | {"payoff_long_bps": payoff}, owned)
    desk.warp(0)
    opening = desk.enter_size("BTC", size, size)
    desk.expect("events", opening, trader_in_units=size + fee, collateral_units=size, open_fee_usd=fee * M)
    desk.expect("events", opening, locked_units=size * payoff // 10_000, size_usd=size * M)
    return desk.scenario(f"labs_entry_fee[{multiplier}-{optimal}-{size}]", POOL_RS + " test_get_entry_fee")


PNL = {25_000: -1_000_000_000, 25_400: -2_559_055_119, 24_500: 1_020_408_163}


def _pnl(entry: int, result: int) -> Scenario:
    desk = _opened(entry, {})
    desk.quote_market("BTC", 25_000 * P, 25_300 * P)
    desk.warp(1)
    closing = desk.close()
    desk.expect("events", closing, price=24_750 * P, pnl_usd=result, payout_usd=COLLATERAL + result)
    desk.expect("events", closing, exit_fee_usd=0, borrow_fee_usd=0, bad_debt_usd=0)
    return desk.scenario(f"labs_pnl[{entry}]", POOL_RS + " test_get_pnl_usd")


LEVERAGE = {25_000: 41_666, 20_000: 20_512, 15_000: 11_111, 27_000: 60_000, 32_000: 426_666}


def _leverage(entry: int, leverage: int) -> list[Scenario]:
    """Collateral is taken down to the fixture's at its mark: allowed at a maximum of L, refused at L - 1."""
    made = []
    for name, maximum in (("at", leverage), ("above", leverage - 1)):
        desk = _opened(entry, {"max_leverage_bps": maximum}, 8)
        desk.quote_market("BTC", 25_000 * P, 25_300 * P)
        desk.warp(1)
        withdrawal = desk.withdraw(7 * COLLATERAL)
        desk.warp(1)
        if name == "at":
            desk.expect("events", withdrawal, trader_out_units=7 * T)
            desk.expect_position(collateral_usd=COLLATERAL)
        else:
            desk.refuse(withdrawal, codes.MAX_LEVERAGE)
        made.append(desk.scenario(f"labs_leverage[{entry}][{name}]", POOL_RS + " test_get_leverage"))
    return made


def _no_margin() -> Scenario:
    """Entry $40,000: the loss of $38,125 is more than the collateral, leverage is above any maximum."""
    desk = _opened(40_000, {})
    desk.quote_market("BTC", 25_000 * P, 25_300 * P)
    desk.warp(1)
    desk.liquidations = 1
    desk.expect("events", {"kind": codes.K_LIQUIDATION}, payout_usd=0, bad_debt_usd=13_125 * M, trader_out_units=0)
    return desk.scenario("labs_leverage[40000]", POOL_RS + " test_get_leverage")


LIQUIDATION_PRICE = {25_000: 21_250, 24_500: 20_825, 20_000: 17_000, 26_000: 22_100, 35_000: 29_750}


def _liquidation_price(entry: int, price: int) -> Scenario:
    """At the printed price leverage is exactly the maximum of 10, which is allowed; four cents lower it is above.

    Leverage is floored to basis points: the first margin above 10 times is ten cents lower.
    """
    desk = _opened(entry, {"max_leverage_bps": 100_000, "spread_short_bps": 0})
    desk.quote_market("BTC", price * P)
    desk.warp(1)
    desk.quote_market("BTC", price * P - P // 25)
    desk.warp(1)
    desk.liquidations = 1
    desk.expect("events", {"kind": codes.K_LIQUIDATION}, timestamp=desk.now_us)
    return desk.scenario(f"labs_liquidation_price[{entry}]", POOL_RS + " test_get_liquidation_price")


def _close_amount() -> Scenario:
    """$24,000 paid at the higher of spot and average, $25,300."""
    desk = labs(NO_RATE, ANY_LEVERAGE | FREE | {"spread_long_bps": 0}, 1_000 * K)
    desk.quote("BTC", 25_000 * P)
    desk.warp(0)
    desk.enter_size("BTC", K, 4 * K)
    desk.quote("BTC", 25_000 * P, 25_300 * P)
    desk.warp(1)
    closing = desk.close()
    desk.expect("events", closing, trader_out_units=948_616_600, exit_fee_usd=0, pnl_usd=-1_000 * M)
    return desk.scenario("labs_close_amount", POOL_RS + " test_get_close_amount")


def _interest() -> list[Scenario]:
    """9 of 10 tokens locked: 140,000 per hour on $100,000; then the same from a snapshot of 70,000."""
    source = POOL_RS + " test_get_interest_amount_usd"
    limits = ANY_LEVERAGE | FREE | NO_SPREAD
    desk = labs({}, limits, 10 * K)
    desk.quote("BTC", 25_000 * P)
    desk.warp(0)
    desk.enter_size("BTC", K, 4 * K)
    desk.enter_size("BTC", K, 5 * K, position_id=2)
    desk.expect_index("BTC", 140_000, 0)
    desk.warp(3_600)
    closing = desk.close()
    desk.expect("events", closing, borrow_fee_usd=14_000_000, size_usd=-SIZE)
    hour = desk.scenario("labs_interest[hour]", source)

    # 5 of 10 tokens locked cost 50,000 per hour: the index is 70,000 after 5,040 seconds, 140,000 half an hour later.
    desk = labs({}, limits, 10 * K)
    desk.quote("BTC", 25_000 * P)
    desk.warp(0)
    desk.enter_size("BTC", K, 5 * K, position_id=2)
    desk.warp(5_040)
    desk.enter_size("BTC", K, 4 * K)
    desk.expect_index("BTC", 140_000, 70_000)
    desk.warp(1_800)
    closing = desk.close()
    desk.expect("events", closing, borrow_fee_usd=7_000_000, size_usd=-SIZE)
    return [hour, desk.scenario("labs_interest[snapshot]", source)]


BORROW_RATE = {1: 100, 500: 50_000, 800: 80_000, 900: 140_000, 999: 199_400, 1_000: 200_000}


def _rate(locked: int, rate: int) -> Scenario:
    """Of 1,000 units owned, a dollar each."""
    desk = labs({"decimals": 5}, ANY_LEVERAGE | FREE | NO_SPREAD, 1_000)
    desk.quote("BTC", 100_000 * P)
    desk.warp(0)
    desk.enter_size("BTC", locked, locked)
    desk.expect_index("BTC", rate, 0)
    return desk.scenario(f"labs_borrow_rate[{locked}]", CUSTODY_RS + " test_update_borrow_rate")


def _index() -> Scenario:
    """900 of 1,000 for two hours, then half: upstream sets locked to 500, here owned is doubled by a gift of tokens."""
    desk = labs({"decimals": 5}, ANY_LEVERAGE | FREE | NO_SPREAD, 1_000)
    desk.quote("BTC", 100_000 * P)
    desk.warp(0)
    desk.enter_size("BTC", 900, 900)
    desk.expect_index("BTC", 140_000, 0)
    for index in (70_000, 140_000):
        desk.warp(1_800)
        desk.accrue("BTC")
        desk.expect_index("BTC", 140_000, index)
    desk.warp(3_600)
    desk.donate("BTC", 800)
    desk.accrue("BTC")
    desk.expect_index("BTC", 50_000, 280_000)
    desk.warp(3_600)
    desk.accrue("BTC")
    desk.expect_index("BTC", 50_000, 330_000)
    return desk.scenario("labs_borrow_index", CUSTODY_RS + " test_update_borrow_rate")


SCENARIOS = [
    _price(codes.LONG, 25_553, 24_750),
    _price(codes.SHORT, 24_750, 25_553),
    *(_entry_fee(*rule, size, fee) for rule, fees in ENTRY_FEE.items() for size, fee in fees.items()),
    *(_pnl(entry, result) for entry, result in PNL.items()),
    *(scenario for entry, value in LEVERAGE.items() for scenario in _leverage(entry, value)),
    _no_margin(),
    *(_liquidation_price(entry, price) for entry, price in LIQUIDATION_PRICE.items()),
    _close_amount(),
    *_interest(),
    *(_rate(locked, rate) for locked, rate in BORROW_RATE.items()),
    _index(),
]
