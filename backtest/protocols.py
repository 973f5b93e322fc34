"""Protocol files: find one by name or path, follow `extends`, apply overrides, check, and hand out the struct."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from backtest import changes, config, provenance
from backtest.assets import shipped
from backtest.changes import pin
from backtest.config import ROWS, TABLES, Override, Protocol
from backtest.config_checks import check
from backtest.errors import UsageError
from backtest.toml_files import Table, build, hint, read_toml, show

__all__ = [
    "Sets",
    "apply_sets",
    "find_protocol",
    "flatten",
    "known_protocols",
    "lineage",
    "load_protocol",
    "merge",
    "pin",
]

Sets = Sequence[str | tuple[str, Any]]


def known_protocols() -> dict[str, Path]:
    """Shipped protocol files by name."""
    return shipped("protocols")


def find_protocol(name_or_path: str | Path) -> Path:
    """The file of a shipped protocol by name, or the path itself; `UsageError` with the known names otherwise."""
    known = known_protocols()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    path = Path(name_or_path)
    if path.is_file():
        return path
    if path.suffix == ".toml":
        raise UsageError(f"{path}: no such file; give a protocol TOML, or one of the shipped: {', '.join(known)}")
    raise UsageError(f"no protocol is called '{name_or_path}'; {hint(str(name_or_path), known)}, or give a TOML file")


def load_protocol(name_or_path: str | Path, sets: Sets = ()) -> Protocol:
    """Read, extend, override and check a protocol; `sets` as in `apply_sets`.

    Raises UsageError naming file, key, value and what is allowed.
    """
    path = find_protocol(name_or_path)
    raw = _load(path, ())
    merged, overrides = apply_sets(raw, sets, str(path))
    protocol = msgspec.structs.replace(build(merged, Protocol, str(path)), overrides=overrides)
    where = f"{path}, with overrides" if overrides else str(path)
    check(protocol, where)
    changes.check_changes(protocol, where)
    return protocol


# --- extends ------------------------------------------------------------------------------------------------


def _load(path: Path, below: tuple[Path, ...]) -> Table:
    """The raw tables of a file with those that it extends merged in, and `sources`, `assumptions` per value."""
    if path.resolve() in below:
        chain = " -> ".join(item.name for item in (*below, path))
        raise UsageError(f"{path}: extends itself ({chain}); break the cycle")
    own = read_toml(path)
    if "overrides" in own:
        raise UsageError(f"{path}: overrides is written by runs only; remove it, and set the values themselves")
    parent = own.pop("extends", None)
    base: Table = {}
    if parent is not None:
        if not isinstance(parent, str):
            raise UsageError(f"{path}: extends = {show(parent)} is not possible; give the name or path of a protocol")
        base = _load(_parent(parent, path), (*below, path.resolve()))
    raw = merge(base, own, str(path))
    protocol = build(raw, Protocol, str(path))
    check(protocol, str(path))
    raw["change"] = changes.combined(base.get("change", []), own, protocol, str(path))
    if parent is None:
        provenance.check_patterns(protocol, str(path))
        return raw
    return raw | provenance.extended(protocol, own, base, str(path))


def _parent(name: str, child: Path) -> Path:
    beside = child.parent / name
    try:
        return beside if beside.is_file() else find_protocol(name)
    except UsageError as error:
        raise UsageError(f"{child}: extends: {error}") from None


def lineage(name_or_path: str | Path) -> Iterator[Path]:
    """The file of a protocol that loads, then those that it extends, nearest first."""
    path = find_protocol(name_or_path)
    yield path
    while parent := read_toml(path).get("extends"):
        path = _parent(parent, path)
        yield path


def merge(base: Table, own: Table, where: str) -> Table:
    """`own` over `base`: tables key by key, custodies and markets by symbol (new ones come last), no dated changes."""
    merged = {key: value for key, value in base.items() if key != "change"}
    for key, value in own.items():
        if key in ROWS:
            merged[key] = _merge_rows(base.get(key, []), value, f"{where}: {key}")
        elif key in (*TABLES, "calendar") and isinstance(value, dict):
            merged[key] = base.get(key, {}) | value
        else:
            merged[key] = value
    return merged


def _merge_rows(base: list[Table], own: Any, at: str) -> Any:
    """Rows of `own` over those of the same symbol; what is no list of rows is left for `build` to refuse."""
    if not isinstance(own, list) or not all(isinstance(row, dict) and "symbol" in row for row in own):
        if base:
            raise UsageError(f"{at} is not an array of tables with a symbol each; write [[{at.split(': ')[-1]}]]")
        return own
    symbols = [row["symbol"] for row in own]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise UsageError(f"{at} names {symbol} twice; keep one")
    given = {row["symbol"]: row for row in own}
    rows = [row | given.pop(row["symbol"], {}) for row in base]
    return [*rows, *given.values()]


# --- overrides ----------------------------------------------------------------------------------------------


def apply_sets(raw: Table, sets: Sets, where: str = "protocol") -> tuple[Table, tuple[Override, ...]]:
    """`raw` with overrides put in, later ones over earlier ones, and what they changed.

    An override is a pair (dotted path, value) or the text `path=value`, the value a TOML literal (text may go without
    quotes). `*` in a path stands for every custody or market.
    """
    merged = raw | {key: dict(raw[key]) for key in TABLES if key in raw}
    merged |= {key: [dict(row) for row in raw[key]] for key in ROWS if key in raw}
    changes: dict[str, Override] = {}
    defaults = config.leaves(build(raw, Protocol, where)) if sets else {}
    for path, value in (_parse_set(item) if isinstance(item, str) else item for item in sets):
        for place in _places(path, defaults):
            table, *symbol, key = place.split(".")
            holder = merged.setdefault(table, {}) if not symbol else _row(merged[table], symbol[0])
            holder[key] = value
            before = changes[place].before if place in changes else defaults[place]
            changes[place] = Override(path=place, before=before, after=value)
    build(merged, Protocol, "override")
    return merged, tuple(changes.values())


def flatten(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """(dotted path, value) of a table of tables."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        found += flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return found


def _parse_set(text: str) -> tuple[str, Any]:
    path, equals, literal = (part.strip() for part in text.partition("="))
    if not equals or not path or not literal:
        raise UsageError(f"override '{text}' is not path=value; write e.g. market.SOL.close_bps=20")
    try:
        parsed = tomllib.loads(f"value = {literal}")
    except tomllib.TOMLDecodeError:
        if literal[0] in "\"'[{" or "\n" in literal:
            raise UsageError(f"override '{text}': {literal} is no TOML value; write a number or text") from None
        return path, literal
    return path, parsed["value"]


def _places(path: str, known: Mapping[str, Any]) -> Iterator[str]:
    """The paths of `known` that `path` names."""
    found = [place for place in known if provenance.matches(path, place)]
    if not found:
        wildcards = [".".join([parts[0], "*", parts[2]]) for parts in (item.split(".") for item in known) if parts[2:]]
        listed = list(dict.fromkeys(wildcards)) if "*" in path else list(known)
        close = hint(path, listed)
        near = close if close.startswith("did") else "`perpool protocols show` lists every path"
        raise UsageError(f"override {path}: no such value; {near}")
    yield from found


def _row(rows: list[Table], symbol: str) -> Table:
    return next(row for row in rows if row["symbol"] == symbol)
