"""Whether a position may stand: the check after a change of it, and the test for liquidation."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference import fees
from tests.reference import position as numbers
from tests.reference.venue import Record, Refused, Venue


def require_allowed(venue: Venue, position: Record, initial: bool) -> None:
    """Refuse a would-be position. `initial`: the stricter bound of opening holds.

    Spec 1.7, Pool::check_leverage; GMX v1 validateLiquidation (raising); Jupiter spec 3.4.
    """
    rule = venue.params["liquidation"]
    if rule == codes.LIQUIDATE_TWO_STATES:
        if position.size_usd < position.collateral_usd:
            raise Refused(codes.MIN_LEVERAGE)
        reason = two_states(venue, position, raising=True)
        if reason != codes.OK:
            raise Refused(reason)
        return
    params = venue.market_params[position.market]
    if rule == codes.LIQUIDATE_MIN_MARGIN:
        value = a.INFINITE_LEVERAGE
        if position.collateral_usd > 0:
            value = position.size_usd * a.BPS // position.collateral_usd
    else:
        value = numbers.leverage(venue, position, fees.close_fee(venue, position))
    if value < params["min_initial_leverage_bps"]:
        raise Refused(codes.MIN_LEVERAGE)
    if initial and value > params["max_initial_leverage_bps"]:
        raise Refused(codes.MAX_LEVERAGE)
    too_high = value > params["max_leverage_bps"]
    if rule == codes.LIQUIDATE_MIN_MARGIN:
        too_high = is_liquidatable(venue, position)
    if too_high:
        raise Refused(codes.MAX_LEVERAGE)


def is_liquidatable(venue: Venue, position: Record) -> bool:
    """By the pool's rule at this tick. Spec 1.7, liquidate_long.

    Maximal leverage: leverage > max with the dearer of exit and liquidation fee. Minimal margin: what is left after
    costs < floor(size / max leverage). Two states: any state but healthy.
    """
    rule, most = venue.params["liquidation"], venue.market_params[position.market]["max_leverage_bps"]
    if rule == codes.LIQUIDATE_TWO_STATES:
        return two_states(venue, position, raising=False) != codes.OK
    fee = fees.tested_fee(venue, position)
    if rule == codes.LIQUIDATE_MAX_LEVERAGE:
        return numbers.leverage(venue, position, fee) > most
    profit, loss = numbers.pnl(venue, position, fee)
    return position.collateral_usd + profit - loss < position.size_usd * a.BPS // most


def two_states(venue: Venue, position: Record, raising: bool) -> int:
    """OK or the reason. GMX v1 validateLiquidation; a profit counts unless `raising`.

    MAX_LEVERAGE is state 2 (closed and paid to the trader), the other reasons are state 1.
    """
    params = venue.market_params[position.market]
    due = numbers.interest(venue, position) + numbers.funding(venue, position) + fees.tested_fee(venue, position)
    result = numbers.gross(venue, position)
    if position.collateral_usd < -result:
        return codes.LOSSES_EXCEED_COLLATERAL
    left = position.collateral_usd + (min(result, 0) if raising else result)
    if left < due:
        return codes.FEES_EXCEED_COLLATERAL
    if left < due + params["liquidation_fee_usd"]:
        return codes.LIQUIDATION_FEE_EXCEEDS_COLLATERAL
    below = left * params["max_leverage_bps"] < position.size_usd * a.BPS
    return codes.MAX_LEVERAGE if below else codes.OK
