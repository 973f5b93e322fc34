"""What an order would add to a position: collateral, size, locked tokens, fees, at this tick's prices.

| sizing | size | locked before payoff | source |
|---|---|---|---|
| collateral_tokens | leverage times the collateral's tokens, valued like it | those tokens | Adrena (spec 1.3) |
| dollars | the dollars asked for | their tokens at the low price | GMX v1 increasePosition (A6), Jupiter |
| tokens | tokens of the traded asset at the entry price | longs' those, shorts' their dollars' | solana-labs |
"""

import numpy as np

from kernels import codes, limits
from kernels._jit import YES, inner, step
from kernels.fees import opening_fee, size_fee_usd
from kernels.fixed import MAX_AMOUNT, mul_div_floor
from kernels.pricing import BPS, entry_price, posted_price, tokens_floor, usd_floor
from kernels.rates import collateral_custody

NEEDS_ROOM = np.int64(-1)  # not a reason: the book is full, Python must grow it and call again
_WHOLE_PAYOFF = 10_000
_NO_TOKENS = np.int64(-1)


@step()
def entry_price_allowed(request, side, price):
    """The trader's worst acceptable price holds."""
    if request.limit_price <= 0:
        return True
    return price <= request.limit_price if side == codes.LONG else price >= request.limit_price


@inner()
def requested_units(request, custody):
    """Collateral tokens of a request, given as such or in dollars at the low price; not positive if neither."""
    if request.collateral_units < 0 and request.collateral_usd > 0:
        return tokens_floor(request.collateral_usd, custody, posted_price(custody))
    return request.collateral_units


@step()
def _size_of_collateral(draft, request, custody):
    """collateral_tokens: (size in tokens, size in dollars); zeros where the request makes no sense."""
    leverage = request.leverage_bps
    if leverage < 0 and request.size_usd > 0 and draft.collateral_usd > 0:
        leverage = mul_div_floor(request.size_usd, BPS, draft.collateral_usd)
    if leverage <= 0:
        return 0, 0
    draft.leverage_bps = leverage
    tokens = mul_div_floor(draft.collateral_units, leverage, BPS)
    return tokens, usd_floor(tokens, custody, posted_price(custody))


@step()
def _size_of_dollars(draft, request):
    """dollars: what is asked for, or the leverage times the collateral."""
    if request.size_usd > 0:
        return request.size_usd
    return mul_div_floor(draft.collateral_usd, max(request.leverage_bps, 0), BPS)


@step()
def _draft_size(draft, request, side, market, custody, pool):
    """Fill size, leverage, locked and borrowed; returns (size in traded tokens or -1, tokens that fees go by)."""
    price = entry_price(market, side)
    size_tokens = _NO_TOKENS
    if pool.sizing == codes.SIZE_COLLATERAL_TOKENS:
        tokens, draft.size_usd = _size_of_collateral(draft, request, custody)
    else:
        draft.size_usd = _size_of_dollars(draft, request)
        if pool.sizing == codes.SIZE_TOKENS:
            size_tokens = request.amount_units
            if size_tokens <= 0:
                size_tokens = mul_div_floor(draft.size_usd, market.scale, price)
            draft.size_usd = mul_div_floor(size_tokens, price, market.scale)
        if draft.collateral_usd > 0:
            draft.leverage_bps = mul_div_floor(draft.size_usd, BPS, draft.collateral_usd)
        tokens = tokens_floor(draft.size_usd, custody, posted_price(custody))
        if side == codes.LONG and size_tokens >= 0:
            tokens = size_tokens
    payoff = market.payoff_long_bps if side == codes.LONG else market.payoff_short_bps
    draft.locked = tokens if payoff == _WHOLE_PAYOFF else mul_div_floor(tokens, payoff, BPS)
    draft.borrow_size_usd = draft.size_usd
    if pool.borrow_base == codes.BASE_LOCKED_VALUE and payoff != _WHOLE_PAYOFF:
        if side == codes.LONG:
            draft.borrow_size_usd = mul_div_floor(draft.locked, price, market.scale)
        else:
            draft.borrow_size_usd = usd_floor(draft.locked, custody, custody.high)
    return size_tokens, tokens


@step()
def _draft_fees(draft, venue, b, custody, size_tokens, tokens):
    """Opening fee, and the close fees of the variants that fix them now."""
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    if pool.close_fee <= codes.CLOSE_FEE_AGE_TIERS:
        draft.exit_fee_usd = size_fee_usd(market.close_bps, tokens, custody)
        draft.liquidation_fee_usd = size_fee_usd(market.liquidation_bps, tokens, custody)
    if pool.open_fee == codes.OPEN_FEE_NONE:
        return
    fee, fee_tokens = opening_fee(venue, b >> 1, custody, draft.size_usd, size_tokens, draft.locked)
    draft.open_fees_usd = fee
    if pool.open_fee != codes.OPEN_FEE_UTILISATION:
        draft.open_fee_units = tokens_floor(fee, custody, custody.high)
    elif market.long_custody < 0 or collateral_custody(market, b & 1) == market.long_custody:
        draft.open_fee_units = fee_tokens
    else:
        draft.open_fee_units = tokens_floor(fee, custody, custody.ema)


@inner()
def draft_entry(venue, books, request, b, grows):
    """What a request would add to book b, in draft 0; fresh price and price bound first.

    `grows`: the position exists; where collateral is pooled it may then grow in size or collateral alone.
    """
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    side = b & 1
    custody = venue.custody[collateral_custody(market, side)]
    reason = limits.price_flags(market, custody, YES)
    if reason != codes.OK:
        return reason
    price = entry_price(market, side)
    if price <= 0:
        return codes.STALE_PRICE
    if not entry_price_allowed(request, side, price):
        return codes.PRICE_LIMIT
    books.draft[0] = books.draft[2]
    draft = books.draft[0]
    pooled = pool.margin == codes.MARGIN_POOLED
    units = requested_units(request, custody)
    deposits = request.action == codes.DEPOSIT_COLLATERAL
    if units <= 0 and (deposits or not pooled):
        return codes.INVALID_ORDER
    draft.collateral_units = max(units, 0)
    draft.collateral_usd = usd_floor(draft.collateral_units, custody, posted_price(custody))
    if draft.collateral_usd < pool.min_collateral_usd and not (pooled and grows and (deposits or units <= 0)):
        return codes.MIN_COLLATERAL
    size_tokens, tokens = _draft_size(draft, request, side, market, custody, pool)
    if draft.size_usd <= 0 and not pooled:
        return codes.INVALID_ORDER
    if max(tokens, size_tokens, draft.size_usd, draft.locked, draft.collateral_units) > MAX_AMOUNT:
        return codes.AMOUNT_OUT_OF_RANGE
    _draft_fees(draft, venue, b, custody, size_tokens, tokens)
    draft.entry_price = price
    draft.cum_snapshot = custody.index_now
    draft.funding_snapshot = market.funding_now
    draft.increased_s = pool.now_s
    return codes.OK
