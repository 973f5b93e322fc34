"""Every shipped protocol on the bundled sample, given its name alone: it trades, liquidates, and its books balance."""

from pathlib import Path

import polars as pl
import pytest

from backtest.assets import assets
from backtest.audit import audit
from backtest.protocols import known_protocols
from backtest.runner import RunResult, run
from backtest.setup import open_setup
from tests.protocol_files import changed, write

pytestmark = pytest.mark.usefixtures("kernels_compiled")

# A week with the crash of 17 February, and a weekend over which commodities stand still.
CRASH_WEEK = {"start": "2025-02-14", "end": "2025-02-21", "positions": 400}
# LPs of these pay fees that depend on the mix of the pool, so their flows have deposits.
WITH_DEPOSITS = ("gmx-v1", "gmx-v1-2024", "jupiter", "jupiter-2024", "solana-labs")


def kinds(result: RunResult) -> dict[str, int]:
    counted = pl.read_parquet(result.path / "events.parquet")["kind"].cast(pl.String).value_counts()
    return dict(counted.iter_rows())


@pytest.mark.parametrize("name", sorted(known_protocols()))
def test_a_shipped_protocol_runs_by_its_name(name: str, tmp_path: Path) -> None:
    result = run(name, out=tmp_path / name, **CRASH_WEEK)
    found = kinds(result)
    assert found["open"] > 250
    assert found["close"] > 50
    assert min(found[kind] for kind in ("liquidation", "stop_loss", "take_profit", "decrease", "genesis")) > 0
    if name in WITH_DEPOSITS:
        assert found["add_liquidity"] > 0 < found["remove_liquidity"]
    traded = pl.read_parquet(result.path / "positions.parquet")["market"].cast(pl.String)
    assert set(traded) == {row.symbol for row in open_setup(name).resolved.protocol.market}
    assert [check for check in audit(result.path) if not check.passed] == []


def test_commodities_rest_over_the_weekend(tmp_path: Path) -> None:
    """Friday 17:00 to Sunday 18:00 in New York: orders are refused, nothing is liquidated; collateral and fees move."""
    result = run("adrena-rwalp", out=tmp_path / "run", **CRASH_WEEK)
    weekend = pl.col("timestamp").is_between(
        pl.datetime(2025, 2, 14, 22, time_zone="UTC"), pl.datetime(2025, 2, 16, 23, time_zone="UTC"), closed="left"
    )
    happened = pl.read_parquet(result.path / "events.parquet").filter(weekend)["kind"].cast(pl.String)
    assert {"distribute_fees"} <= set(happened) <= {"distribute_fees", "deposit_collateral"}
    refused = pl.read_parquet(result.path / "rejections.parquet").filter(weekend)["reason"].cast(pl.String)
    assert refused.value_counts(sort=True)["reason"][0] == "market_closed"
    prices = pl.read_parquet(assets("data") / "sample" / "prices.parquet").filter(pl.col("symbol") == "XAU", weekend)
    assert prices.is_empty()


def test_the_dates_of_the_prices_decide_which_rules_hold(tmp_path: Path) -> None:
    """GMX v1 changed weights, caps and fees all the time."""
    days = {"start": "2025-01-01", "end": "2025-01-05", "positions": 50}
    now = run("gmx-v1", out=tmp_path / "now", **days)
    then = run("gmx-v1", out=tmp_path / "then", rules_at="2022-06-01", **days)
    assert kinds(now)["parameters"] > 0
    assert "parameters" not in kinds(then)
    assert now.manifest["result_hash"] != then.manifest["result_hash"]


def test_a_protocol_that_extends_a_shipped_one_runs_as_that_does(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "gmx-v1"\nname = "mine"\n[pool]\nmint_bps = 30\n')
    mine, shipped = open_setup(path), open_setup("gmx-v1")
    assert (mine.scenario.name, mine.scenario.title) == ("mine", "")
    assert (mine.flows, mine.liquidity_usd, mine.sources) == (shipped.flows, shipped.liquidity_usd, shipped.sources)
    assert mine.resolved.pool_params["mint_bps"] == 30
    again = open_setup(known_protocols()["gmx-v1"])
    assert (again.scenario.name, again.liquidity_usd) == ("gmx-v1", shipped.liquidity_usd)


def test_a_flow_that_knows_none_of_the_markets_trades_them_all_alike(tmp_path: Path) -> None:
    text = changed(("USDC", "DAI"), ("decimals = 6", "decimals = 6\nratio_target_bps = 10_000"))
    text = text.replace('short_custody = "USDC"', 'short_custody = "DAI"').replace('symbol = "SOL"', 'symbol = "LINK"')
    setup = open_setup(write(tmp_path, text))
    (flow,) = setup.flows
    assert [(item.market, item.source, item.weight) for item in flow.markets] == [("LINK", "LINK", 1.0)]
