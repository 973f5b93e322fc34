"""Market hours by symbol, from the protocols that have them: `XAU=adrena-rwalp`, or a protocol for all its markets."""

from collections.abc import Sequence

from backtest.config import Calendar, Protocol
from backtest.errors import UsageError
from backtest.protocols import load_protocol
from backtest.toml_files import hint


def read_hours(texts: Sequence[str], symbols: Sequence[str]) -> dict[str, Calendar | None]:
    """The calendar of each of `symbols` that has one; None: its market never closes.

    texts: `SYMBOL=PROTOCOL`, `SYMBOL=PROTOCOL:CALENDAR`, or `PROTOCOL` for the prices of its markets; a symbol that
        is named goes before one that a protocol's markets name
    """
    named: dict[str, Calendar | None] = {}
    markets: dict[str, Calendar | None] = {}
    for text in texts:
        symbol, equals, protocol = (part.strip() for part in text.partition("="))
        if not equals:
            markets |= _of_markets(load_protocol(symbol), symbol, symbols)
            continue
        if symbol not in symbols:
            raise UsageError(f"--hours {text}: the dataset has no {symbol}; {hint(symbol, symbols)}")
        if symbol in named:
            raise UsageError(f"--hours {text}: {symbol} has hours already; give each symbol one calendar")
        named[symbol] = _calendar(protocol, text)
    return markets | named


def _of_markets(protocol: Protocol, name: str, symbols: Sequence[str]) -> dict[str, Calendar | None]:
    prices = {row.price or row.symbol: protocol.calendar.get(row.calendar) for row in protocol.market}
    found = {symbol: prices[symbol] for symbol in symbols if symbol in prices}
    if not found:
        raise UsageError(
            f"--hours {name}: its markets have the prices {', '.join(prices)}, the dataset has {', '.join(symbols)}; "
            f"name the symbol too: --hours {symbols[0]}={name}"
        )
    return found


def _calendar(text: str, given: str) -> Calendar:
    """The calendar that `PROTOCOL:CALENDAR` names, or the only one of `PROTOCOL`."""
    name, colon, wanted = text.rpartition(":")
    if not colon or "/" in wanted or "\\" in wanted:  # a drive, not a calendar
        name, wanted = text, ""
    calendars = load_protocol(name).calendar
    if not calendars:
        raise UsageError(f"--hours {given}: {name} has no [calendar.NAME]; name a protocol that has market hours")
    if not wanted and len(calendars) > 1:
        first = next(iter(calendars))
        raise UsageError(f"--hours {given}: {name} has the calendars {', '.join(calendars)}; name one: {name}:{first}")
    if wanted and wanted not in calendars:
        raise UsageError(f"--hours {given}: {name} has no calendar {wanted}; {hint(wanted, calendars)}")
    return calendars[wanted or next(iter(calendars))]
