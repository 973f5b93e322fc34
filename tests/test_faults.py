"""What is refused on the command line: one line that says what to do, the exit code, and nothing left on disk."""

import re
from pathlib import Path

import pytest

from tests.faults.changes import FLOW, RUN
from tests.faults.commands import COMMANDS, RESULTS
from tests.faults.configs import FLOWS, PROTOCOLS, SCENARIOS
from tests.faults.orders import ORDERS
from tests.faults.prices import PRICES
from tests.shell import perpool, spawn, write_world

TABLES = {
    "prices": PRICES,
    "orders": ORDERS,
    "protocol": PROTOCOLS,
    "scenario": SCENARIOS,
    "flow": FLOWS,
    "command": COMMANDS,
    "result": RESULTS,
}
FAULTS = {f"{table}: {name}": fault for table, faults in TABLES.items() for name, fault in faults.items()}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels_compiled: None) -> Path:
    """A small world in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    return tmp_path


def contents(root: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


def pattern(message: str) -> str:
    return re.escape(f"error: {message}\n").replace(re.escape("..."), ".+")


def test_the_world_runs(world: Path) -> None:
    for args in (RUN, FLOW.replace("--out out", "--out other")):
        found = perpool(args)
        assert (found.code, found.err) == (0, "")


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str, world: Path) -> None:
    fault = FAULTS[name]
    fault.prepare()
    before = contents(world)
    found = perpool(fault.args)
    assert re.fullmatch(pattern(fault.message), found.err.replace(str(world), "DIR")), found.err
    assert found.code == fault.code
    assert found.out == ""
    assert contents(world) == before


@pytest.mark.parametrize(
    "name", ["prices: nan", "orders: in a folder that is made", "protocol: missing key", "command: unknown option"]
)
def test_fault_in_a_process_of_its_own(name: str, world: Path) -> None:
    fault = FAULTS[name]
    fault.prepare()
    before = contents(world)
    words = [word.strip("'") for word in fault.args.split()]
    found = spawn(*words, cwd=world)
    assert re.fullmatch(pattern(fault.message), found.stderr)
    assert (found.returncode, found.stdout) == (fault.code, "")
    assert contents(world) == before
