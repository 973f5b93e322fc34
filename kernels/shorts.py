"""Average entry of all shorts of a market, as the guaranteed valuation wants it (GMX v1; A6, A12).

The vault's average moves only when shorts grow, so that their joint unrealised PnL is the same before and after; it
is blind to what decreases realise. The tracker's average (ShortsTracker, since October 2022) follows those too. Both
stay where they are when the last short closes. Fractions of the open size are kept at 1e16.
"""

import numpy as np

from kernels import codes
from kernels._jit import YES, formula, inner, step
from kernels.fixed import SATURATED, ZERO, mul_div_floor
from kernels.pricing import BPS

SCALE = np.int64(10_000_000_000_000_000)
_COARSE_SCALE = np.int64(1_000_000_000_000)


@formula()
def pnl_preserving_price(direction, price, size_usd, added_usd, average, marked, counts):
    """Average entry [1e10] after an increase at `price` that leaves the PnL at the `marked` price as it was.

    price * (size + added) / (size + added +- PnL), every division floored (Vault getNextAveragePrice, A5). `counts`:
    false where the venue takes the PnL so far for nothing.
    """
    scale = SCALE
    moved = mul_div_floor(abs(marked - average), SCALE, average) if counts else 0
    if moved >= SATURATED:  # the price is more than 461 times the average
        scale = _COARSE_SCALE
        moved = mul_div_floor(abs(marked - average), _COARSE_SCALE, average)
    moved = mul_div_floor(moved, size_usd, size_usd + added_usd)
    # Longs in profit and shorts in loss stand on a larger divisor.
    grows = (marked > average) == (direction == codes.LONG)
    grows = grows if direction == codes.LONG else not grows
    return mul_div_floor(price, scale, scale + moved if grows else max(scale - moved, 1))


@formula()
def tracked_average(size_usd, change_usd, average, mark, realised):
    """Average entry [1e10] of all shorts after a change of their size, what it realises taken out of their PnL.

    `realised`: signed, as a fraction of the size before at 1e16. ShortsTracker getNextGlobalAveragePrice.
    """
    after = size_usd + change_usd
    if after <= 0:
        return 0
    if average == 0 or size_usd == 0:
        return mark
    pending = mul_div_floor(abs(average - mark), SCALE, average)
    pending = (pending if average > mark else -pending) - realised
    whole = SCALE
    if after > size_usd:  # as a fraction of the size after: none of it then outgrows 64 bits
        part = mul_div_floor(abs(pending), size_usd, after)
        pending = part if pending > 0 else -part
    else:
        whole = mul_div_floor(after, SCALE, size_usd)
    # Beyond, no price would explain the result: the average stays.
    return mul_div_floor(mark, whole, whole - pending) if whole > pending else average


@step()
def realised_fraction(row, change_usd, total_usd, mark, counts):
    """PnL that closing `change_usd` of a short realises, as a signed fraction of all shorts at 1e16."""
    if not counts:
        return 0
    moved = mul_div_floor(abs(row.entry_price - mark), SCALE, row.entry_price)
    part = mul_div_floor(moved, change_usd, total_usd)
    return part if row.entry_price > mark else -part


@inner()
def note_increase(pool, market, side, added_usd):
    """Move both averages before a market's shorts grow; nothing where no valuation reads them."""
    if pool.valuation != codes.VALUE_GUARANTEED or added_usd == 0:
        return
    price = market.sell
    if pool.tracker_on != 0:
        side.tracker_price = tracked_average(side.size_usd, added_usd, side.tracker_price, market.low, ZERO)
    if side.size_usd == 0:
        side.average_price = price
    elif side.average_price > 0:
        side.average_price = pnl_preserving_price(
            codes.SHORT, price, side.size_usd, added_usd, side.average_price, price, YES
        )


@step()
def note_decrease(pool, market, side, row, closed_usd, counts):
    """Move the tracker's average before part of a short is closed. `counts`: its PnL is not taken for nothing."""
    if pool.valuation != codes.VALUE_GUARANTEED or pool.tracker_on == 0 or closed_usd == 0:
        return
    realised = realised_fraction(row, closed_usd, side.size_usd, market.high, counts)
    side.tracker_price = tracked_average(side.size_usd, -closed_usd, side.tracker_price, market.high, realised)


@inner()
def average_for_value(pool, side):
    """The average that the valuation uses: the vault's, or its mix with the tracker's."""
    if pool.tracker_on == 0:
        return side.average_price
    weight = pool.tracker_weight_bps
    return (side.average_price * (BPS - weight) + side.tracker_price * weight) // BPS
