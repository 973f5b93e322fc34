"""Swaps against the pool. Spec 1.11 (whitelisted), 2 "swap" (spread), gmx A10 (tax and rebate)."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import lp_fees, rates
from tests.reference.flows import Order, low_usd, write
from tests.reference.undo import all_or_nothing
from tests.reference.venue import Refused, Venue


def swapped_units(venue: Venue, source: int, target: int, amount: int) -> int:
    """Units of `target` for units of `source`, at mid prices cut short."""
    decimals = [venue.custody_params[number]["decimals"] for number in (source, target)]
    return a.swapped(amount, venue.mid(source), decimals[0], venue.mid(target), decimals[1])


def swap(venue: Venue, order: Order) -> None:
    source, target, amount = order["custody"], order["custody_out"], order["amount_units"]
    mode = venue.params["swap_mode"]
    if mode == codes.SWAP_NONE:
        raise Refused(codes.SWAPS_DISABLED)
    if source == target or amount <= 0:
        raise Refused(codes.INVALID_ORDER)
    if mode == codes.SWAP_WHITELISTED:
        _swap_free(venue, order["order_id"], source, target, amount)
    elif mode == codes.SWAP_SPREAD:
        _swap_spread(venue, order["order_id"], source, target, amount)
    else:
        _swap_taxed(venue, order["order_id"], source, target, amount)


def _swap_free(venue: Venue, order_id: int, source: int, target: int, amount: int) -> None:
    """Fee-less at mid prices cut short. Spec 1.11; rates are not refreshed."""
    paid = swapped_units(venue, source, target, amount)
    if paid <= 0:
        raise Refused(codes.INVALID_ORDER)
    if venue.custodies[target].owned - paid < venue.custodies[target].locked:
        raise Refused(codes.INSUFFICIENT_LIQUIDITY)
    venue.custodies[source].owned += amount
    venue.custodies[target].owned -= paid
    write(venue, codes.K_SWAP_IN, order_id, source, trader_in_units=amount, owned_units=amount)
    write(venue, codes.K_SWAP_OUT, order_id, target, trader_out_units=paid, owned_units=-paid)


def spread_units(venue: Venue, source: int, target: int, amount: int) -> int:
    """Gross units out: low price in over high price out, as mantissas, less the spread. Pool::get_swap_price."""
    (low, power_in), (high, power_out) = (a.normalised(price) for price in (venue.low(source), venue.high(target)))
    ratio = low * 10**9 // high
    ratio -= ratio * venue.params["swap_spread_bps"] // a.BPS
    decimals = [venue.custody_params[number]["decimals"] for number in (source, target)]
    power = power_in - power_out - 9 + decimals[1] - decimals[0]
    return amount * ratio * 10**power if power >= 0 else amount * ratio // 10**-power


def _swap_spread(venue: Venue, order_id: int, source: int, target: int, amount: int) -> None:
    """A fee on either side; only that of the token paid out makes the swap dearer. Instruction swap."""
    gross = spread_units(venue, source, target, amount)
    if gross <= 0:
        raise Refused(codes.INVALID_ORDER)
    bps = venue.custody_params[source]["swap_in_bps"], venue.custody_params[target]["swap_out_bps"]
    units_in = lp_fees.fee_units(venue, source, bps[0], amount, 0, venue.mid(source))
    units_out = lp_fees.fee_units(venue, target, bps[1], 0, gross, venue.mid(target))
    _exchange(venue, order_id, (source, amount, units_in), (target, gross, units_out), taxed_usd=0)


def _swap_taxed(venue: Venue, order_id: int, source: int, target: int, amount: int) -> None:
    """Low price in over high price out; the larger of the two sides' fees, in the token paid out. Gmx A10."""
    params = venue.params
    scale = [venue.custody_params[number]["unit"] for number in (source, target)]
    gross = amount * venue.low(source) * scale[1] // (venue.high(target) * scale[0])
    worth = low_usd(venue, amount, source)
    stable = all(venue.custody_params[number]["stable"] for number in (source, target))
    base = params["stable_swap_bps" if stable else "swap_bps"]
    tax = params["stable_tax_bps" if stable else "tax_bps"]
    sides = ((source, worth), (target, -worth))
    bps = max(lp_fees.tax_bps(venue, number, change, base, tax) for number, change in sides)
    paid = gross * (a.BPS - bps) // a.BPS
    _exchange(venue, order_id, (source, amount, 0), (target, gross, gross - paid), taxed_usd=worth)


def _exchange(
    venue: Venue, order_id: int, given: tuple[int, int, int], taken: tuple[int, int, int], taxed_usd: int
) -> None:
    """Book (custody, gross units, units of the fee) in and out; the fee of what goes in is already part of it."""
    (source, amount, fee_in), (target, gross, fee_out) = given, taken
    taxed = venue.params["swap_mode"] == codes.SWAP_TAX_REBATE
    paid = gross - fee_out
    if paid <= 0:
        raise Refused(codes.INVALID_ORDER)
    booked_in, booked_out = lp_fees.book(venue, source, fee_in), lp_fees.book(venue, target, fee_out)
    added, removed = amount - booked_in.reserved, paid + booked_out.reserved
    entering, leaving = venue.custodies[source], venue.custodies[target]
    with all_or_nothing(entering, leaving, venue.pool):
        if taxed:
            entering.dollars_usd += taxed_usd
            leaving.dollars_usd = max(leaving.dollars_usd - taxed_usd, 0)
            if 0 < venue.custody_params[source]["max_dollars_usd"] < entering.dollars_usd:
                raise Refused(codes.CUSTODY_CAP)
        lp_fees.require_ratio(venue, source, added, 0, venue.mid(source))
        lp_fees.require_ratio(venue, target, 0, removed, venue.mid(target))
        entering.owned += added
        leaving.owned -= removed
        if leaving.owned < leaving.locked:
            raise Refused(codes.INSUFFICIENT_LIQUIDITY)
        if taxed and leaving.owned < venue.custody_params[target]["buffer_units"]:
            raise Refused(codes.BUFFER)
    entering.fees += booked_in.reserved
    leaving.fees += booked_out.reserved
    venue.pool.fees_debt_usd += booked_in.debt_usd + booked_out.debt_usd
    rates.refresh_borrow(venue, source)
    rates.refresh_borrow(venue, target)
    columns = booked_in.columns | {"trader_in_units": amount, "owned_units": added}
    write(venue, codes.K_SWAP_IN, order_id, source, **columns)
    columns = booked_out.columns | {"trader_out_units": paid, "owned_units": -removed}
    write(venue, codes.K_SWAP_OUT, order_id, target, **columns)
