"""Adrena's tests of increases: entry prices, results after an increase, borrow fee over an increase, locked tokens.

Upstream: tests/tests_suite/position and offside_audit. The venue does several things within one second; here the
next one comes a second later, which no number printed there can see (entry prices do not know about time).
"""

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, usdc, with_low

LONG, SHORT = codes.LONG, codes.SHORT
SUITE = "tests/tests_suite/position/"
AUDIT = "tests/tests_suite/offside_audit/"
# One step: (position id, side, trade price, low price of the custody, collateral, entry price afterwards).
# Position 1 is the short, 2 the long; each grows at 2x whenever it is named again.
Step = tuple[int, int, int, int, int, int]
BTC_LOW = {"30000/10": 29_970 * P, "29000/10": 28_971 * P, "29000/25": 289_275 * P // 10}
_30, _29, _20 = 30_000 * P, 29_000 * P, 20_000 * P


def _btc_shorts(first: int, then: int, prices: tuple[int, int], entries: tuple[int, int, int, int]) -> list[Step]:
    amounts, trades = (first, then, then, then), (prices[0], prices[1], prices[1], prices[1])
    return [(1, SHORT, t, BTC_LOW["30000/10"], a, e) for t, a, e in zip(trades, amounts, entries, strict=True)]


def _btc_longs(first: int, then: int, entries: tuple[int, int, int, int]) -> list[Step]:
    """The band is 10 bps right after a price was set by hand and 25 from the next bundle on: 10, 10, 25, 25."""
    lows = (BTC_LOW["30000/10"], BTC_LOW["29000/10"], BTC_LOW["29000/25"], BTC_LOW["29000/25"])
    amounts, trades = (first, then, then, then), (_30, _29, _29, _29)
    return [(2, LONG, *row) for row in zip(trades, lows, amounts, entries, strict=True)]


BTC_STEPS: list[Step] = [
    *_btc_shorts(10 * M, 10 * M, (_30, _29), (300000000000000, 294915254237288, 293258426966292, 292436974789915)),
    *_btc_longs(100_000, 300_000, (300000000000000, 292500000000000, 291429491307147, 291000901713255)),
    *_btc_shorts(10**10, 10**9, (_30, _29), (299969092345332, 299037952627697, 298265895966509, 297615362429414)),
    *_btc_longs(10**7, 300_000, (299182570245871, 298938765792750, 298707911031281, 298488680288620)),
    *_btc_shorts(10**10, 10**9, (_30, _20), (298645689012015, 292641564887499, 287326395770552, 282588032792129)),
    *_btc_longs(10**10, 3 * 10**9, (299998203938874, 297693035902700, 296253422756788, 295267672668320)),
]


def _bonk(position: int, first: int, then: int, entries: tuple[int, int, int, int]) -> list[Step]:
    """Band 359 right after a price was set by hand, 25 bps (472) from the next bundle on; first of all 25 bps (473)."""
    trades, amounts = (189_512, 189_038, 189_038, 189_038), (first, then, then, then)
    lows = (189_512 - 359, 189_038 - 359, 189_038 - 472, 189_038 - 472)
    side = SHORT if position == 1 else LONG
    return [(position, side, *row) for row in zip(trades, lows, amounts, entries, strict=True)]


BONK = 10**3  # token units: the test's five decimals overflow our books (1e16 units); three hold the same dollars
BONK_STEPS: list[Step] = [
    *_bonk(1, 10 * M, 10 * M, (189512, 189274, 189195, 189155)),
    *_bonk(2, 600_000 * BONK, 600_000 * BONK, (189512, 189275, 189196, 189156)),
    *_bonk(1, 10**4 * M, 10**3 * M, (189510, 189467, 189431, 189400)),
    *_bonk(2, 10**11 * BONK, 33_333_333_333 * BONK, (189511, 189392, 189321, 189273)),
    *_bonk(1, 10**6 * M, 10**5 * M, (189510, 189467, 189431, 189401)),
]


def _run_steps(token: Token, steps: list[Step]) -> Script:
    script = Script(usdc(15_000_000 * M), token).setup()
    opened: set[int] = set()
    for position, side, trade, low, amount, _ in steps:
        script.trade_price(token.name, trade)
        script.custody_price(token.name, with_low(low, 25))
        script.warp(1)
        if position in opened:
            script.increase(amount, 20_000, position_id=position)
        else:
            script.enter(codes.OPEN, token.name, side, amount, 20_000, position_id=position)
        opened.add(position)
    return script


def _entries(name: str, token: Token, steps: list[Step]) -> list[Scenario]:
    """One scenario per step: the entry price is a state, so each is read at the end of a run that stops there."""
    found = []
    for number in range(1, len(steps) + 1):
        script = _run_steps(token, steps[:number])
        position, *_, entry = steps[number - 1]
        script.expect_position(position, entry_price=entry)
        found.append(script.scenario(f"{name}[{number:02}]", SUITE + f"{name}.rs"))
    return found


BTC = Token("BTC", 8, 30_000 * P, 1_000 * 10**8)
BONK_TOKEN = Token("BONK", 3, 189_512, 10**12 * BONK)


def _btc_results() -> list[Scenario]:
    """Unrealised result of the first short at $29,000, read by closing: before its first increase and right after."""
    found = []
    for increases, (profit, exit_fee, collateral) in enumerate(
        ((634_000, 32_000, 9_990_000), (601_999, 64_000, 19_980_000))
    ):
        script = Script(usdc(15_000_000 * M), BTC).setup()
        script.warp(1)
        script.short("BTC", 10 * M, 20_000)
        script.trade_price("BTC", _29)
        script.warp(1)
        for _ in range(increases):
            script.increase(10 * M, 20_000)
        closing = script.close()
        script.expect("events", closing, payout_usd=collateral + profit, exit_fee_usd=exit_fee, borrow_fee_usd=0)
        found.append(script.scenario(f"increase_btc_result[{increases}]", SUITE + "increase_btc_position.rs"))
    return found


def _audit(side: int, mark: int, before: tuple[int, int], after: tuple[int, int], scale: int = 1) -> list[Scenario]:
    """1 jitoSOL (or 100 USDC) x5 at $100; 12 s later, at the mark, its result; the same again; its result 1 s later.

    Upstream lets a position without margin stand. Here a deposit at $100 carries it over: it changes the collateral
    and nothing else, so the result is still that of the test. `before`, `after`: (result, exit fee).
    """
    found, dollars = [], mark // P
    name = f"audit_increase[{codes.SIDES[side]}-{dollars}{'-bn' if scale > 1 else ''}]"
    source = AUDIT + f"increase_position_{codes.SIDES[side]}_issue_*.rs"
    for increases, (result, exit_fee) in enumerate((before, after)):
        limits = {"max_leverage_bps": 3_000_000}
        stable = 150_000 * M if scale == 1 else 1_500_000 * M
        sol = Token("SOL", 9, 100 * P, 10_000 * K if scale == 1 else 100_000 * K, limits=limits)
        script = Script(usdc(stable), sol).setup()
        script.warp(1)
        units = K * scale if side == LONG else 100 * M
        script.enter(codes.OPEN, "SOL", side, units, 50_000)
        script.warp(1)
        script.deposit(units)
        worth = 99_750_000 * scale if side == LONG else 99_900_000
        collateral = 2 * worth
        script.price("SOL", mark)
        script.warp(11)
        if increases:
            script.increase(units, 50_000)
            collateral += worth * dollars // 100 if side == LONG else worth
            script.warp(1)
        closing = script.close()
        script.expect("events", closing, payout_usd=collateral + result, exit_fee_usd=exit_fee)
        found.append(script.scenario(f"{name}[{'after' if increases else 'before'}]", source))
    return found


def _borrow_fee() -> list[Scenario]:
    """1M BONK x5 of 100M; ten hours; the same again; ten hours more."""
    source = SUITE + "borrow_fee.rs"
    bonk = Token("BONK", 5, 170_329, 10**13)
    found = []
    for name, increases, hours, fee in (
        ("ten_hours", 0, 10, 4_247),
        ("increase", 1, 10, 4_247),
        ("twenty", 1, 20, 21_237),
    ):
        script = Script(usdc(150_000 * M), bonk, min_age_s=20).setup().warp(1)
        script.long("BONK", 10**11, 50_000, limit_price=190_000)
        script.warp(36_000)
        if increases:
            script.increase(10**11, 50_000, limit_price=190_000)
        if hours == 20:
            script.warp(36_000)
        closing = script.close(limit_price=170_000)
        script.expect("events", closing, borrow_fee_usd=fee)
        if hours == 20:
            script.expect("events", closing, trader_out_units=2 * 10**11 - 2_715_971_515)
        found.append(script.scenario(f"borrow_fee[{name}]", source))
    script = Script(usdc(150_000 * M), bonk).setup().warp(1)
    script.long("BONK", 10**11, 50_000)
    script.warp(36_000)
    script.increase(10**11, 50_000)
    script.expect_position(collateral_units=2 * 10**11, unrealised_interest_usd=4_247)
    found.append(script.scenario("borrow_fee[state]", source))
    return found


def _locked() -> Scenario:
    script = Script(usdc(150_000 * M), Token("SOL", 9, 200 * P, 100 * K, trade=100 * P), min_age_s=20).setup().warp(1)
    samples = []

    def sample(name: str, owned: int, locked: int) -> None:
        where = {"timestamp": script.now_us, "custody": script.custody_of[name]}
        samples.append((where, {"owned_units": owned, "locked_units": locked}))

    script.long("SOL", K, 50_000, limit_price=110 * P)
    sample("SOL", 100 * K, 5 * K)
    script.warp(1)
    script.increase(K, 50_000, limit_price=110 * P)
    sample("SOL", 100 * K, 10 * K)
    script.warp(21)
    script.close(limit_price=120)
    script.distribute()
    sample("SOL", 100_025_935_751, 0)
    sample("USDC", 149_948_039_964, 0)
    script.warp(1)
    script.short("SOL", 5_000 * M, 50_000, limit_price=90 * P)
    sample("USDC", 149_948_039_964, 25_000 * M)
    script.warp(1)
    script.increase(5_000 * M, 50_000, limit_price=90 * P)
    sample("SOL", 100_025_935_751, 0)
    sample("USDC", 149_948_039_964, 50_000 * M)
    script.warp(20)
    script.close(limit_price=105 * P)
    for where, values in samples:
        script.expect("pool_samples", where, **values)
    script.expect_custody("USDC", locked=0, collateral=0)
    return script.scenario("increase_position_locked_amount", SUITE + "increase_position_locked_amount.rs")


def _short_cap() -> Scenario:
    """USDC allows $2,000 locked per position. Upstream's refused increase fails on its price bound; ours on both."""
    sol = Token("SOL", 9, 200 * P, 100 * K, trade=100 * P, limits={"max_initial_leverage_bps": 100_000})
    script = Script(usdc(150_000 * M, locked_cap_usd=2_000 * M), sol, min_age_s=20).setup().warp(1)
    script.short("SOL", 500 * M, 30_000, limit_price=90 * P)
    script.trade_price("SOL", 90 * P)
    script.warp(36_000)
    script.refuse(script.increase(500 * M, 100_000, limit_price=100 * P), codes.PRICE_LIMIT)
    script.refuse(script.increase(500 * M, 100_000), codes.MAX_POSITION_LOCKED)
    grown = script.increase(10 * M, 100_000, limit_price=85 * P)
    script.expect("events", grown, locked_units=100 * M, kind=codes.K_INCREASE)
    closing = script.close(limit_price=95 * P)
    script.expect("events", closing, kind=codes.K_CLOSE, locked_units=-1_600 * M)
    return script.scenario("increase_short_position", SUITE + "increase_short_position.rs")


SCENARIOS = [
    *_entries("increase_btc_position", BTC, BTC_STEPS),
    *_btc_results(),
    *_entries("increase_bonk_position", BONK_TOKEN, BONK_STEPS),
    *_audit(LONG, 80 * P, (-100_550_000, 800_000), (-101_190_000, 1_440_000)),
    *_audit(LONG, 100 * P, (-800_000, 800_000), (-1_600_000, 1_600_000)),
    *_audit(LONG, 200 * P, (497_950_000, 800_000), (496_349_999, 2_400_000)),
    *_audit(LONG, 200 * P, (1_991_799_866_335, 3_200_000_000), (1_985_399_794_515, 9_600_000_000), scale=4_000),
    *_audit(SHORT, 120 * P, (-100_700_000, 800_000), (-101_500_001, 1_600_000)),
    *_audit(SHORT, 100 * P, (-800_000, 800_000), (-1_600_000, 1_600_000)),
    *_audit(SHORT, 90 * P, (49_150_000, 800_000), (48_349_999, 1_600_000)),
    *_borrow_fee(),
    _locked(),
    _short_cap(),
]
