"""Shocks laid over prices: a factor that is 1 before a shock, and rows that an outage leaves out.

Of a shock with start s, ramp d, change g, recovered share c within e, the factor at time t is

    1                                     t < s
    1 + g (t - s) / d                     s <= t < s + d
    1 + g (1 - c min(1, (t - s - d) / e)) s + d <= t        (no recovery: 1 + g)

so it is linear in the price, not in its logarithm. A gap has d = 0: the change is there at s. Several shocks multiply.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from backtest.errors import UsageError
from backtest.price_files import Floats, Ints, iso
from backtest.synthetic.shock_spec import Shock, resolve
from backtest.synthetic.tracks import Track


def factor(shocks: Sequence[Shock], times: Ints, *, just_before: bool = False) -> Floats:
    """What the shocks multiply prices by at `times` µs, (T,); `just_before`: as they are approached, before any gap."""
    product = np.ones(len(times))
    for shock in shocks:
        start, end, _ = shock.knots
        if shock.ramp_us:
            there = np.clip((times - start) / shock.ramp_us, 0, 1)
        else:
            there = (times > start if just_before else times >= start).astype(np.float64)
        if shock.recover_us:
            there = there * (1 - shock.recovered * np.clip((times - end) / shock.recover_us, 0, 1))
        product *= 1 + shock.change * there
    return product


def shaken(track: Track, shocks: Sequence[Shock]) -> Track:
    """`track` with its prices multiplied by the factor of `shocks`, none of them an outage.

    A price is multiplied by the factor at its time. A candle's open by that of its open, its close (and min, max,
    confidence, which are known then) by that just before its end, its high by the highest and its low by the lowest
    factor in between, the bends of a shock included: what price and shock could have reached, and no more. The volume
    stays as it was.
    """
    opening = factor(shocks, track.times)
    if not track.candles:
        return _scaled(track, dict.fromkeys(track.columns, opening))
    closing = factor(shocks, track.times + track.step_us, just_before=True)
    highest, lowest = np.maximum(opening, closing), np.minimum(opening, closing)
    for knot in sorted({knot for shock in shocks for knot in shock.knots}):
        at = int(np.searchsorted(track.times, knot, side="right")) - 1
        if at >= 0 and knot < track.times[at] + track.step_us:
            bend = np.array([knot])
            here = [float(factor(shocks, bend)[0])]
            if knot > track.times[at]:  # a gap at the open is in no candle
                here.append(float(factor(shocks, bend, just_before=True)[0]))
            highest[at], lowest[at] = max(highest[at], *here), min(lowest[at], *here)
    own = {"open": opening, "high": highest, "low": lowest}
    return _scaled(track, {name: own.get(name, closing) for name in track.columns})


def _scaled(track: Track, factors: Mapping[str, Floats]) -> Track:
    columns = {name: values if name == "volume" else values * factors[name] for name, values in track.columns.items()}
    return Track(track.times, columns, track.step_us)


def lay(tracks: Mapping[str, Track], shocks: Sequence[Shock], kept: Sequence[str]) -> dict[str, Track]:
    """`tracks` under `shocks`; those named in `kept` are constants and not meant by `*`.

    Raises UsageError for an unknown symbol, and for a shock that does not fit into the span of a symbol.
    """
    shaking: dict[str, list[Shock]] = {symbol: [] for symbol in tracks}
    for shock in shocks:
        for symbol in resolve(shock, [symbol for symbol in tracks if symbol not in kept], kept):
            _check_span(shock, symbol, tracks[symbol])
            shaking[symbol].append(shock)
    found = dict(tracks)
    for symbol, mine in shaking.items():
        if changes := [shock for shock in mine if not shock.outage]:
            found[symbol] = shaken(found[symbol], changes)
        for shock in mine:
            if shock.outage:
                found[symbol] = _without(found[symbol], shock, symbol)
    return found


def _check_span(shock: Shock, symbol: str, track: Track) -> None:
    first, last = int(track.times[0]), int(track.times[-1])
    if not first <= shock.start_us <= last or (not shock.outage and shock.end_us > last + track.step_us):
        raise UsageError(
            f"--shock {shock.text}: from {iso(shock.start_us)} to {iso(shock.end_us)} is not within the span of "
            f"{symbol}, {iso(first)} to {iso(last)}; move it, or make the history longer"
        )


def _without(track: Track, shock: Shock, symbol: str) -> Track:
    """The rows whose timestamp lies outside of the outage [start, end)."""
    left = (track.times < shock.start_us) | (track.times >= shock.end_us)
    if left.all():
        raise UsageError(
            f"--shock {shock.text}: no row of {symbol} lies in it; make it longer than the time between rows"
        )
    if left.sum() < 2:
        raise UsageError(f"--shock {shock.text}: leaves fewer than two rows of {symbol}; make it shorter")
    return track.rows(np.flatnonzero(left))
