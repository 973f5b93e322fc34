"""Every number of solana-labs' own tests, through orders and ticks, for the slow reference and for the engine."""

from functools import cache

import pytest

from tests.case import Result
from tests.golden import solana_labs
from tests.golden.test_adrena import IMPLEMENTATIONS, check, implementation

BY_NAME = {scenario.name: scenario for scenario in solana_labs.SCENARIOS}


@cache
def run(name: str, scenario: str) -> Result:
    return implementation(name)(BY_NAME[scenario].case)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("scenario", BY_NAME)
def test_scenario(name: str, scenario: str) -> None:
    found = check(run(name, scenario), BY_NAME[scenario])
    assert not found, "\n" + BY_NAME[scenario].source + "\n" + "\n".join(found)


def test_names_are_unique_and_every_number_is_kept() -> None:
    assert len(BY_NAME) == len(solana_labs.SCENARIOS)
    assert all(scenario.expects or scenario.refused for scenario in solana_labs.SCENARIOS)
