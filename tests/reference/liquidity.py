"""Liquidity providers: what they put in and take out. Spec 1.11, 2 (rows "add", "remove"), gmx A10, A11."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import lp_fees, rates, valuation
from tests.reference.flows import Order, account, low_usd, write
from tests.reference.undo import all_or_nothing
from tests.reference.valued import HIGH, LOW
from tests.reference.venue import Record, Refused, Venue


def genesis(venue: Venue) -> None:
    """Opening balances, free of fees: each dollar mints one LP token, on account 0."""
    for number, amount in enumerate(venue.case.genesis):
        if amount <= 0:
            continue
        worth = low_usd(venue, amount, number)
        venue.custodies[number].owned += amount
        if venue.params["lp_fee"] == codes.LP_FEE_TAX_REBATE:
            venue.custodies[number].dollars_usd += worth
            venue.pool.dollar_supply_usd += worth
        _mint(venue, 0, worth)
        rates.refresh_borrow(venue, number)
        flow = {"trader_in_units": amount, "owned_units": amount, "lp_flow_usd": worth}
        write(venue, codes.K_GENESIS, -1, number, **flow, lp_units=worth, lp_account=0)


def _mint(venue: Venue, number: int, minted: int) -> None:
    owner = account(venue, number)
    venue.pool.lp_supply += minted
    owner.balance += minted
    owner.last_deposit_s = venue.now


def add_liquidity(venue: Venue, order: Order) -> None:
    """lp = floor(flow * supply / (A + kept fee)), the flow and the fee at the low price, A at the high one."""
    _deposit(venue, order, codes.K_ADD_LIQUIDITY)


def issue_dollars(venue: Venue, order: Order) -> None:
    """Tokens in for the pool's internal dollars, which nobody holds as LP tokens. Gmx A10, buyUSDG."""
    if venue.params["lp_fee"] != codes.LP_FEE_TAX_REBATE:
        raise Refused(codes.INVALID_ORDER)
    _deposit(venue, order, codes.K_ISSUE_DOLLARS)


def _deposit_fee(venue: Venue, number: int, amount: int) -> int:
    """Units of the fee on a deposit."""
    if venue.params["lp_fee"] != codes.LP_FEE_TAX_REBATE:
        return lp_fees.fee_units(venue, number, venue.custody_params[number]["add_bps"], amount, 0, venue.ema(number))
    gross, base, tax = low_usd(venue, amount, number), venue.params["mint_bps"], venue.params["tax_bps"]
    bps = lp_fees.tax_bps(venue, number, gross, base, tax)
    return amount - max(amount * (a.BPS - bps) // a.BPS, 0)


def _deposit(venue: Venue, order: Order, kind: int) -> None:
    number, amount, pool = order["custody"], order["amount_units"], venue.pool
    custody = venue.custodies[number]
    if amount <= 0:
        raise Refused(codes.INVALID_ORDER)
    before = valuation.aum(venue, HIGH)
    fee = lp_fees.book(venue, number, _deposit_fee(venue, number, amount))
    flow = low_usd(venue, amount - fee.units, number)
    if amount - fee.units < 1:
        raise Refused(codes.INVALID_ORDER)
    with all_or_nothing(custody, pool):
        if venue.params["lp_fee"] == codes.LP_FEE_TAX_REBATE:
            _issue(venue, number, flow)
        lp_fees.require_ratio(venue, number, amount - fee.reserved, 0, venue.ema(number))
        minted = 0
        if kind == codes.K_ADD_LIQUIDITY:
            minted = _minted(venue, flow, before, low_usd(venue, fee.kept, number))
        custody.owned += amount - fee.reserved
        custody.fees += fee.reserved
        pool.fees_debt_usd += fee.debt_usd
        if 0 < venue.params["aum_cap_usd"] <= valuation.aum(venue, HIGH):
            raise Refused(codes.AUM_CAP)
        rates.require_rate(venue, number, custody.owned, custody.locked)
    owner = -1
    if kind == codes.K_ADD_LIQUIDITY:
        owner = order["lp_account"]
        _mint(venue, owner, minted)
    rates.refresh_borrow(venue, number)
    columns = fee.columns | {"lp_flow_usd": flow, "lp_units": minted, "lp_account": owner}
    if venue.params["fee_booking"] == codes.BOOK_DEBT:
        columns["lp_fee_usd"] = low_usd(venue, amount, number) - flow
        columns["lp_share_usd"] = columns["lp_fee_usd"] - columns["protocol_share_usd"]
    owned = amount - fee.reserved
    write(venue, kind, order["order_id"], number, trader_in_units=amount, owned_units=owned, **columns)


def _issue(venue: Venue, number: int, dollars: int) -> None:
    """Internal dollars against a custody, up to its cap."""
    if dollars <= 0:
        raise Refused(codes.INVALID_ORDER)
    custody = venue.custodies[number]
    custody.dollars_usd += dollars
    venue.pool.dollar_supply_usd += dollars
    if 0 < venue.custody_params[number]["max_dollars_usd"] < custody.dollars_usd:
        raise Refused(codes.CUSTODY_CAP)


def _minted(venue: Venue, flow: int, before: int, kept_usd: int) -> int:
    """LP tokens for a flow: the fee that stays may count as if it had been in the pool already."""
    supply = venue.pool.lp_supply
    minted = flow
    if before > 0 and supply > 0:
        counts = venue.params["mint_counts_fee"] and venue.params["lp_fee"] != codes.LP_FEE_TAX_REBATE
        minted = flow * supply // (before + (kept_usd if counts else 0))
    if minted <= 0:
        raise Refused(codes.INVALID_ORDER)
    return minted


def remove_liquidity(venue: Venue, order: Order) -> None:
    """Pays the share floor(A * lp / supply), A at the low price, less the fee. Spec 1.11, remove_liquidity."""
    number, burnt = order["custody"], order["amount_units"]
    if burnt <= 0:
        raise Refused(codes.INVALID_ORDER)
    owner = venue.accounts.get(order["lp_account"])
    if owner is None or owner.balance < burnt:
        raise Refused(codes.LP_BALANCE)
    _require_not_too_soon(venue, owner)
    share = valuation.aum(venue, LOW) * burnt // venue.pool.lp_supply
    columns = {"lp_units": -burnt, "lp_account": order["lp_account"]}
    columns |= _withdraw(venue, number, share)
    venue.pool.lp_supply -= burnt
    owner.balance -= burnt
    rates.refresh_borrow(venue, number)
    write(venue, codes.K_REMOVE_LIQUIDITY, order["order_id"], number, **columns)


def _require_not_too_soon(venue: Venue, owner: Record) -> None:
    if venue.params["lp_guard"] and venue.now <= owner.last_deposit_s:
        raise Refused(codes.LP_SAME_TIMESTAMP)
    if venue.now < owner.last_deposit_s + venue.params["lp_cooldown_s"]:
        raise Refused(codes.COOLDOWN)


def redeem_dollars(venue: Venue, order: Order) -> None:
    """Internal dollars back for tokens. Gmx A10, sellUSDG."""
    dollars = order["size_usd"]
    if venue.params["lp_fee"] != codes.LP_FEE_TAX_REBATE or dollars <= 0:
        raise Refused(codes.INVALID_ORDER)
    if dollars > venue.pool.dollar_supply_usd:
        raise Refused(codes.LP_BALANCE)
    columns = _withdraw(venue, order["custody"], dollars)
    rates.refresh_borrow(venue, order["custody"])
    write(venue, codes.K_REDEEM_DOLLARS, order["order_id"], order["custody"], **columns)


def _withdraw(venue: Venue, number: int, share: int) -> dict[str, int]:
    """Take tokens for a share of so many dollars out of the books; columns of the event."""
    custody, params, pool = venue.custodies[number], venue.custody_params[number], venue.pool
    with all_or_nothing(custody, pool):
        units, fee_units = _redeemed(venue, number, share)
        fee = lp_fees.book(venue, number, fee_units)
        paid = units - fee_units
        lp_fees.require_ratio(venue, number, 0, paid + fee.reserved, venue.ema(number))
        custody.owned -= paid + fee.reserved
        custody.fees += fee.reserved
        pool.fees_debt_usd += fee.debt_usd
        if custody.owned < 0:
            raise Refused(codes.INSUFFICIENT_LIQUIDITY)
        if params["stable"] and custody.owned < params["minimum_units"]:
            raise Refused(codes.CUSTODY_MINIMUM)
        rates.require_rate(venue, number, custody.owned, custody.locked)
    columns = {"trader_out_units": paid, "owned_units": -paid - fee.reserved, "lp_flow_usd": -share}
    return fee.columns | columns | {"payout_usd": low_usd(venue, paid, number)}


def _redeemed(venue: Venue, number: int, share: int) -> tuple[int, int]:
    """(gross units, units of the fee) for a share. With tax and rebate the dollars are burnt before the fee is known.

    Spec gmx A10, sellUSDG.
    """
    custody, pool, params = venue.custodies[number], venue.pool, venue.params
    if params["lp_fee"] != codes.LP_FEE_TAX_REBATE:
        at = venue.high(number) if params["redeem_at_high"] else venue.low(number)
        units, base = venue.tokens(share, number, at), venue.custody_params[number]["remove_bps"]
        return units, lp_fees.fee_units(venue, number, base, 0, units, venue.ema(number))
    units = venue.tokens(share, number, venue.high(number))
    custody.dollars_usd = max(custody.dollars_usd - share, 0)
    pool.dollar_supply_usd -= min(share, pool.dollar_supply_usd)
    bps = lp_fees.tax_bps(venue, number, -share, params["mint_bps"], params["tax_bps"])
    paid = max(units * (a.BPS - bps) // a.BPS, 0)
    if paid <= 0:
        raise Refused(codes.INVALID_ORDER)
    return units, units - paid


def donate(venue: Venue, order: Order) -> None:
    """Tokens given to the pool for nothing; the borrow rate is not looked at."""
    number, amount = order["custody"], order["amount_units"]
    if amount <= 0:
        raise Refused(codes.INVALID_ORDER)
    venue.custodies[number].owned += amount
    flow = {"trader_in_units": amount, "owned_units": amount, "lp_flow_usd": low_usd(venue, amount, number)}
    write(venue, codes.K_DONATE, order["order_id"], number, **flow)


def accrue(venue: Venue, order: Order) -> None:
    """Bring the borrow index of a custody up to date."""
    rates.refresh_borrow(venue, order["custody"])
    write(venue, codes.K_ACCRUE, order["order_id"], order["custody"])
