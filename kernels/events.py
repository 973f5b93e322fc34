"""Writing output records. Everything money does passes `book_event`, which keeps the pool's running sums.

The sums make the attribution of AUM exact: per event, the value change of owned tokens equals flows, fees,
trader PnL, bad debt, drift and spread to the micro-dollar, because `spread` is what the venue's price band and
rounding leave over.
"""

from kernels import codes
from kernels._jit import inner
from kernels.fixed import SATURATED

_LIMIT = SATURATED >> 1


@inner()
def new_event(venue, out, cursor, kind):
    """The next free event record, blank but for time and kind; -1 where an id does not apply."""
    out.event[cursor.n_events] = out.blank[0]
    event = out.event[cursor.n_events]
    event.timestamp = venue.pool[0].now_us
    event.kind = kind
    event.order_id = -1
    event.position_id = -1
    event.position_no = -1
    event.market = -1
    event.side = -1
    event.custody = -1
    event.lp_account = -1
    event.change = -1
    return event


@inner()
def place_event(event, row, b, market, custody_id, custody, price):
    """Fill in whose event it is and at which prices."""
    event.position_id = row.position_id
    event.position_no = row.position_no
    event.market = b >> 1
    event.side = b & 1
    event.custody = custody_id
    event.price = price
    event.custody_price = custody.price


@inner()
def flow_without_spread(event):
    """What the value of owned tokens should have changed by, from all named sources."""
    return (
        event.lp_flow_usd
        + event.lp_fee_usd
        - event.pnl_usd
        + event.open_fee_usd
        + event.exit_fee_usd
        + event.borrow_fee_usd
        + event.prepaid_borrow_usd
        + event.funding_usd
        - event.bad_debt_usd
        + event.confiscated_usd
        + event.drift_usd
        - event.debt_paid_usd
        - event.reserved_fee_usd
        - event.liquidator_usd
        + event.margin_usd
    )


@inner()
def book_event(venue, out, cursor):
    """Number the event written last and add it to the pool's running sums."""
    event = out.event[cursor.n_events]
    pool = venue.pool[0]
    event.seq = pool.next_seq
    pool.next_seq += 1
    cursor.n_events += 1
    pool.owned_value_usd += event.owned_value_usd
    pool.lp_flow_usd += event.lp_flow_usd
    pool.exit_fee_usd += event.exit_fee_usd
    pool.borrow_fee_usd += event.borrow_fee_usd + event.prepaid_borrow_usd
    pool.lp_fee_usd += event.lp_fee_usd
    pool.funding_usd += event.funding_usd
    pool.to_others_usd += event.reserved_fee_usd
    if pool.fee_booking == codes.BOOK_DEBT:
        pool.to_others_usd += event.protocol_share_usd + event.referrer_share_usd
    pool.open_fee_usd += event.open_fee_usd
    pool.liquidator_usd += event.liquidator_usd
    pool.margin_usd += event.margin_usd
    pool.reserved_fee_usd += event.reserved_fee_usd
    pool.pnl_usd += event.pnl_usd
    pool.bad_debt_usd += event.bad_debt_usd
    pool.confiscated_usd += event.confiscated_usd
    pool.spread_usd += event.spread_usd
    pool.drift_usd += event.drift_usd
    pool.debt_paid_usd += event.debt_paid_usd
    pool.volume_usd += abs(event.size_usd)
    if abs(event.pnl_usd) >= _LIMIT or abs(event.owned_value_usd) >= _LIMIT:
        cursor.status = codes.OVERFLOW
        cursor.detail = event.seq


@inner()
def reject(venue, out, cursor, request, reason):
    """Record why an order was refused."""
    write_rejection(out, cursor, venue.pool[0].now_us, request.order_id, request.position_id, request.action, reason, 0)


@inner()
def write_rejection(out, cursor, timestamp, order_id, position_id, action, reason, outcome):
    """One row of rejections; outcome 0 rejected, 1 pending."""
    record = out.rejection[cursor.n_rejections]
    record.timestamp = timestamp
    record.order_id = order_id
    record.position_id = position_id
    record.action = action
    record.reason = reason
    record.outcome = outcome
    cursor.n_rejections += 1


@inner()
def write_position(out, cursor, row, b, custody_id, outcome, closed_us, close_price):
    """The one row of positions.parquet for a position: at its end, or as it stands when the run ends."""
    record = out.position[cursor.n_positions]
    record.position_no = row.position_no
    record.position_id = row.position_id
    record.market = b >> 1
    record.side = b & 1
    record.custody = custody_id
    record.open_order_id = row.order_id
    record.opened_at = row.open_us
    record.closed_at = closed_us
    record.outcome = outcome
    record.open_price = row.open_price
    record.entry_price = row.entry_price
    record.close_price = close_price
    record.initial_leverage_bps = row.initial_leverage_bps
    record.opened_size_usd = row.opened_size_usd
    record.closed_size_usd = row.closed_size_usd
    record.size_usd = row.size_usd
    record.deposited_usd = row.deposited_usd
    record.withdrawn_usd = row.withdrawn_usd
    record.collateral_usd = row.collateral_usd
    record.payout_usd = row.payout_usd
    record.pnl_usd = row.pnl_usd
    record.exit_fee_usd = row.exit_fees_usd
    record.borrow_fee_usd = row.borrow_fees_usd
    record.funding_usd = row.funding_fees_usd
    record.bad_debt_usd = row.bad_debt_usd
    record.max_locked_units = row.max_locked
    record.open_fee_usd = row.open_fees_usd
    record.confiscated_usd = row.confiscated_usd
    cursor.n_positions += 1
