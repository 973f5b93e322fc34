"""Shocks: one more tick on a copy of a run's state is what a replay of a history with that tick at its end gives."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.assets import assets
from backtest.marking import marks
from backtest.price_files import iso
from backtest.price_shock import Shock, parse, shocked_tick, source_of
from backtest.protocols import known_protocols
from backtest.rerun import Moment, rerun
from backtest.runner import run
from backtest.stress import Custody, Outcome, State, apply_shock, shocked, state_of
from kernels import codes
from tests.stress.conftest import CRASH, WEEK
from tests.stress.sampled import sampled
from tests.test_marking import check_engine

pytestmark = pytest.mark.usefixtures("kernels_compiled")

SHOCKS = ("*=-30%", "*=+30%")


def test_a_shock_of_nothing_changes_what_a_second_changes(moment: Moment) -> None:
    before, outcome = state_of(moment), apply_shock(moment, parse("*=0%", moment.setup))
    after = outcome.after
    assert (after.positions, after.open_interest_usd) == (before.positions, before.open_interest_usd)
    assert (outcome.liquidations, outcome.stop_losses, outcome.bad_debt_usd) == (0, 0, 0.0)
    assert after.trader_pnl_usd == before.trader_pnl_usd
    assert 0 < after.aum_usd - before.aum_usd < 1e-6 * before.aum_usd  # a second of borrow fees


def test_a_shock_leaves_the_state_untouched(moment: Moment) -> None:
    engine = moment.engine
    kept = (*engine.venue, *engine.books, *engine.accounts, engine.cursor)
    before = [array.copy() for array in kept]
    first = apply_shock(moment, parse("*=-40%", moment.setup))
    assert all(np.array_equal(one, other) for one, other in zip(before, kept, strict=True))
    assert apply_shock(moment, parse("*=-40%", moment.setup)) == first
    assert first.liquidations > 0


# --- a shock is a tick ------------------------------------------------------------------------------------------------


def appended(moment: Moment, shock: Shock, target: Path) -> Path:
    """The sample's prices up to the moment, and a row a second later for every source that the shock moves."""
    tick = shocked_tick(moment.setup, moment.tick, shock)
    rows = pl.read_parquet(assets("data") / "sample" / "prices.parquet")
    rows = rows.filter(pl.col("timestamp").dt.epoch("us") <= moment.at_us)
    latest = {
        source_of(item): int(tick.price[0, column])
        for column, item in enumerate(moment.setup.sources)
        if item.part == "price" and source_of(item) in shock.factors
    }
    new = pl.DataFrame(
        {
            "timestamp": pl.Series([int(tick.time_us[0])] * len(latest)).cast(pl.Datetime("us", "UTC")),
            "symbol": list(latest),
            "price": [value / 1e10 for value in latest.values()],
        }
    )
    pl.concat([rows, new]).write_parquet(target)
    return target


Begun = Callable[[str], tuple[Path, Moment]]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """A run of a protocol and its state in the crash, made once."""
    folder = tmp_path_factory.mktemp("begun")

    @cache
    def of(name: str) -> tuple[Path, Moment]:
        path = run(name, out=folder / name, **WEEK).path
        return path, rerun(path, CRASH)

    return of


every_protocol = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("adrena-alp", "gmx-v1", "solana-labs") else pytest.mark.slow)
        for name in sorted(known_protocols())
    ],
)


@every_protocol
def test_closes_pay_what_the_book_is_marked_at(name: str, begun: Begun) -> None:
    """Every open position of the run, closed at that tick on a copy of its own."""
    moment = begun(name)[1]
    assert check_engine(moment.engine, moment.tick) > 5


@every_protocol
@pytest.mark.parametrize("text", SHOCKS)
def test_a_shock_is_a_replay_with_that_tick(name: str, text: str, begun: Begun, tmp_path: Path) -> None:
    """Every event of the tick and every figure after it, to the last digit, for every protocol."""
    base, moment = begun(name)
    shock = parse(text, moment.setup)
    outcome, events = shocked(moment, shock)
    orders = pl.read_parquet(base / "orders.parquet").filter(pl.col("timestamp").dt.epoch("us") <= moment.at_us)
    orders.write_parquet(tmp_path / "orders.parquet")
    prices = appended(moment, shock, tmp_path / "prices.parquet")
    given = {"prices": prices, "orders": tmp_path / "orders.parquet", "start": WEEK["start"], "end": WEEK["end"]}
    other = run(name, out=tmp_path / "other", **given)
    at_us = moment.at_us + 10**6
    assert other.manifest["span"]["end"] == iso(at_us)
    assert events.tolist() == sampled(other.path, "events", at_us).tolist()
    assert outcome.after.aum_usd == pytest.approx(other.summary.aum_end, abs=1e-6)
    assert outcome.after.lp_price_usd == pytest.approx(other.summary.lp_price_end, rel=1e-12)
    assert outcome.after.positions == other.summary.open_at_end
    assert outcome.liquidations == int((events["kind"] == codes.K_LIQUIDATION).sum()) > 0
    assert outcome.bad_debt_usd == pytest.approx(float(events["bad_debt_usd"].sum()) / 1e6)


@pytest.mark.parametrize("text", ["SOL=-12%", "SOL=-30%", "SOL=+25%", "BTC=-25%"])
def test_a_shock_liquidates_whom_the_book_says(text: str, moment: Moment) -> None:
    """The positions whose liquidation price the shocked price reaches, and no others."""
    shock = parse(text, moment.setup)
    outcome, events = shocked(moment, shock)
    book = marks(moment.engine)
    prices = [round(outcome.prices[name] * 1e10) for name in moment.labels.markets]
    price, limit = np.array(prices)[book["market"]], book["liquidation_price"]
    beyond = np.where(book["side"] == codes.LONG, price <= limit, price >= limit) & (limit > 0)
    liquidated = events["position_id"][events["kind"] == codes.K_LIQUIDATION]
    assert sorted(liquidated) == sorted(book["position_id"][beyond])
    assert outcome.liquidations == len(liquidated) > 0


def test_a_shock_worked_out_on_paper(tiny: Path) -> None:
    """From $102 down by 20 %: $81.60. The long of $500 loses 18.4 %, $92, of its $100; at 100x it may lose $95 or so.

    By 25 %, to $76.50, it loses $117.50: it is liquidated, and the pool bears what exceeds the margin.
    """
    moment = rerun(tiny / "run")
    size = state_of(moment).open_interest_usd
    lost = apply_shock(moment, parse("SOL=-20%", moment.setup))
    assert (lost.after.positions, lost.liquidations) == (1, 0)
    assert lost.prices == {"USDC": 1.0, "SOL": 81.6}
    assert lost.after.trader_pnl_usd == pytest.approx(-size * 0.184, abs=2e-6)
    gone = apply_shock(moment, parse("SOL=-25%", moment.setup))
    assert (gone.after.positions, gone.liquidations, gone.liquidated_usd) == (0, 1, size)
    assert gone.realised_pnl_usd == pytest.approx(-size * 0.235, abs=2e-6)
    assert gone.bad_debt_usd == pytest.approx(size * 0.235 - 100.0, abs=1.5)  # less fees that were never charged
    assert gone.fault() == f"bad debt of ${gone.bad_debt_usd:,.2f}"
    assert gone.fault(20.0) == lost.fault() == ""


def test_what_a_pool_does_not_survive() -> None:
    whole = State(5.0, 1.0, 1, 1.0, 0.0, 0, 0.0, (Custody("SOL", 1.0, 0.5, 10.0, 10.0),))
    fine = Outcome("", {}, whole, 0, 0.0, 0, 0, 0, 3.0, 0.0)
    assert fine.fault(3.0) == ""
    assert fine.fault(2.99) == "bad debt of $3.00"
    to_come = State(5.0, 1.0, 1, 1.0, 0.0, 1, 4.0, whole.custodies)
    assert Outcome("", {}, to_come, 0, 0.0, 0, 0, 0, 3.0, 0.0).fault(3.0) == "bad debt of $7.00"
    broke = State(0.0, 0.0, 1, 1.0, 0.0, 0, 0.0, whole.custodies)
    assert Outcome("", {}, broke, 0, 0.0, 0, 0, 0, 0.0, 0.0).fault() == "an AUM of $0"
    owing = State(5.0, 1.0, 1, 1.0, 0.0, 0, 0.0, (Custody("SOL", 1.0, 0.5, 1_010.0, 1_000.0),))
    assert Outcome("", {}, owing, 0, 0.0, 0, 0, 0, 0.0, 0.0).fault() == "SOL owes traders $1,010 and holds $1,000"
