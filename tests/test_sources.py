"""What a protocol reads from price files, and a scenario that wants some of its markets only."""

from pathlib import Path
from typing import Any

import pytest

from backtest.config import Calendar
from backtest.errors import UsageError
from backtest.price_quotes import Quotes
from backtest.setup import Setup, open_setup
from backtest.stages import stages
from tests.protocol_files import SMALL, changed, write

MINUTE = 60_000_000
SPREAD = ["mechanisms.trade_price=ema_spread", "pool.ema_s=600"]
SIDES = ["mechanisms.trade_price=min_max", "pool.strict_stable_deviation=0.003"]


def opened(folder: Path, protocol: str, *sets: str, keys: str = "") -> Setup:
    write(folder, protocol)
    path = folder / "mine.toml"
    path.write_text(f"protocol = 'small.toml'\nprices = 'sample'\n{keys}")
    return open_setup(path, sets)


def by_symbol(setup: Setup) -> dict[str, Any]:
    return {source.symbol: source for source in setup.sources}


def test_a_protocol_that_trades_at_the_price_reads_prices_only() -> None:
    setup = open_setup("sample")
    assert setup.quotes is None
    assert {source.part for source in setup.sources} == {"price"}


def test_parts_of_a_quote_read_the_source_of_their_price() -> None:
    setup = open_setup("sample", SPREAD)
    assert setup.quotes == Quotes("ema_spread", averaged=True, ema_us=600_000_000)
    assert [source.symbol for source in setup.sources] == list(setup.resolved.symbols)
    found = by_symbol(setup)
    parts = {part: found[f"WBTC.{part}"] for part in ("low", "high", "ema")}
    assert {name: (item.source, item.part, item.max_staleness_us) for name, item in parts.items()} == {
        name: ("BTC", name, 15 * MINUTE) for name in ("low", "high", "ema")
    }
    assert found["WBTC"].part == "price"


def test_stables_of_a_two_sided_quote_are_strict() -> None:
    setup = open_setup("sample", SIDES)
    assert setup.quotes == Quotes("min_max", averaged=False, ema_us=0)
    strict = {name: source.strict_usd for name, source in by_symbol(setup).items() if source.strict_usd is not None}
    assert strict == dict.fromkeys(("USDC", "USDC.low", "USDC.high"), 0.003)


def test_market_hours_come_with_the_price_of_their_market(tmp_path: Path) -> None:
    text = changed(('symbol = "SOL"', 'symbol = "SOL"\ncalendar = "week"'))
    text += '\n[calendar.week]\nopen = ["Sun 23:00 - Fri 22:00"]\n'
    found = by_symbol(opened(tmp_path, text, "mechanisms.trade_price=min_max"))
    hours = Calendar(open=("Sun 23:00 - Fri 22:00",))
    assert {name for name, source in found.items() if source.calendar == hours} == {"SOL", "SOL.low", "SOL.high"}
    assert {name for name, source in found.items() if source.calendar is None} >= {"USDC", "jitoSOL"}


# --- some markets of a protocol -----------------------------------------------------------------------------------


def test_a_scenario_may_want_some_markets_only() -> None:
    setup = open_setup("sample", markets=("BTC", "SOL"))
    assert setup.resolved.names.markets == ("SOL", "BTC")  # in the order of the protocol
    assert setup.resolved.names.custodies == ("USDC", "jitoSOL", "WBTC", "BONK")
    assert len(setup.resolved.market_params) == 2
    (flow,) = setup.flows
    assert [item.market for item in flow.markets] == ["SOL", "BTC"]


def test_prices_of_markets_that_are_left_out_are_not_read(tmp_path: Path) -> None:
    text = changed(('symbol = "SOL"', 'symbol = "SOL"\nprice = "PYTH_SOL"'))
    text += text[text.index("[[market]]") :].replace('"SOL"', '"ETH"').replace("PYTH_SOL", "PYTH_ETH")
    keys = "markets = ['SOL']\n[symbols]\nPYTH_SOL = 'SOL'\nPYTH_ETH = 'ETH'"
    assert list(by_symbol(opened(tmp_path, text, keys=keys))) == ["USDC", "jitoSOL", "PYTH_SOL"]
    assert list(by_symbol(open_setup(tmp_path / "mine.toml", markets=("ETH",)))) == ["USDC", "jitoSOL", "PYTH_ETH"]


@pytest.mark.parametrize(
    ("markets", "message"),
    [
        (("SOL", "ETH"), "arguments: markets: ETH is not a market of adrena-alp; known: SOL, BTC, BONK"),
        (("sol",), "arguments: markets: sol is not a market of adrena-alp; did you mean 'SOL'?"),
        (("SOL", "SOL"), "arguments: markets names SOL twice; name each market once"),
    ],
)
def test_markets_that_are_not_there(markets: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_setup("sample", markets=markets)
    assert str(caught.value) == message


def test_a_flow_that_trades_none_of_the_markets_is_refused(tmp_path: Path) -> None:
    flow = tmp_path / "flow.toml"
    flow.write_text('positions = 3\n[[markets]]\nmarket = "BTC"\n')
    with pytest.raises(UsageError, match=r"markets: BTC is not a market of adrena-alp; known: SOL"):
        open_setup("sample", flow=str(flow), markets=("SOL",))


def test_changes_of_markets_that_are_left_out_go_with_them(tmp_path: Path) -> None:
    text = SMALL + SMALL[SMALL.index("[[market]]") :].replace('"SOL"', '"ETH"')
    text += '\n[[change]]\ndate = "2025-02-01"\nsource = "them"\n[change.set]\n"market.*.close_bps" = 20\n'
    text += '[[change]]\ndate = "2025-03-01"\nsource = "them"\n[change.set]\n"market.ETH.close_bps" = 30\n'
    whole = opened(tmp_path, text).resolved.protocol
    assert [sorted(change.set) for change in whole.change] == [
        ["market.ETH.close_bps", "market.SOL.close_bps"],
        ["market.ETH.close_bps"],
    ]
    some = open_setup(tmp_path / "mine.toml", markets=("SOL",)).resolved.protocol
    assert [change.set for change in some.change] == [{"market.SOL.close_bps": 20}]
    assert len(stages(some, 0)) == 2


def test_the_rules_of_a_date_hold_throughout(tmp_path: Path) -> None:
    text = SMALL + '\n[[change]]\ndate = "2025-02-01"\nsource = "them"\n[change.set]\n"market.SOL.close_bps" = 20\n'
    opened(tmp_path, text)
    fees = {}
    for date in ("2025-01-31", "2025-02-01"):
        protocol = open_setup(tmp_path / "mine.toml", rules_at=date).resolved.protocol
        assert protocol.change == ()
        fees[date] = protocol.market[0].close_bps
    assert fees == {"2025-01-31": 16, "2025-02-01": 20}
    with pytest.raises(UsageError, match="arguments: rules_at: 'soon' is not a date; write 2025-01-31"):
        open_setup(tmp_path / "mine.toml", rules_at="soon")
