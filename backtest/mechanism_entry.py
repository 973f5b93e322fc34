"""The shape of an entry of the catalogue: one family of mechanisms, and one variant of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """What one variant does.

    equation: the rule on one line, in the names of the files
    rounding: how the integers of it are rounded
    source: the venue, and the function of its program where there is one
    needs: paths that must be given; reads: paths that have a default; `*` stands for every custody or market
    """

    equation: str
    rounding: str
    source: str
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """A question that every venue answers, the unit of the answer, and the variants by name, in the order of codes."""

    question: str
    unit: str
    variants: dict[str, Variant]


def custody(*keys: str) -> tuple[str, ...]:
    """Paths of keys of every custody."""
    return tuple(f"custody.*.{key}" for key in keys)


def market(*keys: str) -> tuple[str, ...]:
    """Paths of keys of every market."""
    return tuple(f"market.*.{key}" for key in keys)


def pool(*keys: str) -> tuple[str, ...]:
    """Paths of keys of the pool."""
    return tuple(f"pool.{key}" for key in keys)
