"""Scenario files and what `open_setup` makes of them and of the command line."""

from pathlib import Path
from typing import Any

import pytest

from backtest.assets import assets
from backtest.errors import UsageError
from backtest.prices import SymbolSource
from backtest.scenario import duration_us, known_scenarios, load_scenario
from backtest.setup import open_setup
from tests.protocol_files import changed, write

MINUTE = 60_000_000


def scenario(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0s", 0),
        ("90s", 90_000_000),
        ("5m", 5 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1d", 1_440 * MINUTE),
        ("250ms", 250_000),
    ],
)
def test_durations(text: str, us: int) -> None:
    assert duration_us(text) == us


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5min", "5m!"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration; write a whole number and a unit"):
        duration_us(text)


def test_a_duration_of_centuries_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than 100 years"):
        duration_us("99999999d")


FAULTS = [
    ("title = 'x'", "protocol is missing; add it: text in quotes"),
    ("protocol = 'adrena-alp'\npositons = 3", "positons is not a key that exists; did you mean 'positions'?"),
    ("protocol = 'adrena-alp'\nprices = 3", "prices = 3 is not possible; give a path in quotes or an array of paths"),
    ("protocol = 'adrena-alp'\npath = 'open'",
     'path = "open" is not possible; give one of "close", "ohlc"'),
    ("protocol = 'adrena-alp'\nmax_staleness = '15'",
     'max_staleness: "15" is not a duration; write a whole number and a unit (s, m, h, d), such as "15m"'),
    ("protocol = 'adrena-alp'\nsample_interval = '0s'",
     'sample_interval = "0s" is not possible; give more than 0'),
    ("protocol = 'adrena-alp'\nstart = 'May'",
     "start: 'May' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)"),
    ("protocol = 'adrena-alp'\nstart = 2025-02-01\nend = 2025-01-01",
     'start = "2025-02-01" is not before end = "2025-01-01" (exclusive)'),
    ("protocol = 'adrena-alp'\norders = 'o.parquet'\nflow = 'uniform'", "orders and flow are both given; keep one"),
    ("protocol = 'adrena-alp'\npositions = 3", 'positions = 3 needs a flow; add flow = "uniform"'),
    ("protocol = 'adrena-alp'\nflow = 'uniform'\npositions = -3",
     "positions = -3 is not possible; give a whole number from 0 to 2,147,483,648"),
    ("protocol = 'adrena-alp'\n[symbols]\nUSDC = 0", "symbols.USDC = 0 is not a price; give more than 0 dollars"),
    ("protocol = 'adrena-alp'\n[symbols]\nUSDC = true",
     "symbols.USDC = true is not possible; give text in quotes or a number of dollars per token "
     "from 0 to 100,000,000"),
    ("protocol = 'adrena-alp'\n[liquidity]\ntotal_usd = 5\nUSDC = 3",
     "liquidity gives both total_usd and USDC; keep the total or the custodies"),
    ("protocol = 'adrena-alp'\n[liquidity]\nUSDC = 0.0000001",
     "liquidity.USDC = 0.0000001 is not possible; give a number of dollars from 0 to 100,000,000,000, "
     "with at most 6 decimal places"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_scenario_faults(tmp_path: Path, text: str, message: str) -> None:
    path = scenario(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_scenario(path)
    assert str(caught.value) == f"{path}: {message}"


SETUP_FAULTS = [
    ("", {}, '{path}: no prices; give --prices PATH, or prices = "sample" for the bundled history'),
    ("prices='sample'\n[symbols]\nETH = 'ETH'", {},
     "{path}: symbols.ETH is not a price symbol of adrena-alp; "
     "known: USDC, jitoSOL, WBTC, BONK, SOL, BTC"),
    ("prices='sample'\n[liquidity]\nusdc = 5", {},
     "{path}: liquidity.usdc is not a custody of adrena-alp; did you mean 'USDC'?"),
    ("prices='sample'\nflow='unifrom'", {},
     "{path}: flow: no flow is called 'unifrom'; did you mean 'uniform'?, or give a TOML file"),
    ("prices='sample'\nflow='uniform'\n[symbols]\nBTC = 60000", {},
     "{path}: symbols.BTC is the constant 60000, but the flow trades BTC; give a symbol of the price files"),
    ("prices='sample'", {"sample_interval": "0h"},
     'arguments: sample_interval = "0h" is not possible; give more than 0'),
    ("prices='sample'", {"pricess": "x"}, "pricess is not part of a scenario; did you mean 'prices'?"),
    ("prices='sample'", {"path": "open"}, 'arguments: path = "open" is not possible; give one of "close", "ohlc"'),
    ("prices='sample'\n[set]\nmarket.SOL.close = 5", {},
     "override market.SOL.close: no such value; did you mean 'market.SOL.close_bps'?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "given", "message"), SETUP_FAULTS)
def test_setup_faults(tmp_path: Path, text: str, given: dict[str, Any], message: str) -> None:
    path = scenario(tmp_path, f"protocol = 'adrena-alp'\n{text}")
    with pytest.raises(UsageError) as caught:
        open_setup(path, **given)
    assert str(caught.value) == message.replace("{path}", str(path))


def test_an_unknown_target_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"'sampel' is neither a scenario nor a protocol; did you mean 'sample'\?"):
        open_setup("sampel")
    with pytest.raises(UsageError, match=r"no scenario is called 'sampel'; did you mean 'sample'\?, or give a TOML"):
        load_scenario("sampel")


def test_nothing_given_is_the_sample() -> None:
    setup = open_setup()
    assert setup.scenario.name == "sample"
    assert setup.prices == (str(assets("data") / "sample" / "prices.parquet"),)
    assert [(flow.positions, flow.seed) for flow in setup.flows] == [(20_000, 1)]
    assert setup.sources[2] == SymbolSource("WBTC", "BTC", 15 * MINUTE)
    assert [source.symbol for source in setup.sources] == list(setup.resolved.symbols)
    assert sum(setup.liquidity_usd) == 10_000_000 * 10**6 < setup.resolved.pool_params["aum_cap_usd"]


def test_genesis_buys_the_dollars_of_each_custody_floored() -> None:
    setup = open_setup()
    prices = {"USDC": 1.0, "jitoSOL": 221.38, "WBTC": 94_000.0, "BONK": 0.00003, "SOL": 190.0, "BTC": 94_000.0}
    units = setup.genesis_units([round(prices[symbol] * 1e10) for symbol in setup.resolved.symbols])
    assert units == [3 * 10**12, 15_809_919_595_266, 2_659_574_468, 3_333_333_333_333_333]


def test_liquidity_per_custody_and_overrides_of_the_scenario(tmp_path: Path) -> None:
    path = scenario(
        tmp_path,
        "protocol = 'adrena-alp'\nprices = ['sample', 'more.parquet']\n[liquidity]\nUSDC = 3_000_000.5\n"
        "[set]\nmarket.SOL.close_bps = 7\n'market.BTC.close_bps' = 8",
    )
    setup = open_setup(path, ["market.SOL.close_bps=9"])
    assert setup.liquidity_usd == (3_000_000_500_000, 0, 0, 0)
    assert [row["close_bps"] for row in setup.resolved.market_params] == [9, 8, 18]
    assert [(item.path, item.before) for item in setup.resolved.protocol.overrides] == [
        ("market.SOL.close_bps", 10),
        ("market.BTC.close_bps", 10),
    ]
    assert setup.prices[1] == str(tmp_path / "more.parquet")  # beside the scenario
    assert setup.flows == ()
    assert setup.orders == ()


def test_total_liquidity_needs_target_ratios(tmp_path: Path) -> None:
    write(tmp_path)
    path = scenario(tmp_path, "protocol = 'small.toml'\nprices = 'sample'\n[liquidity]\ntotal_usd = 5")
    with pytest.raises(
        UsageError, match=r"total_usd is split by ratio_target_bps, which small does not give; in a scenario"
    ):
        open_setup(path)


def test_the_command_line_replaces_keys_of_the_file(tmp_path: Path) -> None:
    path = scenario(
        tmp_path, "protocol = 'adrena-alp'\nprices = 'sample'\nflow = 'uniform'\nseed = 5\nstart = 2025-01-02"
    )
    setup = open_setup(
        path, prices=Path("p.parquet"), orders=("o.parquet",), start="2025-01-03", end=None, execution_delay="2s"
    )
    assert (setup.prices, setup.orders, setup.flows) == (("p.parquet",), ("o.parquet",), ())
    assert setup.start_us == 1_735_862_400_000_000
    assert setup.end_us is None
    assert setup.execution_delay_us == 2_000_000
    (flow,) = open_setup(path, positions=7).flows
    assert (flow.positions, flow.seed) == (7, 5)


def test_a_flow_on_the_command_line_replaces_orders(tmp_path: Path) -> None:
    path = scenario(tmp_path, "protocol = 'adrena-alp'\nprices = 'sample'\norders = 'o.parquet'")
    assert open_setup(path).orders == (str(tmp_path / "o.parquet"),)
    setup = open_setup(path, flow="uniform")
    assert setup.orders == ()
    assert len(setup.flows) == 1


def test_a_bare_protocol_runs_on_the_sample_with_the_markets_that_it_has(tmp_path: Path) -> None:
    text = changed(
        ("decimals = 6", "decimals = 6\nratio_target_bps = 4000"),
        ("decimals = 9", "decimals = 9\nratio_target_bps = 6000"),
    )
    setup = open_setup(write(tmp_path, text))
    assert setup.scenario.name == "small"
    assert [[item.market for item in flow.markets] for flow in setup.flows] == [["SOL"]]
    assert setup.liquidity_usd == (4 * 10**12, 6 * 10**12)
    with pytest.raises(UsageError, match=r"uniform\.toml: markets: BTC is not a market of small; known: SOL"):
        open_setup(tmp_path / "small.toml", flow="uniform")


@pytest.mark.parametrize("name", sorted(known_scenarios()))
def test_shipped_scenarios_open(name: str) -> None:
    setup = open_setup(name, prices="p.parquet")
    assert setup.scenario.title
    assert setup.flows
    assert 0 < sum(setup.liquidity_usd) < (setup.resolved.pool_params["aum_cap_usd"] or 10**18)  # 0: no cap
    assert all(item.source for flow in setup.flows for item in flow.markets)


def test_the_million_positions_of_2024_are_small() -> None:
    (flow,) = open_setup("real-2024", prices="p.parquet").flows
    assert (flow.positions, flow.collateral.median) == (1_000_000, 100.0)
