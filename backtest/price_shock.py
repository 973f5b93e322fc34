"""One more tick with other prices: `SOL=-30%,BTC=-20%` applied to the last tick of a run, as a price row would be.

A shock moves price histories: what reads one source moves together, whichever name the shock uses. Prices that are not
named stay. Low and high side keep their relative distance; a moving average starts to follow, and no more.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from backtest.errors import UsageError
from backtest.price_files import SECOND_US, Ints
from backtest.price_quotes import HIGH, LOW, ONE_DOLLAR, PARTS, PRICE, PRICE_SCALE, Average, quoted, strict
from backtest.prices import SymbolSource
from backtest.setup import Setup
from backtest.toml_files import hint
from kernels import codes
from kernels.state import Ticks

EVERY = "*"
MOST_STEPS = 1_000
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)%")
_HIGHEST = 9 * 10**17


@dataclass(frozen=True)
class Shock:
    """`text` as it is shown, and the factor of each source that moves, by `source_of`."""

    text: str
    factors: Mapping[str, float]


def source_of(source: SymbolSource) -> str:
    """What moves as one: the symbol of the price files, or, of a constant, `=` and its price symbol."""
    return source.source if isinstance(source.source, str) else f"={price_of(source)}"


def price_of(source: SymbolSource) -> str:
    """The price symbol of the protocol behind a column of the ticks."""
    return source.symbol if source.part == "price" else source.symbol.rsplit(".", 1)[0]


def parse(text: str, setup: Setup, option: str = "--shock") -> Shock:
    """Read `SOL=-30%,BTC=-20%`; UsageError names the option and the part that is wrong."""
    factors: dict[str, float] = {}
    for part in text.split(","):
        name, equals, percent = part.strip().rpartition("=")
        if not equals or not name:
            _refuse(option, text, part, "is no shock; write a price and its change, such as SOL=-30%")
        change = _percent(option, text, percent)
        if change <= -100:
            _refuse(option, text, percent, "leaves no price above zero; give more than -100%")
        factors |= dict.fromkeys(_sources(option, text, name, setup), 1 + change / 100)
    return Shock(text, factors)


def grid(text: str, setup: Setup) -> list[Shock]:
    """Read `SOL=-50%..50%:10%`: one shock for each step, from the low end on and not beyond the high one."""
    names, _, ends = text.rpartition("=")
    low_text, _, rest = ends.partition("..")
    high_text, _, step_text = rest.partition(":")
    if not (names and step_text):
        raise UsageError(f"--grid {text}: is no grid; write prices, ends and step, such as SOL=-50%..50%:10%")
    low, high, step = (_percent("--grid", text, end) for end in (low_text, high_text, step_text))
    if step <= 0 or high < low or (high - low) / step >= MOST_STEPS:
        raise UsageError(f"--grid {text}: is no rise in steps above 0, fewer than {MOST_STEPS:,}; write low..high:step")
    steps = (round(low + number * step, 9) for number in range(int((high - low) / step + 1e-9) + 1))
    return [common(names.split(","), change, setup, "--grid") for change in steps]


def common(names: Iterable[str], percent: float, setup: Setup, option: str = "--symbols") -> Shock:
    """The same change for all of `names`."""
    return parse(",".join(f"{name}={percent:+.10g}%" for name in names), setup, option)


def volatile(setup: Setup) -> list[str]:
    """Price symbols of the protocol but those of stables, in its order."""
    stables = {row.price or row.symbol for row in setup.resolved.protocol.custody if row.stable}
    return [source.symbol for source in setup.sources if source.part == "price" and source.symbol not in stables]


def moved(shock: Shock, setup: Setup) -> list[str]:
    """Price symbols of the protocol that a shock moves."""
    return [item.symbol for item in setup.sources if item.part == "price" and source_of(item) in shock.factors]


def left_behind(shock: Shock, setup: Setup) -> dict[str, list[str]]:
    """Volatile prices of custodies that back longs of a moved market and are not moved, with those markets."""
    there, volatiles = set(moved(shock, setup)), set(volatile(setup))
    prices = {row.symbol: row.price or row.symbol for row in setup.resolved.protocol.custody}
    found: dict[str, list[str]] = {}
    for market in setup.resolved.protocol.market:
        backing = prices.get(market.long_custody, "")
        if (market.price or market.symbol) in there and backing in volatiles - there:
            found.setdefault(backing, []).append(market.symbol)
    return found


def _sources(option: str, text: str, name: str, setup: Setup) -> set[str]:
    """What a name moves: `*` all that is volatile; a price, custody or market of the protocol; a file's symbol."""
    by_price = {item.symbol: source_of(item) for item in setup.sources if item.part == "price"}
    if name == EVERY:
        return {by_price[symbol] for symbol in volatile(setup)}
    rows = (*setup.resolved.protocol.custody, *setup.resolved.protocol.market)
    prices = {row.symbol: row.price or row.symbol for row in rows} | {symbol: symbol for symbol in by_price}
    if name in prices:
        return {by_price[prices[name]]}
    if name in by_price.values():
        return {name}
    _refuse(option, text, name, f"is no price of the run; {hint(name, [*prices, EVERY])}")


def _percent(option: str, text: str, part: str) -> float:
    found = _PERCENT.fullmatch(part.strip())
    if not found:
        _refuse(option, text, part, "is no change; write percent, such as -30%")
    return float(found[1])


def _refuse(option: str, text: str, part: str, problem: str) -> NoReturn:
    raise UsageError(f"{option} {text}: '{part.strip()}' {problem}")


# --- the tick ---------------------------------------------------------------------------------------------------------


def shocked_tick(setup: Setup, tick: Ticks, shock: Shock) -> Ticks:
    """The tick a second after `tick` in which the prices of the shock have moved; the others stand as they did.

    A moved price is fresh; a market that was closed stays closed. Raises UsageError for a price that cannot be.
    """
    price, flags = tick.price.copy(), tick.flags.copy()
    times = np.array([int(tick.time_us[0]) + SECOND_US], np.int64)
    for column, item in enumerate(setup.sources):
        factor = shock.factors.get(source_of(item))
        if factor is None:
            continue
        parts = {other.part: int(tick.price[0, at]) for at, other in _parts(setup, price_of(item))}
        if not all(0 < round(value * factor) < _HIGHEST for value in parts.values()):
            raise UsageError(
                f"--shock {shock.text}: takes {item.symbol} to {parts['price'] * factor / PRICE_SCALE:g} dollars, "
                "outside of what prices can be; give a smaller change"
            )
        quotes = _moved_quotes(setup, times, parts, factor)
        value = quotes[:, PARTS.index(item.part)]
        if item.strict_usd is not None:
            value = strict(PARTS.index(item.part), value, round(item.strict_usd * ONE_DOLLAR))
        price[0, column] = value[0]
        flags[0, column] &= ~np.uint8(codes.FLAG_STALE)
    return Ticks(times, price, flags)


def _parts(setup: Setup, price: str) -> list[tuple[int, SymbolSource]]:
    return [(column, item) for column, item in enumerate(setup.sources) if price_of(item) == price]


def _moved_quotes(setup: Setup, times: Ints, parts: Mapping[str, int], factor: float) -> Ints:
    """Price, low, high and average (1, 4) at 1e10 after a row that multiplies the price."""
    price = np.array([round(parts["price"] * factor)], np.int64)
    if setup.quotes is None:
        return np.column_stack([price] * len(PARTS))
    average = Average(setup.quotes.ema_us)
    average.extend(times - SECOND_US, np.array([parts.get("ema", parts["price"])], np.int64), None)
    dollars = {name: value * factor / PRICE_SCALE for name, value in parts.items()}
    beside = {
        "min": dollars.get(PARTS[LOW], np.nan),
        "max": dollars.get(PARTS[HIGH], np.nan),
        "confidence": dollars.get(PARTS[HIGH], np.nan) - dollars[PARTS[PRICE]],
        "ema": np.nan,
    }
    extra = np.array([[beside[name] for name in setup.quotes.columns]], np.float64).reshape(1, -1)
    return quoted(setup.quotes, times, price, extra, average)
