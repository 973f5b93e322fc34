"""Fees of liquidity providers and swaps: how much, who gets it, and the limits on the mix of tokens.

Ratios are shares of the pool's value in basis points. Spec 2 rows "LP fee", "improved", "ratio check" (Pool::get_fee,
get_new_ratio, check_token_ratio); spec gmx A10 (VaultUtils.getFeeBasisPoints).
"""

from dataclasses import dataclass

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import valuation
from tests.reference.valued import EMA
from tests.reference.venue import Refused, Venue


@dataclass
class Ratios:
    """Share of one custody now, and after adding or removing so many units, at one price. Pool::get_new_ratio."""

    current: int
    after: int


def ratios(venue: Venue, custody: int, add: int, remove: int, at: int) -> Ratios:
    """Against the value of the pool at average prices, before the action."""
    owned, pool_usd = venue.custodies[custody].owned, valuation.aum(venue, EMA)
    moved = venue.usd(max(add, remove), custody, at)
    after_usd, after_pool = venue.usd(owned + add - min(remove, owned), custody, at), pool_usd + moved
    if remove > 0:
        after_pool = pool_usd - moved
        if after_pool <= 0 or remove >= owned:
            after_usd = after_pool = 0
    return Ratios(_share(venue.usd(owned, custody, at), pool_usd), _share(after_usd, after_pool))


def _share(part: int, whole: int) -> int:
    return min(part * a.BPS // whole, a.BPS) if part > 0 and whole > 0 else 0


def require_ratio(venue: Venue, custody: int, add: int, remove: int, at: int) -> None:
    """Out of bounds only towards the bounds. Spec 2, "ratio check"; `add`, `remove`: change of what the pool owns."""
    if venue.params["ratio_limit"] == codes.RATIO_NONE:
        return
    params, found = venue.custody_params[custody], ratios(venue, custody, add, remove, at)
    below = found.after < params["ratio_min_bps"] and found.after < found.current
    above = found.after > params["ratio_max_bps"] and found.after > found.current
    if below or above:
        raise Refused(codes.RATIO_LIMIT)


def fee_units(venue: Venue, custody: int, base_bps: int, add: int, remove: int, at: int) -> int:
    """Fee in tokens on the gross amount, rounded up; tax and rebate are not of this kind and count as flat."""
    variant, amount, bps = venue.params["lp_fee"], max(add, remove), base_bps
    if variant in (codes.LP_FEE_LINEAR, codes.LP_FEE_OPTIMAL):
        rule = linear_bps if variant == codes.LP_FEE_LINEAR else optimal_bps
        found = ratios(venue, custody, add, remove, at)
        bps = rule(venue.custody_params[custody], base_bps, found, adding=add > 0)
    fee = a.fee(bps, amount)
    if bps < 0 or fee > amount:
        raise Refused(codes.INVALID_ORDER)
    return fee


def linear_bps(params: dict[str, int], base_bps: int, found: Ratios, adding: bool) -> int:
    """The farther from the target, the dearer for who worsens and the cheaper for who improves. get_fee_linear."""
    del adding
    target, now, after = params["ratio_target_bps"], found.current, found.after
    edge = params["ratio_min_bps"] if after <= target else params["ratio_max_bps"]
    if after < target:
        improved = after > now or (now > target and now - target > target - after)
    elif after > target:
        improved = after < now or (now < target and target - now > after - target)
    else:
        improved = now != target
    factor = a.BPS
    if target != edge:
        factor += params["fee_mult_bps"] * abs(after - target) // abs(target - edge)
    return base_bps * a.BPS // factor if improved else base_bps * factor // a.BPS


def optimal_bps(params: dict[str, int], base_bps: int, found: Ratios, adding: bool) -> int:
    """A line through the optimal fee at the target and the highest at the edge, plus the base. get_fee_optimal."""
    target, low, high = (params[f"ratio_{name}_bps"] for name in ("target", "min", "max"))
    optimal, after = params["fee_optimal_bps"], found.after
    if (adding and after > high) or (not adding and after < low):
        raise Refused(codes.RATIO_LIMIT)
    run = high - target if after > target else target - low
    if run == 0:
        return base_bps + optimal
    rise = params["fee_max_bps"] - optimal
    rise = rise if adding else -rise
    numerator = rise * after + optimal * run - target * rise
    return base_bps + a.sign(numerator) * (abs(numerator) // abs(run)) * a.sign(run)


def tax_bps(venue: Venue, custody: int, change_usd: int, base_bps: int, tax: int) -> int:
    """Base fee, plus a tax for who leads away from the target, less a rebate for who leads towards it. Gmx A10."""
    weights = sum(params["weight"] for params in venue.custody_params)
    if not venue.params["dynamic_fees"] or weights == 0:
        return base_bps
    target = venue.custody_params[custody]["weight"] * venue.pool.dollar_supply_usd // weights
    if target == 0:
        return base_bps
    held = venue.custodies[custody].dollars_usd
    before, after = abs(held - target), abs(max(held + change_usd, 0) - target)
    if after < before:
        return max(base_bps - tax * before // target, 0)
    return base_bps + tax * min((before + after) // 2, target) // target


@dataclass
class Booking:
    """One fee: `reserved` of its units leave the books of the pool, `kept` stay with the liquidity providers."""

    units: int
    reserved: int
    kept: int
    debt_usd: int
    columns: dict[str, int]  # of the event


def book(venue: Venue, custody: int, units: int) -> Booking:
    """Where a fee of so many tokens goes, by the way fees are booked. Nothing is changed yet."""
    share, low = venue.params["lp_share_bps"], venue.low(custody)
    variant, fee_usd = venue.params["fee_booking"], venue.usd(units, custody, low)
    reserved = debt = 0
    if variant == codes.BOOK_DEBT:
        kept = units * share // a.BPS
        protocol = debt = venue.usd(units - kept, custody, venue.mid(custody))
    elif variant == codes.BOOK_RESERVE:
        reserved, kept = units, 0
        protocol = fee_usd - fee_usd * share // a.BPS
    else:
        reserved = a.fee(a.BPS - share, units)
        kept, protocol = units - reserved, venue.usd(reserved, custody, low)
    columns = {
        "lp_fee_usd": fee_usd,
        "lp_share_usd": fee_usd - protocol,
        "protocol_share_usd": protocol,
        "fee_units": reserved,
        "reserved_fee_usd": venue.usd(reserved, custody, low),
    }
    return Booking(units, reserved, kept, debt, columns)
