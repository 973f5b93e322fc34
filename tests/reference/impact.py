"""Price-impact fee: the more open interest changed within the last minute, the dearer. Jupiter, spec 3.3."""

from kernels import codes
from tests.reference import arithmetic as a
from tests.reference.venue import Venue

WINDOW_S = 60
UNIT = 1_000_000  # of the exponent and the factor


def linear_bps(params: dict[str, int], size_usd: int) -> int:
    """ceil(size * 1e4 / scalar): at least one basis point of any trade; 0 without a scalar."""
    scalar = params["impact_scalar_usd"]
    return a.ceil_div(size_usd * a.BPS, scalar) if scalar else 0


def checked_fee(params: dict[str, int], base_bps: int, size_usd: int) -> int:
    """Fee of the margin checks, which know nothing of the window."""
    return a.fee(base_bps + linear_bps(params, size_usd), size_usd)


def settled_fee(venue: Venue, market: int, base_bps: int, size_usd: int, change_usd: int) -> int:
    """Fee of an action that changes open interest by `change_usd`, itself counted in the window."""
    params = venue.market_params[market]
    bps = base_bps + linear_bps(params, size_usd)
    net, threshold = abs(sum(_slots_after(venue, market, change_usd))), params["impact_threshold_usd"]
    if params["impact_factor_e6"] == 0 or threshold == 0 or net <= threshold:
        return a.fee(bps, size_usd)
    bps += _added_bps(params, net, threshold)
    most = params["impact_max_bps"]
    return a.fee(min(bps, most) if most else bps, size_usd)


def record_change(venue: Venue, market: int, change_usd: int) -> None:
    """An action has settled. Nothing to keep where no fee looks at the window, or size did not change."""
    fees = (venue.params["open_fee"] == codes.OPEN_FEE_IMPACT, venue.params["close_fee"] == codes.CLOSE_FEE_IMPACT)
    if change_usd == 0 or not any(fees):
        return
    ring = venue.impact[market]
    ring.slots, ring.last_s, ring.used = _slots_after(venue, market, change_usd), venue.now, True


def _slots_after(venue: Venue, market: int, change_usd: int) -> list[int]:
    """The ring by second modulo 60 with this change in it: what is a minute old or more has gone."""
    ring, here = venue.impact[market], venue.now % WINDOW_S
    if not ring.used or venue.now - ring.last_s >= WINDOW_S:
        return [change_usd if second == here else 0 for second in range(WINDOW_S)]
    slots = list(ring.slots)
    if venue.now == ring.last_s:
        slots[here] += change_usd
        return slots
    for second in range(ring.last_s + 1, venue.now):
        slots[second % WINDOW_S] = 0
    slots[here] = change_usd
    return slots


def _added_bps(params: dict[str, int], net: int, threshold: int) -> int:
    """ceil((net / threshold) ^ exponent * factor); powers other than 1 through one float power, cut to 1e-6."""
    factor = params["impact_factor_e6"]
    if params["impact_exponent_e6"] == UNIT:
        return a.ceil_div(net * factor, threshold * UNIT)
    powered = (float(net) / float(threshold)) ** (params["impact_exponent_e6"] / UNIT)
    return a.ceil_div(int(powered * 1e6) * factor, UNIT * UNIT)
