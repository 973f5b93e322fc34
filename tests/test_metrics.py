"""The metrics: on paper, against empyrical on the same series, and against the figures that are defined elsewhere."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest import warehouse
from backtest.cli.metrics import _GROUPS, _SHOWN
from backtest.metrics import METRICS, of_run
from backtest.results import load
from backtest.runner import run
from tests import handmade, handmade_reserve, shell
from tests.handmade import PRICE, USD
from tests.shell import write_world

DAY_US = 86_400_000_000
JAN_1 = handmade.at(1, 0)
FROM_FILES = [name for name in METRICS if not name.startswith("markout")]


def write_lp(out: Path, prices: list[float], times: list[int] | None = None, aum: int = 1_000_000 * USD) -> Path:
    """A run in which nothing but the LP price moves: one sample per day from 1 January, or at `times` (µs)."""
    times = times or [JAN_1 + day * DAY_US for day in range(len(prices))]
    zero = dict(handmade.tables()["lp"][0]) | {"lp_supply": 1_000_000 * USD, "aum_usd": aum}
    lp = [
        zero | {"timestamp": when, "lp_price": round(price * PRICE)} for when, price in zip(times, prices, strict=True)
    ]
    nothing: handmade.Tables = {"events": [], "positions": [], "pool": [], "markets": [], "rejections": []}
    return handmade.write(out, nothing | {"lp": lp})


def values(out: Path) -> dict[str, float | None]:
    return of_run(out).values


# --- on paper ---------------------------------------------------------------------------------------------------------


def test_three_days_on_paper(tmp_path):
    """1.00, 1.10, 0.99, 1.089: r = 0.1, -0.1, 0.1; mean 1/30; deviations 2/30, -4/30, 2/30: sd sqrt(24/900/2)."""
    found = values(write_lp(tmp_path / "run", [1.0, 1.1, 0.99, 1.089]))
    assert found["days"] == 3
    assert found["total_return"] == pytest.approx(0.089)
    assert found["volatility"] == pytest.approx(math.sqrt(12 / 900 * 365))
    assert found["sharpe"] == pytest.approx((1 / 30) / math.sqrt(12 / 900) * math.sqrt(365))
    assert found["sortino"] == pytest.approx((1 / 30) / math.sqrt(0.01 / 3) * math.sqrt(365))
    assert found["max_drawdown"] == pytest.approx(-0.1)
    assert found["max_drawdown_days"] == 2  # from the peak of 2 January to the end: 1.10 is not back
    assert found["annualised_return"] is found["calmar"] is None  # of less than a week
    assert found["var_1d"] is found["expected_shortfall_1d"] is None  # of less than twenty days


def test_a_year_is_365_days(tmp_path):
    found = values(write_lp(tmp_path / "run", [1.0] * 73 + [0.99, 1.02]))  # 74 days
    assert found["annualised_return"] == pytest.approx(1.02 ** (365 / 74) - 1)
    assert found["calmar"] == pytest.approx((1.02 ** (365 / 74) - 1) / 0.01)
    assert (found["max_drawdown"], found["max_drawdown_days"]) == (pytest.approx(-0.01), 2)  # 1.00 on day 72, 74


def test_tails_on_paper(tmp_path):
    """21 days: -10 %, 20 times +1 %. The 5 % quantile of 21 is the second lowest, the shortfall the mean of the two."""
    found = values(write_lp(tmp_path / "run", [1.0, *(0.9 * 1.01**day for day in range(21))]))
    assert found["var_1d"] == pytest.approx(0.01, abs=1e-9)
    assert found["expected_shortfall_1d"] == pytest.approx((-0.1 + 0.01) / 2, abs=1e-9)
    assert found["var_7d"] is found["var_30d"] is None  # 15 weeks, no month


def test_weeks_overlap(tmp_path):
    """26 days are 20 weeks: 7 hold the fall of day 7, +1 % else; the quantile lies 0.95 above the lowest."""
    fall, rise = 0.9 * 1.01**6 - 1, 1.01**7 - 1
    prices = [1.01**day for day in range(7)] + [1.01**6 * 0.9 * 1.01**day for day in range(20)]
    found = values(write_lp(tmp_path / "run", prices))
    assert found["var_7d"] == pytest.approx(fall, abs=1e-8)
    assert found["expected_shortfall_7d"] == pytest.approx(fall, abs=1e-8)  # floor(19 / 20) + 1 = 1 of them
    assert found["total_return"] == pytest.approx(1.01**25 * 0.9 - 1, abs=1e-8)
    assert rise > 0 > found["var_7d"]


def test_days_without_a_sample_returned_nothing(tmp_path):
    noon = JAN_1 + DAY_US // 2
    out = write_lp(
        tmp_path / "run", [1.0, 1.1, 1.21, 1.331], [noon, JAN_1 + DAY_US, JAN_1 + 4 * DAY_US, noon + 4 * DAY_US]
    )
    found = load(out).returns()
    assert found["day"].dt.day().to_list() == [1, 2, 3, 4, 5]
    assert found["lp_return"].to_list() == [pytest.approx(0.1), 0, 0, pytest.approx(0.1), pytest.approx(0.1)]
    levels = load(out).sql("SELECT CAST(lp_price_usd AS DOUBLE) AS usd FROM daily_returns ORDER BY day")
    assert levels["usd"].to_list() == [1.1, 1.1, 1.1, 1.21, 1.331]
    assert values(out)["days"] == 4


def test_the_handmade_run_on_paper(tmp_path):
    """Exposure, use and trades of tests.handmade, the numbers of its docstring."""
    found = values(handmade.write(tmp_path / "run"))
    lp = handmade.tables()["lp"]
    first, second = (row["lp_price"] / PRICE for row in lp[1:])
    assert found["total_return"] == pytest.approx(second - 1)
    returns = [first - 1, second / first - 1]
    assert found["volatility"] == pytest.approx(abs(returns[1] - returns[0]) / math.sqrt(2) * math.sqrt(365))
    assert found["sortino"] is None  # no day of loss
    assert (found["max_drawdown"], found["max_drawdown_days"], found["calmar"]) == (0, 0, None)
    # 111 ETH at 2,100; what the pool owns and holds, less the 2 ETH owed to long #2, at 2,400
    deltas = [111 * 2_100 / (lp[1]["aum_usd"] / USD), (handmade.OWNED_ETH / 1e8 - 1) * 2_400 / (lp[2]["aum_usd"] / USD)]
    assert found["delta_end"] == pytest.approx(deltas[1])
    assert found["delta_mean"] == pytest.approx(sum(deltas) / 2, abs=1e-9)
    # nothing; 5 ETH and 10,000 dollars of 110 ETH and 200,000; 2 ETH of what there is at the end
    last = handmade.ETH_VALUE_END / USD + handmade.USDC_END / USD
    used = [0, (5 * 2_100 + 10_000) / 431_000, 4_800 / last]
    assert found["utilisation_max"] == pytest.approx(used[1])
    assert found["utilisation_mean"] == pytest.approx(sum(used) / 3, abs=1e-9)
    assert found["fees_per_volume_bps"] == pytest.approx(20 / 44_600 * 1e4)
    assert found["win_rate"] == 0.5  # #0 won 980, #1 lost; #2 is open


def test_rewards_beside_the_pool_are_part_of_a_day(tmp_path):
    """Of tests.handmade_reserve: 30.80 dollars on the first day and 10.50 on the second, for 409,975 tokens."""
    out = handmade_reserve.write(tmp_path / "run")
    tokens = handmade_reserve.SUPPLY / USD
    first, last = (row["aum_usd"] / handmade_reserve.SUPPLY for row in handmade_reserve.tables()["lp"][1:])
    expected = [first + 30.8 / tokens - 1, (last + 10.5 / tokens) / first - 1]
    assert load(out).returns()["lp_return"].to_list() == pytest.approx(expected, abs=1e-9)
    assert values(out)["total_return"] == pytest.approx(last + 41.3 / tokens - 1, abs=1e-9)


# --- what is not defined ----------------------------------------------------------------------------------------------

_OF_DAYS = {"volatility", "sharpe", "sortino", "calmar", "annualised_return"}


def test_one_sample_has_no_metrics_but_zeros(tmp_path):
    found = values(write_lp(tmp_path / "run", [1.0]))
    defined = {name: value for name, value in found.items() if value is not None}
    assert defined == {"days": 0, "total_return": 0, "max_drawdown": 0, "max_drawdown_days": 0}


def test_a_price_that_never_moves_has_no_ratio(tmp_path):
    found = values(write_lp(tmp_path / "run", [1.25] * 40))
    assert all(found[name] is None for name in _OF_DAYS - {"annualised_return"})
    assert (found["total_return"], found["annualised_return"], found["var_1d"], found["var_7d"]) == (0, 0, 0, 0)


def test_a_pool_without_a_value_has_no_return(tmp_path):
    found = values(write_lp(tmp_path / "zero", [0.0] * 40, aum=0))
    assert {name for name, value in found.items() if value is not None} <= {"days", "max_drawdown", "max_drawdown_days"}
    ruined = values(write_lp(tmp_path / "ruined", [1.0, 0.0, 0.0], aum=0))
    assert ruined["total_return"] == ruined["max_drawdown"] == -1
    assert ruined["sharpe"] is ruined["volatility"] is None  # the third day began with nothing


def test_what_overflows_is_not_defined(tmp_path):
    found = values(write_lp(tmp_path / "run", [1e-9] * 8 + [9e7]))
    assert found["annualised_return"] is None
    assert all(value is None or math.isfinite(value) for value in found.values())


# --- against empyrical ------------------------------------------------------------------------------------------------


def by_empyrical(returns) -> dict[str, float]:
    """The same figures by another hand, 365 days a year; where its definitions are others they are not here.

    They coincide where a run has a sample at every midnight and pays no rewards beside the pool: empyrical sees days
    alone, annualises by their number, and has no length of a drawdown. Its signs, its deviation (n - 1) and its
    downside deviation (over all days) are ours.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import empyrical

        year = {"annualization": 365}
        return {
            "total_return": empyrical.cum_returns_final(returns),
            "annualised_return": empyrical.annual_return(returns, **year),
            "volatility": empyrical.annual_volatility(returns, **year),
            "sharpe": empyrical.sharpe_ratio(returns, **year),
            "sortino": empyrical.sortino_ratio(returns, **year),
            "calmar": empyrical.calmar_ratio(returns, **year),
            "max_drawdown": empyrical.max_drawdown(returns),
            "var_1d": empyrical.value_at_risk(returns.to_numpy(), cutoff=0.05),
            "expected_shortfall_1d": empyrical.conditional_value_at_risk(returns.to_numpy(), cutoff=0.05),
        }


# All different, so that no deviation is only noise of rounding; a day of up to 30 % either way.
moves = st.lists(st.integers(-3_000, 3_000), min_size=21, max_size=60, unique=True)


@settings(max_examples=5, deadline=None)
@given(moves=moves)
def test_the_same_series_through_empyrical(tmp_path_factory, moves):
    prices = np.cumprod([1.0, *(1 + move / 10_000 for move in moves)])
    out = write_lp(tmp_path_factory.mktemp("runs") / "run", list(prices))
    found = values(out)
    for name, value in by_empyrical(load(out).returns_pandas()).items():
        if math.isfinite(value):
            assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name
        else:
            assert found[name] is None, name


# --- one number has one definition ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("kernels_compiled")
def test_figures_are_those_of_the_summary_of_headlines_and_of_compare(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    result = run("scenario.toml", out="out")
    found, told = result.metrics.values, result.summary
    assert found["total_return"] == pytest.approx(told.lp_return_with_rewards)
    assert found["fee_apr"] == pytest.approx(told.fee_apr)
    headlines = result.sql("FROM headlines").row(0, named=True)
    assert found["total_return"] == headlines["lp_return_with_rewards"]
    for name in ("fee_apr", "fees_per_volume_bps"):
        assert found[name] == headlines[name]
    assert found["max_drawdown"] == result.sql("SELECT min(drawdown) AS d FROM lp_returns('1 day')")["d"][0]


def test_every_metric_is_explained_and_every_column_of_sql_is_one(tmp_path):
    con = warehouse.open_run(handmade.write(tmp_path / "run"))
    assert con.sql("FROM metrics").columns == ["run", *FROM_FILES]
    assert all(all(metric) and metric.unit in _SHOWN for metric in METRICS.values())
    assert set(_GROUPS) <= METRICS.keys()


def test_days_are_utc_wherever_the_session_is(tmp_path):
    out = handmade.write(tmp_path / "run")
    here, there = warehouse.open_run(out), warehouse.open_run(out)
    there.execute("SET TimeZone = 'Asia/Kathmandu'")
    for view in ("metrics", "daily_returns"):
        assert here.sql(f"FROM {view}").fetchall() == there.sql(f"FROM {view}").fetchall()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path, monkeypatch, kernels_compiled):
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    return tmp_path


def test_the_command_prints_runs_side_by_side(world):
    run("scenario.toml", out="a")
    run("scenario.toml", out="b", sets=["market.SOL.close_bps=20"])
    found = shell.perpool("metrics a b")
    assert found.code == 0 and found.err == ""
    lines = found.out.splitlines()
    assert lines[0].split() == ["a", "b"]
    assert next(line for line in lines if line.startswith(" sharpe")).split() == ["sharpe", "-", "-"]
    assert next(line for line in lines if line.startswith(" markout_1m_bps")).split()[1:] == ["100.00", "bps"] * 2
    assert next(line for line in lines if line.startswith(" SOL")).split() == [
        "SOL",
        "a",
        "500",
        "100.00",
        "200.00",
        "100.00",
    ]
    (world / "prices.parquet").unlink()
    found = shell.perpool("metrics a")
    assert found.code == 0
    assert found.err == f"note: no markouts: {world / 'a'}: the price files of the run are gone\n"


def test_the_command_in_json(world):
    run("scenario.toml", out="a")
    told = json.loads(shell.perpool("metrics a --json").out)
    found = of_run("a")
    assert told == {
        "run": "a",
        "values": found.values,
        "markouts": [item._asdict() for item in found.markouts],
        "note": "",
    }
    handmade.write(world / "b")
    assert [item["run"] for item in json.loads(shell.perpool("metrics a b --json").out)] == ["a", "b"]


def test_the_command_explains():
    found = shell.perpool("metrics --explain")
    assert found.code == 0
    assert "\nsharpe [ratio]\n    return per unit of volatility\n    = mean(r) / sd(r) x sqrt(365)\n" in found.out
    assert all(f"\n{name} [{metric.unit}]\n" in found.out for name, metric in METRICS.items())
    assert json.loads(shell.perpool("metrics --explain --json").out)["calmar"]["unit"] == "ratio"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("metrics", "error: perpool metrics takes a run, such as: perpool metrics runs/sample; or --explain\n"),
        ("metrics x --explain", "error: --explain prints definitions and takes no RUN; leave one of them out\n"),
        ("metrics no", "error: no does not exist; give the run directory that `perpool run --out` wrote\n"),
    ],
)
def test_faults_are_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = shell.perpool(words)
    assert (found.out, found.err) == ("", message)
    assert found.code == (1 if words == "metrics no" else 2)
