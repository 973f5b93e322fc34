"""The command from files to files: same seed, same bytes; what is written, and what is said."""

import json
import re
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl
import pytest

from backtest.cli.prices_scenario import scenario
from backtest.history.store import provenance_of
from backtest.prices import SymbolSource, open_prices
from backtest.synthetic.garch import INNOVATIONS
from backtest.synthetic.redraw import METHODS
from tests.shell import MINUTE, perpool
from tests.synthetic.histories import clustered, drawn, prices, random_candles, read, write

DAY = 1_440 * MINUTE


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """old.parquet: 1,000 minutes of SOL and BTC; candles.parquet: 300."""
    monkeypatch.chdir(tmp_path)
    write(Path("old.parquet"), drawn(1_000))
    write(Path("candles.parquet"), random_candles(300, seed=2))
    return tmp_path


def make(options: str, source: str = "old.parquet", out: str = "new") -> dict[str, Any]:
    done = perpool(f"prices scenario --from {source} --out {out} --json {options}")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_rows(method: str) -> None:
    options = f"--method {method} {'--block 30m' if method == 'bootstrap' else ''}"
    for out, seed in (("one", 7), ("two", 7), ("three", 8)):
        make(f"{options} --seed {seed}", out=out)
    for symbol in ("SOL", "BTC"):
        one, two, three = (read(Path(out), symbol) for out in ("one", "two", "three"))
        assert all(one[name].to_numpy().tobytes() == two[name].to_numpy().tobytes() for name in ("timestamp", "price"))
        assert one.equals(three) == (method == "none")


def test_methods_do_not_share_their_random_numbers() -> None:
    make("--method gbm", out="a")
    make("--method garch --innovations normal", out="b")
    one, other = (np.diff(np.log(read(Path(out), "SOL")["price"].to_numpy())) for out in ("a", "b"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15


@pytest.mark.parametrize("method", METHODS)
def test_begins_as_the_history_does_and_lasts_as_long(method: str) -> None:
    make(f"--method {method} {'--block 30m' if method == 'bootstrap' else ''}")
    for symbol, old in drawn(1_000).items():
        new = read(Path("new"), symbol)
        assert new["price"][0] == pytest.approx(old.close[0], rel=1e-12)
        assert np.array_equal(new["timestamp"].dt.epoch("us").to_numpy(), old.times)


def test_the_rows_keep_the_hours_of_the_market() -> None:
    """A history with a pause: so has the new one, unless it is asked for another span."""
    old = {symbol: track.rows(np.r_[0:400, 700:1_000]) for symbol, track in clustered(1_000, seed=3).items()}
    write(Path("paused.parquet"), old)
    found = make("--method bootstrap --block 30m", "paused.parquet")
    assert np.array_equal(read(Path("new"), "SOL")["timestamp"].dt.epoch("us").to_numpy(), old["SOL"].times)
    assert found["gaps"] == 1
    make("--method bootstrap --block 30m --start 2026-01-01", "paused.parquet", "other")
    times = read(Path("other"), "SOL")["timestamp"]
    assert len(times) == 700 and set(times.diff().drop_nulls().dt.total_minutes()) == {1}
    assert str(times[0]) == "2026-01-01 00:00:00+00:00"


@pytest.mark.parametrize("method", METHODS)
def test_candles_stay_candles_where_the_method_can(method: str) -> None:
    steps = "--every 1m" if method != "garch" else ""
    write(Path("long.parquet"), random_candles(600, seed=2))
    found = make(f"--method {method} {steps} {'--block 30m' if method == 'bootstrap' else ''}", "long.parquet")
    candles = method in ("bootstrap", "none")
    assert found["shape"] == ("candles" if candles else "prices")
    assert ("volume" in read(Path("new"), "SOL").columns) == candles
    first = read(Path("new"), "SOL").row(0, named=True)
    assert first["open" if candles else "price"] == random_candles(600, seed=2)["SOL"].columns["open"][0]


def test_a_run_reads_what_was_made() -> None:
    make("--method bootstrap --block 1h --shock 'SOL:-40%:30m@2025-01-01T01:10:20' --keep USDC=1", "candles.parquet")
    symbols = [SymbolSource(name, name, DAY) for name in ("SOL", "BTC", "USDC")]
    for path in ("close", "ohlc"):
        source = open_prices("new", symbols, path=path)
        assert sum(len(chunk.time_us) for chunk in source.chunks(1_000)) == source.span.n_ticks


def test_start_and_length() -> None:
    found = make("--method gbm --start 2030-01-01 --length 2h --drift 0.5")
    times = read(Path("new"), "BTC")["timestamp"].dt.epoch("us").to_numpy()
    assert len(times) == 120 and set(np.diff(times)) == {MINUTE}
    assert found["new"]["BTC"]["first"] == "2030-01-01T00:00:00Z"
    assert found["parameters"]["symbols"]["BTC"]["drift_per_year"] == pytest.approx(0.5)
    make("--method none --start 2025-01-01T01:00 --length 90m", out="window")
    assert read(Path("window"), "SOL").equals(read_old("SOL")[60:150])


def read_old(symbol: str) -> pl.DataFrame:
    return pl.read_parquet("old.parquet").filter(pl.col("symbol") == symbol)


def test_figures_are_those_of_the_files() -> None:
    """By hand: 100, 50, 75, 60 at one a day; ln returns -ln 2, ln 1.5, -ln 1.25."""
    write(Path("hand.parquet"), {"SOL": prices([100.0, 50.0, 75.0, 60.0], step_us=DAY)})
    found = make("--method none --shock 'SOL:-50%:gap@2025-01-03'", "hand.parquet")
    returns = np.log([0.5, 1.5, 0.8])
    old = found["old"]["SOL"]
    assert old["volatility"] == pytest.approx(returns.std() * np.sqrt(365))
    assert old["kurtosis"] == pytest.approx(((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 - 3)
    assert (old["worst_step"], old["drawdown"]) == (pytest.approx(-0.5), pytest.approx(-0.5))
    new = found["new"]["SOL"]
    assert (new["rows"], new["last_price"]) == (4, 30.0)
    assert (new["worst_step"], new["drawdown"]) == (pytest.approx(-0.5), pytest.approx(-0.7))
    assert found["correlation_old"] == [[1.0]]


def test_a_peg_that_breaks_is_made_where_the_history_lacks_it() -> None:
    found = make("--method none --shock 'USDC:depeg:-12%:3h:recover=2h@2025-01-01T01:00'")
    made = read(Path("new"), "USDC")["price"].to_list()
    assert (made[60], made[150], made[240], made[300], made[360]) == pytest.approx((1, 0.94, 0.88, 0.94, 1))
    assert found["kept"] == {"USDC": 1.0}
    assert found["correlation_new"][0][2] is not None and found["correlation_old"][0] == [
        1.0,
        pytest.approx(0.8, abs=0.1),
    ]
    assert make("--method none --keep EURC=1.08", out="b")["correlation_new"][2] == [None, None, None]
    assert read(Path("b"), "EURC")["price"].unique().to_list() == [1.08]


def test_what_is_kept_is_not_learnt_from() -> None:
    found = make("--method gbm --keep BTC=100_000")
    assert list(found["parameters"]["symbols"]) == ["SOL"] and list(found["new"]) == ["SOL", "BTC"]
    assert read(Path("new"), "BTC")["price"].unique().to_list() == [100_000.0]


def test_provenance_tells_where_the_rows_come_from() -> None:
    shock = "SOL:outage:5m@2025-01-01T02:00"
    found = make(f"--method garch --seed 3 --shock {shock} --keep USDC=1")
    for symbol in ("SOL", "BTC", "USDC"):
        [entry] = provenance_of(Path("new") / f"{symbol}.parquet")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.pop("made_at"))
        [source] = entry.pop("sources")
        assert source["path"] == "old.parquet" and len(source["sha256"]) == 64
        span = {"rows": 1_000, "first": "2025-01-01T00:00:00Z", "last": "2025-01-01T16:39:00Z"}
        assert entry == {
            "scenario": "garch",
            "seed": 3,
            "history": {"BTC": span, "SOL": span},
            "step": "1m",
            "parameters": found["parameters"],
            "shocks": [shock],
            "kept": {"USDC": 1.0},
        }
    assert len(read(Path("new"), "SOL")) == 995 and len(read(Path("new"), "USDC")) == 1_000


def test_rows_without_partners_are_counted() -> None:
    tracks = clustered(100, seed=2)
    write(Path("part.parquet"), {"SOL": tracks["SOL"], "BTC": tracks["BTC"].rows(slice(10, 100))})
    assert make("--method bootstrap --block 10m", "part.parquet")["left_out"] == {"SOL": 10}
    make("--method none", "part.parquet", "whole")
    assert len(read(Path("whole"), "SOL")) == 100  # nothing is left out where nothing is learnt


def test_output_is_for_people() -> None:
    done = perpool(
        "prices scenario --from old.parquet --out new --method garch --seed 5 --keep USDC=1 "
        "--shock '*:-30%:10m:recover=50%/1h@2025-01-01T03:00'"
    )
    assert (done.code, done.err) == (0, "")
    lines = [line.rstrip() for line in done.out.splitlines()]
    assert lines[0] == (
        "GARCH(1,1) with constant correlation, seed 5: prices every 1m, 2025-01-01T00:00:00Z to 2025-01-01T16:39:00Z"
    )
    for start in (" SOL old ", " SOL new ", " USDC kept ", "Correlation of returns", "Fitted to the history"):
        assert any(line.startswith(start) for line in lines), start
    assert re.search(r"^innovations: joint Student t, \d+\.\d degrees of freedom$", done.out, re.MULTILINE)
    assert "kept: USDC at 1 US dollars before shocks" in lines
    assert "shock: *:-30%:10m:recover=50%/1h@2025-01-01T03:00" in lines
    assert lines[-2:] == ["  perpool prices check new", "  perpool run SCENARIO.toml --prices new"]


def test_notes_tell_what_was_left_out_and_taken_as_one_step() -> None:
    tracks = clustered(100, seed=2)
    tracks["BTC"] = tracks["BTC"].rows(np.r_[10:50, 55:100])
    write(Path("part.parquet"), tracks)
    lines = perpool("prices scenario --from part.parquet --method bootstrap --block 10m --out new").out.splitlines()
    assert "left out: 15 rows of SOL, at times that another symbol has no row" in lines
    assert "gaps: 1 steps longer than 1m, each taken as one step" in lines
    assert "blocks of 10m on average (10 steps)" in lines
    lines = perpool("prices scenario --from old.parquet --method none --length 990m --out none").out.splitlines()
    assert lines[0] == "The history itself: prices every 1m, 2025-01-01T00:00:00Z to 2025-01-01T16:29:00Z"
    assert "left out: 10 rows of BTC, SOL, outside of the span" in lines


def test_the_choices_of_the_command_are_the_methods_and_innovations() -> None:
    choices = {option.name: option.type.choices for option in scenario.params if isinstance(option.type, click.Choice)}
    assert choices == {"method": METHODS, "innovations": INNOVATIONS}


def test_overwrite_replaces_a_dataset_and_nothing_else(world: Path) -> None:
    make("--method gbm")
    before = (Path("new") / "SOL.parquet").read_bytes()
    done = perpool("prices scenario --from old.parquet --out new --method none")
    message = "new is not empty; choose another --out or pass --overwrite to replace the dataset there"
    assert (done.code, done.err) == (2, f"error: {message}\n")
    assert (Path("new") / "SOL.parquet").read_bytes() == before
    make("--method none --symbols BTC --overwrite")
    assert [path.name for path in Path("new").iterdir()] == ["BTC.parquet"]
    Path("new/notes.txt").write_text("mine")
    done = perpool("prices scenario --from old.parquet --out new --method none --overwrite")
    assert done.err == "error: new holds notes.txt, which is no price file; choose another --out\n"
    done = perpool("prices scenario --from new/BTC.parquet --out new --method none --overwrite")
    assert done.code == 2 and Path("new/BTC.parquet").exists()
    Path("new/notes.txt").unlink()
    done = perpool("prices scenario --from new/BTC.parquet --out new --method none --overwrite")
    assert done.err == "error: new holds the history itself, BTC.parquet; choose another --out\n"
    assert sorted(path.name for path in world.iterdir()) == ["candles.parquet", "new", "old.parquet"]


def test_an_empty_folder_may_be_there_and_folders_above_are_made() -> None:
    Path("new").mkdir()
    make("--method none")
    make("--method none", out="deep/down/new")
    assert [path.name for path in Path("deep/down").iterdir()] == ["new"]
