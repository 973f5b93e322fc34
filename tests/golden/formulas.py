"""Numbers no run of orders shows, as rows for the functions that compute them.

`profit`: (profit, loss) [micro-dollars]; `leverage`: bps, -1 for infinite; `tokens`: units bought by the fee at the
low price; `liquidation_price`: 1e10.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from kernels import codes, state
from tests.golden import adrena_unit as unit
from tests.golden.script import K, M, P, Script, Token

INFINITE = -1


@dataclass(frozen=True)
class Formula:
    """`function` of a long with the fields `row` (of ROW), opened at second 0, at a mark one second later.

    `fee` names the row's fee that counts. `custody_low`: low price of its custody, of `decimals`.
    """

    name: str
    function: str
    row: dict[str, int]
    expected: int | tuple[int, int]
    reason: str
    mark: int = 25_000 * P
    custody_low: int = 25_000 * P
    decimals: int = 9
    max_leverage_bps: int = 1_100_000

    @property
    def fee(self) -> str:
        return "exit_fee_usd" if self.function in ("profit", "tokens") else "liquidation_fee_usd"


FIXTURE = {
    "size_usd": unit.SIZE,
    "borrow_size_usd": 100_000 * M,
    "collateral_usd": unit.COLLATERAL,
    "collateral_units": K,
    "locked": 4 * K,
    "exit_fee_usd": unit.EXIT_FEE,
    "liquidation_fee_usd": unit.LIQUIDATION_FEE,
}
_SAME = "the very fixture, borrow size included; its numbers are also reached through orders"
_NO_ENTRY = "no tick can have a price of 0, so no position has that entry price"
_NO_FORMULA = "the engine tests leverage, not a price: bracketed through orders; here the price that the venue quotes"
_NO_COLUMN = "fees are booked in dollars: the tokens of a fee are in no table"


def _of(name: str, function: str, entry: int, expected: int | tuple[int, int], reason: str) -> Formula:
    return Formula(f"{name}[{entry}]", function, FIXTURE | {"entry_price": entry * P}, expected, reason)


FORMULA_ONLY = [
    *(_of("pnl", "profit", entry, (profit, loss), _SAME) for entry, (loss, profit) in unit.PNL.items()),
    *(_of("leverage", "leverage", entry, value, _SAME) for entry, value in unit.LEVERAGE.items()),
    _of("leverage", "leverage", 300_000, INFINITE, _SAME),
    _of("leverage", "leverage", 0, INFINITE, _NO_ENTRY),
    *(_of("liquidation", "liquidation_price", e, value, _NO_FORMULA) for e, value in unit.LIQUIDATION_PRICE.items()),
    _of("liquidation", "liquidation_price", 0, 0, _NO_ENTRY),
    _of("exit_fee_tokens", "tokens", 25_000, 4_000_000, _NO_COLUMN),
    Formula(
        "exit_fee_tokens[resolve_position_borrow_fees]",
        "tokens",
        {"exit_fee_usd": 1_600_000, "entry_price": 100 * P},
        8_020_050,
        _NO_COLUMN,
        custody_low=1_995 * P // 10,
    ),
]


def by_reference(formula: Formula) -> int | tuple[int, int]:
    """Position functions of tests/reference."""
    from tests.reference import arithmetic, position
    from tests.reference.venue import Venue, record

    if formula.function == "tokens":
        return arithmetic.tokens(formula.row[formula.fee], formula.decimals, formula.custody_low)
    token = Token("BTC", formula.decimals, formula.custody_low, 0, 0, trade=formula.mark)
    script = Script(Token("USDC", 6, P, 0, 0, stable=1), token, borrow_max=0).warp(0).warp(1)
    venue = Venue(script.scenario("", "").case)
    venue.market_params[0]["max_leverage_bps"] = formula.max_leverage_bps
    venue.set_tick(*script.ticks[1])
    opened_s = script.ticks[0][0] // M
    held = record(state.ROW.names, **formula.row, market=0, side=codes.LONG, custody=1, open_s=opened_s)
    if formula.function == "liquidation_price":
        return position.quoted_liquidation_price(venue, held)
    if formula.function == "profit":
        return position.pnl(venue, held, formula.row[formula.fee])
    found = position.leverage(venue, held, formula.row[formula.fee])
    return INFINITE if found == arithmetic.INFINITE_LEVERAGE else found


def by_kernels(formula: Formula) -> int | tuple[int, int]:
    """Jitted position functions of the engine."""
    from kernels import liquidation, pricing, profit

    dtypes = (state.ROW, state.CUSTODY_RECORD, state.MARKET_RECORD, state.POOL_RECORD)
    row, custody, market, pool = (np.zeros(1, dtype)[0] for dtype in dtypes)
    for name, value in formula.row.items():
        row[name] = value
    custody["scale"], custody["low"] = 10 ** (formula.decimals + 4), formula.custody_low
    market["sell"], pool["now_s"] = formula.mark, 1
    fee = formula.row[formula.fee]
    if formula.function == "tokens":
        return int(pricing.tokens_floor(fee, custody, formula.custody_low))
    if formula.function == "liquidation_price":
        return int(liquidation.quoted_price_floor(row, codes.LONG, formula.max_leverage_bps, 0))
    signed = int(profit.position_profit(pool, row, codes.LONG, market, custody, fee))
    if formula.function == "profit":
        return max(signed, 0), max(-signed, 0)
    found = int(profit.leverage_bps(formula.row["size_usd"], formula.row["collateral_usd"], signed))
    return INFINITE if found == profit.INFINITE_LEVERAGE else found


FUNCTIONS = SimpleNamespace(reference=by_reference, engine=by_kernels)
