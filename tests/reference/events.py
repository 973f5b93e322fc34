"""Writing of events, and the sums kept of them: per pool for the attribution of AUM, per position for its history."""

from typing import Any

from kernels import codes, state
from tests.reference.venue import Record, Venue

NOT_APPLICABLE = ("order_id", "position_id", "position_no", "market", "side", "custody", "lp_account")
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
    _add_to_pool(venue.pool, event)
    return event


def write_position(venue: Venue, kind: int, position: Record, order_id: int, **columns: Any) -> None:
    """An event of an open position, with its prices, added to the position's history."""
    event = write(
        venue,
        kind,
        order_id=order_id,
        **identity(position),
        position_no=position.position_no,
        price=venue.trade_price(position.market),
        custody_price=venue.mid(position.custody),
        **columns,
    )
    _add_to_position(position, event)


def identity(position: Record) -> dict[str, int]:
    return {name: getattr(position, name) for name in ("position_id", "market", "side", "custody")}


def _add_to_pool(pool: Record, event: dict[str, int]) -> None:
    for name in ("owned_value", "lp_flow", "exit_fee", "lp_fee", "funding", "pnl", "bad_debt", "confiscated", "spread"):
        setattr(pool, f"{name}_usd", getattr(pool, f"{name}_usd") + event[f"{name}_usd"])
    pool.drift_usd += event["drift_usd"]
    pool.debt_paid_usd += event["debt_paid_usd"]
    pool.borrow_fee_usd += event["borrow_fee_usd"] + event["prepaid_borrow_usd"]
    pool.to_others_usd += event["protocol_share_usd"] + event["referrer_share_usd"]
    pool.volume_usd += abs(event["size_usd"])
    pool.n_closed += event["kind"] in FULL_CLOSES
    pool.n_liquidated += event["kind"] == codes.K_LIQUIDATION


def _add_to_position(position: Record, event: dict[str, int]) -> None:
    """History kept for positions.parquet: plain sums over the events of one opening."""
    position.opened_size_usd += max(event["size_usd"], 0)
    position.closed_size_usd += max(-event["size_usd"], 0)
    position.deposited_usd += max(event["collateral_usd"], 0)
    if event["kind"] == codes.K_WITHDRAW_COLLATERAL:
        position.withdrawn_usd -= event["collateral_usd"]
    position.payout_usd += event["payout_usd"]
    position.pnl_usd += event["pnl_usd"]
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
    }
