"""Recipes: the answer of each on the handmade run, worked out from its docstring; all of them on more than one run."""

import json
from datetime import date, datetime
from decimal import Decimal as D

import pytest

from backtest import warehouse
from backtest.recipes import recipes
from backtest.runner import run
from tests import handmade, shell
from tests.handmade import LP_FEE, USD

LP_FEE_USD = D(LP_FEE) / USD
LP_PART_USD = D(handmade.LP_SHARE_OF_FEE) / USD
AUM = [D(row["aum_usd"]) / USD for row in handmade.tables()["lp"]]
LAST = handmade.tables()["lp"][2]
DRIFT = D(LAST["asset_drift_usd"]) / USD
FLOW = D(LAST["lp_flow_usd"]) / USD
KEPT = D("27.36") + 40 + LP_FEE_USD - D(handmade.DEBT) / USD
MIDNIGHT, NOON = "2024-01-02T00:00", "2024-01-02T12:00"

# Rows without the run; times to the minute.
ANSWERS = {
    "bad_debt": [("ETH", "short", "10x to 50x", 1, 1, 400, 400, "2024-01-02T09:00")],
    # USDC: a third of 5 %, of 5,000e-9 per hour, and of their product; ETH: 5 / 110 and 2 / 109.645, 4,546 and 1,825
    "borrow_yield": [("USDC", 1.67, 1.46, 4.38, 0.073), ("ETH", 2.12, 1.86, 3.98, 0.07)],
    # 44,600 of volume in a day and a half; the LPs' 14 of its fees; lost - 500 + 200 + 400
    "break_even_volume": [(29_733.33, 3.14, 66.67, 212_380.95)],
    "costliest_positions": [
        (0, "ETH", "long", "2024-01-01T12:00", "2024-01-02T06:00", "close", 5, 10_000, 1_000, 0, 980),
        (2, "ETH", "long", "2024-01-02T09:00", None, "open", 2, 4_600, 0, 0, 0),
        (1, "ETH", "short", "2024-01-01T12:00", "2024-01-02T09:00", "liquidation", 10, 10_000, -1_500, 400, -1_100),
    ],
    "died_of_fees": [("ETH", "short", 1, 0, 0, 0, 21, 0)],
    "fee_split": [
        ("add_liquidity", 28, 12, 0, 40, 64.3),
        ("exit", D("11.2"), D("4.8"), 0, 16, 25.7),
        ("borrow", D("2.8"), D("1.2"), 0, 4, 6.4),
        ("remove_liquidity", LP_PART_USD, LP_FEE_USD - LP_PART_USD, 0, LP_FEE_USD, 3.6),
    ],
    "full_pool": [("ETH", 2.12, 4.55, 0, 0, 0, 0), ("USDC", 1.67, 5, 0, 0, 0, 0)],
    "holding_times": [("6 h to 1 day", 2, 20_000, 50, -120)],
    "hours_of_day": [
        (0, 0, 0, 0, 0, 0),
        (6, 1, 10_000, 59, 1_000, 0),
        (9, 2, 14_600, 0, -1_500, 1),
        (12, 2, 20_000, LP_FEE_USD, 0, 0),
        (18, 0, 0, 1, 0, 0),
    ],
    "how_positions_end": [
        ("close", 1, 33.3, 10_000, 18, 1_000, 20, 0, 980),
        ("liquidation", 1, 33.3, 10_000, 21, -1_500, 0, 400, -1_100),
        ("open", 1, 33.3, 4_600, None, 0, 0, 0, 0),
    ],
    "leverage_buckets": [
        ("2x to 5x", 1, 4_600, 0, 0, 0, 0, 0),
        ("5x to 10x", 1, 10_000, 20, -1_000, 0, -980, -980),
        ("10x to 20x", 1, 10_000, 0, 1_500, 400, 1_100, 1_100),
    ],
    "liquidation_waves": [("2024-01-02T09:00", "ETH", "short", 1, 10_000, 400, 0)],
    "months": [("2024-01", 10.52, 0, AUM[2], AUM[2], FLOW, DRIFT, KEPT, 300, -400, 0)],
    "refused_orders": [("open", "min_collateral", 1, 100, 1, date(2024, 1, 1), 1)],
    "shorts_by_month": [("2024-01", "ETH", 20_000, -1_500, 0, 400, 1_100)],
    # open interest 0, 20,000 and 4,600; only the last of the three samples is not even
    "skew": [("ETH", 8_200, 1_533.33, 33.3, 4_600, NOON, 460)],
    "weekdays": [
        ("Monday", 1, 20_000, 41, 28.7, 0, 0),
        ("Tuesday", 1, 24_600, round(float(19 + LP_FEE_USD), 2), round(float(D("13.3") + LP_PART_USD), 2), -500, 1),
    ],
    # #0 alone paid fees: 16 and 4
    "who_pays": [
        (1, 1, 20, 100),
        (5, 1, 20, 100),
        (10, 1, 20, 100),
        (25, 1, 20, 100),
        (50, 2, 20, 100),
        (100, 3, 20, 100),
    ],
    "without_bad_debt": [(400, 10.5204, 10.6159)],  # 400 over 418,958.602897 tokens
    "worst_hours": [
        ("2024-01-01T00:00", 0, 0, 0, 0, 0, 0),
        ("2024-01-01T23:00", 2.658, AUM[1] - 419_960, 11_100, D("62.7"), 0, 0),
        ("2024-01-02T11:00", 7.658, AUM[2] - AUM[1] - FLOW + 419_960, DRIFT - 11_100, KEPT - D("62.7"), 300, -400),
    ],
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return handmade.write(tmp_path_factory.mktemp("runs") / "hand")


@pytest.fixture(scope="module")
def con(path):
    return warehouse.open_run(path)


def answer(con, name):
    found = con.sql(recipes()[name].sql).to_arrow_table().to_pylist()
    return [tuple(_plain(value) for column, value in row.items() if column != "run") for row in found]


def _plain(value):
    return value.isoformat()[:16] if isinstance(value, datetime) else value


def test_there_are_twenty_and_each_has_an_answer_here():
    assert len(ANSWERS) == 20
    assert recipes().keys() == ANSWERS.keys()


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_on_paper(con, name):
    assert answer(con, name) == ANSWERS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recipe_begins_with_its_question_and_how_to_read_the_answer(name):
    found = recipes()[name]
    assert found.question.endswith("?") and found.question[0].isupper()
    assert found.reading.endswith(".")
    assert found.sql.startswith(f"-- {found.question}\n-- ")
    assert found.sql.endswith("\n") and ";" not in found.sql.split("\n", 1)[1].split("\nSELECT", 1)[1]


def test_many_runs_are_told_apart(tmp_path, path):
    other = handmade.write(tmp_path / "other")
    con = warehouse.open_run(path, other)
    for name, found in recipes().items():
        rows = con.sql(found.sql).to_arrow_table().to_pylist()
        assert {row["run"] for row in rows} == {"hand", "other"}, name
        for run_ in ("hand", "other"):
            assert [_without_run(row) for row in rows if row["run"] == run_] == ANSWERS[name], name


def _without_run(row):
    return tuple(_plain(value) for column, value in row.items() if column != "run")


# --- where the handmade run says too little ---------------------------------------------------------------------------


def positions(tmp_path, rows):
    """The handmade run with other positions: each a change of its first one."""
    tables = handmade.tables()
    first = tables["positions"][0]
    tables["positions"] = [first | {"position_no": number} | row for number, row in enumerate(rows)]
    return warehouse.open_run(handmade.write(tmp_path / "run", tables))


def test_the_top_pays_what_the_top_pays(tmp_path):
    """200 positions that paid 1, 2, ... 200 dollars: 20,100 in all, the dearest two 399, ten 1,955, twenty 3,810."""
    con = positions(tmp_path, [{"exit_fee_usd": (n + 1) * USD, "borrow_fee_usd": 0} for n in range(200)])
    assert answer(con, "who_pays") == [
        (1, 2, 399, 2.0),
        (5, 10, 1_955, 9.7),
        (10, 20, 3_810, 19.0),
        (25, 50, 8_775, 43.7),
        (50, 100, 15_050, 74.9),
        (100, 200, 20_100, 100.0),
    ]


def test_deaths_by_fees_are_told_from_deaths_by_price(tmp_path):
    """Three liquidated longs: one stood at its entry and paid 100, one lost 40 and paid 60, one lost 90 and paid 10."""
    outcome = {"outcome": handmade.codes.O_LIQUIDATION}
    con = positions(
        tmp_path,
        [
            outcome | {"pnl_usd": pnl * USD, "borrow_fee_usd": fee * USD}
            for pnl, fee in ((0, 100), (-40, 60), (-90, 10))
        ],
    )
    assert answer(con, "died_of_fees") == [("ETH", "long", 3, 1, 2, 66.7, 18, 170)]


def test_a_full_pool_and_what_it_refused(tmp_path):
    tables = handmade.tables()
    for row, used in zip(tables["pool"], (0, 85, 50, 92, 100, 96), strict=True):
        row |= {"owned_units": 1_000, "locked_units": used * 10}
    refused = tables["rejections"][0]
    tables["rejections"] += [
        refused | {"order_id": 20 + n, "reason": handmade.codes.INSUFFICIENT_LIQUIDITY} for n in range(2)
    ]
    con = warehouse.open_run(handmade.write(tmp_path / "run", tables))
    assert answer(con, "full_pool") == [
        ("USDC", 91, 96, 100, 66.67, 33.33, 2),
        ("ETH", 50, 100, 33.33, 33.33, 33.33, 2),
    ]


@pytest.mark.usefixtures("kernels_compiled")
def test_every_recipe_answers_on_the_bundled_sample(tmp_path):
    result = run("sample", out=tmp_path / "sample", positions=3_000)
    con = warehouse.open_run(result.path)
    found = {name: con.sql(item.sql).to_arrow_table() for name, item in recipes().items()}
    assert all(table.num_rows for table in found.values())
    assert found["worst_hours"].num_rows == found["costliest_positions"].num_rows == 10
    assert sum(found["weekdays"]["days"].to_pylist()) == 90
    assert sum(found["how_positions_end"]["positions"].to_pylist()) == len(result.positions)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_lists_shows_and_runs_them(path):
    found = shell.perpool("sql", "--recipes")
    assert found.code == 0
    assert all(f"@{name} " in found.out and item.question in found.out for name, item in recipes().items())
    assert json.loads(shell.perpool("sql", "--recipes", "--json").out)[0] == recipes()["bad_debt"]._asdict()
    assert shell.perpool("sql", "--recipes", "@skew").out == recipes()["skew"].sql
    found = shell.perpool("sql", str(path), "@without_bad_debt", "--format", "csv")
    assert found.err == ""
    assert found.out == (
        "run,bad_debt_usd,lp_return_percent,without_bad_debt_percent\nhand,400.000000,10.5204,10.6159\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["sql", "RUN", "@who_pay"],
            "no recipe is called 'who_pay'; did you mean 'who_pays'?, or see perpool sql --recipes",
        ),
        (["sql", "--recipes", "no"], "no recipe is called 'no'; known: bad_debt, borrow_yield, "),
        (["sql", "@skew"], "perpool sql takes a run and a query, such as: perpool sql runs/sample @skew"),
        (["sql"], 'perpool sql takes a run and a query, such as: perpool sql runs/sample "FROM overview"'),
        (["sql", "RUN"], 'perpool sql takes a run and a query, such as: perpool sql RUN "FROM overview"'),
    ],
)
def test_faults_are_one_line(path, words, message):
    found = shell.perpool(*(str(path) if word == "RUN" else word for word in words))
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"error: {message.replace('RUN', str(path))}") and found.err.count("\n") == 1
