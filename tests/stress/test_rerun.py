"""A run once more: its state at a tick to the last digit, from the files that it read and no others."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.errors import PerpoolError, UsageError
from backtest.price_files import iso
from backtest.rerun import Moment, rerun
from backtest.runner import RunResult, run
from backtest.stress import state_of
from tests.shell import CLOSE, MINUTE, OPEN, T0, write_orders, write_world
from tests.stress.sampled import sampled

pytestmark = pytest.mark.usefixtures("kernels_compiled")


def test_a_moment_is_the_run_as_it_was(result: RunResult, moment: Moment) -> None:
    """All samples of that tick, to the last digit, and the book."""
    assert iso(moment.at_us) == "2025-02-17T08:00:00Z"
    for table in ("pool", "markets", "lp"):
        assert np.array_equal(moment.samples[table], sampled(result.path, table, moment.at_us)), table
    book = pl.read_parquet(result.path / "book")
    state = state_of(moment)
    assert (state.positions, state.liquidatable) == (len(book), 0)
    assert state.positions > 10
    assert state.open_interest_usd == pytest.approx(float(book["size_usd"].sum()), abs=1e-6)
    assert state.trader_pnl_usd == pytest.approx(float(book["pnl_usd"].sum()), abs=1e-6)


def test_the_last_tick_is_the_end_of_the_run(result: RunResult) -> None:
    last = rerun(result.path)
    assert iso(last.at_us) == result.manifest["span"]["end"]
    assert state_of(last).aum_usd == pytest.approx(result.summary.aum_end, abs=1e-6)


# --- the files of the run ---------------------------------------------------------------------------------------------


def test_files_that_moved_are_found_where_they_are_said_to_be(tmp_path: Path) -> None:
    write_world(tmp_path)
    there = run(tmp_path / "scenario.toml", out=tmp_path / "run").path
    before = asdict(state_of(rerun(there)))
    (tmp_path / "new").mkdir()
    for file in ("prices", "orders"):
        (tmp_path / f"{file}.parquet").rename(tmp_path / "new" / f"{file}.parquet")
    with pytest.raises(PerpoolError, match=r"prices\.parquet: the prices of .*run are gone; say .* with --prices$"):
        rerun(there)
    prices, orders = (tmp_path / "new" / f"{file}.parquet" for file in ("prices", "orders"))
    with pytest.raises(PerpoolError, match=r"orders\.parquet: the orders of .*run are gone; say .* with --orders$"):
        rerun(there, prices=[prices])
    assert asdict(state_of(rerun(there, prices=[prices], orders=[orders]))) == before
    with pytest.raises(PerpoolError, match=r"none of the files of --prices is the prices\.parquet .*; give the same"):
        rerun(there, prices=[orders], orders=[orders])


def test_files_that_changed_are_refused(tmp_path: Path) -> None:
    write_world(tmp_path)
    there = run(tmp_path / "scenario.toml", out=tmp_path / "run").path
    write_orders(tmp_path / "orders.parquet", [OPEN, CLOSE | {"timestamp": T0 + 9 * MINUTE}])
    with pytest.raises(
        PerpoolError, match=r"orders\.parquet: has changed since .*run read it \(SHA-256 was [0-9a-f]{12}"
    ):
        rerun(there)


def test_times_outside_of_the_run(tiny: Path) -> None:
    for at in ("2024-12-31", "2025-01-01T00:20"):
        with pytest.raises(UsageError, match=rf"{at} is not in the run, which reaches from 2025-01-01T00:00:00Z to"):
            rerun(tiny / "run", at)
    assert rerun(tiny / "run", "2025-01-01T00:05:30").at_us == T0 + 5 * MINUTE


def test_a_state_that_is_not_the_run_s_is_refused(tmp_path: Path) -> None:
    """As where another version of perpool made the run; here its first liquidity is another."""
    write_world(tmp_path)
    there = run(tmp_path / "scenario.toml", out=tmp_path / "run").path
    manifest = json.loads((there / "manifest.json").read_text())
    manifest["protocol"]["market"][0]["close_bps"] = 20
    manifest["versions"]["perpool"] = "0.0.1"
    (there / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        PerpoolError, match=r"run: replayed, the LP price at .* is 1\.\d+ dollars and not 1\.\d+: .*0\.0\.1"
    ):
        rerun(there)
    del manifest["scenario"]
    (there / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        PerpoolError, match=r"the manifest cannot be replayed \(lacks 'scenario'\); run the backtest again"
    ):
        rerun(there)
