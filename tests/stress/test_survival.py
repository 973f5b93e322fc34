"""The largest shock that a pool survives: found to a tenth of a percent, and said where there is more than one turn."""

from pathlib import Path
from typing import Any

import pytest

from backtest import survival
from backtest.price_shock import Shock, parse
from backtest.rerun import Moment, rerun
from backtest.stress import Outcome, State, apply_shock

pytestmark = pytest.mark.usefixtures("kernels_compiled")


def test_the_largest_shock_is_found_to_a_tenth_of_a_percent(moment: Moment) -> None:
    for falling, sign in ((True, -1), (False, 1)):
        found = survival.survival(moment, ["*"], falling=falling)
        assert found.survived is not None
        assert found.failed is not None
        assert found.failed - found.survived == pytest.approx(sign * 0.1)
        assert not apply_shock(moment, parse(f"*={found.survived}%", moment.setup)).fault()
        assert apply_shock(moment, parse(f"*={found.failed}%", moment.setup)).fault() == found.fault != ""
        more = survival.survival(moment, ["*"], falling=falling, bad_debt_usd=10_000.0)
        assert more.survived is not None
        assert abs(more.survived) > abs(found.survived)


def pretend(monkeypatch: pytest.MonkeyPatch, bad: Any) -> list[float]:
    """Replace the engine by a rule of the change in percent; returns what is tried."""
    tried: list[float] = []

    def outcome(moment: Moment, shock: Shock) -> Outcome:
        (factor,) = shock.factors.values()
        change = round((factor - 1) * 100, 6)
        tried.append(change)
        state = State(1.0, 1.0, 0, 0.0, 0.0, 0, 0.0, ())
        return Outcome(shock.text, {}, state, 0, 0.0, 0, 0, 0, 7.0 if bad(change) else 0.0, 0.0)

    monkeypatch.setattr(survival, "apply_shock", outcome)
    return tried


def test_survival_of_known_rules(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = rerun(tiny / "run")
    tried = pretend(monkeypatch, lambda change: change < -37.34)
    found = survival.survival(moment, ["SOL"], falling=True)
    assert (found.survived, found.failed, found.fault) == (-37.3, -37.4, "bad debt of $7.00")
    assert (found.again, found.tried) == ((), len(tried))
    # fails from 20 % to 30 %, and is survived beyond: said, and the first turn is the answer
    pretend(monkeypatch, lambda change: 20 <= change <= 30)
    found = survival.survival(moment, ["SOL"], falling=False)
    assert (found.survived, found.failed) == (19.9, 20.0)
    assert found.again[:2] == (35.0, 40.0)
    pretend(monkeypatch, lambda change: False)
    found = survival.survival(moment, ["SOL"], falling=True)
    assert (found.survived, found.failed, found.fault) == (-99.0, None, "")
    pretend(monkeypatch, lambda change: True)
    found = survival.survival(moment, ["SOL"], falling=True)
    assert (found.survived, found.failed, found.fault) == (None, 0.0, "bad debt of $7.00")
