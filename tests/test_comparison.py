"""Runs side by side: every figure against the numbers of the handmade runs, and equal to what SQL says."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal as D

import pytest
from click.testing import CliRunner

import backtest
from backtest import warehouse
from backtest.cli import perpool
from backtest.comparison import FIGURES, compare
from backtest.comparison_text import MAX_DIFFERENCES, table
from backtest.errors import PerpoolError, UsageError
from tests import handmade, handmade_reserve
from tests.handmade import USD

ORDERS = {"role": "orders", "path": "orders.parquet", "sha256": "ab" * 32}


def with_orders(manifest, **more):
    return manifest | {"inputs": [ORDERS], "scenario": {"execution_delay": "0s"}} | more


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [
        handmade.write(folder / "hand", manifest=with_orders(handmade.MANIFEST)),
        handmade_reserve.write(folder / "reserve", manifest=with_orders(handmade_reserve.MANIFEST)),
    ]


@pytest.fixture(scope="module")
def found(paths):
    return compare(*paths)


# name: value in the handmade run, and in the one with a reserve, both worked out in their docstrings
MONEY = {
    "open_fees_usd": (0, 15),
    "close_fees_usd": (16, 5),
    "liquidation_fees_usd": (0, 5),
    "borrow_fees_usd": (4, 9),
    "funding_usd": (0, 0),
    "confiscated_usd": (0, 0),
    "liquidators_usd": (0, 5),
    "bad_debt_usd": (400, 137),
    "fees_of_referrers_usd": (0, 0),
    "accrued_usd": (D("7.36"), 0),  # the exit fee of the long still open
    "aum_start_usd": (400_000, 400_000),
    "rewards_usd": (0, D("41.3")),  # 70 % of 59
    "trader_pnl_usd": (-500, -625),  # + 1,000 - 1,500; + 500 - 1,125
    "trader_net_usd": (-120, -522),  # + 980 - 1,100; + 478 - 1,000
    "trader_unrealised_usd": (200, 1_000),
    "volume_usd": (44_600, 25_000),
    "positions_opened": (3, 2),
    "liquidations": (1, 1),
    "liquidated_usd": (10_000, 5_000),
    "rejected.min_collateral": (1, 0),
    "rejected.max_utilisation": (0, 1),
}


@pytest.mark.parametrize("name", MONEY)
def test_figures_in_money_and_counts(found, name):
    assert found[name].values == MONEY[name]


def test_fees_are_the_sum_of_their_sources_and_of_their_beneficiaries(found):
    lp_fees = 40 * USD + handmade.LP_FEE
    assert found["lp_fees_usd"].values == (D(lp_fees) / USD, 25)
    assert found["fees_usd"].values == (20 + D(lp_fees) / USD, 59)
    for names in (
        ("open_fees_usd", "close_fees_usd", "liquidation_fees_usd", "borrow_fees_usd", "lp_fees_usd"),
        ("fees_of_lps_usd", "fees_of_protocol_usd", "fees_of_referrers_usd"),
    ):
        assert tuple(map(sum, zip(*(found[name].values for name in names), strict=True))) == found["fees_usd"].values
    assert found["fees_of_lps_usd"].values[1] == D("41.3")


def test_returns_and_ratios(found):
    ends = [[D(row["aum_usd"]) / USD for row in run.tables()["lp"]] for run in (handmade, handmade_reserve)]
    assert found["aum_end_usd"].values == (ends[0][2], ends[1][2])
    tokens = handmade_reserve.SUPPLY / USD
    hand_price = handmade.tables()["lp"][2]["lp_price"] / 10**10
    assert found["lp_return"].values == pytest.approx((hand_price - 1, float(ends[1][2]) / tokens - 1))
    assert found["lp_return_with_rewards"].values == pytest.approx(
        (hand_price - 1, (float(ends[1][2]) + 41.3) / tokens - 1)
    )
    # settled trading fees: 20 of 44,600, 34 of 25,000
    assert found["fees_per_volume_bps"].values == pytest.approx((20 / 4.46, 13.6))
    # held 24 and 12 hours; LPs kept 23.36 + 4 of trading and 40 + the last of LP fees, less what others got; then 59
    # less the 59 that went to the reserve, less the liquidator's 5, and 41.30 out of the reserve
    means = [float(aum[0] * 24 + aum[1] * 12) / 36 for aum in ends]
    kept = [27.36 + (40 * USD + handmade.LP_FEE - handmade.DEBT) / USD, -5 + 41.3]
    assert found["fee_apr"].values == pytest.approx(
        tuple(income / mean * 365 / 1.5 for income, mean in zip(kept, means, strict=True))
    )


def test_utilisation_is_that_of_the_samples(found):
    assert found["utilisation.ETH.mean"].values == pytest.approx(
        ((0 + 5 / 110 + 2 * 10**8 / handmade.OWNED_ETH) / 3, (5 / 101.093 + 2.5e8 / handmade_reserve.OWNED_ETH) / 3)
    )
    assert found["utilisation.USDC.max"].values == (0.05, 5_000 / 209_975)


def test_figures_are_those_of_sql(paths, found):
    con = warehouse.open_run(*paths)
    rows = con.sql("FROM headlines").to_arrow_table().to_pylist()
    assert set(rows[0]) == {"run", *FIGURES}
    for number, row in enumerate(rows):
        assert {name: found[name].values[number] for name in FIGURES} == {name: row[name] for name in FIGURES}
    for macro, figure, column in (
        ("trader_pnl", "trader_net_usd", "net_pnl_usd"),
        ("lp_returns", "rewards_usd", "rewards_usd"),
        ("trader_pnl", "volume_usd", "volume_usd"),
    ):
        sums = con.sql(f"SELECT sum({column}) FROM {macro}('1 year') GROUP BY run ORDER BY run").fetchall()
        assert tuple(value for (value,) in sums) == found[figure].values
    returns = con.sql("SELECT return_with_rewards FROM lp_returns('1 year') ORDER BY run").fetchall()
    assert tuple(value for (value,) in returns) == pytest.approx(found["lp_return_with_rewards"].values)
    used = con.sql(
        "SELECT mean_utilisation, max_utilisation FROM utilisation('1 year') WHERE custody = 'ETH' ORDER BY run"
    ).fetchall()
    assert tuple(zip(*used, strict=True)) == (
        found["utilisation.ETH.mean"].values,
        found["utilisation.ETH.max"].values,
    )


def test_the_apr_is_that_of_the_summary(paths, found):
    from backtest.summary import summarise

    totals = dict.fromkeys(("volume_usd", "n_open", "n_closed", "n_liquidated", "rejected", "pending"), 0)
    summaries = [summarise(path, totals) for path in paths]
    assert found["fee_apr"].values == pytest.approx(tuple(summary.fee_apr for summary in summaries))
    assert found["lp_return"].values == pytest.approx(tuple(summary.lp_return for summary in summaries))
    rewards = tuple(map(float, found["rewards_usd"].values))
    assert rewards == pytest.approx(tuple(summary.rewards for summary in summaries))


def test_changes_are_differences_from_the_first(found):
    assert found["bad_debt_usd"].changes == (0, -263)
    with pytest.raises(KeyError):
        found["nonsense"]


def test_differences_of_the_configurations(found):
    told = {row.path: row.values for row in found.differences}
    assert told["venue"] == ("by hand", "reserve")
    assert told["mechanisms.margin"] == (None, "pooled")
    assert "orders" not in told
    assert "span" not in told
    assert found.warnings == ()


def test_parameters_and_dated_changes_are_compared_by_path(tmp_path):
    rules = {"name": "a", "pool": {"min_age_s": 10}, "market": [{"symbol": "ETH", "close_bps": 16, "open_bps": 5}]}
    other = rules | {"pool": {"min_age_s": 10}, "market": [{"symbol": "ETH", "close_bps": 20, "open_bps": 5}]}
    change = {"number": 1, "time": "2024-01-02T00:00:00Z", "protocol": other}
    change["values"] = [{"path": "market.ETH.open_bps", "before": 5, "after": 7}]
    paths = [
        handmade.write(tmp_path / "a", manifest=handmade.MANIFEST | {"protocol": rules}),
        handmade.write(tmp_path / "b", manifest=handmade.MANIFEST | {"protocol": other, "changes": [change]}),
    ]
    assert {row.path: row.values for row in compare(*paths).differences} == {
        "market.ETH.close_bps": (16, 20),
        "2024-01-02T00:00:00Z market.ETH.open_bps": (None, 7),
    }


def test_of_a_custody_that_only_some_runs_have_nothing_more_is_said(tmp_path):
    rules = {"name": "a", "custody": [{"symbol": "ETH", "conf_bps": 5}, {"symbol": "DAI", "conf_bps": 9}]}
    other = {"name": "a", "custody": [{"symbol": "ETH", "conf_bps": 6}]}
    manifests = [handmade.MANIFEST | {"protocol": rules, "scenario": {"liquidity": {"DAI": 5.0}}}]
    manifests.append(handmade.MANIFEST | {"protocol": other, "symbols": {"ETH": "WETH"}})
    paths = [handmade.write(tmp_path / str(n), manifest=manifest) for n, manifest in enumerate(manifests)]
    assert [(row.path, row.values) for row in compare(*paths).differences] == [
        ("scenario.liquidity.DAI", (5.0, None)),
        ("custody.ETH.conf_bps", (5, 6)),
        ("custody.DAI", ("listed", None)),
        ("symbols.ETH", (None, "WETH")),
    ]


def test_runs_of_other_orders_prices_or_times_are_compared_with_a_warning(tmp_path, paths):
    others = [ORDERS | {"sha256": "cd" * 32}, ORDERS | {"role": "prices"}]
    span = handmade.MANIFEST["span"] | {"ticks": 9}
    other = handmade.write(tmp_path / "other", manifest=with_orders(handmade.MANIFEST, inputs=others, span=span))
    found = compare(paths[0], other)
    assert [warning.split(",")[0] for warning in found.warnings] == [
        "the runs were made from different orders",
        "the runs were made from different prices",
        "the runs cover different spans of time",
    ]
    told = {row.path: row.values for row in found.differences}
    assert told["orders"] == ("abababababab", "cdcdcdcdcdcd")
    assert told["prices"] == (None, "abababababab")
    shown = CliRunner().invoke(perpool, ["compare", str(paths[0]), str(other)])
    assert shown.stderr.count("warning: ") == 3
    assert "warning" not in shown.stdout


def test_what_cannot_be_compared_is_refused(tmp_path, paths):
    with pytest.raises(UsageError, match="two or more"):
        compare(paths[0])
    with pytest.raises(PerpoolError, match="not a run directory"):
        compare(paths[0], tmp_path)
    with pytest.raises(PerpoolError, match="given twice"):
        compare(paths[0], paths[0])
    damaged = handmade.write(tmp_path / "damaged")
    (damaged / "events.parquet").write_bytes(b"not parquet")
    with pytest.raises(PerpoolError, match=r"cannot (open|compare) .*damaged"):
        compare(paths[0], damaged)


def test_the_command_shows_a_table(paths):
    shown = CliRunner().invoke(perpool, ["compare", *map(str, paths)])
    assert shown.exit_code == 0
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["venue", "by", "hand", "reserve"] in lines
    assert ["bad_debt_usd", "$400.00", "$137.00", "-$263.00"] in lines
    assert ["fees_per_volume_bps", "4.48", "bps", "13.60", "bps", "+9.12", "bps"] in lines
    assert not any(line[:1] == ["funding_usd"] for line in lines)  # 0 in both
    assert "Example:" in CliRunner().invoke(perpool, ["compare", "--help"]).stdout


def test_a_long_list_of_differences_is_cut_in_the_table_only(tmp_path, paths):
    rules = {"name": "by hand", "pool": {f"key{number}": number for number in range(1, 71)} | {"key0": "x" * 50}}
    many = handmade.write(tmp_path / "many", manifest=with_orders(handmade.MANIFEST, protocol=rules))
    found = compare(paths[0], many)
    assert f"first {MAX_DIFFERENCES} of 71 differences; --json and --format csv list them all" in list(table(found))
    shown = json.loads(CliRunner().invoke(perpool, ["compare", str(paths[0]), str(many), "--json"]).stdout)
    assert len(shown["differences"]) == 71
    assert shown["differences"][-1] == {"path": "pool.key0", "values": {"hand": None, "many": "x" * 50}}
    long = replace(found, differences=(found.differences[-1],))
    [line] = [line.split() for line in table(long) if line.startswith(" pool.key0")]
    assert line == ["pool.key0", "-", "x" * 41 + "..."]


def test_the_same_configuration_is_said_to_be_the_same(tmp_path, paths):
    again = handmade.write(tmp_path / "again", manifest=with_orders(handmade.MANIFEST))
    assert "the configurations are the same" in list(table(compare(paths[0], again)))


def test_json_and_csv_keep_every_digit_and_every_figure(paths, found):
    text = CliRunner().invoke(perpool, ["compare", *map(str, paths), "--json"]).stdout
    told = json.loads(text, parse_float=D)
    assert told["runs"] == ["hand", "reserve"]
    by_name = {figure["name"]: figure for figure in told["figures"]}
    assert list(by_name) == [figure.name for figure in found.figures]
    assert by_name["aum_end_usd"]["values"]["reserve"] == found["aum_end_usd"].values[1]
    assert by_name["bad_debt_usd"]["changes"] == {"hand": 0, "reserve": -263}
    rows = list(
        csv.DictReader(
            io.StringIO(CliRunner().invoke(perpool, ["compare", *map(str, paths), "--format", "csv"]).stdout)
        )
    )
    [row] = [row for row in rows if row["name"] == "aum_end_usd" and row["run"] == "reserve"]
    assert D(row["value"]) == found["aum_end_usd"].values[1]
    assert D(row["change"]) == found["aum_end_usd"].changes[1]
    assert {row["section"] for row in rows} == {"difference", "figure"}


def test_three_runs_are_each_compared_with_the_first(tmp_path, paths):
    third = handmade.write(tmp_path / "third", manifest=with_orders(handmade.MANIFEST))
    found = compare(*paths, third)
    assert found["bad_debt_usd"].changes == (0, -263, 0)
    [head] = [line for line in table(found) if line.startswith(" figure")]
    assert head.split() == ["figure", "hand", "reserve", "change", "third", "change"]


def test_the_verb_of_the_package_is_this_one():
    assert backtest.compare is compare
    assert backtest.compare is compare  # and stays so once it has been imported
