"""Shipped populations on the bundled sample: orders that a venue takes, runs that balance, mixes in a scenario."""

from pathlib import Path

import polars as pl
import pytest

from backtest.audit import audit
from backtest.errors import UsageError
from backtest.runner import run
from backtest.setup import open_setup
from tests.shell import T0, perpool, write_world

REFUSED = {"uniform": 0.02, "retail": 0.01, "degens": 0.03, "whales": 0.1, "carry": 0.15, "toxic": 0.0}  # of opens


@pytest.mark.parametrize("name", REFUSED)
def test_a_population_on_the_sample(name: str, tmp_path: Path) -> None:
    few = 1_000 if name in ("uniform", "retail", "degens") else None
    result = run("sample", flow=name, positions=few, seed=3, out=tmp_path / "run")
    orders = pl.read_parquet(tmp_path / "run" / "orders.parquet")
    opens = orders.filter(pl.col("action") == "open").height
    assert opens > 50
    assert (1.0 - REFUSED[name]) * opens <= result.summary.opened <= opens
    assert result.summary.closed > 0
    assert result.manifest["flow"][0]["name"] == name
    assert result.manifest["counts"]["orders_total"] == orders.height
    assert [check for check in audit(tmp_path / "run") if not check.passed] == []


def test_another_flow_comes_with_its_own_positions_and_seed() -> None:
    assert open_setup("sample").flows[0].positions == 20_000
    assert [(flow.positions, flow.seed) for flow in open_setup("sample", flow="whales").flows] == [(300, 1)]
    assert open_setup("sample", flow="whales", positions=7).flows[0].positions == 7


def test_a_scenario_mixes_populations(tmp_path: Path) -> None:
    result = run("sample", flow=["retail", "toxic"], positions=650, end="2025-01-20", out=tmp_path / "run")
    assert [(flow["name"], flow["positions"]) for flow in result.manifest["flow"]] == [("retail", 500), ("toxic", 150)]
    assert result.manifest["scenario"]["flow"] == ["retail", "toxic"]
    again = run("sample", flow="retail", positions=500, end="2025-01-20", out=tmp_path / "alone")
    assert again.summary.opened < result.summary.opened


def test_a_list_in_a_scenario_file_is_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    (tmp_path / "more.toml").write_text("name = 'more'\npositions = 60\nmarkets = [{market = 'SOL'}]")
    text = (tmp_path / "scenario.toml").read_text()
    text = text.replace('orders = "orders.parquet"', 'flow = ["flow.toml", "more.toml"]\npositions = 40\nseed = 8')
    (tmp_path / "mixed.toml").write_text(text)
    setup = open_setup("mixed.toml")
    assert [(flow.name, flow.positions, flow.seed) for flow in setup.flows] == [("flow", 10, 8), ("more", 30, 8)]
    assert perpool("run", "mixed.toml", "--out", "out").code == 0
    times = pl.read_parquet("out/orders.parquet").filter(pl.col("action") == "open")["timestamp"].to_physical()
    assert times.len() == 40
    assert times[0] >= T0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('["flow.toml", "flow.toml"]', "two populations are called flow, and would draw the same; set name in one"),
        ('["flow.toml", ""]', "scenario.toml: flow names an empty path; give a TOML file or the name of a flow"),
        ('["flow.toml", "uniform"]', "uniform.toml: markets: BTC is not a market of tiny; known: SOL"),
        ('["flow.toml", "retial"]', "scenario.toml: flow: no flow is called 'retial'; did you mean 'retail'?"),
        ("3", "scenario.toml: flow = 3 is not possible; give a path in quotes or an array of paths"),
    ],
)
def test_faults_of_a_list(line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    text = (tmp_path / "scenario.toml").read_text().replace('orders = "orders.parquet"', f"flow = {line}")
    (tmp_path / "scenario.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        open_setup("scenario.toml")
    assert message in str(caught.value)
