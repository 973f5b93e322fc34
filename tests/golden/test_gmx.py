"""GMX v1's own recorded runs, step by step through the engine: every state, result, refusal and view.

PERPOOL_GMX_GOLDEN names another file of scenarios, in the recorded form or ours. Scenarios that a record beside the
real data (`golden/gmx_v1.json`) has and our file has not are run too.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.golden import gmx_convert, gmx_queries, gmx_reasons, gmx_run, gmx_setup

SCENARIOS, VECTORS = gmx_convert.load(gmx_convert.chosen())
ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(os.environ.get("PERPOOL_REAL_DATA", ROOT.parent / "shared" / "data")).parent / "golden" / "gmx_v1.json"


def others() -> list[gmx_convert.Scenario]:
    """Scenarios of the record that are not in the file that runs anyway."""
    names = {scenario.name for scenario in SCENARIOS}
    found = gmx_convert.load(RECORD)[0] if RECORD.is_file() else []
    return [scenario for scenario in found if scenario.name not in names]


@pytest.mark.parametrize("fine", [gmx_setup.FINE, 0], ids=["fine", "micro"])
@pytest.mark.parametrize("scenario", [*SCENARIOS, *others()], ids=lambda scenario: scenario.name)
def test_scenario(scenario: gmx_convert.Scenario, fine: int) -> None:
    found = gmx_run.differences(scenario, fine)
    assert not found, "\n" + scenario.source + "\n" + "\n".join(found)


def micro(value: Any) -> int:
    return int(Fraction(value) * 10**6)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_tracked_average(vector: gmx_convert.Vector) -> None:
    given = vector.inputs
    change = micro(given["size_delta_usd"]) * (1 if given["is_increase"] else -1)
    average, mark = (int(Fraction(given[key]) * 10**10) for key in ("global_average_price", "mark_price"))
    size = micro(given["global_size_usd"])
    found = gmx_queries.next_average(size, change, average, mark, micro(given["realised_pnl_usd"]))
    expected = Fraction(vector.outputs["next_average_price"]) * 10**10
    assert abs(found - expected) <= max(expected / 10**12, 1)
    assert size + change == micro(vector.outputs["next_size_usd"])
    pending = abs(Fraction(micro(vector.outputs["remaining_pending_short_pnl_usd"])))
    assert abs(Fraction((size + change) * abs(found - mark), found) - pending) <= 2


def test_our_file_says_what_the_record_says(tmp_path) -> None:
    ours = tmp_path / "again.jsonl"
    gmx_convert.save(SCENARIOS, VECTORS, ours)
    assert gmx_convert.load(ours) == (SCENARIOS, VECTORS)


def test_every_refusal_of_ours_is_in_the_table() -> None:
    scenarios, _ = gmx_convert.load(gmx_convert.OURS)
    refused = [step["refused"] for scenario in scenarios for step in scenario.steps if "refused" in step]
    known = {"|".join(names) for names in gmx_reasons.REASONS.values()}
    assert set(refused) <= known


def test_an_unknown_refusal_may_have_any_reason() -> None:
    anything = gmx_reasons.reasons("Vault: never heard of")
    assert gmx_reasons.agrees("stale_price", anything)
    assert not gmx_reasons.agrees("", anything)
