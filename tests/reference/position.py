"""Numbers of a position: interest, funding, profit or loss, margin, leverage, and the leverage checks."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import rates
from tests.reference.venue import Record, Refused, Venue


def interest_since_snapshot(venue: Venue, position: Record) -> int:
    """Spec 1.4, Custody::get_interest_amount_usd."""
    return rates.accrued(rates.borrow_index(venue, position.custody), position.cum_snapshot, position.borrow_size_usd)


def interest(venue: Venue, position: Record) -> int:
    """I = interest since the snapshot + unrealised interest brought forward by increases. Spec 1.6."""
    return interest_since_snapshot(venue, position) + position.unrealised_interest_usd


def funding(venue: Venue, position: Record) -> int:
    """Fu = funding owed since the snapshot + what increases brought forward; > 0 the trader owes. Spec 1.5."""
    return rates.funding_owed(venue, position) + position.unrealised_funding_usd


def profit_and_loss(
    side: int, size_usd: int, entry: int, price: int, cost: int, bonus: int, paid: int, profit_cap: int
) -> tuple[int, int]:
    """(profit, loss), at most one of them above 0. Spec 1.6, Pool::get_pnl_usd.

    Favourable move d > 0: pot = floor(size * d / entry) + bonus; profit = min(cap, pot - cost - paid), or the lack
    as loss.
    Else: loss = ceil(size * |d| / entry) + cost + paid - bonus; a bonus above that is an uncapped profit.
    """
    move = price - entry if side == codes.LONG else entry - price
    if move > 0:
        pot = size_usd * move // entry + bonus
        if pot >= cost + paid:
            return min(profit_cap, pot - cost - paid), 0
        return 0, cost + paid - pot
    charged = a.ceil_div(size_usd * -move, entry) + cost + paid
    return max(bonus - charged, 0), max(charged - bonus, 0)


def pnl(venue: Venue, position: Record, exit_fee: int) -> tuple[int, int]:
    """(profit, loss) of a position at this tick, after this exit fee, interest and funding. Spec 1.6.

    The cap is the value of the locked tokens at the low price, and 0 in the second of opening.
    """
    owed = funding(venue, position)
    cost = exit_fee + interest(venue, position) + max(owed, 0)
    cap = 0
    if venue.now > position.open_s:
        cap = venue.usd(position.locked, position.custody, venue.low(position.custody))
    return profit_and_loss(
        position.side,
        position.size_usd,
        position.entry_price,
        venue.trade_price(position.market),
        cost,
        max(-owed, 0),
        position.paid_interest_usd,
        cap,
    )


def leverage(venue: Venue, position: Record, exit_fee: int) -> int:
    """floor(size * 1e4 / margin), infinite without margin. Spec 1.7, Pool::get_leverage.

    margin = collateral + profit, or collateral - loss, not below 0.
    """
    profit, loss = pnl(venue, position, exit_fee)
    margin = position.collateral_usd + profit if profit > 0 else max(position.collateral_usd - loss, 0)
    return position.size_usd * a.BPS // margin if margin else a.INFINITE_LEVERAGE


def require_initial_leverage(venue: Venue, position: Record) -> None:
    """Open, increase, withdraw: min_initial <= leverage <= max_initial, and <= max. Spec 1.7, Pool::check_leverage."""
    params = venue.market_params[position.market]
    value = leverage(venue, position, position.exit_fee_usd)
    if value < params["min_initial_leverage_bps"]:
        raise Refused(codes.MIN_LEVERAGE)
    if value > params["max_initial_leverage_bps"] or value > params["max_leverage_bps"]:
        raise Refused(codes.MAX_LEVERAGE)


def require_deposit_leverage(venue: Venue, position: Record) -> None:
    """Deposit of collateral: min_initial <= leverage <= max. Spec 1.7, Pool::check_leverage."""
    params = venue.market_params[position.market]
    value = leverage(venue, position, position.exit_fee_usd)
    if value < params["min_initial_leverage_bps"]:
        raise Refused(codes.MIN_LEVERAGE)
    if value > params["max_leverage_bps"]:
        raise Refused(codes.MAX_LEVERAGE)


def is_liquidatable(venue: Venue, position: Record) -> bool:
    """leverage > max, with the liquidation fee only where it is above the exit fee. Spec 1.7, liquidate_long."""
    exit_fee = max(position.liquidation_fee_usd, position.exit_fee_usd)
    return leverage(venue, position, exit_fee) > venue.market_params[position.market]["max_leverage_bps"]


def is_too_young(venue: Venue, position: Record) -> bool:
    """Before the minimum age since opening, or since the last edit of collateral or size. Spec 1.9."""
    params = venue.params
    after_edit = position.edit_s > 0 and venue.now < position.edit_s + params["min_age_after_edit_s"]
    return venue.now < position.open_s + params["min_age_s"] or after_edit


def is_edit_locked(venue: Venue, position: Record) -> bool:
    """Collateral may not move again so soon after an edit. Spec 1.9."""
    return position.edit_s > 0 and venue.now < position.edit_s + venue.params["edit_lock_s"]


def quoted_liquidation_price(venue: Venue, position: Record) -> int:
    """entry -+ |size / max leverage + liquidation fee + interest - collateral| * entry / size. Spec 1.7."""
    if position.size_usd == 0 or position.entry_price == 0:
        return 0
    max_leverage = venue.market_params[position.market]["max_leverage_bps"]
    max_loss = position.size_usd * 10_000 // max_leverage + position.liquidation_fee_usd + interest(venue, position)
    distance = abs(max_loss - position.collateral_usd) * position.entry_price // position.size_usd
    towards_loss = max_loss >= position.collateral_usd
    if position.side == codes.LONG:
        return position.entry_price + distance if towards_loss else max(position.entry_price - distance, 0)
    return max(position.entry_price - distance, 0) if towards_loss else position.entry_price + distance
