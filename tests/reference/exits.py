"""Closing of a position, or of a part of it, in dollars: what the trader gets and what fees and the pool keep."""

from copy import copy
from dataclasses import dataclass

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import fees, health
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
    """Outcome of closing `closing` (a whole position or the closed part of one) at the prices of the tick.

    `close_usd` is what the trader gets, before a liquidator's reward out of it. The `_units` are filled in by the
    handler of the margin: separate or pooled.
    """

    closing: Record
    full: bool
    kind: int
    charged: bool  # the interest and funding are those of the whole position, though a part is closed
    exit_fee: int
    original_fee: int
    borrow_total: int  # interest owed or prepaid, that the position could pay
    funding: int
    close_usd: int = 0
    deficit_fee: int = 0
    bad_debt: int = 0
    confiscated: int = 0
    liquidator_usd: int = 0
    seized: bool = False  # the trader gets nothing, a keeper gets a fixed fee from the pool
    close_amount: int = 0  # tokens for close_usd, the reward included
    reward_units: int = 0
    keeper_units: int = 0
    owned_change: int = 0
    collateral_change: int = 0
    reserved_units: int = 0
    stranded_units: int = 0
    protocol_paid: bool = True

    @property
    def borrow_fee(self) -> int:
        return max(self.borrow_total - self.closing.paid_interest_usd, 0)

    @property
    def prepaid(self) -> int:
        return self.borrow_total - self.borrow_fee

    @property
    def fees_usd(self) -> int:
        return self.exit_fee + self.borrow_fee

    @property
    def reward_usd(self) -> int:
        """The part of liquidator_usd that was the trader's."""
        return 0 if self.seized else self.liquidator_usd

    @property
    def payout(self) -> int:
        return self.close_usd - self.reward_usd

    @property
    def taken(self) -> int:
        """What the trader had and did not get: left to the pool, or paid out as a reward."""
        return self.confiscated + self.reward_usd

    @property
    def pnl(self) -> int:
        """Price result, from what was paid and kept: a cap is inside it."""
        costs = self.exit_fee + self.borrow_total + self.funding
        return self.payout - self.closing.collateral_usd + costs - self.bad_debt + self.taken


def closed_part(position: Record, percentage: int) -> Record:
    """Copy of the position scaled down to the part being closed. Spec 1.9, partial close."""
    part = copy(position)
    for name in DOWNSCALED:
        setattr(part, name, a.downscale(getattr(position, name), percentage))
    return part


def settlement(venue: Venue, position: Record, percentage: int, kind: int) -> Settlement:
    """Spec 1.8, Pool::get_exit_position_numbers; GMX v1 and Jupiter where margin is pooled."""
    forced = kind == codes.K_LIQUIDATION
    if forced and venue.pooled and venue.params["liquidation"] == codes.LIQUIDATE_TWO_STATES:
        if health.two_states(venue, position, raising=False) != codes.MAX_LEVERAGE:
            return _seizure(venue, position)
        forced = False  # an ordinary close that the trader did not ask for
    deal = _open_settlement(venue, position, percentage, kind)
    closing = deal.closing
    result = numbers.net(venue, closing, deal.exit_fee, deal.borrow_total - closing.paid_interest_usd, deal.funding)
    if venue.params["shortfall"] == codes.SHORTFALL_REFUSED and not forced:
        _refuse_shortfall(venue, deal, result)
    deal.close_usd = closing.collateral_usd + result
    if deal.close_usd < 0:
        _take_from_fees(deal, -deal.close_usd)
        deal.close_usd = 0
    return deal


def _open_settlement(venue: Venue, position: Record, percentage: int, kind: int) -> Settlement:
    full = percentage == a.PERCENTAGE
    closing = position if full else closed_part(position, percentage)
    charged = not full and venue.params["interest"] == codes.INTEREST_CHARGED
    owing = position if charged else closing
    fee = fees.settled_fee(venue, closing, kind)
    return Settlement(
        closing=closing,
        full=full,
        kind=kind,
        charged=charged,
        exit_fee=fee,
        original_fee=fee,
        borrow_total=numbers.interest(venue, owing) + closing.paid_interest_usd,
        funding=numbers.funding(venue, owing),
    )


def _refuse_shortfall(venue: Venue, deal: Settlement, result: int) -> None:
    """GMX v1: a subtraction that would go below zero refuses the close."""
    if deal.closing.collateral_usd < -numbers.gross(venue, deal.closing):
        raise Refused(codes.LOSSES_EXCEED_COLLATERAL)
    costs = deal.exit_fee + deal.borrow_total + deal.funding
    if deal.closing.collateral_usd + result <= 0 and costs > 0:
        raise Refused(codes.INSUFFICIENT_COLLATERAL)


def _take_from_fees(deal: Settlement, lack: int) -> None:
    """A loss above the collateral eats the exit fee, then the borrow fee; the rest is the pool's bad debt. Spec 1.8."""
    available = deal.exit_fee + deal.borrow_total
    if lack > available:
        deal.deficit_fee, deal.bad_debt = available, lack - available
        deal.exit_fee = deal.borrow_total = 0
        return
    deal.deficit_fee = lack
    if lack > deal.exit_fee:
        deal.borrow_total -= lack - deal.exit_fee
        deal.exit_fee = 0
    else:
        deal.exit_fee -= lack


def _seizure(venue: Venue, position: Record) -> Settlement:
    """State 1 of GMX v1 liquidatePosition: fees as far as they can be had, the rest to the pool, nothing to the trader.

    Where the price alone eats more than the collateral, the venue books the fees in full all the same.
    """
    deal = _open_settlement(venue, position, a.PERCENTAGE, codes.K_LIQUIDATION)
    deal.seized = True
    deal.liquidator_usd = venue.market_params[position.market]["liquidation_fee_usd"]
    left = position.collateral_usd + numbers.gross(venue, position)
    short_of = deal.exit_fee + deal.borrow_total + deal.funding - left
    if short_of <= 0:
        deal.confiscated = -short_of
    elif left < 0:
        deal.bad_debt = short_of
    else:
        _take_from_fees(deal, short_of)
    return deal


def leave_to_pool(venue: Venue, deal: Settlement) -> None:
    """Liquidations of some pools leave nothing to the trader; call it when the tokens are known."""
    deal.confiscated, deal.close_usd, deal.close_amount = deal.close_usd, 0, 0


def is_left_to_pool(venue: Venue, deal: Settlement) -> bool:
    two_states = venue.pooled and venue.params["liquidation"] == codes.LIQUIDATE_TWO_STATES
    return deal.kind == codes.K_LIQUIDATION and not two_states and venue.params["leftover"] == codes.LEFTOVER_POOL


def reward_liquidator(venue: Venue, deal: Settlement) -> None:
    """A share of what the trader gets, in tokens rounded up. solana-labs liquidate.rs L170-199."""
    bps = venue.market_params[deal.closing.market]["liquidator_bps"]
    two_states = venue.pooled and venue.params["liquidation"] == codes.LIQUIDATE_TWO_STATES
    if deal.kind != codes.K_LIQUIDATION or two_states or bps <= 0 or deal.close_amount == 0:
        return
    deal.reward_units = a.fee(bps, deal.close_amount)
    deal.liquidator_usd = deal.close_usd * deal.reward_units // deal.close_amount


def backed_units(venue: Venue, deal: Settlement) -> int:
    """Tokens paid out where margin is separate: close_usd at the high price, at most what the position holds and locks.

    Less its fees: spec 1.8; fees in traded tokens count as so many units of the collateral (solana-labs pool.rs
    L208-256).
    """
    closing, custody = deal.closing, deal.closing.custody
    if venue.params["close_fee"] == codes.CLOSE_FEE_EMA_TOKENS:
        taken = fees.ema_token_units(venue, closing, deal.kind)
        available = max(closing.locked - taken, 0) + closing.collateral_units
    else:
        taken = venue.tokens(deal.original_fee, custody, venue.low(custody))
        taken += venue.tokens(deal.borrow_total, custody, venue.mid(custody))
        available = max(0, closing.locked + closing.collateral_units - taken)
    return min(venue.tokens(deal.close_usd, custody, venue.high(custody)), available)
