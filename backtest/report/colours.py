"""Which colour an asset has, the same in every picture. A colour is the name of a variable of page.css."""

from collections.abc import Mapping
from typing import Any

GAIN, LOSS, INK = "var(--accent)", "var(--loss)", "var(--ink)"
FAINT, BAND = "var(--faint)", "var(--band)"
_ASSETS, _STABLES = 8, 4


def series(number: int) -> str:
    """The colour of the n-th of several things of one kind, from 0."""
    return f"var(--series-{number % _ASSETS + 1})"


def assets(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Colours of custodies, markets and price sources by name.

    A market has the colour of the token that backs its longs, unless that is taken; stables are shades of grey.
    """
    found: dict[str, str] = {}
    volatile, stables = 0, 0
    for custody in manifest["custodies"]:
        if custody["stable"]:
            found[custody["symbol"]] = f"var(--stable-{stables % _STABLES + 1})"
            stables += 1
        else:
            found[custody["symbol"]] = series(volatile)
            volatile += 1
    backing = {custody["symbol"] for custody in manifest["custodies"] if not custody["stable"]}
    for market in manifest["markets"]:
        if market["symbol"] in found:
            continue
        if market["long_custody"] in backing:
            backing.remove(market["long_custody"])
            found[market["symbol"]] = found[market["long_custody"]]
        else:
            found[market["symbol"]] = series(volatile)
            volatile += 1
    for symbol, source in (manifest.get("symbols") or {}).items():
        if symbol in found:
            found.setdefault(str(source), found[symbol])
    return found
