"""A week with a crash, and a world so small that a shock can be worked out on paper."""

from pathlib import Path

import pytest

from backtest.rerun import Moment, rerun
from backtest.runner import RunResult, run
from tests.shell import OPEN, write_orders, write_prices, write_world

WEEK = {"start": "2025-02-14", "end": "2025-02-18", "positions": 300}
CRASH = "2025-02-17T08:00"


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory, kernels_compiled: None) -> RunResult:
    return run("sample", out=tmp_path_factory.mktemp("stress") / "run", snapshot=(CRASH,), **WEEK)


@pytest.fixture(scope="session")
def moment(result: RunResult) -> Moment:
    return rerun(result.path, CRASH)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, kernels_compiled: None) -> Path:
    """A 5x long of $500 at $100 in a pool of two million; the run ends at $102."""
    folder = tmp_path_factory.mktemp("tiny")
    write_world(folder)
    write_prices(folder / "prices.parquet", [100.0] * 19 + [102.0])
    write_orders(folder / "orders.parquet", [OPEN])
    run(folder / "scenario.toml", out=folder / "run")
    return folder
