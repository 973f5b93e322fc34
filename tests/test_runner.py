"""A run as a value: the same inputs give the same result however they are cut, and the files hold what paper says."""

import dataclasses
import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import backtest
from backtest import columns, engine, replay, runner
from backtest.errors import PerpoolError, UsageError
from backtest.runner import RunResult, run
from tests.shell import MINUTE, OPEN, ROOT, SECOND, T0, environment, spawn, write_orders, write_prices, write_world

HOUR = 60 * MINUTE
TABLES = ("events", "positions", "rejections")
QUIET = {"position_id": 1, "market": "SOL", "side": "long", "leverage": 2.0, "collateral_usd": 50.0}

pytestmark = pytest.mark.usefixtures("kernels_compiled")


def table(out: Path | RunResult, name: str) -> pl.DataFrame:
    path = out.path if isinstance(out, RunResult) else out
    return pl.read_parquet(path / f"{name}.parquet")


def rows(out: Path | RunResult, name: str, *columns: str) -> list[tuple[Any, ...]]:
    return table(out, name).select(columns).rows()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small world in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    return tmp_path


# --- on paper ---------------------------------------------------------------------------------------------------------


def test_a_long_and_a_liquidated_short_worked_out_on_paper(world: Path) -> None:
    """SOL 100, 110, 120, 120 by the hour; a pool of 10,000 SOL and 1,000,000 USDC; close fee 20 bps by an override.

    Long: 100 dollars are 1 SOL of collateral, 5x locks 5 SOL, size 500; close fee 20 bps of 5 SOL, 1 dollar at 100.
      Rate after opening: 5 / 10,000 of 0.0001 per hour = 50e-9; two hours: index 100, interest 500 * 100e-9 = 0.00005.
      Closed at 120: won 100, fee 1, interest 0.00005: 198.99995 dollars, floor(198.99995 / 120 e9) units of SOL.
    Short: 100 USDC, 10x at 110 locks 1,000 USDC; liquidation fee 10 bps = 1 dollar, close fee 2 dollars.
      Rate: 1,000 / 1,000,000 of 0.0001 = 100e-9; one hour: interest 0.0001. At 120 the loss is
      ceil(1,000 * 10 / 110) = 90.909091; margin 100 - 90.909091 - 2 - 0.0001 = 7.090809 is under 1,000 / 100: gone,
      with the liquidation fee of 1 dollar: 8.090809 are left for the trader.
    """
    write_prices(world / "prices.parquet", [100.0, 110.0, 120.0, 120.0], step_us=HOUR)
    short = {"action": "open", "position_id": 8, "market": "SOL", "side": "short", "leverage": 10.0}
    limit = {"action": "limit_open", "trigger_price": 90.0}
    write_orders(
        world / "orders.parquet",
        [
            OPEN | {"timestamp": T0},
            OPEN | limit | {"timestamp": T0, "order_id": 1, "position_id": 9},
            short | {"timestamp": T0 + HOUR, "collateral": 100.0, "collateral_usd": None},
            {"timestamp": T0 + 2 * HOUR, "action": "close", "position_id": 7},
            {"timestamp": T0 + 2 * HOUR, "order_id": 4, "action": "close", "position_id": 8},
            {"timestamp": T0 + 9 * HOUR, "order_id": 5, "action": "close", "position_id": 7},
        ],
    )
    result = run("scenario.toml", out="out", sets=["market.SOL.close_bps=20"])

    money = ("collateral_usd", "pnl_usd", "exit_fee_usd", "borrow_fee_usd", "lp_share_usd", "protocol_share_usd")
    assert rows(result, "events", "kind", "size_usd", *money, "payout_usd") == [
        (kind, *map(Decimal, numbers.split()))
        for kind, numbers in (
            ("genesis", "0 0 0 0 0 0 0 0"),
            ("genesis", "0 0 0 0 0 0 0 0"),
            ("open", "500 100 0 0 0 0 0 0"),
            ("open", "1000 100 0 0 0 0 0 0"),
            ("liquidation", "-1000 -100 -90.909091 1 0.0001 0.700070 0.300030 8.090809"),
            ("close", "-500 -100 100 1 0.00005 0.700035 0.300015 198.99995"),
        )
    ]
    units = ("trader_in_units", "trader_out_units", "owned_units", "collateral_units", "locked_units")
    assert rows(result, "events", "custody", *units) == [
        ("USDC", 10**12, 0, 10**12, 0, 0),
        ("SOL", 10**13, 0, 10**13, 0, 0),
        ("SOL", 10**9, 0, 0, 10**9, 5 * 10**9),
        ("USDC", 10**8, 0, 0, 10**8, 10**9),
        ("USDC", 0, 8_090_809, 91_909_191, -(10**8), -(10**9)),
        ("SOL", 0, 1_658_332_916, -658_332_916, -(10**9), -5 * 10**9),
    ]
    ended = ("position_id", "side", "outcome", "open_price_usd", "close_price_usd", "payout_usd", "borrow_fee_usd")
    assert rows(result, "positions", *ended) == [
        (8, "short", "liquidation", Decimal(110), Decimal(120), Decimal("8.090809"), Decimal("0.0001")),
        (7, "long", "close", Decimal(100), Decimal(120), Decimal("198.99995"), Decimal("0.00005")),
    ]
    refused = ("order_id", "position_id", "reason", "outcome")
    assert rows(result, "rejections", *refused) == [
        (4, 8, "position_not_found", "rejected"),  # the liquidation came first
        (1, 9, "limit_not_reached", "pending"),
        (5, 7, "not_due", "pending"),
    ]
    # 9,999.341667084 SOL at 120 and 1,000,091.909191 USDC, less 0.600045 owed to others; 2,000,000 LP tokens.
    last = rows(result, "lp", "aum_usd", "fees_debt_usd", "lp_supply", "lp_price_usd")[-1]
    assert last == (Decimal("2200012.309196"), Decimal("0.600045"), 2 * 10**12, Decimal("1.1000061545"))
    assert (result.summary.liquidated, result.summary.closed, result.summary.open_at_end) == (1, 1, 0)
    assert (result.summary.rejected, result.summary.pending) == (1, 2)


# --- the same result --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Arguments of a run of every kind of order on three stormy days of the sample, and the hash of its result."""
    folder = tmp_path_factory.mktemp("busy")
    day = pl.datetime(2025, 2, 16, time_zone="UTC")
    prices = pl.read_parquet(ROOT / "data" / "sample" / "prices.parquet")
    prices = prices.filter(pl.col("timestamp").is_between(day, day + timedelta(days=3)))
    prices.write_parquet(folder / "prices.parquet")
    (folder / "flow.toml").write_text("[liquidity]\ndeposits = 40\nhold_days = 1\n[leverage]\nmin = 2\nmax = 60\n")
    given = {"prices": folder / "prices.parquet", "sample_interval": "30m", "execution_delay": "7s"}
    made = run("adrena-alp", out=folder / "made", flow=folder / "flow.toml", positions=1_500, **given)
    orders = pl.read_parquet(made.path / "orders.parquet").with_columns(pl.col("market", "side", "custody").cast(str))
    # Every fifth open becomes a limit order, and stops are moved on one position in four.
    fifth = (pl.col("action") == "open") & (pl.col("position_id") % 5 == 0)
    price = {"SOL": 185.0, "BTC": 94_000.0, "BONK": 0.00002}
    orders = orders.with_columns(
        action=pl.when(fifth).then(pl.lit("limit_open")).otherwise(pl.col("action").cast(str)),
        trigger_price=pl.when(fifth).then(pl.col("market").replace_strict(price, default=None)),
    )
    moved = orders.filter((pl.col("action") == "open") & (pl.col("position_id") % 4 == 1)).select(
        pl.col("timestamp") + timedelta(hours=1),
        action=pl.lit("set_triggers"),
        position_id="position_id",
        stop_loss=pl.lit(0.0),
        take_profit=pl.col("market").replace_strict(price, default=None),
    )
    orders = pl.concat([orders.drop("order_id"), moved], how="diagonal").sort("timestamp").with_row_index("order_id")
    orders.write_parquet(folder / "orders.parquet")
    return given | {"orders": folder / "orders.parquet"}


@pytest.fixture(scope="module")
def whole(busy: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run("adrena-alp", out=tmp_path_factory.mktemp("whole") / "run", **busy)


def test_the_busy_run_is_busy(whole: RunResult) -> None:
    kinds = set(table(whole, "events")["kind"].unique())
    assert {"open", "limit_open", "decrease", "close", "stop_loss", "take_profit", "liquidation"} <= kinds
    assert {"deposit_collateral", "set_triggers", "add_liquidity", "remove_liquidity", "distribute_fees"} <= kinds
    assert table(whole, "rejections")["outcome"].n_unique() == 2


@pytest.mark.parametrize(
    "cut",
    [
        {"ticks_per_chunk": 1},
        {"ticks_per_chunk": 7},
        {"ticks_per_chunk": 1_000},
        {"ticks_per_chunk": 10**9},
        {"orders_per_batch": 1},
        {"orders_per_batch": 13},
        {"orders_per_batch": 10**9},
        {"buffer_rows": 1},
        {"buffer_rows": 97},
        {"scan": True},
        {"scan": True, "ticks_per_chunk": 11, "orders_per_batch": 17, "buffer_rows": 33},
        {},
    ],
    ids=str,
)
def test_the_result_does_not_depend_on_how_it_is_cut(
    cut: dict[str, Any], busy: dict[str, Any], whole: RunResult, tmp_path: Path
) -> None:
    found = run("adrena-alp", out=tmp_path / "run", **busy, **cut)
    assert found.manifest["result_hash"] == whole.manifest["result_hash"]
    assert found.manifest["counts"] == whole.manifest["counts"]
    assert found.summary == whole.summary


@pytest.mark.parametrize("form", ["list", "folder", "glob"])
def test_orders_in_several_files_are_one_stream(
    form: str, busy: dict[str, Any], whole: RunResult, tmp_path: Path
) -> None:
    orders = pl.read_parquet(busy["orders"])
    (tmp_path / "orders").mkdir()
    cuts = [0, 1, 700, 700, len(orders)]  # one file has no row
    files = []
    for number, (first, end) in enumerate(pairwise(cuts)):
        files.append(tmp_path / "orders" / f"{number}.parquet")
        orders[first:end].write_parquet(files[-1])
    given = {"list": files, "folder": tmp_path / "orders", "glob": f"{tmp_path}/orders/*.parquet"}[form]
    found = run("adrena-alp", out=tmp_path / "run", **busy | {"orders": given})
    assert found.manifest["result_hash"] == whole.manifest["result_hash"]
    named = [entry["path"] for entry in found.manifest["inputs"] if entry["role"] == "orders"]
    assert named == list(map(str, files))


def test_seeds_and_rules_change_the_result(world: Path) -> None:
    def hash_of(out: str, **given: Any) -> str:
        return str(run("scenario.toml", out=out, flow="flow.toml", **given).manifest["result_hash"])

    first = hash_of("a", seed=1)
    assert hash_of("b", seed=1) == first
    others = [
        hash_of("c", seed=2),
        hash_of("d", seed=1, positions=21),
        hash_of("e", seed=1, sets=["market.SOL.close_bps=11"]),
        hash_of("f", seed=1, execution_delay="90s"),
        hash_of("g", seed=1, sample_interval="5m"),
    ]
    assert len({first, *others}) == 6


# --- the manifest, and Python -----------------------------------------------------------------------------------------


def test_the_manifest_says_what_was_run_on_what(world: Path) -> None:
    result = run("scenario.toml", out="out", sets=["market.SOL.close_bps=20"])
    manifest = result.manifest
    assert manifest == json.loads((world / "out" / "manifest.json").read_text())
    assert manifest["inputs"] == [
        {
            "role": role,
            "path": str(world / f"{role}.parquet"),
            "bytes": (world / f"{role}.parquet").stat().st_size,
            "sha256": hashlib.sha256((world / f"{role}.parquet").read_bytes()).hexdigest(),
        }
        for role in ("prices", "orders")
    ]
    assert manifest["versions"]["perpool"] == backtest.__version__
    assert manifest["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(manifest["versions"]) == {"perpool", "python", "numba", "numpy", "polars", "pyarrow", "duckdb"}
    assert manifest["protocol"]["market"][0]["close_bps"] == 20
    assert manifest["protocol"]["overrides"] == [{"path": "market.SOL.close_bps", "before": 10, "after": 20}]
    assert manifest["scenario"]["liquidity"] == {"USDC": 1_000_000, "SOL": 1_000_000}
    assert manifest["span"] == {"start": "2025-01-01T00:00:00Z", "end": "2025-01-01T00:19:00Z", "ticks": 20}
    counts = manifest["counts"]
    assert (counts["ticks"], counts["events"], counts["positions"]) == (20, 4, 1)
    assert counts["events"] == manifest["tables"]["events"]["rows"] == len(table(result, "events"))
    assert set(manifest["timings"]) == {"prepare_s", "replay_s"}


def test_every_order_is_accounted_for(whole: RunResult) -> None:
    executed = table(whole, "events").filter(pl.col("order_id").is_not_null())
    by_order = executed.filter(~pl.col("kind").is_in(["stop_loss", "take_profit", "liquidation"]))["order_id"]
    refused = table(whole, "rejections")
    counts = whole.manifest["counts"]
    assert set(by_order) & set(refused["order_id"]) == set()
    assert by_order.n_unique() + len(refused) == counts["orders_total"]
    assert (refused["outcome"] == "pending").sum() == counts["pending"] == whole.summary.pending
    assert (refused["outcome"] == "rejected").sum() == counts["rejected"] == whole.summary.rejected


def test_a_generated_flow_is_kept_and_can_be_given_back(world: Path) -> None:
    made = run("scenario.toml", out="made", flow="flow.toml")
    entry = made.manifest["inputs"][-1]
    assert (entry["role"], entry["path"]) == ("orders", "orders.parquet")
    kept = world / "made" / "orders.parquet"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == entry["sha256"]
    again = run("scenario.toml", out="again", orders=kept)
    assert again.manifest["result_hash"] == made.manifest["result_hash"]


def test_the_verbs_are_there_in_python(world: Path) -> None:
    result = backtest.run("scenario.toml", out="out")
    assert isinstance(result, backtest.RunResult)
    assert result.path == Path("out")
    assert dataclasses.asdict(result.summary)["opened"] == 1
    with backtest.open_run(result.path) as con:
        assert con.sql("SELECT count(*) FROM trades").fetchall() == [(2,)]
    calls = []

    def announce(ticks: int, orders: int) -> replay.Progress:
        calls.append((ticks, orders))
        return lambda done, events: calls.append((done, events))

    backtest.run(Path("scenario.toml"), out=Path("out"), overwrite=True, announce=announce, ticks_per_chunk=15)
    assert calls == [(20, 2), (15, 4), (20, 4)]
    with pytest.raises(UsageError, match=r"^pricess is not part of a scenario; did you mean 'prices'\?$"):
        backtest.run("scenario.toml", pricess="x")
    with pytest.raises(PerpoolError, match="already holds a run"):
        backtest.run("scenario.toml", out="out")
    with pytest.raises(AttributeError, match="nothing"):
        _ = backtest.nothing


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "minutes"), [("0s", [0, 4]), ("1s", [1, 5]), ("60s", [1, 5]), ("61s", [2, 6]), ("2m", [2, 6])]
)
def test_the_execution_delay_shifts_fills(delay: str, minutes: list[int], world: Path) -> None:
    orders = [OPEN, {"timestamp": T0 + 4 * MINUTE, "action": "close", "position_id": 7}]
    write_orders(world / "orders.parquet", orders)
    prices = [100.0 + number for number in range(10)]
    write_prices(world / "prices.parquet", prices)
    result = run("scenario.toml", out="out", execution_delay=delay)
    fills = table(result, "events")[2:]
    assert fills["timestamp"].dt.epoch("us").to_list() == [T0 + minute * MINUTE for minute in minutes]
    assert [float(price) for price in fills["price_usd"]] == [prices[minute] for minute in minutes]


def test_a_span_cuts_ticks_and_orders(world: Path) -> None:
    orders = [QUIET | {"action": "open", "position_id": n, "timestamp": T0 + n * MINUTE} for n in range(20)]
    write_orders(world / "orders.parquet", orders)
    result = run("scenario.toml", out="out", start="2025-01-01T00:05:00", end="2025-01-01T00:12:00")
    assert result.manifest["span"] == {"start": "2025-01-01T00:05:00Z", "end": "2025-01-01T00:11:00Z", "ticks": 7}
    opened = table(result, "events").filter(pl.col("kind") == "open")
    assert opened["position_id"].to_list() == list(range(5, 12))
    assert rows(result, "rejections", "position_id", "reason", "outcome") == [
        *[(number, "before_start", "rejected") for number in range(5)],
        *[(number, "not_due", "pending") for number in range(12, 20)],
    ]


def test_a_limit_order_waits_in_the_book_until_its_price(world: Path) -> None:
    write_prices(world / "prices.parquet", [100.0, 99.0, 98.0, 97.0, 99.0])
    orders = [QUIET | {"action": "limit_open", "position_id": n, "trigger_price": 98.5 - n} for n in range(4)]
    orders += [{"action": "cancel_limit", "position_id": 3}]
    write_orders(world / "orders.parquet", orders)
    result = run("scenario.toml", out="out")
    filled = table(result, "events").filter(pl.col("kind") == "limit_open")
    assert filled["position_id"].to_list() == [0, 1]
    assert filled["timestamp"].dt.epoch("us").to_list() == [T0 + 2 * MINUTE, T0 + 3 * MINUTE]
    assert rows(result, "rejections", "order_id", "reason", "outcome") == [
        (3, "cancelled", "rejected"),
        (2, "limit_not_reached", "pending"),
    ]
    assert result.manifest["counts"]["pending"] == 1


# --- memory -----------------------------------------------------------------------------------------------------------


def test_orders_and_buffers_in_memory_are_bounded(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """5,000 orders over 2,010 ticks: never more than two batches of orders at hand, and no buffer grows."""
    write_prices(world / "prices.parquet", 100.0 + np.sin(np.arange(2_010)), step_us=SECOND)
    orders = []
    for number in range(2_500):  # each position closes before the next but nine opens
        moment = T0 + number * 800_000
        orders.append(QUIET | {"action": "open", "position_id": number, "timestamp": moment})
        orders.append({"action": "close", "position_id": number, "timestamp": moment + 8 * SECOND})
    orders.sort(key=lambda row: row["timestamp"])
    write_orders(world / "orders.parquet", orders)
    held, blocks, engines = [], [], []

    class Watched(engine.Engine):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            engines.append(self)

        def run(self, ticks: Any, orders: Any, *args: Any, **options: Any) -> int:
            held.append(len(orders.due_us))
            return super().run(ticks, orders, *args, **options)

        def write(self, name: str, records: np.ndarray) -> None:
            blocks.append(len(records))
            super().write(name, records)

    monkeypatch.setattr(runner, "Engine", Watched)
    result = run("scenario.toml", out="out", ticks_per_chunk=200, orders_per_batch=50, buffer_rows=64)
    assert result.manifest["counts"]["orders_total"] == 5_000
    assert len(table(result, "events")) == 5_002
    assert sum(held) > 0
    assert max(held) <= 2 * 50
    assert max(blocks) <= 64
    (used,) = engines
    assert len(used._out.event) == 64
    assert len(used.books.row) == 2 * 1_024  # eleven positions are open at most: the books never grew


# The high-water mark of this address space; that of `resource` would include the process that it was forked from.
PEAK = """
import sys
from pathlib import Path
from backtest.runner import run
run("adrena-alp", prices=sys.argv[1], orders=sys.argv[2], out=sys.argv[3])
lines = Path("/proc/self/status").read_text().splitlines()
print(*[int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmHWM")])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_the_peak_does_not_grow_with_the_history(tmp_path: Path) -> None:
    """Five times the ticks, orders and events, as many open positions at a time.

    How far the writers lag behind the loop moves the peak by a few blocks, so it is compared with what the further
    rows of the results alone would take in memory: it grows by less than a quarter of that.
    """
    sample = pl.read_parquet(ROOT / "data" / "sample" / "prices.parquet")
    peaks, written = [], []
    for times in (1, 5):
        folder = tmp_path / str(times)
        folder.mkdir()
        spans = [sample.with_columns(pl.col("timestamp") + timedelta(days=90 * part)) for part in range(times)]
        pl.concat(spans).sort("symbol", "timestamp").write_parquet(folder / "prices.parquet", row_group_size=100_000)
        made = run("adrena-alp", prices=folder / "prices.parquet", positions=300_000 * times, out=folder / "made")
        written.append(sum(made.manifest["tables"][name]["rows"] * columns.RECORDS[name].itemsize for name in TABLES))
        assert spawn("warmup").returncode == 0  # compiling takes memory too
        words = [folder / "prices.parquet", folder / "made" / "orders.parquet", folder / "run"]
        found = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, words)],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(found.stdout))
    assert peaks[1] - peaks[0] < (written[1] - written[0]) / 4, (peaks, written)
