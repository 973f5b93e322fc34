"""The benchmarks' parity checks at small sizes, and how `perpool bench` shows results. Nothing here is timed."""

import json
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from backtest.cli import bench as command
from backtest.cli import perpool
from benchmarks import mark, runner, standing_book

BOOK = {"positions": 10, "ticks": 20, "liquidated": 3, "seconds": 0.5, "ratio_to_scan": 2_000.0}
FOUND: dict[str, Any] = {
    "standing_book": {
        **BOOK,
        "ratio_to_numpy": 4_999.0,
        "ratio_to_polars": 1.0,
        "ratio_to_duckdb": 1.0,
        "falling_market": BOOK,
        "ten_times": {"larger": BOOK, "smaller": BOOK, "ratio_of_seconds_per_event": 1.5},
        "note": "a remark",
    },
    "life_cycle": {
        "positions": 10,
        "ticks": 20,
        "prices": "synthetic",
        "events_per_s": 3e6,
        "ratio_to_io": 2.0,
        "run_seconds": 1.0,
        "peak_bytes": 10**9,
    },
    "mark": {
        "positions": 10,
        "bytes_per_position": 128,
        "ratio_to_copy": 0.5,
        "ratio_to_one_copy": 0.4,
        "ratio_to_numpy": 6.0,
        "nanoseconds_per_position": 8.0,
    },
    "prices_import": {
        "rows": 30,
        "bytes_read": 10**8,
        "seconds": 11.0,
        "speed_to_polars": 0.6,
        "peak_bytes": 10**9,
    },
    "flow": {"orders": 50, "positions": 20, "seconds": 8.0, "ratio_to_pyarrow": 3.0, "peak_bytes": 10**9},
    "cold_start": {"compile_seconds": 20.0, "warm_run_seconds": 1.0, "help_seconds": 0.1},
    "machine": {"cpu": "some", "cores": 2, "load_before": 3.0, "loaded": True},
}


def test_engine_twin_and_scans_agree() -> None:
    assert standing_book.check_parity(positions=300, ticks=2_000) > 20


def test_mark_equals_its_equations_in_numpy() -> None:
    mark.check_parity(2_000)


def test_targets_are_held_or_missed() -> None:
    held = {row.figure: row.held for row in runner.rows(FOUND)}
    assert held["faster than a Numba scan (1 thread)"] is True
    assert held["faster than NumPy (1 thread)"] is False
    assert held["faster than Polars"] is None
    assert held["import"] is False
    assert held["speed to Polars reading and writing alone"] is True
    assert held["generate and write"] is True
    assert held["bandwidth to a copy of columns"] is False
    assert held["peak memory"] is True


def test_only_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def load(name: str, package: str) -> ModuleType:
        asked.append(name)
        module = ModuleType(name)
        module.run = lambda full, say: {"full": full}  # type: ignore[attr-defined]
        return module

    monkeypatch.setattr(runner, "import_module", load)
    found = runner.run(["mark", "standing_book"], full=True, say=print)
    assert asked == [".standing_book", ".mark"]
    assert list(found) == ["standing_book", "mark", "machine"]
    assert found["mark"]["full"]
    assert found["machine"]["cores"] >= 1


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch, kernels_compiled: None) -> None:
    monkeypatch.setattr(runner, "run", lambda names, full, say: FOUND)
    monkeypatch.setattr(command, "_runner", lambda: runner)


@pytest.mark.usefixtures("canned")
def test_json_is_what_was_found() -> None:
    done = CliRunner().invoke(perpool, ["bench", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == FOUND


@pytest.mark.usefixtures("canned")
def test_table_shows_targets_notes_and_noise() -> None:
    text = CliRunner().invoke(perpool, ["bench"]).stdout
    for word in ("standing book", "at least 1,000", "missed", "held", "a remark", "load 3.0"):
        assert word in text


def test_unknown_benchmark_is_refused() -> None:
    done = CliRunner().invoke(perpool, ["bench", "--only", "everything"])
    assert done.exit_code == 2
    assert "everything" in done.output


def test_the_checkout_has_its_benchmarks() -> None:
    assert command._runner().NAMES == command.NAMES
