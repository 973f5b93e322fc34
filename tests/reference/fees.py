"""Trading fees: what an opening, a close or a liquidation costs, in dollars and in tokens, and who gets it."""

from dataclasses import dataclass

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import impact
from tests.reference.venue import Record, Venue

FIXED = (codes.CLOSE_FEE_FIXED, codes.CLOSE_FEE_AGE_TIERS)


def open_fee(venue: Venue, market: int, side: int, size_usd: int, size_units: int, locked: int) -> tuple[int, int]:
    """(dollars, token units of the collateral custody) for size added. Jupiter 3.3; GMX v1 A4; solana-labs 2."""
    params, variant = venue.market_params[market], venue.params["open_fee"]
    if variant == codes.OPEN_FEE_NONE or size_usd == 0:
        return 0, 0
    if variant == codes.OPEN_FEE_UTILISATION:
        return _utilisation_fee(venue, market, side, size_usd, size_units, locked)
    if variant == codes.OPEN_FEE_FLAT:
        fee = a.fee(params["open_bps"], size_usd)
    else:
        fee = impact.settled_fee(venue, market, params["open_bps"], size_usd, size_usd)
    custody = venue.collateral_custody(market, side)
    return fee, venue.tokens(fee, custody, venue.high(custody))


def _utilisation_fee(
    venue: Venue, market: int, side: int, size_usd: int, size_units: int, locked: int
) -> tuple[int, int]:
    """A share of the size in traded tokens, dearer above the optimal utilisation. solana-labs pool.rs L121-174."""
    params, traded = venue.market_params[market], venue.traded_custody(market, side)
    custody = venue.collateral_custody(market, side)
    book, optimal = venue.custodies[custody], venue.custody_params[custody]["borrow_optimal_bps"] * (a.RATE // a.BPS)
    if venue.params["sizing"] != codes.SIZE_TOKENS:
        size_units = venue.tokens(size_usd, traded, venue.ema(traded))
    fee = a.fee(params["open_bps"], size_units)
    utilisation = min(a.RATE, (book.locked + locked) * a.RATE // book.owned) if book.owned > 0 else a.RATE
    if utilisation > optimal:
        more = params["utilisation_mult_bps"] * (utilisation - optimal) // (a.RATE - optimal)
        fee = fee * (a.BPS + more) // a.BPS
    fee_usd = venue.usd(fee, traded, venue.ema(traded))
    return fee_usd, fee if custody == traded else venue.tokens(fee_usd, custody, venue.ema(custody))


def close_fee(venue: Venue, position: Record) -> int:
    """Fee of closing the record's size, as the margin checks count it."""
    params, variant = venue.market_params[position.market], venue.params["close_fee"]
    if variant in FIXED:
        return position.exit_fee_usd
    if variant == codes.CLOSE_FEE_FLAT:
        return a.fee(params["close_bps"], position.size_usd)
    if variant == codes.CLOSE_FEE_EMA_TOKENS:
        return _ema_token_fee(venue, position, codes.K_CLOSE)
    return impact.checked_fee(params, params["close_bps"], position.size_usd)


def tested_fee(venue: Venue, position: Record) -> int:
    """Fee in the test for liquidation: the dearer one where both are fixed at opening. Spec 1.7."""
    if venue.params["close_fee"] in FIXED:
        return max(position.exit_fee_usd, position.liquidation_fee_usd)
    return close_fee(venue, position)


def settled_fee(venue: Venue, position: Record, kind: int) -> int:
    """Fee of closing the record's size for good.

    Tiers (spec 1.9, r38): the first with now - open <= its seconds; ceil(fee * bps / 1e4); never for a liquidation.
    """
    params, variant = venue.params, venue.params["close_fee"]
    market, liquidation = venue.market_params[position.market], kind == codes.K_LIQUIDATION
    if liquidation and variant in FIXED:
        return position.liquidation_fee_usd
    if liquidation and variant == codes.CLOSE_FEE_EMA_TOKENS:
        return _ema_token_fee(venue, position, kind)
    if variant == codes.CLOSE_FEE_IMPACT:
        size = position.size_usd
        return impact.settled_fee(venue, position.market, market["close_bps"], size, -size) if size else 0
    if variant == codes.CLOSE_FEE_AGE_TIERS:
        for tier in ("tier1", "tier2", "tier3"):
            seconds = params[f"{tier}_s"]
            if seconds > 0 and venue.now - position.open_s <= seconds:
                return a.fee(params[f"{tier}_bps"], position.exit_fee_usd)
    return close_fee(venue, position)


def ema_token_units(venue: Venue, position: Record, kind: int) -> int:
    """Fee of a close or a liquidation in units of the traded token: on the size at the EMA.

    solana-labs pool.rs L575-707.
    """
    market = venue.market_params[position.market]
    traded = venue.traded_custody(position.market, position.side)
    bps = market["liquidation_bps" if kind == codes.K_LIQUIDATION else "close_bps"]
    return a.fee(bps, venue.tokens(position.size_usd, traded, venue.market_ema(position.market)))


def _ema_token_fee(venue: Venue, position: Record, kind: int) -> int:
    traded = venue.traded_custody(position.market, position.side)
    return venue.usd(ema_token_units(venue, position, kind), traded, venue.market_ema(position.market))


@dataclass(frozen=True)
class Split:
    """Who gets a fee. `reserved_usd`: the part that leaves for the fee reserve at once."""

    lp: int
    protocol: int
    referrer: int
    reserved: int

    @property
    def columns(self) -> dict[str, int]:
        return {
            "lp_share_usd": self.lp,
            "protocol_share_usd": self.protocol,
            "referrer_share_usd": self.referrer,
            "reserved_fee_usd": self.reserved,
        }


def split(venue: Venue, trade_fee: int, borrow_fee: int, referred: int, protocol_paid: bool = True) -> Split:
    """Floor of each share, the protocol gets the rest. Spec 1.12. With a reserve, all of it leaves. GMX v1, Jupiter.

    Protocol reserve (solana-labs): the protocol's share of the trading fee, rounded up, if its tokens could be paid.
    """
    total, booking = trade_fee + borrow_fee, venue.params["fee_booking"]
    if booking == codes.BOOK_PROTOCOL_RESERVE:
        protocol = a.fee(a.BPS - venue.params["lp_share_bps"], trade_fee) if protocol_paid else 0
        return Split(total - protocol, protocol, 0, protocol)
    lp = total * venue.params["lp_share_bps"] // a.BPS
    referrer = total * venue.params["referrer_share_bps"] // a.BPS if referred else 0
    return Split(lp, total - lp - referrer, referrer, total if booking == codes.BOOK_RESERVE else 0)


def book_debt(venue: Venue, shares: Split) -> None:
    """Where fees stay in the pool, the shares of others are a debt of the pool."""
    if venue.params["fee_booking"] == codes.BOOK_DEBT:
        venue.pool.fees_debt_usd += shares.protocol
        venue.pool.referrers_debt_usd += shares.referrer


def reserved_units(venue: Venue, total_units: int, trade_fee_units: int) -> int:
    """Fee tokens that go to the custody's reserve: all, none, or the protocol's share of the trading fee."""
    booking = venue.params["fee_booking"]
    if booking == codes.BOOK_RESERVE:
        return total_units
    if booking == codes.BOOK_PROTOCOL_RESERVE:
        return a.fee(a.BPS - venue.params["lp_share_bps"], trade_fee_units)
    return 0
