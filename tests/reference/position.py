"""Numbers of a position: interest, funding, profit or loss, margin, leverage, and the age checks."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import rates
from tests.reference.venue import Record, Venue


def interest_since_snapshot(venue: Venue, position: Record) -> int:
    """Spec 1.4, Custody::get_interest_amount_usd."""
    index = rates.borrow_index(venue, position.custody)
    return rates.accrued(venue, index, position.cum_snapshot, position.borrow_size_usd)


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


def raw_gross(venue: Venue, position: Record) -> int:
    """Price result at the exit price: profits floored, losses rounded up where profits are capped. + the trader wins.

    Spec 1.6; GMX v1 getDelta floors both.
    """
    price, entry = venue.exit_price(position.market, position.side), position.entry_price
    move = price - entry if position.side == codes.LONG else entry - price
    if move >= 0:
        return position.size_usd * move // entry
    if venue.params["profit"] == codes.PROFIT_UNCAPPED:
        return -(position.size_usd * -move // entry)
    return -a.ceil_div(position.size_usd * -move, entry)


def profit_is_ignored(venue: Venue, position: Record) -> bool:
    """A small profit soon after an increase counts as none. GMX v1 getDelta, minProfitTime and minProfitBasisPoints."""
    least = venue.market_params[position.market]["min_profit_bps"]
    if least <= 0 or venue.now > position.increased_s + venue.params["min_profit_s"]:
        return False
    found = raw_gross(venue, position)
    return found > 0 and found * a.BPS <= position.size_usd * least


def gross(venue: Venue, position: Record) -> int:
    return 0 if profit_is_ignored(venue, position) else raw_gross(venue, position)


def net(venue: Venue, position: Record, exit_fee: int, borrow_fee: int, owed: int) -> int:
    """Price result after these costs; `owed` is funding, < 0 when the trader receives it. Spec 1.6.

    Where profits are capped: at the value of the locked tokens as if posted, and at 0 in the second of opening.
    """
    cost, bonus, paid = exit_fee + borrow_fee + max(owed, 0), max(-owed, 0), position.paid_interest_usd
    if venue.params["profit"] == codes.PROFIT_UNCAPPED:
        return gross(venue, position) + bonus - cost - paid
    cap = 0
    if venue.now > position.open_s:
        cap = venue.usd(position.locked, position.custody, venue.posted(position.custody))
    if profit_is_ignored(venue, position):
        return min(cap, bonus - cost - paid)
    price = venue.exit_price(position.market, position.side)
    profit, loss = profit_and_loss(
        position.side, position.size_usd, position.entry_price, price, cost, bonus, paid, cap
    )
    return profit - loss


def pnl(venue: Venue, position: Record, exit_fee: int) -> tuple[int, int]:
    """(profit, loss) of a position at this tick, after this exit fee, interest and funding. Spec 1.6."""
    found = net(venue, position, exit_fee, interest(venue, position), funding(venue, position))
    return max(found, 0), max(-found, 0)


def leverage(venue: Venue, position: Record, exit_fee: int) -> int:
    """floor(size * 1e4 / margin), infinite without margin. Spec 1.7, Pool::get_leverage.

    margin = collateral + profit, or collateral - loss, not below 0.
    """
    profit, loss = pnl(venue, position, exit_fee)
    margin = position.collateral_usd + profit if profit > 0 else max(position.collateral_usd - loss, 0)
    return position.size_usd * a.BPS // margin if margin else a.INFINITE_LEVERAGE


def entry_after(venue: Venue, position: Record, added_size: int) -> int:
    """Entry price once `added_size` dollars have been added at this tick's entry price; unchanged without any.

    Spec 1.9; GMX v1 getNextAveragePrice.
    """
    if added_size == 0:
        return position.entry_price
    price = venue.entry_price(position.market, position.side)
    if venue.params["average_entry"] == codes.AVERAGE_HARMONIC:
        return a.harmonic_price(position.size_usd, position.entry_price, added_size, price)
    mark = venue.exit_price(position.market, position.side)
    if profit_is_ignored(venue, position):
        mark = position.entry_price
    gain = 1 if mark > position.entry_price else -1  # long in profit, short at a loss: a higher divisor
    return a.preserving_price(position.entry_price, position.size_usd, added_size, price, mark, gain)


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
