"""Every shipped protocol, as its file resolves, in random small pools: search, cuts and buffers change nothing, the
engine is the slow twin to the unit, and the books balance. With dated changes on the way too.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest.protocols import known_protocols
from tests.case import Case
from tests.engine import run_case
from tests.properties.compare import assert_same
from tests.properties.invariants import check_all
from tests.properties.protocols import protocol_cases
from tests.reference import run as run_reference

# A failing case is long to print, and a warning about that would hide what failed.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

NAMES = sorted(known_protocols())
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


def holds(case: Case) -> None:
    """The same result by tree and by brute force, however ticks and buffers are cut, and from the twin; sound books."""
    whole = run_case(case)
    assert_same(run_reference(case), whole)
    check_all(case, whole)
    assert run_case(case, scan=True) == whole
    assert run_case(case, chunk=1, buffer_rows=40) == whole
    assert run_case(case, chunk=7, capacity=256, scan=True) == whole


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(st.data())
def test_under_fixed_rules(name: str, data: st.DataObject) -> None:
    holds(data.draw(protocol_cases(name)))


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(st.data())
def test_under_changing_rules(name: str, data: st.DataObject) -> None:
    holds(data.draw(protocol_cases(name, changing=True)))


@pytest.mark.slow
@pytest.mark.parametrize("changing", [False, True], ids=["fixed", "changing"])
@pytest.mark.parametrize("name", NAMES)
@MANY
@given(st.data())
def test_hundreds_of_times(name: str, changing: bool, data: st.DataObject) -> None:
    holds(data.draw(protocol_cases(name, changing=changing)))
