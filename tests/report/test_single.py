"""The page of one run: every number is a cell of a query, the queries are right, and odd runs have pages too."""

import re
from decimal import Decimal as D

import pytest

from backtest import warehouse
from backtest.errors import UsageError
from backtest.report.single import report
from backtest.report.subject import Hedge, opened
from tests import handmade
from tests.handmade import USD
from tests.report.checking import check_alone, check_markup, check_numbers, check_specs, specs_of
from tests.report.worlds import WORLDS, busy

SECTIONS = ["return", "attribution", "pool", "exposure", "traders", "liquidated", "risk", "provenance", "queries"]
PICTURES = {
    *("benchmark", "against", "waterfall", "earned", "fees", "composition", "utilisation", "borrow", "interest"),
    *("delta", "hedged", "traders", "liquidations", "leverage", "gaps", "drawdown"),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Path and page of each world."""
    folder = tmp_path_factory.mktemp("runs")
    paths = {name: make(folder) for name, make in WORLDS.items()}
    return {name: (path, report(path, Hedge(every="12 hours"))) for name, path in paths.items()}


_SLOW = ("empty", "single")  # they have little that the others have not


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else []) for name in WORLDS]
)
def test_every_number_is_that_of_its_query(pages, name):
    path, page = pages[name]
    assert check_numbers(page, [path]) > 30


@pytest.mark.parametrize("name", WORLDS)
def test_a_page_is_whole_and_needs_nothing_else(pages, name):
    page = pages[name][1]
    check_alone(page)
    check_markup(page)
    check_specs(specs_of(page))
    assert re.findall(r'<section id="([^"]+)"', page) == SECTIONS


def test_every_picture_has_its_numbers_behind_it(pages):
    _, page = pages["busy"]
    assert set(specs_of(page)) == {f"plot-{name}" for name in PICTURES}
    for figure in re.findall(r"<figure.*?</figure>", page, re.S):
        assert figure.count("<table") == 1
        assert 'href="#sql-' in figure


def test_the_same_run_gives_the_same_page(pages, tmp_path):
    assert report(WORLDS["hand"](tmp_path), Hedge(every="12 hours")) == pages["hand"][1]


def test_what_a_run_lacks_is_said(pages):
    texts = [page for _, page in (pages["empty"], pages["single"])]
    for page in texts:
        for said in ("No position was opened.", "Nobody was liquidated.", "No fee was settled.", "never fell below"):
            assert said in page
    assert "The run is too short for a hedge" in pages["single"][1]
    assert "charged no borrow interest" in pages["empty"][1]
    assert "−100.00%" in pages["insolvent"][1]
    assert "it has not recovered" in pages["insolvent"][1]


def test_rewards_beside_the_pool_have_a_line(pages):
    names = [trace["name"] for trace in specs_of(pages["reserve"][1])["plot-benchmark"]["data"]]
    assert names == ["Basket held", "LP token", "LP token with rewards", "Dollars"]
    assert "With the rewards paid beside the pool" in pages["reserve"][1]


# --- the numbers, by hand ---------------------------------------------------------------------------------------------


def ask(path, name, **hedge):
    with opened([path], Hedge(**hedge)) as subject:
        return [row.values for row in subject.answers.rows(name)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_the_waterfall_sums_to_the_change_of_aum_exactly(tmp_path, seed):
    path = busy(tmp_path, seed)
    samples = warehouse.open_run(path).sql("SELECT aum_usd FROM lp ORDER BY timestamp").fetchall()
    amounts = [row["amount_usd"] for row in ask(path, "waterfall")]
    assert all(isinstance(amount, D) for amount in amounts)
    assert sum(amounts) == samples[-1][0] - samples[0][0]
    assert sum(amount != 0 for amount in amounts) > 6


def test_bars_of_the_waterfall_begin_where_the_last_one_ended(pages):
    path, page = pages["hand"]
    bar = specs_of(page)["plot-waterfall"]["data"][0]
    amounts = {row["source"]: row["amount_usd"] for row in ask(path, "waterfall")}
    *names, total = bar["y"]
    assert names == [name for name, amount in amounts.items() if abs(amount) >= 1]
    assert total == "Change of AUM"
    assert bar["x"][-1] == float(sum(amounts.values()))
    for base, size, after in zip(bar["base"], bar["x"], bar["base"][1:-1], strict=False):
        assert after == pytest.approx(base + size, abs=1)


def test_the_basket_is_the_first_one_held(pages):
    """100 ETH at 2,000 and 200,000 dollars: at 2,100 worth 1.025 of it, at 2,400 worth 1.1."""
    path = pages["hand"][0]
    values = [row["value"] for row in ask(path, "benchmark") if row["series"] == "Basket held"]
    assert sorted(values) == pytest.approx([1, 1.025, 1.1])
    (head,) = ask(path, "headline")
    assert head["basket_return"] == pytest.approx(0.1)
    assert head["against_basket"] == pytest.approx(handmade.tables()["lp"][2]["lp_price"] / 10**10 - 1.1)
    assert (head["days"], head["samples"]) == (1.5, 3)


def test_the_hedged_return_by_hand(pages):
    """Delta 100 ETH at 2,000, then 110 + 1 - 5 + 5 = 111 at 2,100, bought back at 2,400; 10 bps of what is traded."""
    prices = [row["lp_price"] / 10**10 for row in handmade.tables()["lp"]]
    first = prices[1] / prices[0] + (-100 * 100 - 0.001 * 100 * 2_000) / 400_000
    charged = 0.001 * (11 * 2_100 + 111 * 2_400)
    second = prices[2] / prices[1] + (-111 * 300 - charged) / 431_122.699999
    (found,) = ask(pages["hand"][0], "hedge", every="12 hours")
    assert found["hedged_return"] == pytest.approx(first * second - 1)
    assert found["unhedged_return"] == pytest.approx(prices[2] - 1)
    assert found["gain_usd"] == pytest.approx(-43_300)
    assert found["turnover_usd"] == pytest.approx(200_000 + 23_100 + 266_400)
    assert found["cost_usd"] == pytest.approx(489.5)
    assert found["rebalancings"] == 3
    (free,) = ask(pages["hand"][0], "hedge", every="12 hours", cost_bps=0)
    assert free["cost_usd"] == 0
    assert free["hedged_return"] > found["hedged_return"]


def test_a_hedge_costs_something_sensible(pages):
    with pytest.raises(UsageError, match="hedge cost -1 bps is outside 0 to 10,000"):
        report(pages["hand"][0], Hedge(cost_bps=-1))


def test_traders_by_hand(pages):
    """Long + 1,000 and out at + 980; short - 1,500, of which 400 are bad debt; the second long is still open."""
    *_, total = ask(pages["hand"][0], "trading")
    assert (total["market"], total["positions"], total["pnl_usd"], total["net_pnl_usd"]) == ("all", 3, -500, -120)
    assert (total["win_rate_gross"], total["win_rate_net"]) == (0.5, 0.5)
    assert total["fees_per_volume_bps"] == pytest.approx(20 / 44_600 * 1e4)
    assert total["fees_per_margin"] == pytest.approx(20 / 5_400)


def test_leverage_and_gaps_by_hand(pages):
    found = {row["leverage_range"]: row for row in ask(pages["hand"][0], "leverage")}
    assert list(found) == ["2x to 5x", "5x to 10x", "10x to 20x"]
    assert [found["10x to 20x"][name] for name in ("positions", "liquidations", "gaps")] == [1, 1, 1]
    assert found["10x to 20x"]["bad_debt_usd"] == 400


def test_fees_go_to_whom_they_belong(pages):
    found = {row["source"]: row for row in ask(pages["reserve"][0], "fees")}
    (head,) = ask(pages["reserve"][0], "headline")
    fees = [row for name, row in found.items() if name.endswith("fees")]
    assert sum(row["all_usd"] for row in fees) == head["fees_usd"] == 59
    assert sum(row["lp_usd"] for row in fees) == head["fees_of_lps_usd"] == D("41.3")
    assert found["Confiscated margin"]["liquidator_usd"] == 5


def test_drawdowns_have_a_peak_a_trough_and_an_end(tmp_path):
    """Price 1, 0.8, 1.2, 0.9, 1.1: a fall of 20 % that ends, and one of 25 % that does not."""
    rows = handmade.tables()
    hours = [handmade.at(1, hour) for hour in range(5)]
    prices = (1.0, 0.8, 1.2, 0.9, 1.1)
    rows["lp"] = [
        rows["lp"][0] | {"timestamp": at, "lp_price": round(price * 10**10), "aum_usd": round(price * 400_000 * USD)}
        for at, price in zip(hours, prices, strict=True)
    ]
    path = handmade.write(tmp_path / "falls", rows)
    found = ask(path, "drawdowns")
    assert [round(row["depth"], 6) for row in found] == [-0.25, -0.2]
    assert [row["peak_at"].hour for row in found] == [2, 0]
    assert [row["trough_at"].hour for row in found] == [3, 1]
    assert [row["recovered_at"] and row["recovered_at"].hour for row in found] == [None, 2]


def test_targets_are_ratios_or_weights_and_change_with_the_rules(tmp_path):
    def protocol(**more):
        given = [{"symbol": "ETH", **more.get("eth", {})}, {"symbol": "USDC", **more.get("usdc", {})}]
        return {"name": "a", "custody": given}

    ratios = protocol(eth={"ratio_target_bps": 6_000}, usdc={"ratio_target_bps": 0})
    weights = protocol(eth={"weight": 300}, usdc={"weight": 100})
    change = {"number": 1, "time": "2024-01-02T00:00:00Z", "protocol": weights, "values": []}
    manifest = handmade.MANIFEST | {"protocol": ratios, "changes": [change]}
    found = ask(handmade.write(tmp_path / "run", manifest=manifest), "targets")
    assert [(row["series"], row["timestamp"].day, row["value"]) for row in found] == [
        ("ETH", 1, 0.6),
        ("ETH", 2, 0.75),
        ("USDC", 2, 0.25),
    ]


def test_assets_of_one_price_source_are_one_exposure(tmp_path):
    """The custody WETH and the market ETH read the same prices, so what longs are owed comes off the tokens owned."""
    custodies = [handmade.MANIFEST["custodies"][0] | {"price": "WETH"}, handmade.MANIFEST["custodies"][1]]
    apart = handmade.MANIFEST | {"custodies": custodies, "symbols": {"WETH": "WETH", "ETH": "ETH", "USDC": "1.0"}}
    joined = apart | {"symbols": {"WETH": "ETH", "ETH": "ETH", "USDC": "1.0"}}
    counts = []
    for name, manifest in (("apart", apart), ("joined", joined)):
        path = handmade.write(tmp_path / name, manifest=manifest)
        counts.append({row["asset"]: row["delta_tokens"] for row in ask(path, "exposures", every="12 hours")})
    assert set(counts[0]) == {"WETH", "ETH"}
    assert counts[1] == {"ETH": pytest.approx(sum(counts[0].values()))}


@pytest.mark.parametrize(
    ("borrow", "interval", "per_year"),
    [("linear", None, 8_760), ("stepwise", 3_600, 8_760), ("stepwise", 28_800, 1_095)],
)
def test_borrow_rates_of_a_stepwise_curve_are_per_interval(tmp_path, borrow, interval, per_year):
    protocol = {"name": "a", "mechanisms": {"borrow": borrow}, "pool": {"borrow_interval_s": interval}}
    path = handmade.write(tmp_path / "run", manifest=handmade.MANIFEST | {"protocol": protocol})
    found = {row["custody"]: row["highest_rate"] for row in ask(path, "use")}
    assert found == {"ETH": pytest.approx(4.546e-6 * per_year), "USDC": pytest.approx(5e-6 * per_year)}
