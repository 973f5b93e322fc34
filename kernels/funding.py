"""Funding: transfers with the open-interest imbalance, on top of the borrow fee.

Adrena r38 virtual funding rate (types.rs of its abi, docs; spec 1.5). It is not a transfer between traders: the
pool is the counterparty of both sides and keeps what the sides do not net out. Rates are 1e9 per hour, positive
when longs pay; the index is the difference of two never-falling indices, so it falls while shorts pay.
"""

from kernels._jit import inner
from kernels.borrow import HOUR, RATE
from kernels.fixed import mul_div_ceil, mul_div_floor
from kernels.pricing import BPS


@inner()
def imbalance_rate(market, long_usd, short_usd):
    """min(max * scaled, max), scaled = imbalance * sensitivity; every step floors (the docs do not say)."""
    total = long_usd + short_usd
    if market.funding_max == 0 or total == 0 or total < market.funding_min_oi_usd:
        return 0
    imbalance = mul_div_floor(abs(long_usd - short_usd), BPS, total)
    scaled = imbalance * market.funding_sensitivity_bps // BPS
    rate = min(mul_div_floor(market.funding_max, scaled, BPS), market.funding_max)
    return rate if long_usd > short_usd else -rate


@inner()
def index_at(market, now_s):
    """Signed funding index now: what one dollar of long notional owes since the start, 1e9."""
    index = market.long_to_short - market.short_to_long
    elapsed = now_s - market.last_update_s
    if elapsed <= 0:
        return index
    if market.rate > 0:
        return index + (elapsed * market.rate + HOUR - 1) // HOUR
    return index - (elapsed * -market.rate + HOUR - 1) // HOUR


@inner()
def touch(market, now_s, long_usd, short_usd):
    """Store both indices up to now and take the rate of the present imbalance."""
    elapsed = now_s - market.last_update_s
    if elapsed > 0:
        step = (elapsed * abs(market.rate) + HOUR - 1) // HOUR
        if market.rate > 0:
            market.long_to_short += step
        else:
            market.short_to_long += step
        market.last_update_s = now_s
    market.rate = imbalance_rate(market, long_usd, short_usd)


@inner()
def owed_ceil(sign, index, snapshot, size_usd):
    """What a position owes (+) or receives (-) since a snapshot; magnitudes round up. `sign`: +1 long, -1 short."""
    change = index - snapshot
    if change == 0:
        return 0
    amount = mul_div_ceil(abs(change), size_usd, RATE)
    return amount * sign if change > 0 else -amount * sign


@inner()
def owed_floor(sign, index, snapshot, size_usd):
    """The same for a whole side (collective accounting): magnitudes round down."""
    change = index - snapshot
    if change == 0:
        return 0
    amount = mul_div_floor(abs(change), size_usd, RATE)
    return amount * sign if change > 0 else -amount * sign
