"""Adrena's unit tests (src/state/pool.rs, custody.rs) as scripts of ticks and orders.

Their fixture: collateral $25,000, size $99,600, locked 4 tokens, exit fee $100, liquidation fee $500, borrow size
$100,000, band 0, mark $25,000; what varies is the entry price. No order leaves exactly that behind, but a band of
40 bps does the same: 4 tokens at the low price of $24,900 are $99,600 of size, and 10 and 50 bps of 4 tokens at the
mid price of $25,000 are the two fees. Collateral comes in as 4 tokens ($99,600) and goes down to $25,000 by a
withdrawal, which is exact in dollars. Borrow size is then $99,600, which only the interest tests see.
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, with_high

POOL_RS, CUSTODY_RS = "src/state/pool.rs", "src/state/custody.rs"
ANY_LEVERAGE = 1 << 40
COLLATERAL, SIZE, EXIT_FEE, LIQUIDATION_FEE = 25_000 * M, 99_600 * M, 100 * M, 500 * M
WITHDRAWN = 74_600 * M
CONF = 40


def _opened(entry: int, max_leverage_bps: int = ANY_LEVERAGE) -> Script:
    limits = {
        "min_initial_leverage_bps": 1,
        "max_initial_leverage_bps": ANY_LEVERAGE,
        "max_leverage_bps": max_leverage_bps,
    }
    btc = Token("BTC", 9, 25_000 * P, 0, CONF, trade=entry, limits=limits)
    script = Script(Token("USDC", 6, P, 0, 0, stable=1), btc, borrow_max=0, bps=(0, 0, 10, 50))
    script.genesis = [0, 1_000 * K]
    script.warp(0)
    script.long("BTC", 4 * K, 10_000)
    return script


def _fixture(entry: int, max_leverage_bps: int = ANY_LEVERAGE, mark_first: bool = True) -> Script:
    """The fixture at a tick of its own, at the mark (or, where the loss would not allow it, before the price moves)."""
    script = _opened(entry, max_leverage_bps)
    if mark_first:
        script.trade_price("BTC", 25_000 * P)
    script.warp(1)
    script.withdraw(WITHDRAWN)
    return script


def _expect_fixture(script: Script, entry: int) -> None:
    script.expect_position(
        entry_price=entry,
        size_usd=SIZE,
        collateral_usd=COLLATERAL,
        locked=4 * K,
        exit_fee_usd=EXIT_FEE,
        liquidation_fee_usd=LIQUIDATION_FEE,
    )


def _pnl(entry: int, loss: int, profit: int) -> Scenario:
    script = _fixture(entry)
    script.warp(1)
    closing = script.close()
    result = profit - loss
    script.expect("events", closing, payout_usd=COLLATERAL + result, exit_fee_usd=EXIT_FEE, borrow_fee_usd=0)
    script.expect("events", closing, pnl_usd=result + EXIT_FEE, size_usd=-SIZE, bad_debt_usd=0)
    return script.scenario(f"unit_pnl[{entry // P}]", POOL_RS + " test_get_pnl_usd")


def _exit_numbers() -> Scenario:
    """Closing pays at the high price: the custody's mid at that tick is the one whose high is the fixture's $25,000."""
    script = _fixture(25_000 * P)
    script.custody_price("BTC", with_high(25_000 * P, CONF))
    script.warp(1)
    closing = script.close()
    script.expect("events", closing, trader_out_units=996_000_000, exit_fee_usd=EXIT_FEE, borrow_fee_usd=0)
    script.expect("events", closing, payout_usd=COLLATERAL - 100 * M)
    return script.scenario("unit_exit_position_numbers", POOL_RS + " test_get_exit_position_numbers")


def _leverage(entry: int, leverage_bps: int) -> list[Scenario]:
    """The liquidation test is `leverage > max`, so a maximum of L keeps the position and L - 1 liquidates it."""
    kept, gone = _fixture(entry, leverage_bps), _fixture(entry, leverage_bps - 1)
    kept.warp(1)
    _expect_fixture(kept, entry)
    gone.warp(1)
    gone.liquidations = 1
    gone.expect("events", {"kind": codes.K_LIQUIDATION}, timestamp=gone.now_us, exit_fee_usd=LIQUIDATION_FEE)
    name, source = f"unit_leverage[{entry // P}]", POOL_RS + " test_get_leverage"
    return [kept.scenario(name + "[at]", source), gone.scenario(name + "[above]", source)]


def _no_margin() -> Scenario:
    """Entry $300,000: nothing is left, leverage is infinite and above any maximum."""
    script = _fixture(300_000 * P, mark_first=False)
    script.trade_price("BTC", 25_000 * P)
    script.warp(1)
    script.liquidations = 1
    # Loss 99,600 * 275 / 300 = 91,300 and $500 of fee against $25,000.
    script.expect("events", {"kind": codes.K_LIQUIDATION}, payout_usd=0, bad_debt_usd=66_300 * M, exit_fee_usd=0)
    return script.scenario("unit_leverage[300000]", POOL_RS + " test_get_leverage")


def _liquidation_price(entry: int, price: int) -> Scenario:
    """Venue formula and leverage test differ by < $0.0004: not liquidated at the printed price, liquidated below.

    floor(size * 1e4 / max) of margin is leverage 1,100,000.0..., not above the maximum of 1,100,000; the first
    margin above it is 823 micro-dollars lower, which is 823e-6 * entry / 99,600 of price.
    """
    script = _fixture(entry, 1_100_000, mark_first=False)
    script.trade_price("BTC", price)
    script.warp(1)
    script.trade_price("BTC", price - 3_500_000)
    script.warp(1)
    script.liquidations = 1
    script.expect("events", {"kind": codes.K_LIQUIDATION}, timestamp=script.now_us, exit_fee_usd=LIQUIDATION_FEE)
    return script.scenario(f"unit_liquidation_price[{entry // P}]", POOL_RS + " test_get_liquidation_price")


def _interest() -> list[Scenario]:
    """9 of 10 tokens locked: 90,000 per hour on a borrow size of $100,000; then the same from a snapshot of 70,000."""
    source = POOL_RS + " test_get_unrealized_interest_amount_usd"
    pair = Token("BTC", 9, 25_000 * P, 0, 0)
    script = Script(Token("USDC", 6, P, 0, 0, stable=1), pair, bps=(0, 0, 10, 50))
    script.genesis = [0, 10 * K]
    script.warp(0)
    script.long("BTC", K, 40_000)
    script.long("BTC", K, 50_000, position_id=2)
    script.expect_index("BTC", 90_000, 0)
    script.warp(3_600)
    closing = script.close()
    script.expect("events", closing, borrow_fee_usd=9_000_000, size_usd=-100_000 * M)
    hour = script.scenario("unit_interest[hour]", source)

    # 7 tokens locked for an hour make the index 70,000; $100,000 of size is then 2 tokens of a custody at $50,000.
    script = Script(Token("USDC", 6, P, 0, 0, stable=1), pair, bps=(0, 0, 10, 50))
    script.genesis = [0, 10 * K]
    script.warp(0)
    script.long("BTC", K, 70_000, position_id=2)
    script.custody_price("BTC", 50_000 * P)
    script.warp(3_600)
    script.long("BTC", K // 2, 40_000)
    script.expect_index("BTC", 90_000, 70_000)
    script.warp(800)
    closing = script.close()
    script.expect("events", closing, borrow_fee_usd=2_000_000, size_usd=-100_000 * M)
    script.expect_custody("BTC", cum_index=90_000)
    return [hour, script.scenario("unit_interest[snapshot]", source)]


def _tiny_custody() -> Script:
    """1,000 units of five decimals at 1 micro-dollar each: the interest on such sizes rounds to nothing."""
    limits = {"min_initial_leverage_bps": 10_000}
    token = Token("BTC", 5, P // 10, 0, 0, limits=limits)
    script = Script(Token("USDC", 6, P, 0, 0, stable=1), token, bps=(0, 0, 0, 0), min_collateral_usd=0)
    script.genesis = [0, 1_000]
    return script


def _rate(locked: int, rate: int) -> Scenario:
    script = _tiny_custody()
    script.warp(0)
    if locked:
        script.long("BTC", locked, 10_000)
    script.expect_custody("BTC", owned=1_000, locked=locked, rate=rate, cum_index=0)
    script.expect_index("BTC", rate, 0)
    return script.scenario(f"unit_borrow_rate[{locked}]", CUSTODY_RS + " test_update_borrow_rate")


def _index() -> list[Scenario]:
    source = CUSTODY_RS + " test_update_borrow_rate"
    half = _tiny_custody()
    half.warp(0)
    half.long("BTC", 500, 10_000)
    for index in (25_000, 50_000):
        half.warp(1_800)
        half.expect_index("BTC", 50_000, index)

    falling = _tiny_custody()
    falling.warp(0)
    falling.long("BTC", 400, 10_000)
    falling.long("BTC", 500, 10_000, position_id=2)
    for index in (45_000, 90_000):
        falling.warp(1_800)
        falling.expect_index("BTC", 90_000, index)
    falling.warp(3_600)
    falling.close()
    falling.expect_index("BTC", 50_000, 180_000)
    falling.warp(3_600)
    falling.expect_index("BTC", 50_000, 230_000)
    falling.expect_custody("BTC", owned=1_000, locked=500, rate=50_000, cum_index=180_000)
    return [half.scenario("unit_borrow_index[half]", source), falling.scenario("unit_borrow_index[falling]", source)]


PNL = {25_000: (100 * M, 0), 25_400: (1_668_503_938, 0), 24_500: (0, 1_932_653_061)}  # entry: (loss, profit)
LEVERAGE = {25_000: 40_653, 20_040: 20_263, 15_000: 10_957, 27_000: 58_170, 32_000: 367_188}
LIQUIDATION_PRICE = {
    25_000: 190_776_743_335_844,
    24_500: 186_961_208_469_127,
    20_000: 152_621_394_668_675,
    26_000: 198_407_813_069_278,
    35_000: 267_087_440_670_181,
}
RATES = {0: 0, 1: 100, 500: 50_000, 800: 80_000, 900: 90_000, 999: 99_900, 1_000: 100_000}

SCENARIOS = [
    *(_pnl(entry * P, *result) for entry, result in PNL.items()),
    _exit_numbers(),
    *(scenario for entry, leverage in LEVERAGE.items() for scenario in _leverage(entry * P, leverage)),
    _no_margin(),
    *(_liquidation_price(entry * P, price) for entry, price in LIQUIDATION_PRICE.items()),
    *_interest(),
    *(_rate(locked, rate) for locked, rate in RATES.items()),
    *_index(),
]
