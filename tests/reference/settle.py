"""Closing of a position, or of a part of it: what the trader gets, what the pool keeps, and the books afterwards."""

from copy import copy
from dataclasses import dataclass

from kernels import codes
from tests.reference import accounting, events, rates
from tests.reference import arithmetic as a
from tests.reference import position as numbers
from tests.reference.venue import Record, Refused, Venue

DOWNSCALED = (
    "size_usd",
    "borrow_size_usd",
    "collateral_usd",
    "unrealised_interest_usd",
    "locked",
    "collateral_units",
    "exit_fee_usd",
    "liquidation_fee_usd",
    "paid_interest_usd",
    "unrealised_funding_usd",
)


@dataclass
class Settlement:
    """Outcome of closing `closing` (a whole position or the closed part of one) at the prices of the tick."""

    closing: Record
    full: bool
    kind: int
    exit_fee: int
    borrow_total: int  # interest owed or prepaid, that the position could pay
    funding: int
    close_usd: int
    close_amount: int
    deficit_fee: int = 0
    bad_debt: int = 0
    confiscated: int = 0


def closed_part(position: Record, percentage: int) -> Record:
    """Copy of the position scaled down to the part being closed. Spec 1.9, partial close."""
    part = copy(position)
    for name in DOWNSCALED:
        setattr(part, name, a.downscale(getattr(position, name), percentage))
    return part


def exit_fee(venue: Venue, position: Record, kind: int) -> int:
    """Liquidation fee for a liquidation; else the exit fee fixed at opening, times the multiplier of the age tier.

    Tiers (spec 1.9, r38): the first with now - open <= its seconds; ceil(fee * bps / 1e4).
    """
    if kind == codes.K_LIQUIDATION:
        return position.liquidation_fee_usd
    params = venue.params
    if params["close_fee"] == codes.CLOSE_FEE_AGE_TIERS:
        for tier in ("tier1", "tier2", "tier3"):
            seconds = params[f"{tier}_s"]
            if seconds > 0 and venue.now - position.open_s <= seconds:
                return a.fee(params[f"{tier}_bps"], position.exit_fee_usd)
    return position.exit_fee_usd


def plan(venue: Venue, position: Record, percentage: int, kind: int) -> Settlement:
    """Exit numbers and the checks of the pool. Spec 1.8, Pool::get_exit_position_numbers; refused without liquidity."""
    full = percentage == a.PERCENTAGE
    closing = position if full else closed_part(position, percentage)
    original_fee = exit_fee(venue, closing, kind)
    deal = Settlement(
        closing=closing,
        full=full,
        kind=kind,
        exit_fee=original_fee,
        borrow_total=numbers.interest(venue, closing) + closing.paid_interest_usd,
        funding=numbers.funding(venue, closing),
        close_usd=0,
        close_amount=0,
    )
    profit, loss = numbers.pnl(venue, closing, original_fee)
    if profit > 0:
        deal.close_usd = closing.collateral_usd + profit
    elif loss <= closing.collateral_usd:
        deal.close_usd = closing.collateral_usd - loss
    else:
        _take_from_fees(deal, loss - closing.collateral_usd)
    deal.close_amount = _close_amount(venue, deal, original_fee)
    if kind == codes.K_LIQUIDATION and venue.params["leftover"] == codes.LEFTOVER_POOL:
        deal.confiscated, deal.close_usd, deal.close_amount = deal.close_usd, 0, 0
    _require_liquidity(venue, deal)
    return deal


def _take_from_fees(deal: Settlement, lack: int) -> None:
    """A loss above the collateral eats the exit fee, then the borrow fee; the rest is the pool's bad debt. Spec 1.8."""
    fees = deal.exit_fee + deal.borrow_total
    if lack > fees:
        deal.deficit_fee, deal.bad_debt = fees, lack - fees
        deal.exit_fee = deal.borrow_total = 0
        return
    deal.deficit_fee = lack
    if lack > deal.exit_fee:
        deal.borrow_total -= lack - deal.exit_fee
        deal.exit_fee = 0
    else:
        deal.exit_fee -= lack


def _close_amount(venue: Venue, deal: Settlement, original_fee: int) -> int:
    """Tokens paid out: close_usd at the high price, at most what the position holds and locks less its fees.

    Spec 1.8.
    """
    custody = deal.closing.custody
    fees = venue.tokens(original_fee, custody, venue.low(custody))
    fees += venue.tokens(deal.borrow_total, custody, venue.mid(custody))
    available = max(0, deal.closing.locked + deal.closing.collateral_units - fees)
    return min(venue.tokens(deal.close_usd, custody, venue.high(custody)), available)


def _require_liquidity(venue: Venue, deal: Settlement) -> None:
    """The pool pays only from what is not locked for others, and keeps a lawful borrow rate. Spec 1.8."""
    custody, closing = venue.custodies[deal.closing.custody], deal.closing
    locked = custody.locked - closing.locked
    owned = custody.owned + closing.collateral_units - deal.close_amount
    if custody.owned + custody.collateral - locked < deal.close_amount or owned < 0:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    rates.require_rate(venue, closing.custody, owned, locked)


def split_fee(venue: Venue, amount: int, referred: int) -> tuple[int, int, int]:
    """(LP, protocol, referrer): floor of each share, the protocol gets the rest. Spec 1.12."""
    lp = amount * venue.params["lp_share_bps"] // a.BPS
    referrer = amount * venue.params["referrer_share_bps"] // a.BPS if referred else 0
    return lp, amount - lp - referrer, referrer


def book(venue: Venue, position: Record, deal: Settlement, order_id: int) -> None:
    """Change the books by a planned settlement and write its event. Spec 1.8, close_position_long."""
    closing, custody_no = deal.closing, deal.closing.custody
    custody = venue.custodies[custody_no]
    owned_change = closing.collateral_units - deal.close_amount
    custody.owned += owned_change
    custody.collateral -= closing.collateral_units
    custody.locked -= closing.locked

    borrow_fee = max(deal.borrow_total - closing.paid_interest_usd, 0)
    prepaid = deal.borrow_total - borrow_fee
    lp, protocol, referrer = split_fee(venue, deal.exit_fee + borrow_fee, position.referred)
    venue.pool.fees_debt_usd += protocol
    venue.pool.referrers_debt_usd += referrer
    accounting.remove(venue, closing, deal.full)

    income = deal.exit_fee + borrow_fee + prepaid + deal.funding - deal.bad_debt + deal.confiscated
    pnl = deal.close_usd - closing.collateral_usd + income
    owned_value = a.sign(owned_change) * venue.usd(abs(owned_change), custody_no, venue.low(custody_no))
    drift = venue.usd(closing.collateral_units, custody_no, venue.low(custody_no)) - closing.collateral_usd
    if not deal.full:
        for name in DOWNSCALED:
            setattr(position, name, getattr(position, name) - getattr(closing, name))
    rates.refresh_borrow(venue, custody_no)
    rates.refresh_funding(venue, position.market)
    events.write_position(
        venue,
        deal.kind,
        position,
        order_id,
        size_usd=-closing.size_usd,
        collateral_usd=-closing.collateral_usd,
        trader_out_units=deal.close_amount,
        owned_units=owned_change,
        collateral_units=-closing.collateral_units,
        locked_units=-closing.locked,
        pnl_usd=pnl,
        exit_fee_usd=deal.exit_fee,
        borrow_fee_usd=borrow_fee,
        prepaid_borrow_usd=prepaid,
        funding_usd=deal.funding,
        lp_share_usd=lp,
        protocol_share_usd=protocol,
        referrer_share_usd=referrer,
        bad_debt_usd=deal.bad_debt,
        deficit_fee_usd=deal.deficit_fee,
        confiscated_usd=deal.confiscated,
        payout_usd=deal.close_usd,
        spread_usd=owned_value - (income - pnl + drift),
        drift_usd=drift,
        owned_value_usd=owned_value,
    )
    if deal.full:
        venue.rows.remove(position)
        outcome = events.FULL_CLOSES.get(deal.kind, codes.O_LIQUIDATION)
        row = events.position_row(position, outcome, venue.now_us, venue.trade_price(position.market))
        venue.closed_positions.append(row)
