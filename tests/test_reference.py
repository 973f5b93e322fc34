"""The slow reference alone: examples worked out on paper, the venue's published numbers, and what must always hold."""

import pytest
from hypothesis import HealthCheck, given, settings

from kernels import codes
from tests import case as build
from tests.case import Case, Result
from tests.properties import invariants
from tests.properties.strategies import cases
from tests.reference import arithmetic, run

SECOND, HOUR = 1_000_000, 3_600_000_000
START = 1_700_000_000 * SECOND
SOL = 10**9  # book units of a token with nine decimals


Row = dict[str, int]
Rows = list[tuple[int, tuple[float, ...]]]  # microseconds after the start, dollars per symbol


def price(dollars: float) -> int:
    return round(dollars * 10**10)


def volatile(**values: int) -> Row:
    return build.custody(**({"decimals": 9, "conf_bps": 25} | values))


def stable(**values: int) -> Row:
    return build.custody(decimals=6, stable=1, price_symbol=1, **values)


def ticks(*rows: tuple[int, tuple[float, ...]]) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """Ticks from (microseconds after the start, dollars per symbol)."""
    return [(START + after, tuple(price(p) for p in prices), (0,) * len(prices)) for after, prices in rows]


def opening(after: int = 0, **values: int) -> Row:
    fields = {"order_id": 1, "position_id": 1, "market": 0, "side": codes.LONG} | values
    return build.order(due_us=START + after, action=codes.OPEN, **fields)


def later(action: int, after: int, order_id: int = 2, **values: int) -> Row:
    return build.order(due_us=START + after, order_id=order_id, action=action, **({"position_id": 1} | values))


def events(result: Result, kind: int) -> list[Row]:
    assert not result.rejections
    return [event for event in result.events if event["kind"] == kind]


def one_token(rows: Rows, orders: list[Row], owned: int, limits: Row | None = None, **custody: int) -> Result:
    """A pool of one volatile token; longs of symbol 0, or of symbol 1 where `rows` have two prices."""
    traded = build.market(price_symbol=len(rows[0][1]) - 1, **(limits or {}))
    case = Case([volatile(**custody)], [traded], build.pool(), ticks(*rows), orders, [owned])
    result = run(case)
    invariants.check_all(case, result)
    return result


def test_long_worked_out_on_paper() -> None:
    """10 SOL at $100 and 5x on a pool of 1,000 SOL, closed an hour later at $110; no price band.

    Opening: collateral $1,000, locked 50 SOL, size $5,000, exit fee 16 bps of 50 SOL = 0.08 SOL = $8.
    Rate: 50 / 1,000 of 100,000 = 5,000 per hour, so the interest of the hour is $5,000 * 5e-6 = $0.025.
    Closing: price gain 5,000 * 10 / 100 = $500; profit 500 - 8 - 0.025 = $491.975, below the cap 50 * 110.
    Payout $1,491.975 = 13.563409090 SOL at $110 (floor). The pool gets 10 back: owned -3.563409090 SOL.
    Fees $8.025: LP 70 % = 5.6175, referrer 10 % = 0.8025, the protocol the rest = 1.605.
    Value of the change at $110: 391.97499..., floored 391.974999. Collateral rose from $1,000 to $1,100: drift 100.
    -500 + 8 + 0.025 + 100 = -391.975, so one micro-dollar of rounding is left as spread.
    """
    orders = [opening(leverage_bps=50_000, collateral_units=10 * SOL, referred=1), later(codes.CLOSE, HOUR)]
    result = one_token([(0, (100,)), (HOUR, (110,))], orders, 1_000 * SOL, conf_bps=0)
    opened, closed = events(result, codes.K_OPEN)[0], events(result, codes.K_CLOSE)[0]
    assert (opened["collateral_usd"], opened["size_usd"]) == (1_000_000_000, 5_000_000_000)
    assert (opened["collateral_units"], opened["locked_units"]) == (10 * SOL, 50 * SOL)
    assert (closed["pnl_usd"], closed["exit_fee_usd"], closed["borrow_fee_usd"]) == (500_000_000, 8_000_000, 25_000)
    assert (closed["payout_usd"], closed["trader_out_units"]) == (1_491_975_000, 13_563_409_090)
    assert (closed["owned_units"], closed["owned_value_usd"]) == (-3_563_409_090, -391_974_999)
    assert (closed["drift_usd"], closed["spread_usd"]) == (100_000_000, 1)
    shares = (closed["lp_share_usd"], closed["referrer_share_usd"], closed["protocol_share_usd"])
    assert shares == (5_617_500, 802_500, 1_605_000)
    # AUM: 996.43659091 SOL at $110 = 109,608.025 (floored .000100 less), less the debts 2.4075.
    assert result.lp_samples[-1]["assets_usd"] == 109_608_025_000
    assert result.lp_samples[-1]["aum_usd"] == 109_605_617_500


def test_bad_debt_worked_out_on_paper() -> None:
    """10 SOL at $100 and 5x, no borrow rate; the price gaps to $70: loss 5,000 * 30 % = $1,500 + fee $8 on $1,000.

    Lack of $508: the fee of $8 is lost to it and the pool bears $500. All 10 SOL stay with the pool: $700, of
    which the trader's price loss is 1,500, less bad debt 500, and the collateral lost $300 of its value.
    """
    no_borrow = {"conf_bps": 0, "borrow_max": 0, "borrow_mid": 0}
    orders = [opening(leverage_bps=50_000, collateral_units=10 * SOL)]
    result = one_token([(0, (100,)), (SECOND, (70,))], orders, 1_000 * SOL, **no_borrow)
    row = events(result, codes.K_LIQUIDATION)[0]
    assert (row["deficit_fee_usd"], row["bad_debt_usd"], row["exit_fee_usd"]) == (8_000_000, 500_000_000, 0)
    assert (row["pnl_usd"], row["payout_usd"], row["owned_value_usd"]) == (-1_500_000_000, 0, 700_000_000)
    assert (row["drift_usd"], row["spread_usd"]) == (-300_000_000, 0)


def test_funding_worked_out_on_paper() -> None:
    """$3,000 long against $1,000 short: imbalance 2,000 / 4,000 = 50 %, rate 50 % of 1,000,000 = 500,000 per hour.

    Two hours later the index is 1,000,000: the long owes 3,000 * 0.1 % = $3, the short receives $1, the pool keeps $2.
    """
    custodies = [build.custody(decimals=9, borrow_max=0, borrow_mid=0), stable(borrow_max=0, borrow_mid=0)]
    market = build.market(short_custody=1, close_bps=0, funding_max=1_000_000, funding_sensitivity_bps=10_000)
    orders = [
        opening(leverage_bps=30_000, collateral_units=10 * SOL),
        opening(order_id=2, position_id=2, side=codes.SHORT, leverage_bps=20_000, collateral_units=500 * 10**6),
        later(codes.CLOSE, 2 * HOUR, 3),
        later(codes.CLOSE, 2 * HOUR, 4, position_id=2),
    ]
    pool = build.pool(funding=codes.FUNDING_IMBALANCE, funding_in_aum=1)
    path = ticks((0, (100, 1)), (2 * HOUR, (100, 1)))
    result = run(Case(custodies, [market], pool, path, orders, [100 * SOL, 10**10]))
    closed = events(result, codes.K_CLOSE)
    assert result.market_samples[0]["funding_rate"] == 500_000
    assert [row["funding_usd"] for row in closed] == [3_000_000, -1_000_000]
    assert [row["payout_usd"] for row in closed] == [997_000_000, 501_000_000]
    assert result.lp_samples[-1]["aum_usd"] - result.lp_samples[0]["aum_usd"] == 2_000_000


def test_published_close_long() -> None:
    """Spec 7.2 deep_check_close_position_long: 1 ETH at $1,500, 10x, 20 s."""
    orders = [opening(leverage_bps=100_000, collateral_units=SOL), later(codes.CLOSE, 20 * SECOND)]
    result = one_token([(0, (1500,)), (20 * SECOND, (1500,))], orders, 2_200 * SOL)
    row = events(result, codes.K_CLOSE)[0]
    assert (row["collateral_usd"], row["exit_fee_usd"], row["borrow_fee_usd"]) == (-1_496_250_000, 24_000_000, 44)
    assert SOL - row["trader_out_units"] == 20_947_661


def test_published_close_short() -> None:
    """Spec 7.2 deep_check_close_position_short: 1,500 USDC, 10x, 20 s; band of the stable 10 bps."""
    orders = [
        opening(side=codes.SHORT, leverage_bps=100_000, collateral_units=1_500 * 10**6),
        later(codes.CLOSE, 20 * SECOND),
    ]
    path = ticks((0, (1500, 1)), (20 * SECOND, (1500, 1)))
    custodies = [volatile(), stable(conf_bps=10)]
    result = run(Case(custodies, [build.market(short_custody=1)], build.pool(), path, orders, [0, 3_300_000 * 10**6]))
    row = events(result, codes.K_CLOSE)[0]
    assert (row["collateral_usd"], row["exit_fee_usd"], row["borrow_fee_usd"]) == (-1_498_500_000, 24_000_000, 44)
    assert 1_500 * 10**6 - row["trader_out_units"] == 26_973_071


@pytest.mark.parametrize(
    ("fraction", "payout_units", "exit_fee", "borrow_fee", "size"),
    [(1_000_000, 489_277_431, 1_600_000, 49_875, 997_500_000), (600_000, 293_566_458, 960_000, 29_925, 598_500_000)],
)
def test_published_close_and_partial_close(
    fraction: int, payout_units: int, exit_fee: int, borrow_fee: int, size: int
) -> None:
    """Spec 7.2 open_and_close_long_position_accounting, open_and_partial_close_long: jitoSOL $200, SOL $100 to $90."""
    orders = [
        opening(leverage_bps=50_000, collateral_units=SOL),
        later(codes.DECREASE, 10 * HOUR, fraction_e6=fraction),
    ]
    result = one_token([(0, (200, 100)), (10 * HOUR, (200, 90))], orders, 100 * SOL)
    row = next(event for event in result.events if event["size_usd"] < 0)
    assert (row["trader_out_units"], row["exit_fee_usd"], row["borrow_fee_usd"]) == (payout_units, exit_fee, borrow_fee)
    assert row["size_usd"] == -size
    opened = one_token([(0, (200, 100)), (HOUR, (200, 90))], orders[:1], 100 * SOL)
    assert (opened.sides[0]["total_quantity"], opened.sides[0]["weighted_lo"]) == (99_750, 99_750_000_000_000_000)


def test_published_increase_and_borrow_fee() -> None:
    """Spec 7.2 borrow_fee: 1M BONK 5x, the same again after 10 h, closed after 20 h."""
    stake = {"leverage_bps": 50_000, "collateral_units": 10**11}
    path = [(START + hours * HOUR, (170_329,), (0,)) for hours in (0, 10, 20)]
    orders = [opening(**stake), later(codes.INCREASE, 10 * HOUR, **stake), later(codes.CLOSE, 20 * HOUR, 3)]
    custodies = [build.custody(decimals=5, conf_bps=25)]
    result = run(Case(custodies, [build.market()], build.pool(), path, orders, [10**13]))
    row = events(result, codes.K_CLOSE)[0]
    assert row["borrow_fee_usd"] == 21_237
    assert 2 * 10**11 - row["trader_out_units"] == 2_715_971_515
    assert result.lp_samples[1]["accrued_borrow_usd"] == 4_247


def test_published_resolve_borrow() -> None:
    """Spec 7.2 resolve_position_borrow_fees: paid interest stays a cost of the position, the index is not refreshed."""
    orders = [
        opening(leverage_bps=50_000, collateral_units=SOL),
        later(codes.RESOLVE_BORROW, 700_000 * SECOND),
        later(codes.CLOSE, 1_200_000 * SECOND, 3),
    ]
    rows = [(seconds * SECOND, (200, 100)) for seconds in (0, 700_000, 1_200_000)]
    result = one_token(rows, orders, 10_000 * SOL)
    resolved, closed = events(result, codes.K_RESOLVE_BORROW)[0], events(result, codes.K_CLOSE)[0]
    assert (resolved["borrow_fee_usd"], resolved["protocol_share_usd"]) == (9_698, 2_910)
    assert (closed["borrow_fee_usd"], closed["prepaid_borrow_usd"]) == (6_926, 9_698)
    assert closed["owned_units"] == 13_050_494


def test_published_liquidation_and_withdrawal() -> None:
    """Spec 7.2 deep_check_liquidate_position_long (no interest here) and deep_check_remove_collateral_long."""
    no_borrow = {"borrow_max": 0, "borrow_mid": 0}
    limits = {"max_initial_leverage_bps": 450_000, "max_leverage_bps": 1_000_000}
    rows = [(0, (1500,)), (SECOND, (1465,))]
    result = one_token(rows, [opening(leverage_bps=400_000, collateral_units=SOL)], 2_200 * SOL, limits, **no_borrow)
    row = events(result, codes.K_LIQUIDATION)[0]
    assert (row["exit_fee_usd"], row["payout_usd"]) == (96_000_000, 1_496_250_000 - 1_492_500_000)
    orders = [
        opening(leverage_bps=20_000, collateral_units=SOL),
        later(codes.WITHDRAW_COLLATERAL, SECOND, collateral_usd=150_000_000),
    ]
    assert one_token([(0, (1500,)), (SECOND, (1500,))], orders, 2_200 * SOL).book[0]["collateral_units"] == 900_249_377


def test_published_increase_long() -> None:
    """Spec 7.2 increase_btc_position (long 2x), whose band changes from 10 to 25 bps between the increases."""
    size, entry, found = 5_994_000_000, 300_000_000_000_000, []
    for added in (17_382_600_000, 17_356_500_000, 17_356_500_000):
        entry = arithmetic.harmonic_price(size, entry, added, 290_000_000_000_000)
        size += added
        found.append(entry)
    assert found == [292500000000000, 291429491307147, 291000901713255]


def test_published_assets_under_management() -> None:
    """Spec 7.2 get_assets_under_management_usd/single_short, from the two-hour mark on, where the band is 0."""
    custodies, market = [build.custody(decimals=9), stable()], build.market(short_custody=1, close_bps=0)
    path = ticks((0, (1500, 1)), (HOUR, (1500, 1)), (2 * HOUR, (1650, 1)), (3 * HOUR, (330, 1)))
    orders = [opening(side=codes.SHORT, leverage_bps=20_000, collateral_units=1_500 * 10**6)]
    result = run(Case(custodies, [market], build.pool(), path, orders, [10 * SOL, 15_000 * 10**6]))
    aum = [row["aum_usd"] for row in result.lp_samples]
    assert aum == [30_000_000_000, 30_000_060_000, 29_962_500_000 + 1_837_620_000, 29_962_500_000 - 14_002_320_000]


def test_published_liquidity_fees() -> None:
    """Spec 7.2 liquidity/fees: 1M USDC added for 10 bps, then 100 LP removed; what is due is paid at once."""
    custody = build.custody(decimals=6, stable=1, conf_bps=10, add_bps=10, remove_bps=10)
    orders = [
        later(codes.ADD_LIQUIDITY, 0, 1, position_id=-1, custody=0, amount_units=10**12),
        later(codes.DISTRIBUTE_FEES, 0, 2, position_id=-1),
        later(codes.REMOVE_LIQUIDITY, SECOND, 3, position_id=-1, custody=0, amount_units=100 * 10**6),
        later(codes.DISTRIBUTE_FEES, SECOND, 4, position_id=-1),
    ]
    path = ticks((0, (1,)), (SECOND, (1,)))
    result = run(Case([custody], [build.market()], build.pool(), path, orders))
    assert [row["aum_usd"] for row in result.lp_samples] == [998_700_300_000, 998_600_299_979]
    # Fee 100,171 units; LP share floor(70 %) = 70,119; the rest is the protocol's 10,018 and twice that, floored.
    assert [row["fees_out_units"] for row in events(result, codes.K_DISTRIBUTE_FEES)] == [300_000_000, 30_052]


def test_phases_of_a_tick() -> None:
    """At one tick: liquidation, stop-loss, take-profit, limit entry, then orders; a limit waits for the next tick."""
    custodies, market = [build.custody(decimals=9), stable()], build.market(short_custody=1)
    stake = {"leverage_bps": 20_000, "collateral_units": SOL}
    short = {"side": codes.SHORT, "leverage_bps": 20_000, "collateral_units": 100 * 10**6}
    orders = [
        later(codes.LIMIT_OPEN, 0, 0, position_id=9, market=0, side=codes.LONG, trigger_price=price(100), **stake),
        opening(order_id=1, position_id=1, **stake, stop_loss=price(95)),
        opening(order_id=2, position_id=2, **short, take_profit=price(92)),
        opening(order_id=3, position_id=3, leverage_bps=500_000, collateral_units=SOL),
        opening(order_id=4, position_id=4, **stake, stop_loss=price(95), stop_limit=price(93)),
        later(codes.CLOSE, SECOND, 5, position_id=4),
        later(codes.CANCEL_LIMIT, SECOND, 6, position_id=9),
    ]
    path = ticks((0, (100, 1)), (SECOND, (90, 1)))
    case = Case(custodies, [market], build.pool(), path, orders, [1_000 * SOL, 10**10])
    result = run(case)
    invariants.check_all(case, result)
    last = [(event["kind"], event["position_id"]) for event in result.events if event["timestamp"] == START + SECOND]
    assert last == [
        (codes.K_LIQUIDATION, 3),
        (codes.K_STOP_LOSS, 1),
        (codes.K_TAKE_PROFIT, 2),
        (codes.K_LIMIT_OPEN, 9),
        (codes.K_CLOSE, 4),  # its stop waits: 90 is below the worst price of 93
    ]
    assert [(row["order_id"], row["reason"]) for row in result.rejections] == [(6, codes.POSITION_NOT_FOUND)]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_invariants(case: Case) -> None:
    invariants.check_all(case, run(case))
