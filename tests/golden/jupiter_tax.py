"""Fees of minting and redeeming by distance to target: GMX v1's 37 values (test/core/Vault/getFeeBasisPoints.js).

The field names of Jupiter's program are GMX v1's and its documentation describes the same rule (spec 3.5, 7.5).
Upstream asks a view function about dollars it pretends to add or remove; here tokens of a dollar each are turned into
the pool's internal dollars and back, and the fee shows in the reserve. The venue takes redeemed dollars off before it
computes their fee, so a redemption starts from what upstream has plus what is redeemed.
"""

from dataclasses import dataclass

from kernels import codes
from tests.golden.script import M, Scenario
from tests.golden.solana_labs_script import ANY_LEVERAGE, Desk

SOURCE = "gmx-io/gmx-contracts test/core/Vault/getFeeBasisPoints.js"
TAX = {
    "lp_fee": codes.LP_FEE_TAX_REBATE,
    "fee_booking": codes.BOOK_RESERVE,
    "valuation": codes.VALUE_GUARANTEED,
    "dynamic_fees": 1,
    "mint_counts_fee": 0,
    "redeem_at_high": 1,
}


@dataclass(frozen=True)
class State:
    """Dollars issued against the token and the other one, and their weights; the target follows."""

    dollars: int
    other: int
    weight: int
    other_weight: int


AT_TARGET = State(29_700, 0, 1, 0)
ABOVE = State(29_700, 0, 1, 1)  # target 14,850
BELOW = State(29_700, 20_000, 3, 1)  # target 37,275
FAR_ABOVE = State(89_100, 20_000, 1, 2)  # target 36,366
# (state, base bps, tax bps): change in dollars -> bps; negative is a redemption.
VALUES: list[tuple[State, int, int, dict[int, int]]] = [
    (AT_TARGET, 100, 50, {1_000: 100, 5_000: 104, -1_000: 100, -5_000: 104}),
    (AT_TARGET, 50, 100, {1_000: 51, 5_000: 58, -1_000: 51, -5_000: 58}),
    (ABOVE, 100, 50, {1_000: 150, 5_000: 150, 10_000: 150}),
    (ABOVE, 100, 50, {-1_000: 50, -5_000: 50, -10_000: 50, -20_000: 50, -25_000: 50, -100_000: 150}),
    (BELOW, 100, 50, {1_000: 90, 5_000: 90, 10_000: 90, -1_000: 110, -5_000: 113, -10_000: 116}),
    (FAR_ABOVE, 100, 50, {1_000: 150, 5_000: 150, 10_000: 150}),
    (FAR_ABOVE, 100, 50, {-1_000: 28, -5_000: 28, -20_000: 28, -50_000: 28}),
    (FAR_ABOVE, 50, 100, {1_000: 150, 5_000: 150, 10_000: 150}),
    (FAR_ABOVE, 50, 100, {-1_000: 0, -5_000: 0, -20_000: 0, -50_000: 0}),
]


def _issue(desk: Desk, name: str, dollars: int, bps: int) -> int:
    """Dollars issued after a fee of `bps`; the least deposit that leaves so many."""
    units = -(-dollars * M * 10_000 // (10_000 - bps))
    number = desk.order(codes.ISSUE_DOLLARS, custody=desk.custody_of[name], amount_units=units)
    desk.expect("events", number, fee_units=units - dollars * M, trader_in_units=units)
    return number


def _value(state: State, base: int, tax: int, change: int, bps: int) -> Scenario:
    """Set the state up, other token first: the first issue ever is charged the base, a later large one the maximum."""
    tokens = {
        "DAI": {"decimals": 6, "weight": state.other_weight},
        "BNB": {"decimals": 6, "weight": state.weight},
    }
    market = ANY_LEVERAGE | {"long_custody": 1, "short_custody": 0}
    desk = Desk(tokens, {"BNB": market}, **(TAX | {"mint_bps": base, "tax_bps": tax}))
    desk.warp(0)
    if state.other > 0:
        _issue(desk, "DAI", state.other, base)
    _issue(desk, "BNB", state.dollars + max(-change, 0), base + tax if state.other > 0 else base)
    desk.warp(1)
    number, fee = len(desk.orders) + 1, abs(change) * M * bps // 10_000
    if change > 0:
        desk.order(codes.ISSUE_DOLLARS, custody=1, amount_units=change * M)
        desk.expect("events", number, trader_in_units=change * M, owned_units=change * M - fee, fee_units=fee)
    else:
        desk.order(codes.REDEEM_DOLLARS, custody=1, size_usd=-change * M)
        desk.expect("events", number, trader_out_units=-change * M - fee, owned_units=change * M, fee_units=fee)
        desk.expect_custody("BNB", dollars_usd=state.dollars * M)
    return desk.scenario(f"tax[{state.dollars}-{state.weight}-{state.other_weight}-{base}][{change}]", SOURCE)


SCENARIOS = [
    _value(state, base, tax, change, bps) for state, base, tax, values in VALUES for change, bps in values.items()
]
