"""Snapshots of the book: when they are taken, what they hold, and that a run does not notice them."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from backtest import warehouse
from backtest.columns import schema
from backtest.errors import UsageError
from backtest.rundir import load_manifest
from backtest.runner import RunResult, run
from backtest.snapshots import MOST, book_files, file_name, moments
from tests.shell import CLOSE, MINUTE, OPEN, T0, perpool, write_orders, write_world

pytestmark = pytest.mark.usefixtures("kernels_compiled")

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
WEEK = {"start": "2025-02-14", "end": "2025-02-21", "positions": 400}


# --- when -------------------------------------------------------------------------------------------------------------


def test_moments_of_a_duration_are_its_multiples_and_the_end() -> None:
    assert moments("1d", DAY, 3 * DAY + 5) == [DAY, 2 * DAY, 3 * DAY, 3 * DAY + 5]
    assert moments("1d", DAY + 1, 2 * DAY) == [2 * DAY]
    assert moments("1d", DAY + 1, DAY + 2) == [DAY + 2]
    assert moments("", 0, DAY) == moments((), 0, DAY) == []


def test_moments_that_are_given_are_sorted_and_of_the_run() -> None:
    wanted = ("1970-01-03", "1970-01-02T12:00:00", "1970-01-03T00:00:00Z", "1969-01-01", "2000-01-01")
    assert moments(wanted, DAY, 9 * DAY) == [DAY + 12 * HOUR, 2 * DAY]


FAULTS = {
    "before": (("1969-12-31",), r"none of 1969-12-31 lies between the first tick, 1970-01-01T00:00:00Z, and the last"),
    "after": (("2001-01-01", "2002-01-01"), r"none of 2001-01-01, 2002-01-01 lies .*; give a time within the run"),
    "many": ("1s", rf'snapshot = "1s" makes 864,001 snapshots, and a run keeps {MOST:,} at most; give a longer'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_moments_that_cannot_be(fault: str) -> None:
    wanted, message = FAULTS[fault]
    with pytest.raises(UsageError, match=message):
        moments(wanted, 0, 10 * DAY)


def test_names_sort_as_times_do() -> None:
    names = [file_name(time) for time in (0, 999_999, 10**6, 9 * DAY, 10**15)]
    assert names == sorted(names)
    assert names[0] == names[1] == "1970-01-01T000000Z.parquet"


# --- what -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_and_without(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, RunResult]:
    folder = tmp_path_factory.mktemp("snapshots")
    return (
        run("sample", out=folder / "with", snapshot="12h", **WEEK),
        run("sample", out=folder / "without", **WEEK),
    )


def test_a_run_does_not_notice_its_snapshots(with_and_without: tuple[RunResult, RunResult]) -> None:
    one, other = with_and_without
    assert one.manifest["result_hash"] == other.manifest["result_hash"]
    assert "snapshots" not in other.manifest
    assert not (other.path / "book").exists()


def test_every_snapshot_is_what_the_samples_say(with_and_without: tuple[RunResult, RunResult]) -> None:
    """Open interest and counts by market and side, to the micro-dollar; the samples are hourly."""
    run_dir = with_and_without[0].path
    manifest = load_manifest(run_dir)
    assert [run_dir / entry["file"] for entry in manifest["snapshots"]] == book_files(run_dir)
    assert len(book_files(run_dir)) == 7 * 2 + 1
    markets = pl.read_parquet(run_dir / "markets.parquet").with_columns(pl.col("market").cast(pl.String))
    checked = 0
    for entry in manifest["snapshots"]:
        path = run_dir / entry["file"]
        assert pq.read_schema(path).equals(schema("book"), check_metadata=True)
        book = pl.read_parquet(path)
        assert len(book) == entry["rows"]
        sums = {
            (str(market), str(side)): (int(size * 10**6), count)
            for market, side, size, count in book.group_by("market", "side")
            .agg(pl.col("size_usd").sum(), pl.len())
            .iter_rows()
        }
        at = book["snapshot_at"].unique()
        for row in markets.filter(pl.col("timestamp").is_in(at.implode())).iter_rows(named=True):
            for side in ("long", "short"):
                size, count = sums.get((row["market"], side), (0, 0))
                assert count == row[f"{side}_positions"]
                assert size == int(row[f"{side}_oi_usd"] * 10**6)
                checked += count > 0
    assert checked > 40


def test_snapshots_in_sql(with_and_without: tuple[RunResult, RunResult]) -> None:
    paths = [result.path for result in with_and_without]
    found = warehouse.open_run(*paths).sql("SELECT run, count(DISTINCT snapshot_at) FROM book GROUP BY run").fetchall()
    assert found == [("with", 14)]  # nothing is open at the first tick
    empty = warehouse.open_run(paths[1])
    assert empty.sql("FROM book").fetchall() == []
    both = warehouse.open_run(*paths).sql("DESCRIBE book").fetchall()
    assert both == empty.sql("DESCRIBE book").fetchall()


def test_the_map_in_sql(with_and_without: tuple[RunResult, RunResult]) -> None:
    """Summed up to 100 %, it holds every position that some price liquidates, once."""
    con = warehouse.open_run(with_and_without[0].path)
    mapped = con.sql("SELECT sum(size_usd), sum(positions) FROM liquidation_map(5)").fetchall()
    assert mapped == con.sql("SELECT sum(size_usd), count(liquidation_price_usd) FROM book").fetchall()
    sides = con.sql(
        "SELECT side, bool_and(move_percent <= 0), bool_and(move_percent >= 0) FROM liquidation_map(5) "
        "GROUP BY side ORDER BY side"
    )
    assert sides.fetchall() == [("long", True, False), ("short", False, True)]


def test_a_position_worked_out_on_paper(tmp_path: Path) -> None:
    """5x on $100 at $101, opened at the second tick, looked at where the price is 102 after 10 and 12 minutes."""
    write_world(tmp_path)
    write_orders(tmp_path / "orders.parquet", [OPEN, CLOSE | {"timestamp": T0 + 15 * MINUTE}])
    times = ("2025-01-01T00:11:00", "2025-01-01T00:10:30")
    result = run(tmp_path / "scenario.toml", out=tmp_path / "run", snapshot=times)
    # the tick after 10:30 is the tick of 11:00: one look for both
    (row,) = pl.concat([pl.read_parquet(path) for path in book_files(result.path)]).to_dicts()
    assert (row["position_id"], row["side"], str(row["snapshot_at"])) == (7, "long", "2025-01-01 00:11:00+00:00")
    entry, price, size = float(row["entry_price_usd"]), float(row["price_usd"]), float(row["size_usd"])
    assert price == 100.0 + 11 % 3
    assert float(row["pnl_usd"]) == pytest.approx(size * (price - entry) / entry, abs=2e-6)
    costs = float(row["exit_fee_usd"] + row["borrow_fee_usd"] + row["funding_usd"])
    assert float(row["equity_usd"]) == pytest.approx(float(row["collateral_usd"] + row["pnl_usd"]) - costs, abs=1e-9)
    assert row["leverage_bps"] == int(size / float(row["equity_usd"]) * 1e4)
    assert row["stop_loss_usd"] is row["take_profit_usd"] is None


def test_snapshots_do_not_depend_on_chunks(tmp_path: Path) -> None:
    given = {"snapshot": "1d", "start": "2025-02-14", "end": "2025-02-18", "positions": 100}
    one = run("sample", out=tmp_path / "one", **given)
    other = run("sample", out=tmp_path / "other", ticks_per_chunk=7, orders_per_batch=11, **given)
    assert one.manifest["snapshots"] == other.manifest["snapshots"]


# --- command line -----------------------------------------------------------------------------------------------------


def test_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_world(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert perpool("run scenario.toml --out every --snapshot 5m").code == 0
    assert len(book_files(tmp_path / "every")) == 5
    assert perpool("run scenario.toml --out one --snapshot 2025-01-01T00:07").code == 0
    assert [path.name for path in book_files(tmp_path / "one")] == ["2025-01-01T000700Z.parquet"]
    assert perpool("run scenario.toml --out two --snapshot 2025-01-01T00:07 --snapshot 2025-01-01T00:09").code == 0
    assert len(book_files(tmp_path / "two")) == 2
    found = perpool("run scenario.toml --out bad --snapshot 0s")
    assert (found.code, found.err) == (
        2,
        'error: arguments: snapshot = "0s" is not possible; give more than 0\n',
    )
    found = perpool("run scenario.toml --out bad --snapshot 2024-13-01")
    assert found.code == 2
    assert "arguments: snapshot: '2024-13-01' is not a date; write 2025-01-31" in found.err
    assert not (tmp_path / "bad").exists()
