"""`perpool stress`: what it prints and what it refuses."""

import json
from pathlib import Path

import pytest

from backtest.runner import RunResult
from tests.shell import perpool
from tests.stress.conftest import CRASH

pytestmark = pytest.mark.usefixtures("kernels_compiled")


def test_one_shock_on_the_command_line(result: RunResult) -> None:
    page = perpool("stress", result.path, "--at", CRASH, "--shock", "SOL=-30%")
    assert (page.code, page.err) == (0, "")
    assert "SOL=-30% moves SOL" in page.out
    assert "jitoSOL backs longs of SOL and keeps its price; name it too if it should move" in page.out
    assert "The pool does not survive: bad debt of $" in page.out
    found = json.loads(perpool("stress", result.path, "--at", CRASH, "--shock", "SOL=-30%", "--json").out)
    (shock,) = found["shocks"]
    assert (found["at"], shock["moves"], shock["survives"]) == ("2025-02-17T08:00:00Z", ["SOL"], False)
    assert shock["liquidations"] == found["before"]["positions"] - shock["after"]["positions"] - (
        shock["stop_losses"] + shock["take_profits"] - shock["limits_filled"]
    )


def test_a_grid_on_the_command_line(result: RunResult) -> None:
    page = perpool("stress", result.path, "--at", CRASH, "--shock", "BTC=-1%", "--grid", "*=-20%..20%:20%")
    assert page.code == 0
    assert [line.split()[0] for line in page.out.splitlines() if "%" in line and "=" in line] == [
        *("BTC=-1%", "*=-20%", "*=+0%", "*=+20%")
    ]


def test_survival_on_the_command_line(tiny: Path) -> None:
    page = perpool("stress", tiny / "run", "--survive", "--symbols", "SOL")
    assert (page.code, page.err) == (0, "")
    assert "SOL together, bad debt up to $0" in page.out
    found = json.loads(perpool("stress", tiny / "run", "--survive", "--json").out)
    fall, rise = found["directions"]
    assert fall["failed"] == pytest.approx(fall["survived"] - 0.1)
    assert rise["failed"] is None


ARGUMENTS = {
    "": "nothing to do; give --shock SOL=-30%, --grid, --survive or --tail",
    "--tail --survive": "--tail stands alone: it draws from the whole run, not from a moment",
    "--survive --shock SOL=1%": "--survive looks for the shock itself; leave out --shock and --grid",
    "--survive --symbols SQL": "--symbols SQL=+0%: 'SQL' is no price of the run; did you mean 'SOL'?",
}


@pytest.mark.parametrize("words", ARGUMENTS)
def test_arguments_that_cannot_be(words: str, tiny: Path) -> None:
    found = perpool("stress", tiny / "run", *words.split())
    assert (found.code, found.out, found.err) == (2, "", f"error: {ARGUMENTS[words]}\n")
