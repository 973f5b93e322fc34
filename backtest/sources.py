"""What a protocol reads from price files: which column of the ticks comes from which symbol, and under which hours."""

from collections.abc import Sequence

import msgspec

from backtest.config import Calendar, Change, Protocol
from backtest.errors import UsageError
from backtest.price_quotes import PARTS, Quotes
from backtest.prices import SymbolSource
from backtest.resolve import Resolved
from backtest.scenario import Scenario, duration_us
from backtest.toml_files import hint

SECOND_US = 1_000_000


def price_symbols(protocol: Protocol) -> tuple[str, ...]:
    """The prices of custodies and markets, each once: what a scenario maps under [symbols]."""
    return tuple(dict.fromkeys(row.price or row.symbol for row in (*protocol.custody, *protocol.market)))


def symbol_sources(
    scenario: Scenario, resolved: Resolved, mapped: Sequence[str], where: str
) -> tuple[SymbolSource, ...]:
    """What each of `resolved.symbols` reads: a price, or a part of its quote named `<price>.low`, `.high`, `.ema`.

    mapped: what a scenario may name under [symbols]: the prices of all markets, also those that it leaves out
    """
    for symbol in scenario.symbols:
        if symbol not in mapped:
            raise UsageError(
                f"{where}: symbols.{symbol} is not a price symbol of {resolved.protocol.name}; {hint(symbol, mapped)}"
            )
    known = price_symbols(resolved.protocol)
    staleness_us = duration_us(scenario.max_staleness)
    hours = _hours(resolved.protocol)
    strict = _strict_stables(resolved.protocol)
    found = []
    for symbol in resolved.symbols:
        price, part = (symbol, PARTS[0]) if symbol in known else symbol.rsplit(".", 1)
        source = scenario.symbols.get(price, price)
        found.append(SymbolSource(symbol, source, staleness_us, part, strict.get(price), hours.get(price)))
    return tuple(found)


def quotes(resolved: Resolved) -> Quotes | None:
    """How the parts of a quote come about; None where the protocol trades at the price itself."""
    known = price_symbols(resolved.protocol)
    parts = {symbol.rsplit(".", 1)[1] for symbol in resolved.symbols if symbol not in known}
    if not parts:
        return None
    mode = resolved.protocol.mechanisms.trade_price
    return Quotes(mode, "ema" in parts or mode == "ema_spread", resolved.protocol.pool.ema_s * SECOND_US)


def _strict_stables(protocol: Protocol) -> dict[str, float]:
    """Band around a dollar by price, of the stables of a venue that quotes a low and a high side."""
    if protocol.mechanisms.trade_price != "min_max":
        return {}
    return {row.price or row.symbol: protocol.pool.strict_stable_deviation for row in protocol.custody if row.stable}


def _hours(protocol: Protocol) -> dict[str, Calendar]:
    """Market hours by price; markets on one price have the same (config_checks)."""
    return {row.price or row.symbol: protocol.calendar[row.calendar] for row in protocol.market if row.calendar}


def restrict(protocol: Protocol, markets: Sequence[str], where: str) -> Protocol:
    """`protocol` with `markets` alone (all, where none is named), in its own order; custodies stay as they are.

    Dated changes of markets that are left out go with them.
    """
    if not markets:
        return protocol
    known = [row.symbol for row in protocol.market]
    for symbol in markets:
        if symbol not in known:
            raise UsageError(f"{where}: markets: {symbol} is not a market of {protocol.name}; {hint(symbol, known)}")
    dropped = tuple(f"market.{symbol}." for symbol in known if symbol not in markets)
    return msgspec.structs.replace(
        protocol,
        market=tuple(row for row in protocol.market if row.symbol in markets),
        change=tuple(change for change in (_without(change, dropped) for change in protocol.change) if change.set),
    )


def _without(change: Change, dropped: tuple[str, ...]) -> Change:
    kept = {path: value for path, value in change.set.items() if not path.startswith(dropped)}
    return msgspec.structs.replace(change, set=kept)
