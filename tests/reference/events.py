"""Writing of events, and the sums kept of them: per pool for the attribution of AUM, per position for its history."""

from typing import Any

from kernels import codes, state
from tests.reference.venue import Record, Venue

NOT_APPLICABLE = ("order_id", "position_id", "position_no", "market", "side", "custody", "lp_account", "change")
ENTRIES = (codes.K_OPEN, codes.K_LIMIT_OPEN, codes.K_INCREASE, codes.K_DEPOSIT_COLLATERAL)
FULL_CLOSES = {
    codes.K_CLOSE: codes.O_CLOSE,
    codes.K_STOP_LOSS: codes.O_STOP_LOSS,
    codes.K_TAKE_PROFIT: codes.O_TAKE_PROFIT,
}


def write(venue: Venue, kind: int, **columns: Any) -> dict[str, int]:
    """Append one event; columns not given are 0, or -1 where "not applicable" is written so."""
    unknown = set(columns) - set(state.EVENT.names)
    assert not unknown, unknown
    event = {name: 0 for name in state.EVENT.names} | {name: -1 for name in NOT_APPLICABLE}
    event |= {"seq": venue.pool.next_seq, "timestamp": venue.now_us, "kind": kind} | columns
    venue.pool.next_seq += 1
    venue.events.append(event)
    _add_to_pool(venue, event)
    return event


def write_position(
    venue: Venue, kind: int, position: Record, order_id: int, deposited: int | None = None, **columns: Any
) -> None:
    """An event of an open position, with its prices and the value of what the pool gained, added to its history.

    `deposited`: dollars put in, where that is not simply a rise of the collateral.
    """
    price = venue.entry_price if kind in ENTRIES else venue.exit_price
    units, low = columns.get("owned_units", 0), venue.low(position.custody)
    columns["owned_value_usd"] = (1 if units > 0 else -1) * venue.usd(abs(units), position.custody, low)
    columns["spread_usd"] = columns["owned_value_usd"] - _named(columns)
    event = write(
        venue,
        kind,
        order_id=order_id,
        **identity(position),
        position_no=position.position_no,
        price=price(position.market, position.side),
        custody_price=venue.mid(position.custody),
        **columns,
    )
    _add_to_position(position, event, max(event["collateral_usd"], 0) if deposited is None else deposited)
    if kind == codes.K_WITHDRAW_COLLATERAL and not venue.pooled:
        position.withdrawn_usd -= event["collateral_usd"]


def _named(columns: dict[str, int]) -> int:
    """What the columns say the pool gained; the value of the tokens differs from it by the spread."""
    gains = ("open_fee", "exit_fee", "borrow_fee", "prepaid_borrow", "funding", "confiscated", "drift", "margin")
    losses = ("pnl", "bad_debt", "reserved_fee", "liquidator")
    gained = sum(columns.get(f"{name}_usd", 0) for name in gains)
    return gained - sum(columns.get(f"{name}_usd", 0) for name in losses)


def identity(position: Record) -> dict[str, int]:
    return {name: getattr(position, name) for name in ("position_id", "market", "side", "custody")}


SUMMED = (
    *("owned_value", "lp_flow", "open_fee", "exit_fee", "lp_fee", "funding", "pnl", "bad_debt", "confiscated"),
    *("spread", "drift", "debt_paid", "liquidator", "margin", "reserved_fee"),
)


def _add_to_pool(venue: Venue, event: dict[str, int]) -> None:
    """Shares of others are theirs at once where they are a debt; else when their tokens go to the reserve."""
    pool = venue.pool
    for name in SUMMED:
        setattr(pool, f"{name}_usd", getattr(pool, f"{name}_usd") + event[f"{name}_usd"])
    pool.borrow_fee_usd += event["borrow_fee_usd"] + event["prepaid_borrow_usd"]
    pool.to_others_usd += event["reserved_fee_usd"]
    if venue.params["fee_booking"] == codes.BOOK_DEBT:
        pool.to_others_usd += event["protocol_share_usd"] + event["referrer_share_usd"]
    pool.volume_usd += abs(event["size_usd"])
    pool.n_closed += event["kind"] in FULL_CLOSES
    pool.n_liquidated += event["kind"] == codes.K_LIQUIDATION


def _add_to_position(position: Record, event: dict[str, int], deposited: int) -> None:
    """History kept for positions.parquet: plain sums over the events of one opening."""
    position.opened_size_usd += max(event["size_usd"], 0)
    position.closed_size_usd += max(-event["size_usd"], 0)
    position.deposited_usd += deposited
    position.payout_usd += event["payout_usd"]
    position.pnl_usd += event["pnl_usd"]
    position.open_fees_usd += event["open_fee_usd"]
    position.confiscated_usd += event["confiscated_usd"]
    position.exit_fees_usd += event["exit_fee_usd"]
    position.borrow_fees_usd += event["borrow_fee_usd"] + event["prepaid_borrow_usd"]
    position.funding_fees_usd += event["funding_usd"]
    position.bad_debt_usd += event["bad_debt_usd"]
    position.max_locked = max(position.max_locked, position.locked)


def position_row(position: Record, outcome: int, closed_at: int, close_price: int) -> dict[str, int]:
    """Row of positions.parquet; an open position has outcome, closing time and price 0."""
    still_open = outcome == codes.O_OPEN
    return {
        "position_no": position.position_no,
        "position_id": position.position_id,
        "market": position.market,
        "side": position.side,
        "custody": position.custody,
        "open_order_id": position.order_id,
        "opened_at": position.open_us,
        "closed_at": closed_at,
        "outcome": outcome,
        "open_price": position.open_price,
        "entry_price": position.entry_price,
        "close_price": close_price,
        "initial_leverage_bps": position.initial_leverage_bps,
        "opened_size_usd": position.opened_size_usd,
        "closed_size_usd": position.closed_size_usd,
        "size_usd": position.size_usd if still_open else 0,
        "deposited_usd": position.deposited_usd,
        "withdrawn_usd": position.withdrawn_usd,
        "collateral_usd": position.collateral_usd if still_open else 0,
        "payout_usd": position.payout_usd,
        "pnl_usd": position.pnl_usd,
        "exit_fee_usd": position.exit_fees_usd,
        "borrow_fee_usd": position.borrow_fees_usd,
        "funding_usd": position.funding_fees_usd,
        "bad_debt_usd": position.bad_debt_usd,
        "max_locked_units": position.max_locked,
        "open_fee_usd": position.open_fees_usd,
        "confiscated_usd": position.confiscated_usd,
    }
