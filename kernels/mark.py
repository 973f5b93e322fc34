"""The full pass over open positions: what each is worth at one price, and at which price it would be liquidated.

For looking, not for settling: float64 dollars, rounded where the venue rounds (to the micro-dollar, as `profit` and
`liquidation` do it exactly), fused so that a pass costs little more than reading its columns. One call marks one
book, that is one side of one market; with s = +1 for longs and -1 for shorts, x' the snapshot of an index x:

    borrow  = size * (index - index') + brought forward          funding = s * size * (funding - funding') + brought
    result  = s * size * (price - entry) / entry - exit fee - borrow - funding, a profit capped by the locked tokens
    equity  = collateral + result        pnl = result + exit fee + borrow + funding        leverage = size / equity
    liquidation price = entry * (1 - s * (collateral - larger fee - borrow - funding - minimum margin) / size)
"""

from typing import NamedTuple

import numpy as np

from kernels._jit import inner, kernel
from kernels.pricing import BPS

# Products, not quotients: a division costs as much as all the rest of a row.
_TO_MICRO, _MICRO = 1e6, 1e-6
_PER_RATE = 1e-9
# Floating point may leave a whole number of micro-dollars this much off, relative to what it was made of; rounding must
# not move it by one. (A small move of a large size is a difference of nearly equal prices: it has the size's error.)
_HAIR = 2.0**-50


class MarkColumns(NamedTuple):
    """Open positions of one book, float64 arrays of shape (n,): entry price and size above zero, nothing NaN."""

    entry_price: np.ndarray  # dollars
    size_usd: np.ndarray  # notional at entry, dollars; what is borrowed
    collateral_usd: np.ndarray
    exit_fee_usd: np.ndarray  # of a voluntary exit, fixed at open
    liquidation_fee_usd: np.ndarray
    interest_usd: np.ndarray  # borrow fees brought forward: accrued up to the snapshot, or resolved already
    funding_usd: np.ndarray  # funding brought forward, + the trader owes
    index_snapshot: np.ndarray  # borrow index, 1e9
    funding_snapshot: np.ndarray  # funding index, 1e9
    locked_tokens: np.ndarray  # whole tokens; 0 within the second of opening, when no profit is paid


class MarkQuote(NamedTuple):
    """What the positions of a book share at one moment, float64 scalars."""

    sign: float  # +1 long, -1 short
    price: float  # of the market, dollars
    low_price: float  # of the collateral custody, dollars, low end of its band
    index: float  # borrow index, 1e9
    funding_index: float  # 1e9
    max_leverage_bps: float  # above it a position is liquidated


class MarkResult(NamedTuple):
    """What `mark` fills: float64 arrays of shape (n,), allocated by the caller."""

    pnl_usd: np.ndarray  # price PnL before fees, cap included
    borrow_fee_usd: np.ndarray  # that an exit now would charge
    funding_usd: np.ndarray  # + the trader owes
    equity_usd: np.ndarray  # margin after all fees of a voluntary exit; below zero it is bad debt
    leverage: np.ndarray  # size / equity, inf when nothing is left
    liquidation_price: np.ndarray  # dollars, indices and custody price as now: liquidated below it (shorts: above it)


@inner()
def _floor_micro(usd, made_of_usd):
    """Down to a whole micro-dollar [dollars]; `made_of_usd` is the largest amount that went into it."""
    micro = usd * _TO_MICRO
    return np.floor(micro + (abs(micro) + made_of_usd * _TO_MICRO) * _HAIR) * _MICRO


@inner()
def _ceil_micro(usd):
    """The magnitude up to a whole micro-dollar [dollars]."""
    micro = abs(usd) * _TO_MICRO
    rounded = np.ceil(micro - micro * _HAIR) * _MICRO
    return rounded if usd > 0.0 else -rounded


@inner()
def net_profit_usd(pnl_usd, costs_usd, cap_usd):
    """Signed result after all costs [dollars]; a profit the price has made is cut to the cap."""
    net = pnl_usd - costs_usd
    return cap_usd if pnl_usd > 0.0 and net > cap_usd else net


@inner()
def liquidation_price_usd(entry, size_usd, margin_usd, floor_usd, capped_margin_usd, sign):
    """Price [dollars] beyond which margin, `margin_usd` at entry, is at most `floor_usd`; 0 if a long has none.

    Where even the best capped profit leaves too little, every price liquidates: inf for a long, 0 for a short.
    """
    # Losses round up: the last micro-dollar above the floor is the first that can be lost.
    room = margin_usd - floor_usd - _MICRO
    price = entry - sign * entry * room / size_usd
    hopeless = np.inf if sign > 0.0 else 0.0
    return max(price, 0.0) if capped_margin_usd > floor_usd else hopeless


@kernel()
def mark(columns, quote, out):
    """Fill `out` (MarkResult) from `columns` (MarkColumns) at `quote` (MarkQuote); returns the number of rows."""
    n = columns.size_usd.shape[0]
    sign = quote.sign
    margin_share = BPS / (quote.max_leverage_bps + 1.0)
    for i in range(n):
        entry = columns.entry_price[i]
        size = columns.size_usd[i]
        collateral = columns.collateral_usd[i]
        exit_fee = columns.exit_fee_usd[i]
        accrued = size * (quote.index - columns.index_snapshot[i]) * _PER_RATE
        borrow = _floor_micro(accrued, 0.0) + columns.interest_usd[i]
        owed = sign * size * (quote.funding_index - columns.funding_snapshot[i]) * _PER_RATE
        funding = _ceil_micro(owed) + columns.funding_usd[i]
        moved = _floor_micro(sign * size * (quote.price - entry) / entry, size)
        cap = _floor_micro(columns.locked_tokens[i] * quote.low_price, 0.0)
        costs = exit_fee + borrow + funding
        result = net_profit_usd(moved, costs, cap)
        equity = collateral + result
        # Cost at a liquidation: the larger of the two fees enters the test.
        worst = costs + max(columns.liquidation_fee_usd[i] - exit_fee, 0.0)
        # The largest margin at which a position is liquidatable, as in `liquidation.minimum_margin_floor`.
        floor = _floor_micro(size * margin_share, 0.0)
        out.pnl_usd[i] = result + costs
        out.borrow_fee_usd[i] = borrow
        out.funding_usd[i] = funding
        out.equity_usd[i] = equity
        out.leverage[i] = size / equity if equity > 0.0 else np.inf
        out.liquidation_price[i] = liquidation_price_usd(entry, size, collateral - worst, floor, collateral + cap, sign)
    return n
