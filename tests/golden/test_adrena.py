"""Every number of Adrena's own tests, through orders and ticks, for the slow reference and for the engine."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from kernels import codes
from tests.case import Case, Result
from tests.engine import run_case
from tests.golden import adrena, formulas
from tests.golden.script import LIST_TABLES, Expect, Scenario
from tests.reference import run as reference_run

IMPLEMENTATIONS = ("reference", "engine")
BY_NAME = {scenario.name: scenario for scenario in adrena.SCENARIOS}


def implementation(name: str) -> Callable[[Case], Result]:
    return reference_run if name == "reference" else run_case


@cache
def run(name: str, scenario: str) -> Result:
    return implementation(name)(BY_NAME[scenario].case)


def rows_of(result: Result, expect: Expect) -> list[dict[str, Any]]:
    """Rows an expectation is about; the two limbs of the weighted sum are joined as `weighted`."""
    if expect.table == "pool":
        return [result.pool]
    rows = getattr(result, expect.table)
    if expect.table in LIST_TABLES:
        row = dict(rows[expect.where["index"]])
        if expect.table == "sides":
            row["weighted"] = (int(row["weighted_hi"]) << 64) + (int(row["weighted_lo"]) & (2**64 - 1))
        return [row]
    return [row for row in rows if all(int(row[column]) == value for column, value in expect.where.items())]


def differences(result: Result, expect: Expect) -> list[str]:
    rows, place = rows_of(result, expect), f"{expect.table} {expect.where}"
    if expect.count >= 0:
        return [] if len(rows) == expect.count else [f"{place}: {len(rows)} rows, expected {expect.count}"]
    if len(rows) != 1:
        return [f"{place}: {len(rows)} rows, expected one"]
    return [
        f"{place} {column}: {int(rows[0][column])}, expected {value}"
        for column, value in expect.values.items()
        if int(rows[0][column]) != value
    ]


def refusals(result: Result) -> dict[int, str]:
    return {int(row["order_id"]): codes.REASONS[int(row["reason"])] for row in result.rejections}


def check(result: Result, scenario: Scenario) -> list[str]:
    found = [text for expect in scenario.expects for text in differences(result, expect)]
    expected = {order: codes.REASONS[reason] for order, reason in scenario.refused.items()}
    if refusals(result) != expected:
        found.append(f"refused {refusals(result)}, expected {expected}")
    liquidations = sum(int(row["kind"]) == codes.K_LIQUIDATION for row in result.events)
    if liquidations != scenario.liquidations:
        found.append(f"{liquidations} liquidations, expected {scenario.liquidations}")
    return found


def _parameters() -> list[Any]:
    return [
        pytest.param(
            name,
            scenario.name,
            id=f"{name}-{scenario.name}",
        )
        for name in IMPLEMENTATIONS
        for scenario in adrena.SCENARIOS
    ]


@pytest.mark.parametrize(("name", "scenario"), _parameters())
def test_scenario(name: str, scenario: str) -> None:
    found = check(run(name, scenario), BY_NAME[scenario])
    assert not found, "\n" + BY_NAME[scenario].source + "\n" + "\n".join(found)


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
    assert len(BY_NAME) == len(adrena.SCENARIOS)
    assert all(scenario.expects or scenario.refused for scenario in adrena.SCENARIOS)
