"""The dollars and tokens of an exit, before anything is booked.

Dollars: Adrena pool.rs get_exit_position_numbers (spec 1.8), solana-labs get_close_amount, Jupiter's closes; short of
money, the borrow fee is paid first and the pool bears the rest. GMX v1 liquidatePosition (A9) charges its fees in full
once losses alone exceed the collateral.

Tokens, plain: the pool takes the collateral and pays out of what it owns. Realised (GMX v1, A7): the pool gains or
loses the price PnL, dollar by dollar, and what roundings leave over belongs to nobody (`stranded`).
"""

from collections import namedtuple

import numpy as np

from kernels import codes
from kernels._jit import inner, step
from kernels.fees import ema_fee_tokens, fee_ceil
from kernels.fixed import ZERO
from kernels.pricing import BPS, exit_price, signed_tokens_floor, tokens_floor
from kernels.profit import gross_result, has_gained, net_result, profit_cap

TAKES_NOTHING, TAKES_REST, TAKES_ALL, FEES_APART = (np.int64(what) for what in range(4))

# close_usd: dollars left to the trader (or taken by the pool); exit_fee, borrow_fee: charged (borrow with what was
# resolved before); deficit_fee: fees that could not be charged; bad_debt: loss beyond collateral and fees.
Exit = namedtuple("Exit", "close_usd exit_fee borrow_fee deficit_fee bad_debt funding")
# paid: to the trader; keeper: to whoever liquidates; owned, collateral, fees, stranded: changes of the books.
Tokens = namedtuple("Tokens", "paid keeper owned collateral fees stranded")


@inner()
def resolve(collateral_usd, profit, exit_fee, borrow_fee, funding, in_full):
    """Exit from the margin and the signed result after all costs; `in_full`: fees are charged, covered or not."""
    left = collateral_usd + profit
    if left >= 0:
        return Exit(left, exit_fee, borrow_fee, ZERO, ZERO, funding)
    deficit = -left
    if in_full:
        return Exit(ZERO, exit_fee, borrow_fee, ZERO, deficit, funding)
    if deficit > exit_fee + borrow_fee:
        return Exit(ZERO, ZERO, ZERO, exit_fee + borrow_fee, deficit - exit_fee - borrow_fee, funding)
    if deficit > exit_fee:
        return Exit(ZERO, ZERO, borrow_fee - (deficit - exit_fee), deficit, ZERO, funding)
    return Exit(ZERO, exit_fee - deficit, borrow_fee, deficit, ZERO, funding)


@inner()
def exit_numbers(pool, part, side, market, custody, fee_usd, owed_borrow, owed_funding, is_liquidation):
    """Dollars of closing `part` with the given close fee, borrow fee and funding."""
    gross = gross_result(pool, part, side, market)
    gained = has_gained(side, part.entry_price, exit_price(market, side))
    cap = profit_cap(pool, part, custody)
    profit = net_result(gross, fee_usd + owed_borrow, owed_funding, cap, gained)
    in_full = False
    if is_liquidation and pool.liquidation == codes.LIQUIDATE_TWO_STATES:
        in_full = gross < 0 and part.collateral_usd < -gross
    return resolve(part.collateral_usd, profit, fee_usd, owed_borrow, owed_funding, in_full)


@inner()
def exit_pnl(numbers, collateral_usd):
    """Signed price PnL that an exit realises, caps included."""
    charged = numbers.exit_fee + numbers.borrow_fee + numbers.funding
    return numbers.close_usd - collateral_usd + charged - numbers.bad_debt


@inner()
def paid_tokens(pool, part, market, custody, numbers, fee_usd, bps):
    """Tokens for the trader at the high price; where collateral is kept apart, no more than backs the position."""
    wanted = tokens_floor(numbers.close_usd, custody, custody.high)
    if pool.margin == codes.MARGIN_POOLED:
        return wanted
    if pool.close_fee == codes.CLOSE_FEE_EMA_TOKENS:
        fee_tokens = ema_fee_tokens(bps, part.size_usd, market)
        return min(wanted, max(part.locked - fee_tokens, 0) + part.collateral_units)
    fee_tokens = tokens_floor(fee_usd, custody, custody.low)
    fee_tokens += tokens_floor(numbers.borrow_fee, custody, custody.price)
    return min(wanted, max(part.locked + part.collateral_units - fee_tokens, 0))


@step()
def protocol_tokens(pool, part, side, market, custody, fee_usd, bps, left):
    """solana-labs: the protocol's part of the close fee leaves the pool, if `left` (unlocked, after the payout) allows.

    Taken out of the position's collateral custody; upstream a short pays it in the traded token.
    """
    same = side == codes.LONG and pool.close_fee == codes.CLOSE_FEE_EMA_TOKENS
    fee = ema_fee_tokens(bps, part.size_usd, market) if same else tokens_floor(fee_usd, custody, custody.ema)
    share = fee_ceil(BPS - pool.lp_share_bps, fee)
    return share if left >= share else ZERO


@inner()
def reserve_tokens(pool, part, side, market, custody, numbers, fee_usd, bps, paid):
    """Tokens of the fees that leave the pool's books for the fee reserve at once."""
    if pool.fee_booking == codes.BOOK_DEBT:
        return ZERO
    if pool.fee_booking == codes.BOOK_RESERVE:
        return tokens_floor(numbers.exit_fee + numbers.borrow_fee, custody, custody.high)
    owned = custody.owned + part.collateral_units - paid
    left = owned + custody.collateral - part.collateral_units - (custody.locked - part.locked)
    return protocol_tokens(pool, part, side, market, custody, fee_usd, bps, min(left, owned))


@inner()
def plain_tokens(part, paid, keeper, reserve):
    """The pool takes the part's collateral tokens and pays everything."""
    return Tokens(paid, keeper, part.collateral_units - paid - keeper - reserve, -part.collateral_units, reserve, ZERO)


@inner()
def realised_tokens(pool, part, side, custody, numbers, paid_usd, keeper, taking, full):
    """GMX v1: fees to the reserve; a long's payout and fees leave the pool, a short's price PnL moves it.

    `paid_usd`: to the trader. `taking`: TAKES_REST of a liquidated short's collateral dollars after fees, TAKES_ALL of
    its tokens, or TAKES_NOTHING; FEES_APART: a long's fees come out of its collateral, not its payout.
    `part.collateral_units` are the short's own tokens.
    """
    fees_usd = numbers.exit_fee + numbers.borrow_fee
    fees = tokens_floor(fees_usd, custody, custody.high)
    paid = tokens_floor(paid_usd, custody, custody.high)
    reserve = fees
    if pool.fee_booking == codes.BOOK_DEBT:
        reserve = ZERO
    elif pool.fee_booking == codes.BOOK_PROTOCOL_RESERVE:
        reserve = fee_ceil(BPS - pool.lp_share_bps, tokens_floor(numbers.exit_fee, custody, custody.high))
    if side == codes.LONG:
        owned = -(paid + reserve)
        if pool.fee_booking == codes.BOOK_RESERVE and pool.partial_close == codes.PARTIAL_REALISED:
            together = taking != FEES_APART
            owned = -tokens_floor(paid_usd + fees_usd, custody, custody.high) if together else -(paid + fees)
        return Tokens(paid, keeper, owned - keeper, ZERO, reserve, -owned - paid - reserve)
    held = part.collateral_units
    if taking == TAKES_ALL:
        return Tokens(paid, keeper, held - paid - reserve - keeper, -held, reserve, ZERO)
    owned = fees - reserve
    if taking == TAKES_REST:
        owned += tokens_floor(max(part.collateral_usd - fees_usd, 0), custody, custody.high)
    else:
        owned += signed_tokens_floor(-exit_pnl(numbers, part.collateral_usd), custody)
        owned += signed_tokens_floor(numbers.funding, custody)
    if full:
        return Tokens(paid, keeper, owned - keeper, -held, reserve, held - paid - reserve - owned)
    # A stable that has fallen may cost a short more tokens than it has: the venue's other tokens pay.
    moved = paid + reserve + owned
    kept = min(moved, held)
    return Tokens(paid, keeper, owned - keeper, -kept, reserve, kept - moved)
