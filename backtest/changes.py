"""Dated changes of a protocol: read from a file, taken over from the file it extends, and put in force at their date.

What a file sets itself holds throughout: the changes of that path are not taken over from the base, and an override
(`--set`, a scenario's [set]) wins over every change of its path. `change = []` takes over none.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from backtest.config import ROWS, STRUCTS, TABLES, Change, Protocol, leaves
from backtest.config_checks import faults
from backtest.errors import UsageError
from backtest.provenance import is_set, matches, restated
from backtest.toml_files import Table, build_field, hint, show

# What the books, the columns of the ticks or the flags on them are made for, once per run. A debt for fees that another
# booking would not pay is in the books too.
FIXED = {
    "mechanisms": ("margin", "valuation", "trade_price", "fee_booking"),
    "custody": ("decimals", "stable", "price"),
    "market": ("price", "long_custody", "short_custody", "calendar"),
    "pool": ("ema_s", "strict_stable_deviation"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Edit(NamedTuple):
    """One value that a change replaces."""

    path: str
    before: Any
    after: Any


class Step(NamedTuple):
    """The protocol from `at_us` on, and what became different then."""

    at_us: int
    protocol: Protocol
    edits: tuple[Edit, ...]


def moment_us(text: str) -> int:
    """Microseconds of a date (midnight UTC) or a timestamp (UTC); ValueError when it is neither."""
    found = datetime.fromisoformat(text)
    if found.utcoffset():
        raise ValueError("not in UTC")
    return (found.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def steps(protocol: Protocol, where: str) -> Iterator[Step]:
    """The protocol after each change, by rising time; changes of one moment are one step.

    Raises UsageError naming the date when a value is not possible, or when the values then contradict each other.
    """
    held = {item.path for item in protocol.overrides}
    moments: dict[int, dict[str, Any]] = {}
    for change in protocol.change:
        wanted = {path: value for path, value in change.set.items() if path not in held}
        moments.setdefault(moment_us(change.date), {}).update(wanted)
    dates = {moment_us(change.date): change.date for change in protocol.change}
    current = protocol
    for at_us in sorted(moments):
        at = f"{where}: change {dates[at_us]}"
        current, edits = applied(current, moments[at_us], at)
        for fault in faults(current):
            raise UsageError(f"{at}: {fault}")
        if edits:
            yield Step(at_us, current, edits)


def check_changes(protocol: Protocol, where: str) -> None:
    """Raise a `UsageError` with the first fault of the dated changes, if they have one."""
    for _ in steps(protocol, where):
        pass


def pin(protocol: Protocol, date: str) -> Protocol:
    """The rules in force at `date` (midnight UTC, or a full timestamp), with no change to come."""
    try:
        at_us = moment_us(date)
    except ValueError:
        raise UsageError(f"'{date}' is not a date; write 2022-01-05, or 2022-01-05T14:00:00Z") from None
    return msgspec.structs.replace(in_force(protocol, at_us), change=(), as_of=date[:10])


def in_force(protocol: Protocol, at_us: int) -> Protocol:
    """The rules at a time: earlier changes applied, with their sources; later ones still to come."""
    now = protocol
    for step in steps(protocol, protocol.name):
        if step.at_us <= at_us:
            now = step.protocol
    past = [change for change in protocol.change if moment_us(change.date) <= at_us]
    later = tuple(change for change in protocol.change if moment_us(change.date) > at_us)
    stated = {path: change for change in past for path in change.set}
    return restated(msgspec.structs.replace(now, change=later), stated)


def applied(protocol: Protocol, values: Mapping[str, Any], at: str) -> tuple[Protocol, tuple[Edit, ...]]:
    """`protocol` with `values` by path in place of its own, and those that differ."""
    new: dict[tuple[str, str], dict[str, Any]] = {}
    edits = []
    for path, value in values.items():
        table, symbol, key = _parts(path)
        after = build_field(value, STRUCTS[table], key, path, at)
        before = getattr(_holder(protocol, table, symbol), key)
        if after != before:
            new.setdefault((table, symbol), {})[key] = after
            edits.append(Edit(path, before, after))
    tables: dict[str, Any] = {}
    for table in TABLES:
        if (table, "") in new:
            tables[table] = msgspec.structs.replace(getattr(protocol, table), **new[table, ""])
    for table in ROWS:
        if any(name == table for name, _ in new):
            rows = getattr(protocol, table)
            tables[table] = tuple(msgspec.structs.replace(row, **new.get((table, row.symbol), {})) for row in rows)
    return msgspec.structs.replace(protocol, **tables), tuple(edits)


def _parts(path: str) -> tuple[str, str, str]:
    table, *symbol, key = path.split(".")
    return table, symbol[0] if symbol else "", key


def _holder(protocol: Protocol, table: str, symbol: str) -> Any:
    if not symbol:
        return getattr(protocol, table)
    return next(row for row in getattr(protocol, table) if row.symbol == symbol)


# --- reading ------------------------------------------------------------------------------------------------


def combined(base: Sequence[Table], own: Table, protocol: Protocol, where: str) -> list[Table]:
    """The changes of a file `own` and of the `base` that it extends, by date, paths written out.

    protocol: the merged file, its own changes as they stand there
    """
    given = own.get("change")
    if given is not None and not given:
        return []
    known = dict.fromkeys(leaves(protocol))
    mine = [_expanded(change, index, known, where) for index, change in enumerate(protocol.change if given else ())]
    for earlier, later in pairwise(mine):
        if moment_us(earlier["date"]) > moment_us(later["date"]):
            raise UsageError(
                f"{where}: change {later['date']} stands after change {earlier['date']}; sort the changes by date"
            )
    kept = [change | {"set": _not_set(change["set"], own)} for change in base]
    found = [change for change in kept if change["set"]] + mine
    return sorted(found, key=lambda change: moment_us(change["date"]))  # stable: of one moment, the own ones come last


def _not_set(values: Mapping[str, Any], own: Table) -> dict[str, Any]:
    """Those of `values` whose path the file does not set itself."""
    return {path: value for path, value in values.items() if not is_set(own, path)}


def _expanded(change: Change, index: int, known: Mapping[str, Any], where: str) -> Table:
    """A change with `*` written out, as a raw table; refuses what no change can do. known: paths that exist."""
    try:
        moment_us(change.date)
    except ValueError:
        raise UsageError(
            f'{where}: change[{index}].date = "{change.date}" is not a date in UTC; write 2022-01-05, or '
            "2022-01-05T14:00:00Z"
        ) from None
    at = f"{where}: change {change.date}"
    if bool(change.source) == bool(change.assumption):
        raise UsageError(f"{at}: give either source or assumption, so that a reader knows who says so")
    if not change.set:
        raise UsageError(f'{at}: set is empty; write [change.set] and lines such as "market.SOL.close_bps" = 10')
    values: dict[str, Any] = {}
    for path, value in _flat(change.set):
        places = [path] if path in known else [place for place in known if matches(path, place)]
        if not places:
            raise UsageError(f"{at}: {path}: no such value; {hint(path, known) if '*' not in path else 'correct it'}")
        for place in places:
            table, _, key = _parts(place)
            if key in FIXED.get(table, ()):
                raise UsageError(
                    f"{at}: {place} = {show(value)} cannot change within a run: books and ticks are made for it; "
                    "write a second protocol that extends this one"
                )
            values[place] = value
    return {key: text for key in ("date", "source", "assumption") if (text := getattr(change, key))} | {"set": values}


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, value), whether keys are quoted whole or written as tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
