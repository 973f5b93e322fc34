"""SQL over runs: every view and macro against the numbers of the handmade run, worked out by hand in its docstring."""

import json
from datetime import date
from decimal import Decimal as D

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from backtest import warehouse
from backtest.cli import perpool
from backtest.errors import PerpoolError
from kernels import codes
from tests import handmade
from tests.busy_case import busy_case
from tests.handmade import MINTED, PAID_ETH, USD
from tests.reference import run


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return handmade.write(tmp_path_factory.mktemp("runs") / "hand")


@pytest.fixture(scope="module")
def con(path):
    return warehouse.open_run(path)


def rows(con, sql):
    """Result of a query as tuples without the run."""
    found = con.sql(sql).to_arrow_table()
    return [tuple(value for name, value in row.items() if name != "run") for row in found.to_pylist()]


def micro(value):
    return D(value) / 1_000_000


def test_every_sql_file_is_installed_and_explains_itself():
    installed = {*warehouse.FIRST, *warehouse.VIEWS, *warehouse.MACROS, *warehouse.MAPS, *warehouse.FIGURES}
    files = {path.stem: path.read_text() for path in warehouse.SQL.glob("*.sql")}
    assert set(files) == installed
    assert all(text.startswith(f"-- {name}") for name, text in files.items())


def test_money_is_exact_and_times_are_utc(con):
    kinds = dict(rows(con, "SELECT column_name, column_type FROM (DESCRIBE events)"))
    assert kinds["timestamp"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["pnl_usd"] == "DECIMAL(18,6)"
    for macro in warehouse.MACROS:
        for name, kind in rows(con, f"SELECT column_name, column_type FROM (DESCRIBE FROM {macro}('1 day'))"):
            exact = macro != "exposure" and name.endswith("_usd")
            assert not exact or kind.startswith("DECIMAL"), (macro, name, kind)


def test_trades(con):
    found = rows(con, "SELECT seq, market_symbol, side, action, kind, size_usd, collateral_usd, fee_usd FROM trades")
    assert found == [
        (3, "ETH", "long", "increase", "open", 10_000, 2_000, 0),
        (4, "ETH", "short", "increase", "open", 10_000, 1_000, 0),
        (5, "ETH", "short", "increase", "deposit_collateral", 0, 100, 0),
        (8, "ETH", "long", "decrease", "close", 10_000, 2_000, 20),
        (9, "ETH", "short", "liquidation", "liquidation", 10_000, 1_100, 0),
        (10, "ETH", "long", "increase", "open", 4_600, 2_300, 0),
    ]
    # the trader of #0 gets 2,980 for 2,000; the trader of #1 loses the margin and no more
    assert rows(con, "SELECT net_pnl_usd FROM trades WHERE action <> 'increase'") == [(980,), (-1_100,)]


def test_fees_name_kind_and_beneficiary(con):
    found = rows(con, "SELECT seq, kind, beneficiary, amount_usd FROM fees WHERE seq < 11 ORDER BY ALL")
    assert found == [
        (2, "add_liquidity", "lp", D("28")),
        (2, "add_liquidity", "protocol", D("12")),
        (7, "borrow", "lp", D("0.7")),
        (7, "borrow", "protocol", D("0.3")),
        (8, "borrow", "lp", D("2.1")),
        (8, "borrow", "protocol", D("0.9")),
        (8, "exit", "lp", D("11.2")),
        (8, "exit", "protocol", D("4.8")),
    ]


def test_fees_sum_to_events_by_kind_and_by_beneficiary_whatever_the_rounding(tmp_path):
    case = busy_case()
    con = warehouse.open_run(handmade.write_result(tmp_path / "busy", case, run(case)))
    assert rows(con, "SELECT beneficiary, sum(amount_usd) FROM fees GROUP BY ALL ORDER BY ALL") == rows(
        con,
        "SELECT * FROM (UNPIVOT (SELECT sum(lp_share_usd) AS lp, sum(protocol_share_usd) AS protocol, "
        "sum(referrer_share_usd) AS referrer FROM events) ON *) ORDER BY ALL",
    )
    by_kind = dict(rows(con, "SELECT kind, sum(amount_usd) FROM fees GROUP BY ALL"))
    assert by_kind.keys() == {"exit", "liquidation", "borrow", "add_liquidity", "remove_liquidity"}
    assert [(by_kind["exit"] + by_kind["liquidation"], by_kind["borrow"])] == rows(
        con, "SELECT sum(exit_fee_usd), sum(borrow_fee_usd) FROM events"
    )
    assert rows(con, "SELECT sum(amount_usd) FROM revenue('1 month') WHERE source <> 'confiscated'") == rows(
        con, "SELECT sum(amount_usd) FROM fees"
    )


def test_liquidations(con):
    found = rows(
        con,
        "SELECT position_no, entry_price_usd, price_usd, initial_leverage, size_usd, collateral_usd, pnl_usd, "
        "liquidation_fee_usd, deficit_fee_usd, payout_usd, bad_debt_usd FROM liquidations",
    )
    assert found == [(1, 2_000, 2_300, 10.0, 10_000, 1_100, -1_500, 0, 18, 0, 400)]


def test_open_interest(con):
    found = rows(con, "SELECT long_oi_usd, short_oi_usd, net_oi_usd, long_pnl_usd, short_pnl_usd FROM open_interest")
    assert found == [(0, 0, 0, 0, 0), (10_000, 10_000, 0, 500, -500), (4_600, 0, 4_600, 200, 0)]


def test_overview_has_one_row_per_day(con):
    found = rows(
        con,
        "SELECT day, tvl_usd, volume_usd, long_oi_usd, short_oi_usd, trader_pnl_usd, trades, liquidations "
        "FROM overview",
    )
    aum = [micro(row["aum_usd"]) for row in handmade.tables()["lp"]]
    assert found == [
        (date(2024, 1, 1), aum[1], 20_000, 10_000, 10_000, 0, 2, 0),
        (date(2024, 1, 2), aum[2], 24_600, 4_600, 0, -500, 3, 1),
    ]
    fees = rows(con, "SELECT fees_usd, revenue_usd, lp_revenue_usd FROM overview")
    assert fees[0] == (41, D("12.3"), D("28.7"))
    assert fees[1][0] == 19 + micro(handmade.LP_FEE)


def test_pool_has_tokens_and_utilisation(con):
    found = rows(
        con, "SELECT custody, owned_tokens, locked_tokens, utilisation FROM pool WHERE timestamp = '2024-01-02'"
    )
    assert found == [("ETH", 110.0, 5.0, 5 / 110), ("USDC", 200_000.0, 10_000.0, 0.05)]


def test_rejections_and_pending_are_apart(con):
    assert rows(con, "SELECT order_id, action, reason FROM rejections") == [(10, "open", "min_collateral")]
    assert rows(con, "SELECT order_id, reason FROM pending ORDER BY 1") == [(11, "limit_not_reached"), (12, "not_due")]


def test_revenue(con):
    found = rows(
        con, "SELECT source, beneficiary, amount_usd FROM revenue('1 month') WHERE source <> 'remove_liquidity'"
    )
    assert found == [
        ("add_liquidity", "lp", D("28")),
        ("add_liquidity", "protocol", D("12")),
        ("borrow", "lp", D("2.8")),
        ("borrow", "protocol", D("1.2")),
        ("exit", "lp", D("11.2")),
        ("exit", "protocol", D("4.8")),
    ]
    assert rows(con, "SELECT sum(amount_usd) FROM revenue('1 hour')") == [(60 + micro(handmade.LP_FEE),)]


def test_exposure(con):
    found = rows(
        con,
        "SELECT asset, owned_tokens, collateral_tokens, long_tokens, short_tokens, delta_tokens, gain_per_percent_usd "
        "FROM exposure('1 day')",
    )
    # Jan 2 00:00: 10,500 / 2,100 = 5 ETH owed to longs, 10,500 / 2,100 = 5 ETH owed by shorts
    assert found[0] == ("ETH", 110.0, 1.0, 5.0, 5.0, 111.0, pytest.approx(111 * 21))
    assert found[1] == ("USDC", 200_000.0, 0.0, 0.0, 0.0, 200_000.0, 2_000.0)
    # Jan 2 12:00: 4,800 / 2,400 = 2 ETH owed to the long
    owned = 111 - PAID_ETH / 10**8
    assert found[2] == (
        "ETH",
        pytest.approx(owned),
        1.0,
        2.0,
        0.0,
        pytest.approx(owned - 1),
        pytest.approx((owned - 1) * 24),
    )


def test_exposure_is_the_slope_of_aum():
    """The definition against the reference: one per cent more on ETH moves AUM by what the macro says."""
    found = {}
    for price in (2_000, 2_020):
        case = busy_case(orders=0)
        last = case.ticks[0][0] + 3_600_000_000
        case.ticks = [
            (case.ticks[0][0], (2_000 * 10**10, 40_000 * 10**10, 10**10, 2_300 * 10**10), (0, 0, 0, 0)),
            (last, (price * 10**10, 40_000 * 10**10, 10**10, 2_300 * 10**10), (0, 0, 0, 0)),
        ]
        for custody in case.custodies:
            custody["conf_bps"] = 0
        opening = {"action": codes.OPEN, "market": 0, "leverage_bps": 50_000}
        case.orders = [
            handmade_order(case, 0, side=codes.LONG, collateral_usd=3_000 * USD, **opening),
            handmade_order(case, 1, side=codes.SHORT, collateral_usd=1_000 * USD, **opening),
        ]
        found[price] = run(case).lp_samples[-1]["aum_usd"]
    # 100 ETH owned + 1.5 ETH of margin - 7.5 ETH long + 2.5 ETH short = 96.5 ETH, times 20 dollars
    assert found[2_020] - found[2_000] == pytest.approx(96.5 * 20 * USD, rel=1e-6)


def handmade_order(case, number, **fields):
    from tests.case import order

    return order(due_us=case.ticks[0][0], order_id=number, position_id=number, **fields)


def test_utilisation(con):
    found = rows(
        con, "SELECT custody, mean_utilisation, max_utilisation, closing_utilisation, samples FROM utilisation('1 day')"
    )
    assert found[0] == ("ETH", pytest.approx(5 / 220, abs=1e-9), 5 / 110, 5 / 110, 2)
    assert found[1] == ("USDC", 0.025, 0.05, 0.05, 2)
    assert found[3] == ("USDC", 0.0, 0.0, 0.0, 1)


def test_lp_returns(con):
    found = con.sql("FROM lp_returns('1 day')").to_arrow_table().to_pylist()
    prices = [row["lp_price"] / 10**10 for row in handmade.tables()["lp"]]
    assert [row["period_return"] for row in found] == [
        pytest.approx(prices[1] / prices[0] - 1),
        pytest.approx(prices[2] / prices[1] - 1),
    ]
    assert found[1]["cumulative_return"] == pytest.approx(prices[2] - 1)
    # half a day: compounded 730 times
    assert found[1]["annualised_return"] == pytest.approx((prices[2] / prices[1]) ** 730 - 1, rel=1e-9)
    assert found[0]["drawdown"] == found[1]["drawdown"] == 0


def test_attribution_explains_every_period_exactly(con):
    found = con.sql("FROM attribution('1 day')").to_arrow_table().to_pylist()
    lp = handmade.tables()["lp"]
    assert [row["closing_aum_usd"] for row in found] == [micro(lp[1]["aum_usd"]), micro(lp[2]["aum_usd"])]
    for row in found:
        losses = row["to_others_usd"] + row["trader_pnl_usd"] + row["bad_debt_usd"]
        gains = sum(
            row[f"{name}_usd"]
            for name in (
                "lp_flow",
                "open_fee",
                "exit_fee",
                "borrow_fee",
                "lp_fee",
                "funding",
                "asset_drift",
                "confiscated",
                "spread",
            )
        )
        gains += row["rounding_usd"]
        assert row["closing_aum_usd"] - row["opening_aum_usd"] == row["change_usd"] == gains - losses
    second = found[1]
    assert (second["trader_pnl_usd"], second["bad_debt_usd"], second["borrow_fee_usd"]) == (-300, 400, 1)
    assert second["exit_fee_usd"] == D("-8.64")  # 23.36 so far, 32 before: #1's fee was never collected
    assert found[0]["lp_flow_usd"] == 419_960
    assert rows(con, "SELECT sum(change_usd) FROM attribution('1 hour')") == [(micro(lp[2]["aum_usd"]),)]


def test_trader_pnl(con):
    found = rows(
        con, "SELECT side, pnl_usd, borrow_fee_usd, net_pnl_usd, exits, wins, losses FROM trader_pnl('1 month')"
    )
    assert found == [("long", 1_000, 4, 980, 1, 1, 0), ("short", -1_500, 0, -1_100, 1, 0, 1)]


def test_liquidations_by(con):
    found = rows(con, "SELECT side, liquidations, collateral_usd, pnl_usd, bad_debt_usd FROM liquidations_by('1 day')")
    assert found == [("short", 1, 1_100, -1_500, 400)]


@pytest.mark.parametrize("macro", warehouse.MACROS)
def test_periods_are_utc_wherever_the_session_is(path, macro):
    here, there = warehouse.open_run(path), warehouse.open_run(path)
    there.execute("SET TimeZone = 'Asia/Kathmandu'")
    sql = f"SELECT * REPLACE (epoch_us(period_start) AS period_start) FROM {macro}('1 day')"
    if macro == "lp_returns":
        sql = sql.replace("*", "* EXCLUDE (opening_at, closing_at)", 1)
    assert rows(here, sql) == rows(there, sql)


def test_periods_of_any_length(con):
    assert rows(con, "SELECT DISTINCT CAST(period_start AS VARCHAR) FROM revenue('1 week')") == [
        ("2024-01-01 00:00:00+00",)
    ]
    # one split at 06:00, one at 18:00, two at 06:00 and one at 12:00, each for LPs and protocol
    assert len(rows(con, "FROM revenue('6 hours')")) == 10


def test_many_runs_are_told_apart_everywhere(tmp_path, path):
    a, b = handmade.write(tmp_path / "x" / "alp"), handmade.write(tmp_path / "y" / "alp")
    con = warehouse.open_run(a, b, path)
    names = ["hand", "x/alp", "y/alp"]
    assert [run.name for run in warehouse.load_runs([a, b])] == ["x/alp", "y/alp"]
    views = con.sql("SHOW TABLES").to_arrow_table().column("name").to_pylist()
    for source in [*views, *(f"{macro}('1 day')" for macro in warehouse.MACROS)]:
        found = (
            con.sql(f"SELECT run, count(*) AS n FROM {source} GROUP BY run ORDER BY run").to_arrow_table().to_pylist()
        )
        assert [row["run"] for row in found] in (names, []), source
        assert len({row["n"] for row in found}) <= 1, source
    with pytest.raises(PerpoolError, match="given twice"):
        warehouse.open_run(a, a)


def test_prices_are_there_while_their_files_are(tmp_path, path):
    assert "prices" not in warehouse.open_run(path).sql("SHOW TABLES").to_arrow_table().column("name").to_pylist()
    prices = tmp_path / "eth[1].parquet"
    pq.write_table(pa.table({"symbol": ["ETH"], "price": [2_000.0]}), prices)
    manifest = handmade.MANIFEST | {"inputs": [{"role": "prices", "path": str(prices)}]}
    out = handmade.write(tmp_path / "with", manifest=manifest)
    assert rows(warehouse.open_run(out), "SELECT symbol, price FROM prices") == [("ETH", 2_000.0)]
    prices.unlink()
    with pytest.raises(PerpoolError, match="prices does not exist"):
        list(warehouse.query([out], "FROM prices"))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("FROM trade", r"Table with name trade does not exist! Did you mean \"trades\"\? Tables: .*overview.*revenue"),
        ("SELECT sise FROM trades", r'"sise" not found.*DESCRIBE <table>'),
        ("SELEC 1", r'^Parser Error: syntax error at or near "SELEC"$'),
        ("FROM revenue('1 banana')", "; a period is an interval such as '1 hour'"),
        ("SELECT CAST(kind AS INTEGER) FROM events", "Could not convert string 'genesis' to INT32"),
    ],
)
def test_errors_of_sql_are_one_line_and_say_what_there_is(path, sql, message):
    with pytest.raises(PerpoolError, match=message) as caught:
        list(warehouse.query([path], sql))
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_one_clear_error(tmp_path):
    out = handmade.write(tmp_path / "run")
    (out / "events.parquet").write_bytes(b"not parquet")
    with pytest.raises(PerpoolError, match=r"cannot open .*run: .*events\.parquet"):
        warehouse.open_run(out)


def test_the_sql_command(path):
    found = CliRunner().invoke(perpool, ["sql", str(path), "SELECT count(*) AS n FROM trades", "--format", "csv"])
    assert (found.exit_code, found.stdout) == (0, "n\n6\n")
    found = CliRunner().invoke(perpool, ["sql", str(path), "-", "--json"], input="SELECT 1 AS x")
    assert json.loads(found.stdout) == [{"x": 1}]
    found = CliRunner().invoke(perpool, ["sql", "--help"])
    assert "Example:" in found.stdout


def test_supply_of_the_handmade_run_is_what_its_comment_says():
    assert MINTED == 19_958_602_897
