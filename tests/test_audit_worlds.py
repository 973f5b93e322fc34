"""The audit holds for whatever pool is drawn: every mechanism, random orders and prices, settled by the reference."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from backtest import audit
from tests import handmade
from tests.case import Case
from tests.properties.strategies import cases
from tests.reference import run

# A failing pool is long to print, and a warning about that would hide what failed.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")


def failures(case: Case) -> list[audit.Check]:
    """The checks that do not hold for a case, with their rows."""
    with tempfile.TemporaryDirectory() as folder:
        out = handmade.write_result(Path(folder) / "run", case, run(case))
        return [check for check in audit.audit(out) if not check.passed]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_every_pool_passes(case: Case) -> None:
    assert failures(case) == []


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_hundreds_of_pools_pass(case: Case) -> None:
    assert failures(case) == []
