"""SQL over a venue with pooled margin and a fee reserve: every view against the numbers of tests.handmade_reserve."""

from decimal import Decimal as D

import pytest

from backtest import warehouse
from tests import handmade, handmade_reserve
from tests.handmade import USD


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return warehouse.open_run(handmade_reserve.write(tmp_path_factory.mktemp("runs") / "reserve"))


def rows(con, sql):
    """Result of a query as tuples without the run."""
    found = con.sql(sql).to_arrow_table()
    return [tuple(value for name, value in row.items() if name != "run") for row in found.to_pylist()]


def test_stages_are_the_rules_in_force_and_from_when(con):
    found = rows(con, "SELECT change, epoch_us(from_at), epoch_us(until_at), fee_booking, valuation FROM stages")
    changed = handmade.at(2, 6)
    assert found == [
        (0, handmade.at(1, 0), changed, "reserve", "guaranteed"),
        (1, changed, None, "reserve", "guaranteed"),
    ]


def test_a_stage_replaced_at_the_tick_it_began_has_no_row(tmp_path):
    tables = handmade_reserve.tables()
    tables["events"][handmade_reserve.CHANGE]["timestamp"] = handmade.at(1, 0)
    con = warehouse.open_run(handmade_reserve.write(tmp_path / "run", tables))
    assert rows(con, "SELECT change FROM stages") == [(1,)]
    assert rows(con, "SELECT count(*) FROM rewards") == [(6,)]


def test_fees_name_open_fees_and_share_each_out(con):
    found = rows(con, "SELECT kind, beneficiary, sum(amount_usd) FROM fees GROUP BY ALL ORDER BY ALL")
    assert found == [
        ("add_liquidity", "lp", D("17.5")),
        ("add_liquidity", "protocol", D("7.5")),
        ("borrow", "lp", D("6.3")),
        ("borrow", "protocol", D("2.7")),
        ("exit", "lp", D("3.5")),
        ("exit", "protocol", D("1.5")),
        ("liquidation", "lp", D("3.5")),
        ("liquidation", "protocol", D("1.5")),
        ("open", "lp", D("10.5")),
        ("open", "protocol", D("4.5")),
    ]


def test_open_and_borrow_fee_of_one_row_are_shared_out_by_proportion(tmp_path):
    tables = handmade_reserve.tables()
    # an opening of 10 dollars that also paid 5 of interest; shares that do not divide evenly
    tables["events"][3] |= {"borrow_fee_usd": 5 * USD, "protocol_share_usd": 1_000_001, "referrer_share_usd": 500_000}
    tables["events"][3]["lp_share_usd"] = 15 * USD - 1_500_001
    con = warehouse.open_run(handmade_reserve.write(tmp_path / "run", tables))
    found = rows(con, "SELECT kind, beneficiary, amount_usd FROM fees WHERE seq = 3 ORDER BY ALL")
    assert found == [
        ("borrow", "lp", D("4.499999")),
        ("borrow", "protocol", D("0.333334")),
        ("borrow", "referrer", D("0.166667")),
        ("open", "lp", 9),
        ("open", "protocol", D("0.666667")),
        ("open", "referrer", D("0.333333")),
    ]


def test_a_reserve_for_the_protocol_alone_takes_nothing_of_the_borrow_fee(tmp_path):
    rules = {"mechanisms": {"fee_booking": "protocol_reserve", "margin": "pooled"}}
    manifest = handmade_reserve.MANIFEST | {"protocol": rules, "changes": []}
    tables = handmade_reserve.tables()
    tables["events"][8] |= {"protocol_share_usd": 2 * USD, "lp_share_usd": 6 * USD}
    del tables["events"][handmade_reserve.CHANGE]
    con = warehouse.open_run(handmade_reserve.write(tmp_path / "run", tables, manifest))
    found = rows(con, "SELECT kind, beneficiary, amount_usd FROM fees WHERE seq = 8 ORDER BY ALL")
    assert found == [("borrow", "lp", 3), ("exit", "lp", 3), ("exit", "protocol", 2)]
    assert rows(con, "FROM rewards") == []  # what is not the protocol's stays in the pool


def test_revenue_takes_the_reward_of_the_liquidator_off(con):
    found = rows(con, "SELECT source, beneficiary, amount_usd FROM revenue('1 month') WHERE source = 'confiscated'")
    assert found == [("confiscated", "liquidator", 5), ("confiscated", "lp", -5)]


def test_rewards_are_the_fees_of_lps_that_never_join_the_pool(con, tmp_path):
    found = rows(con, "SELECT seq, reward_usd, lp_supply FROM rewards ORDER BY seq")
    supply = handmade_reserve.SUPPLY
    assert found == [
        (2, D("17.5"), supply),
        (3, 7, supply),
        (4, D("3.5"), supply),
        (5, D("2.8"), supply),
        (8, D("5.6"), supply),
        (9, D("4.9"), supply),
    ]
    joining = handmade_reserve.MANIFEST["protocol"] | {"fees": {"lp_share_joins": True}}
    changes = [change | {"protocol": joining} for change in handmade_reserve.MANIFEST["changes"]]
    manifest = handmade_reserve.MANIFEST | {"protocol": joining, "changes": changes}
    there = warehouse.open_run(handmade_reserve.write(tmp_path / "joins", manifest=manifest))
    assert rows(there, "FROM rewards") == []
    assert rows(there, "SELECT rewards_usd, return_with_rewards - period_return FROM lp_returns('1 year')") == [(0, 0)]


def test_lp_returns_count_rewards_beside_the_price(con):
    found = con.sql("FROM lp_returns('1 day')").to_arrow_table().to_pylist()
    first, last = (row["aum_usd"] / handmade_reserve.SUPPLY for row in handmade_reserve.tables()["lp"][1:])
    tokens = handmade_reserve.SUPPLY / USD
    assert [row["rewards_usd"] for row in found] == [D("30.8"), D("10.5")]
    assert found[0]["return_with_rewards"] == pytest.approx(first + 30.8 / tokens - 1)
    assert found[1]["return_with_rewards"] == pytest.approx((last + 10.5 / tokens) / first - 1)
    assert found[1]["period_return"] == pytest.approx(last / first - 1)


def test_attribution_sums_with_open_fees_and_rewards_of_liquidators(con):
    [(change, flow, opened, closed, borrowed, lp_fee, others, traders, drift, debt, reward, spread, rounding)] = rows(
        con,
        "SELECT change_usd, lp_flow_usd, open_fee_usd, exit_fee_usd, borrow_fee_usd, lp_fee_usd, to_others_usd, "
        "trader_pnl_usd, asset_drift_usd, bad_debt_usd, liquidator_usd, spread_usd, rounding_usd "
        "FROM attribution('1 year')",
    )
    assert (flow, opened, closed, borrowed, lp_fee, others) == (410_075, 15, 10, 9, 25, 59)
    assert (traders, debt, reward, rounding) == (375, 137, 5, 0)
    assert change == flow + opened + closed + borrowed + lp_fee - others - traders + drift - debt - reward + spread
    assert change == D(handmade_reserve.tables()["lp"][2]["aum_usd"]) / USD


def test_trades_and_traders_pay_open_fees(con):
    found = rows(con, "SELECT seq, action, open_fee_usd, fee_usd, net_pnl_usd FROM trades")
    assert found == [
        (3, "increase", 10, 10, -10),
        (4, "increase", 5, 5, -5),
        (5, "increase", 0, 4, -4),
        (8, "decrease", 0, 8, 492),
        (9, "liquidation", 0, 7, -995),
    ]
    # the long has put in 2,200, got 492 and holds 2,186; the short has lost its 1,000
    assert rows(con, "SELECT side, open_fee_usd, net_pnl_usd FROM trader_pnl('1 year')") == [
        ("long", 10, 478),
        ("short", 5, -1_000),
    ]


def test_overview_counts_open_fees(con):
    assert rows(con, "SELECT fees_usd, revenue_usd, lp_revenue_usd FROM overview") == [
        (44, D("13.2"), D("30.8")),
        (15, D("4.5"), D("10.5")),
    ]


def test_liquidations_say_what_the_liquidator_got(con):
    assert rows(con, "SELECT bad_debt_usd, liquidator_usd FROM liquidations") == [(137, 5)]
    assert rows(con, "SELECT bad_debt_usd, liquidator_usd FROM liquidations_by('1 day')") == [(137, 5)]


def test_pool_shows_the_reserve_and_exposure_what_is_free(con):
    found = rows(
        con, "SELECT custody, fee_tokens, stranded_tokens, dollars_usd FROM pool WHERE timestamp = '2024-01-02'"
    )
    assert found == [("ETH", 0.007, 0.0, 0), ("USDC", 30.0, 0.0, 9_975)]
    # 101.093 ETH, of them 5 locked for the long; the short owes 5,250 / 2,100
    [(tokens,)] = rows(con, "SELECT delta_tokens FROM exposure('1 day') WHERE asset = 'ETH' LIMIT 1")
    assert tokens == pytest.approx(101.093 - 5 + 2.5)
