"""What every open position is worth now: the dollars of an exit by the rules that would settle it, and nothing moved.

equity = collateral + price PnL - close fee - borrow fee - funding, as a close at this tick would pay it; below zero it
is what the trader would leave unpaid. See `liquidation_price` for the price at which the position ends.
"""

from kernels import codes
from kernels._jit import NO, kernel, step
from kernels.exit_numbers import exit_numbers
from kernels.fees import settled_close_fee
from kernels.fixed import SATURATED, ZERO
from kernels.liquidation_price import liquidation_price
from kernels.pricing import exit_price
from kernels.profit import accrued_funding, accrued_interest, leverage_bps
from kernels.rates import collateral_custody


@step()
def _mark_row(venue, row, b, mark):
    """Fill one MARK from an open position of book b."""
    side = b & 1
    pool = venue.pool[0]
    market = venue.market[b >> 1]
    c = collateral_custody(market, side)
    custody = venue.custody[c]
    fee = settled_close_fee(venue.impact, pool, market, b >> 1, row, NO)
    borrow_fee = accrued_interest(pool, row, custody) + row.paid_interest_usd
    funding = accrued_funding(row, market, side)
    numbers = exit_numbers(pool, row, side, market, custody, fee, borrow_fee, funding, NO)
    equity = numbers.close_usd - numbers.deficit_fee - numbers.bad_debt
    leverage = leverage_bps(row.size_usd, row.collateral_usd, equity - row.collateral_usd)
    mark.snapshot_at = pool.now_us
    mark.market = b >> 1
    mark.side = side
    mark.position_no = row.position_no
    mark.position_id = row.position_id
    mark.custody = c
    mark.opened_at = row.open_us
    mark.price = exit_price(market, side)
    mark.entry_price = row.entry_price
    mark.size_usd = row.size_usd
    mark.collateral_usd = row.collateral_usd
    mark.pnl_usd = equity - row.collateral_usd + fee + borrow_fee + funding
    mark.exit_fee_usd = fee
    mark.borrow_fee_usd = borrow_fee
    mark.funding_usd = funding
    mark.equity_usd = equity
    mark.leverage_bps = leverage if leverage < SATURATED else -1
    mark.liquidation_price = liquidation_price(pool, row, side, market, custody)
    mark.stop_loss = max(row.stop_loss, ZERO)
    mark.take_profit = max(row.take_profit, ZERO)
    mark.locked_units = row.locked


@kernel()
def mark_open(venue, books, out):
    """Fill `out` (n,) MARK with the open positions of all books, book by book and slot by slot; returns n."""
    n = 0
    for b in range(books.book.shape[0]):
        base = books.book[b].base
        for slot in range(base, base + books.book[b].capacity):
            if books.row[slot].status == codes.OPEN_POSITION:
                _mark_row(venue, books.row[slot], b, out[n])
                n += 1
    return n
