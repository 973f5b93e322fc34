"""The catalogue in words: complete, and true to the structs that it speaks of."""

import pytest

from backtest.config import DEFAULTS, STRUCTS, Mechanisms, leaves
from backtest.mechanisms import FAMILIES, chosen, unread
from backtest.protocols import known_protocols, load_protocol
from kernels import codes, state

TABLES = {"interest_rounding": codes.ROUNDING, "ratio_limit": codes.RATIO_LIMITS, "swap": codes.SWAP_MODE}


def test_every_code_of_every_family_is_documented_in_its_order() -> None:
    assert tuple(FAMILIES) == Mechanisms.__struct_fields__
    for name, family in FAMILIES.items():
        assert tuple(family.variants) == TABLES.get(name, getattr(codes, name.upper(), None)), name
    assert len(FAMILIES) == state.POOL_PARAMS.names.index("swap_mode") + 1


@pytest.mark.parametrize("name", list(FAMILIES))
def test_an_entry_says_rule_unit_rounding_and_source(name: str) -> None:
    family = FAMILIES[name]
    assert family.question.endswith("?")
    assert family.unit
    for variant in family.variants.values():
        for text in (variant.equation, variant.rounding, variant.source):
            assert text
            assert "\n" not in text
        assert set(variant.needs).isdisjoint(variant.reads)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_what_a_variant_reads_exists_and_what_it_needs_has_no_default(name: str) -> None:
    for variant in FAMILIES[name].variants.values():
        for path in (*variant.needs, *variant.reads):
            table, *star, key = path.split(".")
            assert key in STRUCTS[table].__struct_fields__, path
            assert star == (["*"] if table in ("custody", "market") else []), path
            assert path not in variant.needs or DEFAULTS[table, key] is None, path


def test_every_number_without_a_default_is_needed_by_some_variant() -> None:
    needed = {
        (path.split(".")[0], path.split(".")[-1])
        for family in FAMILIES.values()
        for variant in family.variants.values()
        for path in (*variant.needs, *variant.reads)
    }
    optional = {place for place, default in DEFAULTS.items() if default is None}
    assert optional <= needed


@pytest.mark.parametrize("name", sorted(known_protocols()))
def test_the_unread_values_of_a_protocol_are_given_and_belong_to_other_variants(name: str) -> None:
    protocol = load_protocol(name)
    values = leaves(protocol)
    read = {path.split(".")[-1] for _, _, entry in chosen(protocol) for path in (*entry.needs, *entry.reads)}
    for path in unread(protocol):
        assert values[path] is not None
        assert path.split(".")[-1] not in read
