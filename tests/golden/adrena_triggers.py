"""Adrena's tests of stops, targets and limit orders.

Upstream: tests/tests_suite/position. They print no amounts: what counts is the tick at which something happens.
"""

from collections.abc import Callable

from kernels import codes
from tests.golden.script import K, M, P, Scenario, Script, Token, usdc

LONG, SHORT = codes.LONG, codes.SHORT
SUITE = "tests/tests_suite/position/"
Watch = list[tuple[int, int, dict[str, int]]]  # (seconds to the tick, SOL in dollars, triggers set at it)


def _sol_pool() -> Script:
    sol = Token("SOL", 9, 200 * P, 100 * K, trade=100 * P)
    return Script(usdc(150_000 * M), sol, min_age_s=20).setup().warp(1)


def _triggered(name: str, opening: Callable[[Script], int], watch: Watch, kind: int, first: dict[str, int]) -> Scenario:
    """Nothing happens but at the last tick, where the position is closed by `kind` at the price of the tick.

    Stops and targets are looked at before the orders of a tick: one set here can fire from the next tick on.
    """
    script = _sol_pool()
    opening(script)
    script.order(codes.SET_TRIGGERS, position_id=1, **first)
    for seconds, dollars, triggers in watch:
        script.trade_price("SOL", dollars * P)
        script.warp(seconds)
        if triggers:
            script.order(codes.SET_TRIGGERS, position_id=1, **triggers)
    script.expect("events", {"kind": kind}, timestamp=script.now_us, price=watch[-1][1] * P)
    script.expect("positions", {"position_id": 1}, outcome=codes.OUTCOMES.index(codes.KINDS[kind]))
    return script.scenario(name, SUITE + f"{name}.rs", "x2 instead of x5 for the stops: at x5 it is liquidated first")


def _stop(price: int, limit: int) -> dict[str, int]:
    return {"stop_loss": price * P, "stop_limit": limit * P}


def _triggers() -> list[Scenario]:
    def long_for_stop(script: Script) -> int:
        return script.long("SOL", 5 * K, 20_000)

    def short_for_stop(script: Script) -> int:
        return script.short("SOL", 1_000 * M, 20_000)

    def long_for_target(script: Script) -> int:
        return script.long("SOL", K, 50_000)

    def short_for_target(script: Script) -> int:
        return script.short("SOL", 1_000 * M, 50_000)

    clear_stop, clear_target = {"stop_loss": 0}, {"take_profit": 0}
    stop_long: Watch = [
        (1, 100, clear_stop),
        (1, 100, _stop(80, 60)),
        (11, 90, _stop(79, 60)),
        (11, 80, {}),
        (1, 85, _stop(90, 80)),
        (1, 85, {}),
    ]
    stop_short: Watch = [
        (2, 100, clear_stop),
        (1, 100, _stop(120, 141)),
        (11, 110, {}),
        (3, 119, {}),
        (3, 122, {}),
    ]
    target_long: Watch = [
        (11, 110, {}),
        (10, 110, clear_target),
        (2, 121, {}),
        (1, 110, {"take_profit": 119 * P}),
        (2, 121, {}),
    ]
    target_short: Watch = [
        (11, 81, {"take_profit": 78 * P}),
        (2, 79, {}),
        (10, 81, {"take_profit": 80 * P}),
        (11, 79, {}),
    ]
    target = codes.K_TAKE_PROFIT
    return [
        _triggered("stop_loss_long", long_for_stop, stop_long, codes.K_STOP_LOSS, _stop(80, 60)),
        _triggered("stop_loss_short", short_for_stop, stop_short, codes.K_STOP_LOSS, _stop(120, 140)),
        _triggered("take_profit_long", long_for_target, target_long, target, {"take_profit": 120 * P}),
        _triggered("take_profit_short", short_for_target, target_short, target, {"take_profit": 80 * P}),
    ]


def _limit_order(side: int, trigger: int, reached: int, units: int) -> Scenario:
    """Placed, cancelled, placed again; not filled at $100, filled at the price that reaches the trigger."""
    sol = Token("SOL", 9, 100 * P, 100 * K)
    script = Script(usdc(150_000 * M), sol, min_age_s=20).setup().warp(1)
    first = script.enter(codes.LIMIT_OPEN, "SOL", side, units, 50_000, trigger_price=trigger * P)
    script.warp(1)
    cancelled = script.order(codes.CANCEL_LIMIT, position_id=1)
    script.refuse(first, codes.CANCELLED)
    script.expect("events", cancelled, kind=codes.K_CANCEL_LIMIT)
    script.warp(1)
    second = script.enter(codes.LIMIT_OPEN, "SOL", side, units, 50_000, trigger_price=trigger * P)
    script.warp(1)
    script.trade_price("SOL", reached * P)
    script.warp(2)
    script.expect("events", second, kind=codes.K_LIMIT_OPEN, timestamp=script.now_us, price=reached * P)
    script.expect_position(entry_price=reached * P, status=codes.OPEN_POSITION)
    name = f"limit_order_{codes.SIDES[side]}"
    return script.scenario(name, SUITE + f"{name}.rs")


def _closed_by_hand() -> Scenario:
    """A stop or a target in place does not keep the trader from closing."""
    script = _sol_pool()
    set_on = {
        1: (LONG, {"take_profit": 120 * P}, 80),
        2: (LONG, _stop(80, 70), 80),
        3: (SHORT, {"take_profit": 90 * P}, 120),
        4: (SHORT, _stop(90, 90), 120),
    }
    for number, (side, triggers, limit) in set_on.items():
        units, leverage = (K, 50_000) if side == LONG else (500 * M, 30_000)
        script.enter(codes.OPEN, "SOL", side, units, leverage, position_id=number)
        script.warp(100)
        script.order(codes.SET_TRIGGERS, position_id=number, **triggers)
        script.warp(1)
        script.close(position_id=number, limit_price=limit * P)
        script.expect("positions", {"position_id": number}, outcome=codes.O_CLOSE)
        script.warp(1)
    return script.scenario("open_and_close_edge_case", SUITE + "open_and_close_position_edge_case.rs")


SCENARIOS = [
    *_triggers(),
    _closed_by_hand(),
    _limit_order(LONG, 90, 89, 5 * K),
    _limit_order(SHORT, 110, 110, 500 * M),
]
