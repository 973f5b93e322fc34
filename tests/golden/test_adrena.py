"""Every number of Adrena's own tests, through orders and ticks, for the slow reference and for the engine."""

import pytest

from tests.golden import adrena, formulas
from tests.golden.checking import IMPLEMENTATIONS, Suite

SUITE = Suite(adrena.SCENARIOS)


@pytest.mark.parametrize("scenario", SUITE.by_name)
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_scenario(name: str, scenario: str) -> None:
    SUITE.check(name, scenario)


COMPUTED = [
    formula
    for formula in adrena.FORMULA_ONLY
    if formula.function == "liquidation_price" or formula.row["entry_price"] > 0
]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("formula", COMPUTED, ids=lambda formula: formula.name)
def test_formula(name: str, formula: formulas.Formula) -> None:
    assert getattr(formulas.FUNCTIONS, name)(formula) == formula.expected, formula.reason


def test_names_are_unique_and_every_number_is_kept() -> None:
    assert len(SUITE.by_name) == len(adrena.SCENARIOS)
    assert all(scenario.expects or scenario.refused for scenario in adrena.SCENARIOS)
