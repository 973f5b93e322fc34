"""How large a common shock a pool survives: a coarse scan for the first that it does not, then bisection to 0.1 %.

A pool survives a shock where `stress.Outcome.fault` finds nothing. Between two steps of the scan that is taken to turn
once; where a step beyond the first failure is survived again, the answer says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtest.price_shock import common
from backtest.rerun import Moment
from backtest.stress import apply_shock

# In tenths of a percent, from the smallest.
FALLS = (*range(-50, -1_000, -50), -990)
RISES = (*range(50, 1_001, 50), 1_250, 1_500, 2_000, 3_000)


@dataclass(frozen=True)
class Survival:
    """What one direction found; percent of the price, signed.

    survived: the largest shock that is survived; 0: none but that of the state itself; None: not even that
    failed, fault: the smallest found that is not, at most 0.1 % beyond, and why; None: all that were tried are
    again: steps of the scan beyond `failed` that are survived all the same
    """

    direction: str
    survived: float | None
    failed: float | None
    fault: str
    again: tuple[float, ...]
    tried: int


def survival(
    moment: Moment,
    names: Sequence[str],
    *,
    falling: bool,
    bad_debt_usd: float = 0.0,
    progress: Callable[[], None] = lambda: None,
) -> Survival:
    """The largest fall, or rise, of `names` at once that the pool survives with at most this bad debt.

    progress: called after each shock that was tried
    """
    found: dict[int, str] = {}

    def fault(tenths: int) -> str:
        if tenths not in found:
            found[tenths] = apply_shock(moment, common(names, tenths / 10, moment.setup)).fault(bad_debt_usd)
            progress()
        return found[tenths]

    steps = (0, *(FALLS if falling else RISES))
    faults = [fault(step) for step in steps]
    first = next((number for number, text in enumerate(faults) if text), len(steps))
    again = tuple(step / 10 for step, text in zip(steps[first:], faults[first:], strict=True) if not text)
    direction = "fall" if falling else "rise"
    if first == 0:
        return Survival(direction, None, 0.0, faults[0], again, len(found))
    if first == len(steps):
        return Survival(direction, steps[-1] / 10, None, "", (), len(found))
    good, bad = steps[first - 1], steps[first]
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        if fault(middle):
            bad = middle
        else:
            good = middle
    return Survival(direction, good / 10, bad / 10, fault(bad), again, len(found))
