"""Adding to an open position: its average entry, and what it has accrued so far.

| average | entry of the grown position | source |
|---|---|---|
| harmonic | weighted by size in the asset | Adrena increase_position (spec 1.9) |
| pnl_preserving | such that the PnL so far is the same before and after | GMX v1 getNextAveragePrice (A5), Jupiter |
"""

from kernels import codes
from kernels._jit import formula, step
from kernels.fixed import mul_div_floor
from kernels.pricing import exit_price
from kernels.profit import accrued_funding, accrued_interest, is_young_profit, price_result
from kernels.shorts import pnl_preserving_price


@formula()
def harmonic_price_floor(old_size, old_price, new_size, new_price):
    """Average entry weighted by size in the asset; the inner division floors first (spec 1.9)."""
    total = old_size + new_size
    if new_price >= old_price:
        return mul_div_floor(total, old_price, old_size + mul_div_floor(new_size, old_price, new_price))
    return mul_div_floor(total, new_price, mul_div_floor(old_size, new_price, old_price) + new_size)


@step()
def _average_entry(pool, row, added, side, market):
    """Entry price of the grown position; collateral alone leaves it as it is."""
    if added.size_usd == 0:
        return row.entry_price
    if pool.average_entry == codes.AVERAGE_HARMONIC:
        return harmonic_price_floor(row.size_usd, row.entry_price, added.size_usd, added.entry_price)
    marked = exit_price(market, side)
    raw = price_result(pool, side, row.size_usd, row.entry_price, marked)
    counts = not is_young_profit(pool, market, row, raw)
    return pnl_preserving_price(side, added.entry_price, row.size_usd, added.size_usd, row.entry_price, marked, counts)


@step()
def merge(row, added, market, custody, side, pool):
    """Add a draft to a position: average entry, sums, interest and funding so far set aside, new snapshots."""
    row.unrealised_interest_usd = accrued_interest(pool, row, custody)
    row.unrealised_funding_usd = accrued_funding(row, market, side)
    row.cum_snapshot = custody.index_now
    row.funding_snapshot = market.funding_now
    row.entry_price = _average_entry(pool, row, added, side, market)
    row.size_usd += added.size_usd
    row.borrow_size_usd += added.borrow_size_usd
    row.collateral_usd += added.collateral_usd
    if pool.margin == codes.MARGIN_SEPARATE or side == codes.SHORT:
        row.collateral_units += added.collateral_units
    row.locked += added.locked
    row.open_fees_usd += added.open_fees_usd
    row.exit_fee_usd += added.exit_fee_usd
    row.liquidation_fee_usd += added.liquidation_fee_usd
    row.edit_s = pool.now_s
    row.increased_s = pool.now_s
    row.opened_size_usd += added.size_usd
    row.deposited_usd += added.collateral_usd
    row.max_locked = max(row.max_locked, row.locked)
