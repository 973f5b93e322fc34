"""The catalogue in words: what each variant of each mechanism computes, how it rounds, whose it is, what it reads.

`FAMILIES` follows backtest.config.Mechanisms. Configuration checks take from here which numbers a variant needs, and
`perpool protocols mechanisms` prints it. The tables themselves lie in `mechanisms_trading` and `mechanisms_pool`.
"""

from collections.abc import Iterator

import msgspec

from backtest.config import DEFAULTS, STRUCTS, Mechanisms, Protocol, key_of, leaves
from backtest.mechanism_entry import Family, Variant
from backtest.mechanisms_pool import POOL_SIDE
from backtest.mechanisms_trading import TRADING
from backtest.provenance import matches
from backtest.toml_files import allowed_for

FAMILIES: dict[str, Family] = {name: (TRADING | POOL_SIDE)[name] for name in Mechanisms.__struct_fields__}


def chosen(protocol: Protocol) -> Iterator[tuple[str, str, Variant]]:
    """Family, name and entry of every variant that a protocol picks."""
    for family, entry in FAMILIES.items():
        name = getattr(protocol.mechanisms, family)
        yield family, name, entry.variants[name]


def missing(protocol: Protocol) -> Iterator[str]:
    """Numbers that a chosen variant needs and the protocol does not give, each as a fault."""
    for family, name, entry in chosen(protocol):
        for table, key in map(key_of, entry.needs):
            for path, holder in _holders(protocol, table):
                if getattr(holder, key) is None:
                    yield (
                        f'{path}.{key} is missing; mechanisms.{family} = "{name}" reads it; '
                        f"add it: {allowed_for(STRUCTS[table], key)}"
                    )


def _holders(protocol: Protocol, table: str) -> list[tuple[str, msgspec.Struct]]:
    """What holds the keys of a table: the table itself, or each row."""
    found = getattr(protocol, table)
    return [(f"{table}.{row.symbol}", row) for row in found] if isinstance(found, tuple) else [(table, found)]


def unread(protocol: Protocol) -> set[str]:
    """Paths that are given but that only variants read which the protocol does not pick."""
    read = [pattern for _, _, entry in chosen(protocol) for pattern in (*entry.needs, *entry.reads)]
    other = {
        pattern
        for family in FAMILIES.values()
        for entry in family.variants.values()
        for pattern in (*entry.needs, *entry.reads)
    } - set(read)
    return {
        path
        for path, value in leaves(protocol).items()
        if value is not None
        and value != DEFAULTS.get(key_of(path))
        and any(matches(pattern, path) for pattern in other)
    }
