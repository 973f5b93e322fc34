"""Golden scenarios against the slow reference and the engine: run one, and say what came out otherwise."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from kernels import codes
from tests.case import Case, Result
from tests.engine import run_case
from tests.golden.script import LIST_TABLES, Expect, Scenario
from tests.reference import run as reference_run

IMPLEMENTATIONS = ("reference", "engine")


def implementation(name: str) -> Callable[[Case], Result]:
    return reference_run if name == "reference" else run_case


class Suite:
    """The scenarios of one venue by name, each run once per implementation."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self.by_name = {scenario.name: scenario for scenario in scenarios}
        self.run = cache(self._run)

    def _run(self, name: str, scenario: str) -> Result:
        return implementation(name)(self.by_name[scenario].case)

    def check(self, name: str, scenario: str) -> None:
        """Fail with every number of a scenario that differs, under its source."""
        wanted = self.by_name[scenario]
        found = check(self.run(name, scenario), wanted)
        assert not found, "\n" + wanted.source + "\n" + "\n".join(found)


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
