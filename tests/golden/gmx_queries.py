"""The engine's own formulas, called from Python: what upstream's view functions answer.

One compiled function for all, because every compilation of a call tree costs seconds.
"""

from dataclasses import dataclass

import numpy as np

from backtest.engine import Engine
from kernels import codes, lp_fees, shorts, valuation
from kernels._jit import NO, YES, kernel
from kernels.fees import liquidation_check_fee
from kernels.liquidation import margin_state
from kernels.pricing import exit_price
from kernels.profit import accrued_funding, accrued_interest, gross_result, has_gained


@kernel()
def _pool_facts(venue, out):
    """out[0], out[1]: value of the pool at high and low prices."""
    out[0] = valuation.value_pool(venue, valuation.AT_HIGH).aum
    out[1] = valuation.value_pool(venue, valuation.AT_LOW).aum


@kernel()
def _position_facts(venue, row, m, side, custody, out):
    """PnL, what is owed on closing, its state without and with the profit, and whether the price has gained."""
    pool, market, backing = venue.pool[0], venue.market[m], venue.custody[custody]
    out[0] = gross_result(pool, row[0], side, market)
    out[1] = accrued_interest(pool, row[0], backing) + accrued_funding(row[0], market, side)
    out[1] += liquidation_check_fee(pool, row[0], market)
    out[2] = margin_state(pool, row[0], side, market, backing, NO)
    out[3] = margin_state(pool, row[0], side, market, backing, YES)
    out[4] = has_gained(side, row[0].entry_price, exit_price(market, side))


@kernel()
def _fee_facts(venue, c, base_bps, tax_bps, change_usd, out):
    """Basis points of a custody for a change of its dollars."""
    dollars, supply = venue.custody[c].dollars_usd, venue.pool[0].dollar_supply_usd
    out[0] = lp_fees.dollar_fee_bps(venue, c, base_bps, tax_bps, dollars, supply, change_usd)


@dataclass(frozen=True)
class PositionFacts:
    """Answers about one position, money in micro-dollars."""

    gross_usd: int
    owed_usd: int
    state_for_new_risk: int
    state: int
    gained: bool


def pool_value(engine: Engine) -> tuple[int, int]:
    """Value of the pool at high and at low prices [micro-dollars]."""
    out = np.zeros(2, np.int64)
    _pool_facts(engine.venue, out)
    return int(out[0]), int(out[1])


def position(engine: Engine, row: np.ndarray, book: int, custody: int) -> PositionFacts:
    """Facts of a position (array of one row) of a book, with the interest stored up to now."""
    out = np.zeros(5, np.int64)
    _position_facts(engine.venue, row, book >> 1, book & 1, custody, out)
    return PositionFacts(int(out[0]), int(out[1]), int(out[2]), int(out[3]), bool(out[4]))


def fee_bps(engine: Engine, custody: int, base_bps: int, tax_bps: int, change_usd: int) -> int:
    """Fee of a mint (change > 0) or burn of dollars."""
    out = np.zeros(1, np.int64)
    _fee_facts(engine.venue, custody, base_bps, tax_bps, change_usd, out)
    return int(out[0])


def next_average(size: int, change: int, average: int, mark: int, realised_usd: int) -> int:
    """The tracker's next average [1e10] from a PnL realised in micro-dollars."""
    fraction = abs(realised_usd) * int(shorts.SCALE) // size * (1 if realised_usd >= 0 else -1)
    return int(shorts.tracked_average(size, change, average, mark, fraction))


__all__ = ["PositionFacts", "codes", "fee_bps", "next_average", "pool_value", "position"]
