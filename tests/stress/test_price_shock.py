"""What a shock moves and what it leaves, and shocks and grids that cannot be."""

from pathlib import Path

import numpy as np
import pytest

from backtest.errors import UsageError
from backtest.price_shock import grid, left_behind, moved, parse, shocked_tick, volatile
from backtest.rerun import Moment, rerun
from backtest.setup import open_setup
from backtest.stress import apply_shock
from kernels import codes
from kernels.state import Ticks

pytestmark = pytest.mark.usefixtures("kernels_compiled")


def test_what_reads_one_source_moves_together(moment: Moment) -> None:
    """WBTC and BTC read the column BTC; jitoSOL has one of its own here."""
    setup = moment.setup
    assert moved(parse("WBTC=-1%", setup), setup) == moved(parse("BTC=-1%", setup), setup) == ["WBTC", "BTC"]
    assert volatile(setup) == ["jitoSOL", "WBTC", "BONK", "SOL", "BTC"]
    assert moved(parse("*=-1%", setup), setup) == volatile(setup)
    assert left_behind(parse("SOL=-1%", setup), setup) == {"jitoSOL": ["SOL"]}
    assert left_behind(parse("SOL=-1%,jitoSOL=-1%,BTC=2%", setup), setup) == {}
    together = open_setup("sample", symbols={"jitoSOL": "SOL", "WBTC": "BTC"})
    assert moved(parse("SOL=-1%", together), together) == ["jitoSOL", "SOL"]


def test_a_constant_price_moves_alone(tiny: Path) -> None:
    moment = rerun(tiny / "run")
    outcome = apply_shock(moment, parse("USDC=-10%", moment.setup))
    assert outcome.prices == {"USDC": 0.9, "SOL": 102.0}


def test_the_rest_of_the_tick_stands(moment: Moment) -> None:
    stale = Ticks(moment.tick.time_us, moment.tick.price, np.full_like(moment.tick.flags, 3))
    tick = shocked_tick(moment.setup, stale, parse("SOL=-50%", moment.setup))
    sol = next(n for n, item in enumerate(moment.setup.sources) if item.symbol == "SOL")
    others = [n for n in range(len(moment.setup.sources)) if n != sol]
    assert int(tick.time_us[0]) == moment.at_us + 10**6
    assert tick.price[0, sol] == round(int(stale.price[0, sol]) * 0.5)
    assert np.array_equal(tick.price[0, others], stale.price[0, others])
    assert tick.flags[0, sol] == codes.FLAG_CLOSED  # fresh, and still closed
    assert set(tick.flags[0, others].tolist()) == {3}


def test_a_grid_has_both_ends(moment: Moment) -> None:
    texts = [shock.text for shock in grid("SOL,BTC=-50%..50%:25%", moment.setup)]
    assert texts == [f"SOL={step}%,BTC={step}%" for step in ("-50", "-25", "+0", "+25", "+50")]
    tenths = [shock.text for shock in grid("*=-0.3%..0%:0.1%", moment.setup)]
    assert tenths == ["*=-0.3%", "*=-0.2%", "*=-0.1%", "*=+0%"]
    assert len(grid("*=0%..10%:3%", moment.setup)) == 4  # 0, 3, 6, 9


FAULTS = {
    "SOL": "--shock SOL: 'SOL' is no shock; write a price and its change, such as SOL=-30%",
    "=-30%": "--shock =-30%: '=-30%' is no shock; write a price and its change, such as SOL=-30%",
    "SOL=-30": "--shock SOL=-30: '-30' is no change; write percent, such as -30%",
    "SOL=-100%": "--shock SOL=-100%: '-100%' leaves no price above zero; give more than -100%",
    "SOL=-3%,BCT=1%": "--shock SOL=-3%,BCT=1%: 'BCT' is no price of the run; did you mean 'BTC'?",
}


@pytest.mark.parametrize("text", FAULTS)
def test_shocks_that_cannot_be(text: str, moment: Moment) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, moment.setup)
    assert str(caught.value) == FAULTS[text]


GRID_FAULTS = {
    "SOL=-50%": "--grid SOL=-50%: is no grid; write prices, ends and step, such as SOL=-50%..50%:10%",
    "SOL=-50%..50%": "--grid SOL=-50%..50%: is no grid; write prices, ends and step, such as SOL=-50%..50%:10%",
    "SOL=-50%..50:10%": "--grid SOL=-50%..50:10%: '50' is no change; write percent, such as -30%",
    "SOL=5%..1%:1%": "--grid SOL=5%..1%:1%: is no rise in steps above 0, fewer than 1,000; write low..high:step",
    "SOL=1%..5%:0%": "--grid SOL=1%..5%:0%: is no rise in steps above 0, fewer than 1,000; write low..high:step",
    "SOL=-100%..5%:5%": "--grid SOL=-100%: '-100%' leaves no price above zero; give more than -100%",
    "SQL=0%..5%:5%": "--grid SQL=+0%: 'SQL' is no price of the run; did you mean 'SOL'?",
}


@pytest.mark.parametrize("text", GRID_FAULTS)
def test_grids_that_cannot_be(text: str, moment: Moment) -> None:
    with pytest.raises(UsageError) as caught:
        grid(text, moment.setup)
    assert str(caught.value) == GRID_FAULTS[text]


def test_a_price_beyond_all_prices(moment: Moment) -> None:
    with pytest.raises(
        UsageError, match=r"takes WBTC to .*e\+09 dollars, outside of what prices can be; give a smaller"
    ):
        apply_shock(moment, parse("BTC=9999999%", moment.setup))
    with pytest.raises(UsageError, match=r"takes BONK to 2\.\d+e-11 dollars, outside of what prices can be"):
        apply_shock(moment, parse("BONK=-99.9999%", moment.setup))
