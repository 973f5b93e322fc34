"""A protocol as tables for people: each mechanism with what it reads, each value with where it comes from, each change.

And the catalogue itself: every variant of every mechanism, with its rule.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from backtest.changes import steps
from backtest.config import Protocol
from backtest.errors import UsageError
from backtest.mechanisms import FAMILIES, chosen, unread
from backtest.protocols import known_protocols, load_protocol
from backtest.provenance import Origin, provenance
from backtest.toml_files import hint

_SIDE_BY_SIDE = 4  # more symbols than this leave no room for the sources
_MARKS = {
    "source": "",
    "assumption": "assumed: ",
    "override": "override: ",
    "default": "default",
    "unstated": "no source stated",
}


@dataclass(frozen=True)
class Section:
    """One table: a title, the names of the columns, and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def overview() -> list[dict[str, str]]:
    """Name, date, dated changes, title and description of every shipped protocol."""
    return [_summary(name, load_protocol(name)) for name in known_protocols()]


def _summary(name: str, protocol: Protocol) -> dict[str, str]:
    dates = [change.date[:10] for change in protocol.change]
    changes = f"{len(dates)}, {dates[0]} to {dates[-1]}" if dates else ""
    texts = {"title": protocol.title, "description": protocol.description}
    return {"name": name, "as_of": protocol.as_of, "changes": changes} | texts


def plain(protocol: Protocol) -> dict[str, Any]:
    """The protocol as builtins, with `provenance`: per value its path, value, kind and text."""
    origins = [origin._asdict() for origin in provenance(protocol).values()]
    fields: dict[str, Any] = msgspec.to_builtins(protocol)
    return fields | {"provenance": msgspec.to_builtins(origins)}


def sections(protocol: Protocol) -> list[Section]:
    """Mechanisms, pool, fees, custodies, markets, calendars and dated changes, in this order."""
    origins = provenance(protocol)
    mechanisms: list[tuple[str, ...]] = [
        (
            family,
            variant,
            ", ".join(path.split(".", 1)[1].removeprefix("*.") for path in (*entry.needs, *entry.reads)),
            _source([origins[f"mechanisms.{family}"]]),
        )
        for family, variant, entry in chosen(protocol)
    ]
    ignored = unread(protocol)
    found = [
        Section("mechanisms", ("mechanism", "variant", "parameters", "source"), mechanisms),
        _table("pool", msgspec.to_builtins(protocol.pool), origins, ignored),
        _table("fees", msgspec.to_builtins(protocol.fees), origins, ignored),
        *_grids("custody", msgspec.to_builtins(protocol.custody), origins, ignored),
        *_grids("market", msgspec.to_builtins(protocol.market), origins, ignored),
    ]
    hours: list[tuple[str, ...]] = [
        (name, key, texts if isinstance(texts, str) else ", ".join(texts))
        for name, calendar in protocol.calendar.items()
        for key, texts in msgspec.to_builtins(calendar).items()
    ]
    if hours:
        found.append(Section("calendar", ("calendar", "key", "value"), hours))
    if protocol.change:
        found.append(Section("change", ("date", "parameter", "before", "after", "source"), _changes(protocol)))
    return found


def _changes(protocol: Protocol) -> list[tuple[str, ...]]:
    """Every value that a dated change replaces, with who says so."""
    said = {
        (change.date[:10], path): change.source or f"assumed: {change.assumption}"
        for change in protocol.change
        for path in change.set
    }
    dated = [
        (datetime.fromtimestamp(step.at_us / 1e6, UTC).date().isoformat(), edit)
        for step in steps(protocol, protocol.name)
        for edit in step.edits
    ]
    return [
        (date, edit.path, *(_text(msgspec.to_builtins(value)) for value in edit[1:]), said.get((date, edit.path), ""))
        for date, edit in dated
    ]


def catalogue(family: str | None = None) -> list[dict[str, Any]]:
    """Every family (or one) with its question, unit and variants; `UsageError` for a name that is none."""
    if family is not None and family not in FAMILIES:
        raise UsageError(f"no mechanism is called '{family}'; {hint(family, FAMILIES)}")
    names = FAMILIES if family is None else (family,)
    return [{"family": name} | msgspec.to_builtins(FAMILIES[name]) for name in names]


def _table(name: str, values: dict[str, Any], origins: dict[str, Origin], ignored: set[str]) -> Section:
    given, rest = _split(name, {key: [value] for key, value in values.items()}, [""], origins)
    rows: list[tuple[str, ...]] = [
        (key, _text(values[key]) + _note(f"{name}.{key}", ignored), _source([origins.get(f"{name}.{key}")]))
        for key in given
    ]
    return Section(name, ("parameter", "value", "source"), [*rows, *(("others", "", text) for text in rest)])


def _grids(
    name: str, values: tuple[dict[str, Any], ...], origins: dict[str, Origin], ignored: set[str]
) -> list[Section]:
    """Parameters down, symbols across; the sources beside them, or in a table of their own where there are many."""
    symbols = [row["symbol"] for row in values]
    columns = {key: [row[key] for row in values] for key in values[0] if key != "symbol"}
    given, rest = _split(name, columns, symbols, origins)
    rows: list[tuple[str, ...]] = []
    said: list[tuple[str, ...]] = []
    for key in given:
        shown = [
            symbol if key == "price" and not value else _text(value)
            for symbol, value in zip(symbols, columns[key], strict=True)
        ]
        paths = [f"{name}.{symbol}.{key}" for symbol in symbols]
        rows.append((key, *(text + _note(path, ignored) for path, text in zip(paths, shown, strict=True))))
        said.append((key, _source([origins.get(path) for path in paths], symbols)))
    others: list[tuple[str, ...]] = [("others", text) for text in rest]
    if len(symbols) > _SIDE_BY_SIDE:
        sources = Section(f"{name}: sources", ("parameter", "source"), [*(row for row in said if row[1]), *others])
        return [Section(name, ("parameter", *symbols), rows), sources]
    beside = [(*row, text) for row, (_, text) in zip(rows, said, strict=True)]
    blank = ("",) * len(symbols)
    return [Section(name, ("parameter", *symbols, "source"), [*beside, *((key, *blank, text) for key, text in others)])]


def _split(
    name: str, columns: dict[str, list[Any]], symbols: list[str], origins: dict[str, Origin]
) -> tuple[list[str], list[str]]:
    """Keys that say something, and one line of those that hold their default everywhere: rules that are not there."""
    given, rest = [], []
    for key, values in columns.items():
        found = [origins.get(".".join(filter(None, (name, symbol, key)))) for symbol in symbols]
        if all(origin is None or origin.kind == "default" for origin in found):
            if any(origin is not None for origin in found):
                rest.append(key)
            elif any(values):  # names and tiers, which have no source of their own
                given.append(key)
        else:
            given.append(key)
    return given, [f"default: {', '.join(rest)}"] if rest else []


def _note(path: str, ignored: set[str]) -> str:
    """Says so where no chosen mechanism reads a value."""
    return " (not read)" if path in ignored else ""


def _source(found: list[Origin | None], symbols: list[str] | None = None) -> str:
    """What is said of one value, or of a row of values: each text once, with its symbols where the row has several."""
    texts: dict[str, list[str]] = {}
    for index, origin in enumerate(found):
        if origin is not None:
            texts.setdefault(_MARKS[origin.kind] + origin.text, []).append(symbols[index] if symbols else "")
    if len(texts) < 2:
        return "".join(texts)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in texts.items())


def _text(value: Any) -> str:
    """A value as a person reads it: no exponents, thousands separated, tiers spelt out."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(f"{tier['multiplier']:g}x until {tier['until_s']} s" for tier in value)
    return str(value)
