"""The engine against the slow reference, and against itself with everything that must not matter changed."""

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.case import Case, Result
from tests.engine import run_case
from tests.properties.compare import assert_same
from tests.properties.invariants import check_all
from tests.properties.recipes import RECIPES
from tests.properties.strategies import cases, recipe_cases
from tests.reference import run as run_reference

# A failing case is long to print, and a warning about that would hide what failed.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
THOROUGH = settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))


def result_hash(result: Result) -> str:
    """One digest over every output row, in the order in which it was written."""
    digest = hashlib.sha256()
    for table in ("events", "positions", "rejections", "pool_samples", "market_samples", "lp_samples"):
        for row in getattr(result, table):
            digest.update(repr(sorted(row.items())).encode())
    return digest.hexdigest()


def _agrees(case: Case) -> None:
    fast = run_case(case)
    assert_same(run_reference(case), fast)
    check_all(case, fast)


@QUICK
@given(cases())
def test_engine_equals_reference(case: Case) -> None:
    _agrees(case)


@pytest.mark.parametrize("name", sorted(RECIPES))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_engine_equals_reference_by_recipe(name: str, data: st.DataObject) -> None:
    _agrees(data.draw(recipe_cases(name)))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(crowded=True))
def test_engine_equals_reference_in_a_crowd(case: Case) -> None:
    _agrees(case)


@pytest.mark.slow
@THOROUGH
@given(cases())
def test_engine_equals_reference_thousands_of_times(case: Case) -> None:
    _agrees(case)


@QUICK
@given(cases(), st.integers(min_value=8, max_value=40))
def test_search_chunks_and_buffers_change_nothing(case: Case, buffer_rows: int) -> None:
    whole = result_hash(run_case(case))
    assert result_hash(run_case(case, scan=True)) == whole
    for chunk in (1, 7, 1_000):
        assert result_hash(run_case(case, chunk=chunk)) == whole
    assert result_hash(run_case(case, buffer_rows=buffer_rows, capacity=32, chunk=3)) == whole
    assert result_hash(run_case(case, capacity=1_024)) == whole
