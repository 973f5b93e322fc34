"""A fixed, busy case: every order action, several markets, closed and stale prices, from a seeded generator."""

import random

from kernels import codes
from tests import case

_START = 1_704_067_200_000_000  # 2024-01-01 00:00 UTC
_STEP = 600_000_000
_TICKS = 300
_MIX = {
    codes.OPEN: 30,
    codes.LIMIT_OPEN: 8,
    codes.INCREASE: 10,
    codes.DECREASE: 10,
    codes.CLOSE: 8,
    codes.DEPOSIT_COLLATERAL: 6,
    codes.WITHDRAW_COLLATERAL: 6,
    codes.SET_TRIGGERS: 6,
    codes.CANCEL_LIMIT: 3,
    codes.RESOLVE_BORROW: 5,
    codes.ADD_LIQUIDITY: 6,
    codes.REMOVE_LIQUIDITY: 6,
    codes.SWAP: 4,
    codes.DISTRIBUTE_FEES: 2,
}


def busy_case(seed: int = 7, orders: int = 500, **pool: int) -> case.Case:
    """ETH and BTC markets on their own tokens, gold on USDC alone; prices walk by up to 1.2 % per tick."""
    draw = random.Random(seed)
    custodies = [
        case.custody(decimals=8, price_symbol=0, conf_bps=5, add_bps=20, remove_bps=20, interest_in_pnl=1),
        case.custody(decimals=9, price_symbol=1, conf_bps=3, add_bps=25, remove_bps=15),
        case.custody(decimals=6, price_symbol=2, stable=1, add_bps=5, remove_bps=5, minimum_units=1_000_000),
    ]
    markets = [
        case.market(
            price_symbol=0, long_custody=0, short_custody=2, funding_max=50_000, funding_sensitivity_bps=10_000
        ),
        case.market(price_symbol=1, long_custody=1, short_custody=2, liquidation_bps=30),
        case.market(price_symbol=3, long_custody=2, short_custody=2),
    ]
    settings = {"swap_mode": codes.SWAP_WHITELISTED, "fee_custody": 2, "distribution_interval_s": 36_000} | pool
    return case.Case(
        custodies=custodies,
        markets=markets,
        pool=case.pool(**settings),
        ticks=_ticks(draw),
        orders=_orders(draw, orders),
        genesis=[100 * 10**8, 5 * 10**9, 400_000 * 10**6],
    )


def _ticks(draw: random.Random) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    prices = [2_000.0, 40_000.0, 1.0, 2_300.0]
    ticks = []
    for number in range(_TICKS):
        prices = [p * (1 + draw.uniform(-0.012, 0.012)) if p > 2 else 1 + draw.uniform(-0.001, 0.001) for p in prices]
        flags = tuple(draw.choices((0, codes.FLAG_STALE, codes.FLAG_CLOSED), (97, 1, 2), k=4))
        # every other tick a little late, so that samples do not all fall on the hour
        ticks.append((_START + number * _STEP + number % 2 * 7_000_000, tuple(int(p * 1e10) for p in prices), flags))
    return ticks


def _orders(draw: random.Random, count: int) -> list[dict[str, int]]:
    dues = sorted(_START + draw.randrange(_TICKS * 105 // 100) * _STEP + draw.randrange(_STEP) for _ in range(count))
    actions = draw.choices(list(_MIX), list(_MIX.values()), k=count)
    return [_order(draw, due, number, action) for number, (due, action) in enumerate(zip(dues, actions, strict=True))]


def _order(draw: random.Random, due: int, number: int, action: int) -> dict[str, int]:
    found = {"due_us": due, "order_id": number, "action": action}
    if action < codes.FIRST_POOL_ACTION:
        found["position_id"] = draw.randrange(40)
    if action in (codes.OPEN, codes.LIMIT_OPEN):
        found |= {"market": draw.randrange(3), "side": draw.randrange(2), "referred": draw.randrange(2)}
        found |= {"collateral_usd": draw.randrange(5, 900) * 10**6, "leverage_bps": draw.randrange(9_000, 1_300_000)}
        level = (1_950, 39_000, 2_250)[found["market"]]
        if action == codes.LIMIT_OPEN:
            found["trigger_price"] = int(level * draw.uniform(0.97, 1.06)) * 10**10
        if draw.random() < 0.3:
            found |= {"stop_loss": int(level * draw.uniform(0.9, 1.1)) * 10**10}
            found |= {"take_profit": int(level * draw.uniform(0.9, 1.1)) * 10**10}
    elif action == codes.INCREASE:
        found |= {"collateral_usd": draw.randrange(5, 300) * 10**6, "leverage_bps": draw.randrange(9_000, 400_000)}
    elif action == codes.DECREASE:
        found["fraction_e6"] = draw.randrange(5_000, 1_000_001)
    elif action in (codes.DEPOSIT_COLLATERAL, codes.WITHDRAW_COLLATERAL):
        found["collateral_usd"] = draw.randrange(1, 60) * 10**6
    elif action == codes.SET_TRIGGERS:
        found |= {"stop_loss": draw.choice((0, 1_900 * 10**10)), "take_profit": draw.choice((-1, 0, 2_400 * 10**10))}
    elif action in (codes.ADD_LIQUIDITY, codes.SWAP):
        found |= {"custody": draw.randrange(3), "custody_out": draw.randrange(3), "lp_account": draw.randrange(3)}
        found["amount_units"] = draw.randrange(1, 200) * (10**6, 10**5, 10**7)[found["custody"]]
    elif action == codes.REMOVE_LIQUIDITY:
        found |= {
            "custody": draw.randrange(3),
            "lp_account": draw.randrange(3),
            "amount_units": draw.randrange(1, 10**9),
        }
    return case.order(**found)
