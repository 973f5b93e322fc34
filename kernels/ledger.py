"""Who gets a trading fee, and whether it stays in the pool until it is paid out.

| booking | tokens | dollars | source |
|---|---|---|---|
| debt | stay in `owned` | all but the LPs' share becomes the pool's debt | Adrena cortex.rs (spec 1.12) |
| reserve | all leave `owned` for the fee reserve | shares are noted | GMX v1 feeReserves (A4), Jupiter |
| protocol_reserve | the protocol's part of open and close fees leaves | borrow fees stay | solana-labs protocol_fees |
"""

from kernels import codes
from kernels._jit import inner
from kernels.fees import split


@inner()
def book_fees(pool, custody, event, fees_usd, own_usd, reserve_units, referred):
    """Share out `fees_usd` in the event; `own_usd` is the protocol's part under protocol_reserve."""
    if pool.fee_booking == codes.BOOK_PROTOCOL_RESERVE:
        event.lp_share_usd = fees_usd - own_usd
        event.protocol_share_usd = own_usd
        event.reserved_fee_usd = own_usd
    else:
        to_lps, to_protocol, to_referrer = split(fees_usd, referred, pool)
        event.lp_share_usd = to_lps
        event.protocol_share_usd = to_protocol
        event.referrer_share_usd = to_referrer
        if pool.fee_booking == codes.BOOK_DEBT:
            pool.fees_debt_usd += to_protocol
            pool.referrers_debt_usd += to_referrer
        else:
            event.reserved_fee_usd = fees_usd
    custody.fees += reserve_units
    event.fee_units = reserve_units
