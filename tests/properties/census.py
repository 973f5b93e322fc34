"""How often each kind of event and each reason comes up in random cases: `python -m tests.properties.census [COUNT]`.

For tuning the strategies: a kind or reason that hardly occurs is hardly tested.
"""

import sys
from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings

from kernels import codes
from tests.case import Case
from tests.properties.strategies import cases
from tests.reference import run


def census(count: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """(event kinds, rejection reasons, oddities) over `count` random cases, the same ones each time."""
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    oddities: Counter[str] = Counter()

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def take(case: Case) -> None:
        result = run(case)
        kinds.update(codes.KINDS[event["kind"]] for event in result.events)
        reasons.update(codes.REASONS[row["reason"]] for row in result.rejections)
        oddities["cases"] += 1
        oddities["orders"] += len(case.orders)
        oddities["positions still open"] += sum(row["outcome"] == codes.O_OPEN for row in result.positions)
        oddities["ids reopened"] += len(result.positions) - len({row["position_id"] for row in result.positions})
        oddities["samples clamped at 0"] += sum(row["aum_usd"] == 0 for row in result.lp_samples[1:])
        for name in ("bad_debt_usd", "confiscated_usd", "deficit_fee_usd", "prepaid_borrow_usd", "funding_usd"):
            oddities[name] += sum(event[name] != 0 for event in result.events)
        oddities["profit paid"] += sum(event["pnl_usd"] > 0 for event in result.events)

    take()
    return kinds, reasons, oddities


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for found, names in zip(census(count), (codes.KINDS, codes.REASONS[1:], ()), strict=True):
        for name in names or found:
            print(f"{name:25} {found[name]:7}")
        print()


if __name__ == "__main__":
    main()
