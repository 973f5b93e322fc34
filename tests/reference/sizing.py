"""What an open or an increase brings: collateral, size, locked tokens and fees; and the caps it has to keep."""

from dataclasses import dataclass

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import fees, rates
from tests.reference.venue import Record, Refused, Venue

Order = dict[str, int]


@dataclass
class Stake:
    """Added to a position. `fee_units` of the open fee are paid on top of the collateral where margin is separate."""

    collateral: int
    collateral_usd: int
    leverage_bps: int
    locked: int
    size_usd: int
    borrow_size_usd: int
    exit_fee: int
    liquidation_fee: int
    open_fee: int
    fee_units: int


def collateral_given(venue: Venue, custody: int, order: Order) -> int:
    """Token units of an order: as given, or bought by its dollars at the price of posted collateral."""
    if order["collateral_units"] >= 0:
        return order["collateral_units"]
    return venue.tokens(max(order["collateral_usd"], 0), custody, venue.posted(custody))


def stake_of(venue: Venue, market: int, side: int, order: Order, grows: bool) -> Stake:
    """Collateral at its posted price, and the size asked for. Spec 1.3, open_position_long.

    Pooled margin takes a size without collateral; an increase there (`grows`) may also be collateral alone.
    """
    custody, params = venue.collateral_custody(market, side), venue.market_params[market]
    collateral = collateral_given(venue, custody, order)
    if collateral < 0 or (collateral == 0 and not venue.pooled):
        raise Refused(codes.INVALID_ORDER)
    collateral_usd = venue.usd(collateral, custody, venue.posted(custody))
    without = venue.pooled and grows and collateral == 0
    if collateral_usd < venue.params["min_collateral_usd"] and not without:
        raise Refused(codes.MIN_COLLATERAL)
    size_usd, size_units, posted, leverage = _size(venue, market, side, order, collateral, collateral_usd)
    if size_usd <= 0 and not (venue.pooled and grows):
        raise Refused(codes.INVALID_ORDER)
    payoff = params["payoff_long_bps" if side == codes.LONG else "payoff_short_bps"]
    locked = posted * payoff // a.BPS
    if max(collateral, posted, size_units, locked, size_usd) > a.LARGEST_AMOUNT:
        raise Refused(codes.AMOUNT_OUT_OF_RANGE)
    open_fee, fee_units = fees.open_fee(venue, market, side, size_usd, size_units, locked)
    fixed = venue.params["close_fee"] in fees.FIXED
    return Stake(
        collateral=collateral,
        collateral_usd=collateral_usd,
        leverage_bps=leverage,
        locked=locked,
        size_usd=size_usd,
        borrow_size_usd=_borrow_size(venue, market, side, size_usd, locked, payoff),
        exit_fee=_fixed_fee(venue, custody, params["close_bps"], posted) if fixed else 0,
        liquidation_fee=_fixed_fee(venue, custody, params["liquidation_bps"], posted) if fixed else 0,
        open_fee=open_fee,
        fee_units=fee_units,
    )


def _borrow_size(venue: Venue, market: int, side: int, size_usd: int, locked: int, payoff: int) -> int:
    """Dollars on which interest is due: the size, or what is locked where that is not the whole size.

    solana-labs open_position.rs L211-236.
    """
    if venue.params["borrow_base"] == codes.BASE_SIZE or payoff == a.BPS:
        return size_usd
    if side == codes.LONG:
        return venue.usd(locked, venue.traded_custody(market, side), venue.entry_price(market, side))
    custody = venue.collateral_custody(market, side)
    return venue.usd(locked, custody, venue.high(custody))


def _fixed_fee(venue: Venue, custody: int, bps: int, units: int) -> int:
    return venue.usd(a.fee(bps, units), custody, venue.mid(custody))


def _size(
    venue: Venue, market: int, side: int, order: Order, collateral: int, collateral_usd: int
) -> tuple[int, int, int, int]:
    """(size in dollars, in traded tokens where these are the unit, tokens posted against it, leverage)."""
    custody, variant = venue.collateral_custody(market, side), venue.params["sizing"]
    low = venue.posted(custody)
    if variant == codes.SIZE_COLLATERAL_TOKENS:
        leverage = order["leverage_bps"]
        if leverage < 0:
            leverage = max(order["size_usd"], 0) * a.BPS // collateral_usd if collateral_usd > 0 else 0
        units = collateral * leverage // a.BPS
        return venue.usd(units, custody, low), units, units, leverage
    asked = order["size_usd"]
    if asked <= 0:
        asked = collateral_usd * max(order["leverage_bps"], 0) // a.BPS
    if variant == codes.SIZE_DOLLARS:
        size_usd, units, posted = asked, 0, venue.tokens(asked, custody, low)
    else:
        traded, price = venue.traded_custody(market, side), venue.entry_price(market, side)
        units = order["amount_units"] if order["amount_units"] > 0 else venue.tokens(asked, traded, price)
        size_usd = venue.usd(units, traded, price)
        posted = units if side == codes.LONG else venue.tokens(size_usd, custody, low)
    return size_usd, units, posted, size_usd * a.BPS // collateral_usd if collateral_usd > 0 else 0


def require_limits(venue: Venue, position: Record, stake: Stake) -> None:
    """Caps per position, side and custody, liquidity, utilisation. Spec 1.3; `position` includes the stake."""
    number = position.custody
    custody, params = venue.custodies[number], venue.custody_params[number]
    high, locked = venue.high(number), venue.custodies[number].locked + stake.locked
    if 0 < params["max_position_locked_usd"] < venue.usd(position.locked, number, high):
        raise Refused(codes.MAX_POSITION_LOCKED)
    if 0 < venue.market_params[position.market]["max_position_usd"] < position.size_usd:
        raise Refused(codes.MAX_POSITION_SIZE)
    _require_open_interest(venue, position, stake)
    if 0 < params["max_total_locked_usd"] < venue.usd(locked, number, high):
        raise Refused(codes.MAX_TOTAL_LOCKED)
    if locked > custody.owned:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    most = params["max_utilisation_bps"]
    if 0 < most < a.BPS and custody.owned > 0 and locked * a.BPS // custody.owned > most:
        raise Refused(codes.MAX_UTILISATION)


def require_rate(venue: Venue, position: Record, stake: Stake) -> None:
    custody = venue.custodies[position.custody]
    rates.require_rate(venue, position.custody, custody.owned, custody.locked + stake.locked)


def _require_open_interest(venue: Venue, position: Record, stake: Stake) -> None:
    """Per market and side: size; or, for longs, size less collateral (GMX v1); or, for shorts, stables locked."""
    market, book = venue.market_params[position.market], venue.sides[position.market, position.side]
    variant, total = venue.params["oi_cap"], book.size_usd + stake.size_usd
    if position.side == codes.LONG:
        if variant == codes.CAP_GUARANTEED:
            total -= book.collateral_usd
        if 0 < market["max_cumulative_long_usd"] < total:
            raise Refused(codes.MAX_CUMULATIVE_LONG)
        return
    if variant == codes.CAP_LOCKED_STABLES:  # one token counts as $1
        total = (book.locked + stake.locked) * 1_000_000 // venue.custody_params[position.custody]["unit"]
    if 0 < market["max_cumulative_short_usd"] < total:
        raise Refused(codes.MAX_CUMULATIVE_SHORT)
