"""Collective accounting of each side of a market, so that the pool's value costs O(markets) and not O(positions).

Adrena custody.rs update_accounting_after_{open,remove}_position_{long,short}, get_collective_position
(spec 1.10). The average entry price is a 128-bit weighted sum over a quantity; the closing of the last position
resets a side to zero, which wipes out rounding residues. (The short averages of `kernels.shorts` are kept apart.)
"""

import numpy as np

from kernels import borrow, codes, funding
from kernels._jit import inner, step
from kernels.fixed import add_wide, divide_pair_floor, mul_div_floor, subtract_wide

_QUANTITY_SCALE = np.int64(100_000_000)  # dollars to 1e10, then times 1e4


@inner()
def quantity_floor(size_usd, entry_price):
    """Size in units of the asset, floor(size * 1e4 * 1e4 / entry)."""
    return mul_div_floor(size_usd, _QUANTITY_SCALE, entry_price)


@inner()
def collective_price_floor(side):
    """Average entry price of a side, floor(weighted / quantity); 0 when the quantity has vanished."""
    if side.total_quantity <= 0:
        return 0
    return divide_pair_floor(side.weighted_hi, side.weighted_lo, side.total_quantity)


@inner()
def collective_interest(pool, interest, index):
    """Borrow interest owed by all positions of a custody's side, as of an index value."""
    return borrow.interest(pool, index, interest.cum_snapshot, interest.borrow_size_usd) + interest.cum_interest_usd


@inner()
def collective_funding(side, sign, index):
    """Funding owed (+) by all positions of a market's side."""
    return side.funding_usd + funding.owed_floor(sign, index, side.funding_snapshot, side.size_usd)


@step()
def _reset_side(side):
    side.open_positions = 0
    side.size_usd = 0
    side.exit_fee_usd = 0
    side.weighted_hi = 0
    side.weighted_lo = 0
    side.total_quantity = 0
    side.locked = 0
    side.collateral_usd = 0
    side.funding_usd = 0
    side.funding_snapshot = 0


@inner()
def add_position(pool, row, direction, side, interest, index, funding_index):
    """Count a position in (opened, or re-added after an increase); its snapshots must be those of now."""
    interest.cum_interest_usd = collective_interest(pool, interest, index) + row.unrealised_interest_usd
    interest.cum_snapshot = index
    interest.open_positions += 1
    interest.locked += row.locked
    interest.borrow_size_usd += row.borrow_size_usd

    sign = 1 if direction == codes.LONG else -1
    side.funding_usd = collective_funding(side, sign, funding_index) + row.unrealised_funding_usd
    side.funding_snapshot = funding_index
    side.open_positions += 1
    side.size_usd += row.size_usd
    side.exit_fee_usd += row.exit_fee_usd
    side.locked += row.locked
    if direction == codes.LONG:
        side.collateral_usd += row.collateral_usd
    quantity = quantity_floor(row.size_usd, row.entry_price)
    side.weighted_hi, side.weighted_lo = add_wide(side.weighted_hi, side.weighted_lo, row.entry_price, quantity)
    side.total_quantity += quantity


@step()
def _remove_interest(pool, row, full, interest, index):
    if full and interest.open_positions == 1:
        interest.open_positions = 0
        interest.borrow_size_usd = 0
        interest.locked = 0
        interest.cum_interest_usd = 0
        interest.cum_snapshot = 0
        return
    own = borrow.interest(pool, index, row.cum_snapshot, row.borrow_size_usd) + row.unrealised_interest_usd
    interest.cum_interest_usd = max(collective_interest(pool, interest, index) - own, 0)
    interest.cum_snapshot = index
    interest.borrow_size_usd -= row.borrow_size_usd
    interest.locked -= row.locked
    if full:
        interest.open_positions -= 1


@inner()
def remove_position(pool, row, full, direction, side, interest, index, funding_index):
    """Count a position (or, `full` false, the closed part of one) out, with its snapshots of before."""
    _remove_interest(pool, row, full, interest, index)
    if full and side.open_positions == 1:
        _reset_side(side)
        return
    sign = 1 if direction == codes.LONG else -1
    own = funding.owed_ceil(sign, funding_index, row.funding_snapshot, row.size_usd) + row.unrealised_funding_usd
    side.funding_usd = collective_funding(side, sign, funding_index) - own
    side.funding_snapshot = funding_index
    side.size_usd -= row.size_usd
    side.exit_fee_usd -= row.exit_fee_usd
    side.locked -= row.locked
    if direction == codes.LONG:
        side.collateral_usd -= row.collateral_usd
    quantity = quantity_floor(row.size_usd, row.entry_price)
    side.weighted_hi, side.weighted_lo = subtract_wide(side.weighted_hi, side.weighted_lo, row.entry_price, quantity)
    side.total_quantity -= quantity
    if full:
        side.open_positions -= 1
