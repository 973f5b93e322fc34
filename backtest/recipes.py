"""Queries for questions that LPs ask, one file each in `sql/recipes`: its first line is the question, the rest of the
comment says how to read the answer.
"""

from typing import NamedTuple

from backtest.errors import UsageError
from backtest.toml_files import hint
from backtest.warehouse import SQL


class Recipe(NamedTuple):
    """A named query over a run, or over many."""

    name: str
    question: str
    reading: str
    sql: str


def recipes() -> dict[str, Recipe]:
    """All recipes by name, in the order of the names."""
    return {path.stem: _parsed(path.stem, path.read_text("utf-8")) for path in sorted((SQL / "recipes").glob("*.sql"))}


def recipe(name: str) -> Recipe:
    """One recipe; UsageError with what could have been meant when there is none of that name."""
    known = recipes()
    if name not in known:
        raise UsageError(f"no recipe is called '{name}'; {hint(name, known)}, or see perpool sql --recipes")
    return known[name]


def _parsed(name: str, sql: str) -> Recipe:
    said = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        said.append(line.removeprefix("--").strip())
    return Recipe(name, said[0], " ".join(said[1:]), sql)
