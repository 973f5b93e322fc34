"""Runs whose rules change on the way and whose market closes: events, manifest, and the same result however cut."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backtest.runner import RunResult, run
from tests.shell import CLOSE, MINUTE, OPEN, PROTOCOL, SCENARIO, T0, perpool, write_orders, write_prices

pytestmark = pytest.mark.usefixtures("kernels_compiled")

CHANGES = """
[[change]]
date = "2025-01-01T00:05:30Z"
source = "the venue's blog"
[change.set]
"market.SOL.close_bps" = 20
"custody.SOL.max_borrow_per_hour" = 0.0002

[[change]]
date = "2025-01-01T00:12:00Z"
assumption = "read off a chart"
[change.set]
"market.SOL.close_bps" = 30

[[change]]
date = "2025-06-01"
source = "after the prices end"
[change.set]
"market.SOL.close_bps" = 40
"""
WEEK = """
[calendar.week]
open = ["Wed 00:00 - Wed 00:08", "Wed 00:12 - Wed 12:00"]
"""


def world(folder: Path, protocol: str) -> Path:
    """Twenty minutes at 100 dollars; a position opened and closed under each of three rules."""
    (folder / "tiny.toml").write_text(protocol)
    (folder / "scenario.toml").write_text(SCENARIO)
    write_prices(folder / "prices.parquet", [100.0] * 20)
    rows: list[dict[str, Any]] = []
    for number, (opened, closed) in enumerate([(0, 3), (4, 8), (9, 15)]):
        rows.append(OPEN | {"timestamp": T0 + opened * MINUTE, "position_id": number})
        rows.append(CLOSE | {"timestamp": T0 + closed * MINUTE, "position_id": number})
    ordered = sorted(rows, key=lambda row: row["timestamp"])
    write_orders(folder / "orders.parquet", [row | {"order_id": place} for place, row in enumerate(ordered)])
    return folder


@pytest.fixture
def dated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunResult:
    monkeypatch.chdir(world(tmp_path, PROTOCOL + CHANGES))
    return run("scenario.toml", out="dated")


def events(result: RunResult) -> pl.DataFrame:
    return pl.read_parquet(result.path / "events.parquet")


def test_a_change_holds_from_the_first_tick_at_or_after_its_date(dated: RunResult) -> None:
    rows = events(dated)
    changed = rows.filter(kind="parameters").select("timestamp", "change").rows()
    assert [((time.minute, time.second), number) for time, number in changed] == [((6, 0), 1), ((12, 0), 2)]
    # close fees are set when a position opens: 5 SOL at 10, 10 and 20 bps
    fees = rows.filter(kind="close")["exit_fee_usd"].cast(pl.Float64).to_list()
    assert fees == [0.5, 0.5, 1.0]


def test_a_change_of_the_curve_charges_open_positions_from_then_on(dated: RunResult) -> None:
    """One of two positions of 500 dollars stands through the change: 5 of 10,000 SOL, at 0.0001 and 0.0002 per hour."""
    borrow = events(dated).filter(kind="close")["borrow_fee_usd"].cast(pl.Float64).to_list()
    assert borrow[0] == pytest.approx(500 * 5 / 10_000 * 0.0001 * 3 / 60, abs=2e-6)
    assert borrow[2] == pytest.approx(500 * 5 / 10_000 * 0.0002 * 6 / 60, abs=2e-6)
    assert borrow[0] < borrow[2]


def test_the_manifest_names_every_change_within_the_run(dated: RunResult) -> None:
    first, second = dated.manifest["changes"]
    assert (first["number"], first["time"]) == (1, "2025-01-01T00:05:30Z")
    blog = {"source": "the venue's blog", "assumption": ""}
    assert first["values"] == [
        {"path": "market.SOL.close_bps", "before": 10, "after": 20} | blog,
        {"path": "custody.SOL.max_borrow_per_hour", "before": 0.0001, "after": 0.0002} | blog,
    ]
    assert (second["number"], second["time"]) == (2, "2025-01-01T00:12:00Z")
    assert second["values"][0]["assumption"] == "read off a chart"
    fees = [item["protocol"]["market"][0]["close_bps"] for item in (dated.manifest, first, second)]
    assert fees == [10, 20, 30]


@pytest.mark.parametrize("cut", [{"ticks_per_chunk": 1}, {"ticks_per_chunk": 7, "orders_per_batch": 1}, {"scan": True}])
def test_the_result_does_not_depend_on_how_it_is_cut(dated: RunResult, cut: dict[str, Any]) -> None:
    again = run("scenario.toml", out="again", buffer_rows=8, **cut)
    assert again.manifest["result_hash"] == dated.manifest["result_hash"]


def test_rules_of_one_date_hold_for_a_whole_run(dated: RunResult) -> None:
    pinned = run("scenario.toml", out="pinned", rules_at="2025-01-01T00:10:00")
    assert pinned.manifest["changes"] == []
    assert set(events(pinned).filter(kind="close")["exit_fee_usd"].cast(pl.Float64)) == {1.0}
    late = perpool("run scenario.toml --out late --rules-at 2025-01-02 --json")
    assert late.code == 0
    fees = pl.read_parquet("late/events.parquet").filter(kind="close")["exit_fee_usd"].cast(pl.Float64)
    assert set(fees) == {1.5}


def test_a_run_that_starts_after_a_change_begins_with_it(dated: RunResult) -> None:
    later = run("scenario.toml", out="later", start="2025-01-01T00:09:00")
    assert [item["number"] for item in later.manifest["changes"]] == [1]
    assert later.manifest["protocol"]["market"][0]["close_bps"] == 20


def test_the_first_liquidity_follows_the_weights_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    weights = {"custody.USDC": (2500, 7000), "custody.SOL": (7500, 3000)}
    protocol = PROTOCOL
    for custody, (before, _) in weights.items():
        symbol = custody.split(".")[1]
        protocol = protocol.replace(f'symbol = "{symbol}"\n', f'symbol = "{symbol}"\nratio_target_bps = {before}\n', 1)
    later = "".join(f'"{custody}.ratio_target_bps" = {after}\n' for custody, (_, after) in weights.items())
    world(tmp_path, f'{protocol}\n[[change]]\ndate = "2024-06-01"\nsource = "a blog"\n[change.set]\n{later}')
    scenario = SCENARIO.split("[liquidity]")[0] + "[liquidity]\ntotal_usd = 1_000_000\n"
    (tmp_path / "scenario.toml").write_text(scenario)
    pool = run("scenario.toml", out="out").pool.filter(pl.col("timestamp") == pl.col("timestamp").min())
    assert dict(pool.select("custody", pl.col("value_usd").cast(float)).iter_rows()) == {"USDC": 7e5, "SOL": 3e5}


def test_a_closed_market_neither_opens_nor_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = PROTOCOL.replace(
        'symbol = "SOL"\nlong_custody', 'symbol = "SOL"\nprice = "spot"\ncalendar = "week"\nlong_custody'
    )
    monkeypatch.chdir(world(tmp_path, protocol + WEEK))
    prices = pl.read_parquet("prices.parquet")
    pl.concat([prices, prices.with_columns(symbol=pl.lit("spot"))]).write_parquet("prices.parquet")
    result = run("scenario.toml", out="out")
    refused = pl.read_parquet(result.path / "rejections.parquet").select("order_id", "reason").rows()
    assert refused == [(3, "market_closed"), (4, "market_closed"), (5, "position_not_found")]
    assert result.summary.opened == 2


def test_the_audit_holds_over_changes(dated: RunResult) -> None:
    from backtest.audit import audit

    assert [check.name for check in audit(dated.path) if not check.passed] == []


def test_one_market_of_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = PROTOCOL[PROTOCOL.index("[[market]]") :].replace('symbol = "SOL"', 'symbol = "ETH"')
    monkeypatch.chdir(world(tmp_path, PROTOCOL + other))
    done = perpool("run scenario.toml --out out --market SOL")  # there are no prices of ETH
    assert (done.code, done.err) == (0, "")
    assert pl.read_parquet("out/markets.parquet")["market"].unique().to_list() == ["SOL"]
