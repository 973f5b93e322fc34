"""Liquidity providers, swaps and the paying out of fees. Spec 1.11, 1.12."""

from kernels import codes, state
from tests.reference import arithmetic as a
from tests.reference import events, rates, valuation
from tests.reference.venue import Record, Refused, Venue, record

Order = dict[str, int]


def require_fresh_prices(venue: Venue) -> None:
    """Flows need every price of the pool; a closed market does not matter."""
    symbols = {params["price_symbol"] for params in venue.custody_params + venue.market_params}
    if any(venue.flags[symbol] & codes.FLAG_STALE for symbol in symbols):
        raise Refused(codes.STALE_PRICE)


def account(venue: Venue, number: int) -> Record:
    if number not in venue.accounts:
        venue.accounts[number] = record(state.LP_ACCOUNT.names, account=number)
    return venue.accounts[number]


def low_usd(venue: Venue, units: int, custody: int) -> int:
    return venue.usd(units, custody, venue.low(custody))


def genesis(venue: Venue) -> None:
    """Opening balances, free of fees: each dollar mints one LP token, on account 0."""
    for number, amount in enumerate(venue.case.genesis):
        if amount <= 0:
            continue
        worth = low_usd(venue, amount, number)
        venue.custodies[number].owned += amount
        venue.pool.lp_supply += worth
        owner = account(venue, 0)
        owner.balance += worth
        owner.last_deposit_s = venue.now
        rates.refresh_borrow(venue, number)
        events.write(
            venue,
            codes.K_GENESIS,
            custody=number,
            custody_price=venue.mid(number),
            trader_in_units=amount,
            owned_units=amount,
            owned_value_usd=worth,
            lp_flow_usd=worth,
            lp_units=worth,
            lp_account=0,
        )


def add_liquidity(venue: Venue, order: Order) -> None:
    """lp = floor(usd(amount - fee) * supply / (A + usd(LP share of the fee))), at the low price.

    Spec 1.11, add_liquidity.
    """
    number, amount = order["custody"], order["amount_units"]
    custody, params, pool = venue.custodies[number], venue.custody_params[number], venue.pool
    if amount <= 0:
        raise Refused(codes.INVALID_ORDER)
    before = valuation.aum(venue)
    fee = a.fee(params["add_bps"], amount)
    if amount - fee < 1:
        raise Refused(codes.INVALID_ORDER)
    lp_fee_units = fee * venue.params["lp_share_bps"] // a.BPS
    flow = low_usd(venue, amount - fee, number)
    minted = flow
    if before > 0 and pool.lp_supply > 0:
        minted = flow * pool.lp_supply // (before + low_usd(venue, lp_fee_units, number))
    if minted <= 0:
        raise Refused(codes.INVALID_ORDER)
    protocol = venue.usd(fee - lp_fee_units, number, venue.mid(number))
    custody.owned += amount
    pool.fees_debt_usd += protocol
    try:
        if 0 < venue.params["aum_cap_usd"] <= valuation.aum(venue):
            raise Refused(codes.AUM_CAP)
        rates.require_rate(venue, number, custody.owned, custody.locked)
    except Refused:
        custody.owned -= amount
        pool.fees_debt_usd -= protocol
        raise
    pool.lp_supply += minted
    owner = account(venue, order["lp_account"])
    owner.balance += minted
    owner.last_deposit_s = venue.now
    rates.refresh_borrow(venue, number)
    worth = low_usd(venue, amount, number)
    events.write(
        venue,
        codes.K_ADD_LIQUIDITY,
        order_id=order["order_id"],
        custody=number,
        custody_price=venue.mid(number),
        trader_in_units=amount,
        owned_units=amount,
        owned_value_usd=worth,
        lp_flow_usd=flow,
        lp_fee_usd=worth - flow,
        lp_share_usd=worth - flow - protocol,
        protocol_share_usd=protocol,
        lp_units=minted,
        lp_account=order["lp_account"],
    )


def remove_liquidity(venue: Venue, order: Order) -> None:
    """Pays tok(floor(A * lp / supply), low) less the fee. Spec 1.11, remove_liquidity."""
    number, burnt = order["custody"], order["amount_units"]
    custody, params, pool = venue.custodies[number], venue.custody_params[number], venue.pool
    if burnt <= 0:
        raise Refused(codes.INVALID_ORDER)
    owner = venue.accounts.get(order["lp_account"])
    if owner is None or owner.balance < burnt:
        raise Refused(codes.LP_BALANCE)
    if venue.params["lp_guard"] and venue.now <= owner.last_deposit_s:
        raise Refused(codes.LP_SAME_TIMESTAMP)
    flow = valuation.aum(venue) * burnt // pool.lp_supply
    units = venue.tokens(flow, number, venue.low(number))
    fee = a.fee(params["remove_bps"], units)
    paid = units - fee
    if custody.owned < paid:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    if params["stable"] and custody.owned - paid < params["minimum_units"]:
        raise Refused(codes.CUSTODY_MINIMUM)
    rates.require_rate(venue, number, custody.owned - paid, custody.locked)
    lp_fee_units = fee * venue.params["lp_share_bps"] // a.BPS
    protocol = venue.usd(fee - lp_fee_units, number, venue.mid(number))
    custody.owned -= paid
    pool.fees_debt_usd += protocol
    pool.lp_supply -= burnt
    owner.balance -= burnt
    rates.refresh_borrow(venue, number)
    payout, lp_fee = low_usd(venue, paid, number), low_usd(venue, fee, number)
    events.write(
        venue,
        codes.K_REMOVE_LIQUIDITY,
        order_id=order["order_id"],
        custody=number,
        custody_price=venue.mid(number),
        trader_out_units=paid,
        owned_units=-paid,
        owned_value_usd=-payout,
        lp_flow_usd=-flow,
        lp_fee_usd=lp_fee,
        lp_share_usd=lp_fee - protocol,
        protocol_share_usd=protocol,
        payout_usd=payout,
        spread_usd=-payout + flow - lp_fee,
        lp_units=-burnt,
        lp_account=order["lp_account"],
    )


def swapped_units(venue: Venue, source: int, target: int, amount: int) -> int:
    """Units of `target` for units of `source`, at mid prices cut short."""
    decimals = [venue.custody_params[number]["decimals"] for number in (source, target)]
    return a.swapped(amount, venue.mid(source), decimals[0], venue.mid(target), decimals[1])


def swap(venue: Venue, order: Order) -> None:
    """Fee-less at mid prices cut short. Spec 1.11; rates are not refreshed."""
    source, target, amount = order["custody"], order["custody_out"], order["amount_units"]
    if venue.params["swap_mode"] == codes.SWAP_NONE:
        raise Refused(codes.SWAPS_DISABLED)
    if source == target or amount <= 0:
        raise Refused(codes.INVALID_ORDER)
    paid = swapped_units(venue, source, target, amount)
    if paid <= 0:
        raise Refused(codes.INVALID_ORDER)
    if venue.custodies[target].owned - paid < venue.custodies[target].locked:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    for kind, number, change in ((codes.K_SWAP_IN, source, amount), (codes.K_SWAP_OUT, target, -paid)):
        venue.custodies[number].owned += change
        worth = a.sign(change) * low_usd(venue, abs(change), number)
        events.write(
            venue,
            kind,
            order_id=order["order_id"],
            custody=number,
            custody_price=venue.mid(number),
            trader_in_units=max(change, 0),
            trader_out_units=max(-change, 0),
            owned_units=change,
            owned_value_usd=worth,
            spread_usd=worth,
        )


def distribute_fees(venue: Venue, order_id: int) -> None:
    """Pay all fee debt from one custody, a token for a dollar, while its low price holds the peg.

    Spec 1.12, distribute_fees.
    """
    pool, number = venue.pool, venue.params["fee_custody"]
    debt = pool.fees_debt_usd + pool.referrers_debt_usd
    if number < 0 or debt == 0:
        raise Refused(codes.NOTHING_TO_DO)
    if venue.low(number) <= venue.params["depeg_floor"]:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    custody = venue.custodies[number]
    units = debt * venue.custody_params[number]["unit"] // 1_000_000
    if custody.locked + units > custody.owned:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    rates.require_rate(venue, number, custody.owned - units, custody.locked)
    custody.owned -= units
    pool.fees_debt_usd = pool.referrers_debt_usd = 0
    rates.refresh_borrow(venue, number)
    worth = low_usd(venue, units, number)
    events.write(
        venue,
        codes.K_DISTRIBUTE_FEES,
        order_id=order_id,
        custody=number,
        custody_price=venue.mid(number),
        fees_out_units=units,
        owned_units=-units,
        owned_value_usd=-worth,
        debt_paid_usd=debt,
        spread_usd=debt - worth,
    )


def distribute_when_due(venue: Venue) -> None:
    """The automatic round. One that cannot pay is skipped until the next."""
    interval = venue.params["distribution_interval_s"]
    if interval <= 0 or venue.now < venue.pool.next_distribution_s:
        return
    venue.pool.next_distribution_s = (venue.now // interval + 1) * interval
    try:
        require_fresh_prices(venue)
        distribute_fees(venue, order_id=-1)
    except Refused:
        pass
