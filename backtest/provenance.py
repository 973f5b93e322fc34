"""Where each value of a protocol comes from: a stated source, a stated assumption, an override, or nothing stated.

A number that no file gives is a default: a rule or a limit that is not there needs no source. A mechanism always does.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from backtest.config import DEFAULTS, ROWS, TABLES, Change, Protocol, key_of, leaves
from backtest.errors import UsageError
from backtest.toml_files import Table, build, hint, show

Kind = Literal["source", "assumption", "override", "default", "unstated"]
_NAMES = (
    "price",
    "calendar",
    "long_custody",
    "short_custody",
    "distribution_custody",
)  # they name, they do not measure


class Origin(NamedTuple):
    """A value and what is said of it."""

    path: str
    value: Any
    kind: Kind
    text: str


def matches(pattern: str, path: str) -> bool:
    """Whether dotted `path` fits `pattern`, where `*` stands for one whole part."""
    wanted, parts = pattern.split("."), path.split(".")
    return len(wanted) == len(parts) and all(want in ("*", part) for want, part in zip(wanted, parts, strict=True))


def provenance(protocol: Protocol) -> dict[str, Origin]:
    """The origin of every number, flag and mechanism in force, by path."""
    overridden = {item.path: item for item in protocol.overrides}
    found: dict[str, Origin] = {}
    for path, value in leaves(protocol).items():
        if path.split(".")[-1] in _NAMES or value is None or value == ():
            continue
        if path in overridden:
            found[path] = Origin(path, value, "override", f"was {show(overridden[path].before)}")
            continue
        stated = _stated(protocol.sources, protocol.assumptions, path)
        kind, text = stated[0] if stated else ("default" if _is_default(path, value) else "unstated", "")
        found[path] = Origin(path, value, kind, text)
    return found


def _is_default(path: str, value: Any) -> bool:
    table, key = key_of(path)
    return table != "mechanisms" and (table, key) in DEFAULTS and value == DEFAULTS[table, key]


def unstated(protocol: Protocol) -> list[str]:
    """Paths of values without a source or an assumption. Shipped protocols have none."""
    return [origin.path for origin in provenance(protocol).values() if origin.kind == "unstated"]


def check_patterns(protocol: Protocol, where: str) -> None:
    """`UsageError` for a pattern that names no value, or a value that two patterns name."""
    _check(protocol.sources, protocol.assumptions, _given(protocol), where)


def extended(protocol: Protocol, own: Table, base: Table, where: str) -> Table:
    """`sources` and `assumptions` of a file that extends `base`, with every pattern written out per path.

    A pattern of the file speaks of the values that the file sets (or brings with a new row), the base of the rest.
    """
    before = _base_paths(base)
    mine = [path for path in _given(protocol) if path not in before or is_set(own, path)]
    sources, assumptions = own.get("sources", {}), own.get("assumptions", {})
    _check(sources, assumptions, mine, where)
    result: dict[str, dict[str, str]] = {"sources": {}, "assumptions": {}}
    tables = {"source": result["sources"], "assumption": result["assumptions"]}
    for path in _given(protocol):
        given = (sources, assumptions) if path in mine else (base.get("sources", {}), base.get("assumptions", {}))
        for kind, text in _stated(*given, path):
            tables[kind][path] = text
    return dict(result)


def restated(protocol: Protocol, changes: Mapping[str, Change]) -> Protocol:
    """`protocol` with what each change says of the path that it changed, in place of what was said of it before."""
    if not changes:
        return protocol
    sources: dict[str, str] = {}
    assumptions: dict[str, str] = {}
    tables = {"source": sources, "assumption": assumptions}
    for path in _given(protocol):
        if path in changes:
            change = changes[path]
            tables["source" if change.source else "assumption"][path] = (
                f"{change.source or change.assumption} (since {change.date})"
            )
        else:
            for kind, text in _stated(protocol.sources, protocol.assumptions, path):
                tables[kind][path] = text
    return msgspec.structs.replace(protocol, sources=sources, assumptions=assumptions)


def _stated(sources: dict[str, str], assumptions: dict[str, str], path: str) -> list[tuple[Kind, str]]:
    found: list[tuple[Kind, str]] = [("source", text) for key, text in sources.items() if matches(key, path)]
    return found + [("assumption", text) for key, text in assumptions.items() if matches(key, path)]


def _check(sources: dict[str, str], assumptions: dict[str, str], paths: list[str], where: str) -> None:
    keyed = [("sources", key) for key in sources] + [("assumptions", key) for key in assumptions]
    for table, key in keyed:
        if not any(matches(key, path) for path in paths):
            raise UsageError(f'{where}: {table}."{key}" names no value of this file; {hint(key, paths)}')
    for path in paths:
        twice = [f'{table}."{key}"' for table, key in keyed if matches(key, path)]
        if len(twice) > 1:
            raise UsageError(f"{where}: {path} is named by {' and '.join(twice)}; keep one of them")


def _base_paths(base: Table) -> set[str]:
    """Paths that the base has, given there or by default: all of its tables and rows."""
    return set(_given(build(base, Protocol, "base")))


def _given(protocol: Protocol) -> list[str]:
    """Paths that hold a value."""
    return [path for path, value in leaves(protocol).items() if value is not None]


def is_set(own: Table, path: str) -> bool:
    """Whether a file sets the value at `path` itself."""
    table, *symbol, key = path.split(".")
    if table in TABLES:
        return key in own.get(table, {})
    assert table in ROWS
    return any(row["symbol"] == symbol[0] and key in row for row in own.get(table, []))
