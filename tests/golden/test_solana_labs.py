"""Every number of solana-labs' own tests, through orders and ticks, for the slow reference and for the engine."""

import pytest

from tests.golden import solana_labs
from tests.golden.checking import IMPLEMENTATIONS, Suite

SUITE = Suite(solana_labs.SCENARIOS)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("scenario", SUITE.by_name)
def test_scenario(name: str, scenario: str) -> None:
    SUITE.check(name, scenario)


def test_names_are_unique_and_every_number_is_kept() -> None:
    assert len(SUITE.by_name) == len(solana_labs.SCENARIOS)
    assert all(scenario.expects or scenario.refused for scenario in solana_labs.SCENARIOS)
