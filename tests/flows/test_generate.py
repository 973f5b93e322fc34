"""The generated order file: repeatable to the byte, mixed from populations, fit to be read back; and the command."""

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.assets import shipped
from backtest.errors import UsageError
from backtest.flows.config import FlowConfig, utc_us
from backtest.flows.generate import generate, write_orders
from backtest.flows.populations import load_flows, split
from backtest.flows.sections import (
    AddedCollateral,
    Arrival,
    Dollars,
    Holding,
    Leverage,
    Liquidity,
    MarketShare,
    PartialClose,
    Side,
    StopLoss,
)
from backtest.flows.summary import describe
from backtest.orders import Names, OrderSource
from tests.flows.fake_prices import T0, FakePrices, opens_of, orders_of, walk
from tests.shell import perpool

ROOT = Path(__file__).resolve().parents[2]
NAMES = Names(("USDC", "SOL", "BTC", "BONK"), (6, 9, 8, 5), ("SOL", "BTC", "BONK"), (1, 2, 3), (0, 0, 0))
TWO = (MarketShare(market="SOL", weight=3.0), MarketShare(market="BTC", weight=1.0))
EVERYTHING = FlowConfig(
    name="all",
    positions=1_500,
    arrival=Arrival(pattern="hour_of_week", hours=tuple(range(1, 25)), volatility_sensitivity=1.0),
    side=Side(bias="momentum"),
    leverage=Leverage(distribution="discrete", values=(5, 10, 25), weights=(3, 2, 1)),
    size=Dollars(distribution="pareto", min=500.0, round_share=0.5),
    holding=Holding(distribution="pareto", hours=3.0),
    partial_close=PartialClose(share=0.5, at_gain=0.3),
    added_collateral=AddedCollateral(near_liquidation=0.8, times=3),
    liquidity=Liquidity(deposits=30, style="panic", drawdown=0.05, delay_hours=2.0),
)
# The columns of EVERYTHING and the defaults on a staircase of whole prices; a change here changes every flow.
PINNED = "9e1c4fb161763cd97b70d587a3816a45599ee7643ea94d3dcf85bb001d28fc09"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def staircase(n: int = 3_000) -> np.ndarray:
    """Prices made of integers alone, so that no library has a part in them."""
    k = np.arange(n, dtype=np.int64)[:, None]
    return (100 + (k * np.array([7, 11, 13])) % 23 - (k // 97) % 5) * 10**10


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    prints = []
    for seed in (3, 3, 4):
        config = FlowConfig(seed=seed, positions=500, liquidity=Liquidity(deposits=20))
        write_orders(generate([config], FakePrices(walk(1))), tmp_path / "o")
        prints.append(digest(tmp_path / "o"))
    assert prints[0] == prints[1] != prints[2]
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


def test_the_values_are_those_of_any_machine() -> None:
    table = generate([EVERYTHING, FlowConfig(positions=500)], FakePrices(staircase()))
    found = hashlib.sha256()
    for name in table.schema.names:
        column = table[name].combine_chunks()
        found.update(f"{name} {column.to_pylist()}".encode())
    assert found.hexdigest() == PINNED


def test_draws_are_independent_of_each_other() -> None:
    base = opens_of(FlowConfig(positions=400))
    other = opens_of(FlowConfig(positions=400, stop_loss=StopLoss(share=0.9), holding=Holding(hours=1.0)))
    kept = ["timestamp", "market", "side", "leverage", "collateral_usd", "take_profit", "referred"]
    assert base.select(kept).equals(other.select(kept))
    numbers = base.select("leverage", "collateral_usd").to_numpy()
    assert abs(np.corrcoef(np.log(numbers).T)[0, 1]) < 0.2


@pytest.mark.parametrize("first", [True, False])
def test_another_population_only_renumbers(first: bool) -> None:
    one = FlowConfig(name="one", positions=300, liquidity=Liquidity(deposits=10, hold_days=0.5))
    alone = orders_of(walk(1), one)
    mixed = orders_of(walk(1), *([one, EVERYTHING] if first else [EVERYTHING, one]))
    values = [name for name in alone.columns if name not in ("order_id", "position_id", "lp_account")]
    rest = mixed.join(alone.select(values), on=values, how="anti", nulls_equal=True)
    assert rest.height == mixed.height - alone.height
    kept = mixed.join(alone.select(values), on=values, how="semi", nulls_equal=True)
    assert kept.select(values).equals(alone.select(values))
    pairs = pl.DataFrame({"before": alone["position_id"], "now": kept["position_id"]}).drop_nulls().unique()
    assert pairs["before"].n_unique() == pairs["now"].n_unique() == pairs.height == 300
    opens = mixed.filter(pl.col("action") == "open")
    assert opens["position_id"].to_list() == list(range(opens.height))
    assert mixed["order_id"].to_list() == list(range(mixed.height))
    accounts = mixed.filter(pl.col("action") == "add_liquidity")["lp_account"]
    assert accounts.to_list() == list(range(1, accounts.len() + 1))


def test_populations_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        generate([FlowConfig(), FlowConfig(seed=2)], FakePrices(walk(1)))
    assert str(caught.value) == ("two populations are called uniform, and would draw the same; set name in one of them")


@pytest.mark.parametrize(
    ("own", "total", "expected"),
    [
        ((10, 30), 100, (25, 75)),
        ((1, 1, 1), 100, (33, 33, 34)),
        ((0, 0), 5, (2, 3)),
        ((5, 0), 7, (7, 0)),
        ((10, 30), None, (10, 30)),
    ],
)
def test_a_total_is_split_in_proportion(own: tuple[int, ...], total: int | None, expected: tuple[int, ...]) -> None:
    configs = [FlowConfig(name=str(number), positions=count) for number, count in enumerate(own)]
    assert tuple(config.positions for config in split(configs, total)) == expected


def test_the_file_is_a_valid_order_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    prices = FakePrices(walk(1))
    table = generate([EVERYTHING, FlowConfig(positions=3_000, liquidity=Liquidity(deposits=50, hold_days=0.5))], prices)
    write_orders(table, path)
    source = OrderSource(path, NAMES, rows_per_batch=500)
    orders = list(source.remaining())
    assert sum(part.due_us.size for part in orders) == source.n_rows == table.num_rows
    assert np.concatenate([part.order_id for part in orders]).tolist() == list(range(table.num_rows))
    dollars = pl.DataFrame(pl.from_arrow(table))["collateral_usd"].cast(pl.Float64).fill_null(-1e-6).to_numpy()
    assert np.array_equal(np.concatenate([part.collateral_usd for part in orders]), np.rint(dollars * 1e6))
    actions = set(table["action"].to_pylist())
    assert actions == {"open", "decrease", "close", "deposit_collateral", "add_liquidity", "remove_liquidity"}
    assert all(part.due_us[-1] <= prices.span.end_us for part in orders)


def test_nothing_to_do_is_an_empty_valid_file(tmp_path: Path) -> None:
    write_orders(generate([FlowConfig(positions=0)], FakePrices(walk(1))), tmp_path / "o.parquet")
    assert OrderSource(tmp_path / "o.parquet", NAMES).peek_due_us() is None
    assert describe(tmp_path / "o.parquet").orders == 0
    lps = orders_of(walk(1), FlowConfig(positions=0, liquidity=Liquidity(deposits=7, withdrawn_share=0.0)))
    assert lps["action"].to_list() == ["add_liquidity"] * 7


def test_a_single_tick_is_enough() -> None:
    orders = orders_of(FakePrices(walk(1, 1)), FlowConfig(positions=5))
    assert orders["timestamp"].to_physical().to_list() == [T0] * 5


def test_what_would_end_after_the_prices_stays_open() -> None:
    config = FlowConfig(positions=200, holding=Holding(hours=1e5, sigma=0.1), partial_close=PartialClose(share=1.0))
    assert orders_of(walk(1), config)["action"].unique().to_list() == ["open"]


def test_faults_of_writing(tmp_path: Path) -> None:
    table = generate([FlowConfig(positions=1)], FakePrices(walk(1)))
    with pytest.raises(UsageError, match=r"the folder .* does not exist; make it, or write elsewhere"):
        write_orders(table, tmp_path / "none" / "o.parquet")
    with pytest.raises(UsageError, match=r"is a folder; name the file to write, such as .*orders\.parquet"):
        write_orders(table, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2025-01-01", T0), ("2025-01-01T00:00:00.7", T0 + 700_000), ("2025-01-01T01:00:00+01:00", T0)],
)
def test_dates(text: str, expected: int) -> None:
    assert utc_us(text) == expected


# --- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def price_file(tmp_path: Path) -> Path:
    times = pl.Series("timestamp", FakePrices(walk(1)).times).cast(pl.Datetime("us", "UTC"))
    frames = [
        pl.DataFrame({"timestamp": times, "symbol": [name] * len(times), "price": walk(1)[:, column] / 1e10})
        for column, name in enumerate(("SOL", "BTC", "BONK"))
    ]
    pl.concat(frames).write_parquet(tmp_path / "prices.parquet")
    return tmp_path / "prices.parquet"


def run(*arguments: object) -> str:
    outcome = perpool("flow", *(str(argument) for argument in arguments))
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_generate_and_describe(price_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "orders.parquet"
    toml = ROOT / "configs" / "flows" / "uniform.toml"
    text = run("generate", toml, "--prices", price_file, "--out", out, "--positions", 200, "--seed", 5)
    assert "open 200" in text
    assert text == run("describe", out)
    direct = generate([FlowConfig(positions=200, seed=5)], FakePrices(walk(1)))
    write_orders(direct, tmp_path / "direct.parquet")
    assert digest(out) == digest(tmp_path / "direct.parquet")
    named = tmp_path / "named.parquet"
    run("generate", "--prices", price_file, "--out", named, "--positions", 200, "--seed", 5)
    assert digest(out) == digest(named)


def test_generate_within_dates(price_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "orders.parquet"
    run("generate", "--prices", price_file, "--out", out, "--start", "2025-01-01T12:00", "--end", "2025-01-02")
    times = pl.read_parquet(out)["timestamp"].cast(pl.String)
    assert "2025-01-01 12:00" <= times[0] < times[-1] < "2025-01-02"


def test_generate_a_mix(price_file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("positions = 20_000\nmarkets = [{market = 'BTC'}]")
    out = tmp_path / "orders.parquet"
    given = ("uniform", tmp_path / "mine.toml", "--prices", price_file, "--out", out, "--positions", 300, "--json")
    summary = json.loads(run("generate", *given))
    assert summary["opens"] == 300
    configs = load_flows(["uniform", tmp_path / "mine.toml"], positions=300)
    assert [(config.name, config.positions) for config in configs] == [("uniform", 100), ("mine", 200)]
    prices = FakePrices(walk(1))
    assert pl.read_parquet(out).height == generate(configs, prices).num_rows


def test_candles_become_the_ticks_of_the_path(tmp_path: Path) -> None:
    times = pl.Series(T0 + np.arange(50) * 300_000_000).cast(pl.Datetime("us", "UTC"))
    prices, out = tmp_path / "candles.parquet", tmp_path / "orders.parquet"
    frame = {"timestamp": times, "symbol": ["SOL"] * 50, "open": [10.0] * 50, "high": [12.0] * 50, "low": [9.0] * 50}
    pl.DataFrame(frame | {"close": [11.0] * 50}).write_parquet(prices)
    (tmp_path / "one.toml").write_text(
        "positions = 1\nmarkets = [{market = 'SOL'}]\n[foresight]\nseconds = 100\nthreshold_bps = 100.0"
    )
    given = ("flow", "generate", tmp_path / "one.toml", "--prices", prices, "--out", out)
    assert perpool(*given).err == (
        "error: one: foresight.seconds = 100 reaches no later price, because the prices have one tick every 300 "
        "seconds; give finer prices, --path ohlc where they are candles, or more seconds\n"
    )
    assert not out.exists()
    assert perpool(*given, "--path", "ohlc").code == 0
    assert pl.read_parquet(out)["side"][0] == "short"  # from the open of 10 to the low of 9


def test_a_missing_symbol_is_named(price_file: Path, tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text('markets = [{market = "DOGE"}]')
    outcome = perpool(
        "flow", "generate", tmp_path / "flow.toml", "--prices", price_file, "--out", tmp_path / "o.parquet"
    )
    assert outcome.code == 1
    assert "DOGE" in outcome.err
    assert not (tmp_path / "o.parquet").exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["retial"], "no flow is called 'retial'; did you mean 'retail'?, or give a TOML file"),
        (["retail", "retail"], "two populations are called retail, and would draw the same; set name in one of them"),
        (["a.toml", "b.toml"], "market SOL reads S1 in a and S2 in b; give it one source"),
    ],
)
def test_faults_of_a_mix(
    names: list[str], message: str, price_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("a", "b"), 1):
        (tmp_path / f"{name}.toml").write_text(f'markets = [{{market = "SOL", source = "S{number}"}}]')
    outcome = perpool("flow", "generate", *names, "--prices", price_file, "--out", "o.parquet")
    assert (outcome.code, outcome.err) == (2, f"error: {message}\n")


def test_help_names_shipped_populations_and_has_an_example() -> None:
    text = run("generate", "--help")
    assert "Example:\n    perpool flow generate retail degens" in text
    assert {"retail", "degens", "whales", "carry", "toxic", "uniform"} <= shipped("flows").keys()


def test_the_schema_names_type_and_unit() -> None:
    assert "trigger_price  [double, decimal or any integer, USD]" in run("schema")
