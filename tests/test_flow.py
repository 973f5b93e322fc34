"""The synthetic flow: repeatable, blind to the future, spread as its description says, and fit to be read back."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.cli import perpool
from backtest.cli.flow import flow
from backtest.errors import PerpoolError, UsageError
from backtest.flow import generate, prices_at, write_orders
from backtest.flow_config import Change, FlowConfig, Holding, Liquidity, MarketShare, StopLoss, load_flow, utc_us
from backtest.flow_summary import describe
from backtest.orders import Names, OrderSource
from backtest.prices import PriceSpan
from kernels.state import Ticks

ROOT = Path(__file__).parent.parent
T0 = 1_735_689_600_000_000
MINUTE = 60_000_000
NAMES = Names(("USDC", "SOL", "BTC", "BONK"), (6, 9, 8, 5), ("SOL", "BTC", "BONK"), (1, 2, 3), (0, 0, 0))
TWO = (MarketShare(market="SOL", weight=3.0), MarketShare(market="BTC", weight=1.0))


@dataclass
class FakePrices:
    """Ticks a minute apart; prices (T, S) at 1e10."""

    price: np.ndarray

    @property
    def times(self) -> np.ndarray:
        return T0 + np.arange(len(self.price), dtype=np.int64) * MINUTE

    @property
    def span(self) -> PriceSpan:
        return PriceSpan(T0, int(self.times[-1]), len(self.price))

    def chunks(self, ticks_per_chunk: int) -> Iterator[Ticks]:
        for start in range(0, len(self.price), 97):  # a chunk size of its own, so that borders are crossed
            part = slice(start, start + 97)
            yield Ticks(self.times[part], self.price[part], np.zeros(self.price[part].shape, np.uint8))


def walk(seed: int, n: int = 3_000, markets: int = 3) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0, 0.003, (n, markets))
    return np.rint(100.0 * np.exp(np.cumsum(steps, axis=0)) * 1e10).astype(np.int64)


def orders_of(config: FlowConfig, price: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(generate(config, FakePrices(price)))).with_columns(
        pl.col("action", "market", "side").cast(pl.String), pl.col("collateral_usd").cast(pl.Float64)
    )


def opens_of(config: FlowConfig, price: np.ndarray | None = None) -> pl.DataFrame:
    return orders_of(config, walk(1) if price is None else price).filter(pl.col("action") == "open")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    liquid = Liquidity(deposits=20)
    prints = []
    for seed in (3, 3, 4):
        write_orders(
            generate(FlowConfig(seed=seed, positions=500, liquidity=liquid), FakePrices(walk(1))), tmp_path / "o"
        )
        prints.append(digest(tmp_path / "o"))
    assert prints[0] == prints[1] != prints[2]
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 2_999))
def test_prices_after_a_moment_change_no_order_up_to_it(seed: int, cut: int) -> None:
    config = FlowConfig(seed=seed, positions=300, liquidity=Liquidity(deposits=5))
    before = walk(1)
    after = before.copy()
    after[cut:] = walk(2)[cut:]
    moment = T0 + cut * MINUTE  # the first tick that differs
    early = pl.col("timestamp").to_physical() < moment
    first, second = orders_of(config, before), orders_of(config, after)
    assert first.filter(early).equals(second.filter(early))
    late = first.filter(~early & pl.col("stop_loss").is_not_null())
    assert late.is_empty() or not late.equals(second.filter(~early & pl.col("stop_loss").is_not_null()))


def test_prices_are_those_of_the_last_tick_at_or_before() -> None:
    prices = FakePrices(walk(1, 500))
    rng = np.random.default_rng(0)
    times = np.sort(np.concatenate([rng.integers(T0, prices.span.end_us + 1, 400), prices.times[[0, 96, 97, 499]]]))
    columns = rng.integers(0, 3, times.size)
    expected = [
        max((tick, row) for row, tick in enumerate(prices.times.tolist()) if tick <= time)[1] for time in times.tolist()
    ]
    assert np.array_equal(prices_at(prices, times, columns), prices.price[expected, columns] / 1e10)


def test_draws_are_independent_of_each_other() -> None:
    base = opens_of(FlowConfig(positions=400))
    other = opens_of(FlowConfig(positions=400, stop_loss=StopLoss(share=0.9), holding=Holding(hours=1.0)))
    kept = ["timestamp", "market", "side", "leverage", "collateral_usd", "take_profit", "referred"]
    assert base.select(kept).equals(other.select(kept))
    numbers = base.select("leverage", "collateral_usd").to_numpy()
    assert abs(np.corrcoef(np.log(numbers).T)[0, 1]) < 0.2


def test_distributions() -> None:
    config = FlowConfig(positions=40_000, markets=TWO, long_share=0.7)
    orders = orders_of(config, walk(1, 60_000, 2))
    opens = orders.filter(pl.col("action") == "open")
    assert opens.height == 40_000
    assert opens["side"].eq("long").mean() == pytest.approx(0.7, abs=0.01)
    assert opens["market"].eq("SOL").mean() == pytest.approx(0.75, abs=0.01)
    assert opens["referred"].mean() == pytest.approx(0.2, abs=0.01)
    assert opens["stop_loss"].is_not_null().mean() == pytest.approx(0.3, abs=0.01)
    assert opens["take_profit"].is_not_null().mean() == pytest.approx(0.25, abs=0.01)

    leverage = opens["leverage"].to_numpy()
    low, high = np.log(1.5), np.log(25.0)
    assert leverage.min() >= 1.5
    assert leverage.max() <= 25.0
    quartiles = np.quantile(np.log(leverage), [0.25, 0.5, 0.75])
    assert quartiles == pytest.approx(low + (high - low) * np.array([0.25, 0.5, 0.75]), abs=0.03)

    margin = np.log(opens["collateral_usd"].to_numpy())
    assert np.exp(np.median(margin)) == pytest.approx(400.0, rel=0.03)
    within = np.quantile(margin, [0.1587, 0.8413])  # one sigma each way, untouched by the clipping
    assert (within[1] - within[0]) / 2 == pytest.approx(1.3, rel=0.02)
    assert margin.min() >= np.log(20.0)
    assert margin.max() <= np.log(50_000.0)

    arrival = (opens["timestamp"].to_physical().to_numpy() - T0) / (60_000 * MINUTE)
    assert np.quantile(arrival, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    gaps = np.diff(arrival)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.05)  # exponential gaps: a Poisson process

    held = hours_held(orders.filter(pl.col("timestamp").to_physical() > 0))
    early = opens.filter(pl.col("timestamp").to_physical() < T0 + 30_000 * MINUTE).height
    assert held.size >= early
    assert np.median(held) == pytest.approx(6.0, rel=0.05)
    assert held.min() >= 1 / 6
    assert orders["action"].eq("decrease").sum() == pytest.approx(4_000, rel=0.06)
    assert orders["action"].eq("deposit_collateral").sum() == pytest.approx(2_000, rel=0.08)


def hours_held(orders: pl.DataFrame) -> np.ndarray:
    opens = orders.filter(pl.col("action") == "open").select("position_id", "timestamp")
    closes = orders.filter(pl.col("action") == "close").select("position_id", "timestamp")
    both = opens.join(closes, on="position_id", suffix="_close", validate="1:1")
    return (both["timestamp_close"] - both["timestamp"]).dt.total_microseconds().to_numpy() / 3.6e9


def test_exponential_holding() -> None:
    config = FlowConfig(positions=20_000, holding=Holding(distribution="exponential", hours=2.0, min_minutes=0.0))
    held = hours_held(orders_of(config, walk(1, 60_000)))
    assert held.mean() == pytest.approx(2.0, rel=0.03)
    assert held.std() == pytest.approx(2.0, rel=0.04)


def test_triggers_lie_on_their_side_and_a_stop_before_liquidation() -> None:
    price = np.full((3_000, 3), 100 * 10**10, np.int64)
    config = FlowConfig(
        positions=5_000,
        stop_loss=StopLoss(share=1.0),
        take_profit=load_flow().take_profit,
        leverage=load_flow().leverage,
    )
    opens = opens_of(config, price)
    sign = np.where(opens["side"] == "long", 1.0, -1.0)
    leverage = opens["leverage"].to_numpy()
    distance = sign * (100.0 - opens["stop_loss"].to_numpy()) / 100.0
    way = 1.0 / leverage - 0.01 - 0.003
    assert np.quantile(distance / way, [0.0, 0.5, 1.0]) == pytest.approx([0.1, 0.45, 0.8], abs=0.02)
    profit = opens.filter(pl.col("take_profit").is_not_null())
    sign, target = np.where(profit["side"] == "long", 1.0, -1.0), profit["take_profit"].to_numpy()
    gain = ((target / 100.0) ** sign - 1.0) * profit["leverage"].to_numpy()
    assert np.quantile(np.log(gain), [0.0, 0.5, 1.0]) == pytest.approx(np.log([0.2, np.sqrt(0.6), 3.0]), abs=0.1)


def test_changes_lie_between_open_and_close() -> None:
    config = FlowConfig(
        positions=1_000, partial_close=Change(share=1.0, min=0.25, max=0.5), added_collateral=Change(share=1.0)
    )
    orders = orders_of(config, walk(1, 30_000))
    times = orders.pivot("action", index="position_id", values="timestamp")
    whole = times.drop_nulls()
    assert whole.height > 900
    for action in ("decrease", "deposit_collateral"):
        share = (whole[action] - whole["open"]).dt.total_microseconds() / (
            whole["close"] - whole["open"]
        ).dt.total_microseconds()
        assert share.min() >= 0.0999
        assert share.max() <= 0.9001
        assert share.mean() == pytest.approx(0.5, abs=0.03)
    fraction = orders["fraction"].drop_nulls()
    assert fraction.min() >= 0.25
    assert fraction.max() <= 0.5


def test_what_would_end_after_the_prices_stays_open() -> None:
    config = FlowConfig(positions=200, holding=Holding(hours=1e5, sigma=0.1), partial_close=Change(share=1.0))
    orders = orders_of(config, walk(1))
    assert orders["action"].unique().to_list() == ["open"]


def test_the_file_is_a_valid_order_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    config = FlowConfig(positions=3_000, liquidity=Liquidity(deposits=50, hold_days=0.5))
    table = generate(config, FakePrices(walk(1)))
    write_orders(table, path)
    source = OrderSource(path, NAMES, rows_per_batch=500)
    orders = list(source.remaining())
    assert sum(part.due_us.size for part in orders) == source.n_rows == table.num_rows
    assert np.concatenate([part.order_id for part in orders]).tolist() == list(range(table.num_rows))
    dollars = pl.DataFrame(pl.from_arrow(table))["collateral_usd"].cast(pl.Float64).fill_null(-1e-6).to_numpy()
    assert np.array_equal(np.concatenate([part.collateral_usd for part in orders]), np.rint(dollars * 1e6))
    actions = set(table["action"].to_pylist())
    assert actions == {"open", "decrease", "close", "deposit_collateral", "add_liquidity", "remove_liquidity"}
    assert all(time <= FakePrices(walk(1)).span.end_us for part in orders for time in (part.due_us[-1],))


def test_no_positions_are_an_empty_valid_file(tmp_path: Path) -> None:
    write_orders(generate(FlowConfig(positions=0), FakePrices(walk(1))), tmp_path / "o.parquet")
    assert OrderSource(tmp_path / "o.parquet", NAMES).peek_due_us() is None
    assert describe(tmp_path / "o.parquet").orders == 0


def test_the_defaults_are_the_documented_ones() -> None:
    assert load_flow(ROOT / "configs" / "flows" / "uniform.toml") == FlowConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeed = 1", "seeed is not a key that exists; did you mean 'seed'?"),
        ("positions = 1.5", "positions = 1.5 is not possible; give a whole number"),
        ("long_share = 1.5", "long_share = 1.5 is not possible; give 0 to 1"),
        ("long_share = nan", "long_share = nan is not possible; give a number"),
        ("markets = []", "markets is empty; name at least one"),
        ('markets = [{market = "A"}, {market = "A"}]', "markets names one twice: A, A; keep one"),
        ('markets = [{market = "A", weight = 0}]', "the weights of markets sum to 0; give one of them weight"),
        ("[leverage]\nmin = 5\nmax = 2", "leverage: min = 5.0 is more than max = 2.0; swap them"),
        (
            "[leverage]\nmax = 100",
            "leverage.max 100 leaves no room for a stop before liquidation at 100x and a cost of 0.003; lower it, or "
            "stop_loss.share to 0",
        ),
        (
            '[holding]\ndistribution = "weibull"',
            'holding.distribution = "weibull" is not possible; give one of "exponential", "log_normal"',
        ),
    ],
)
def test_faults_of_a_description(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_flow(path)
    assert str(caught.value) == f"{path}: {message}"


def test_other_faults(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        load_flow(tmp_path / "none.toml")
    with pytest.raises(UsageError, match=r"^flow: positions = -1 is not possible; give 0 to 2,147,483,648$"):
        load_flow(positions=-1)
    with pytest.raises(UsageError, match=r"^'soon' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 \(UTC\)$"):
        utc_us("soon")
    table = generate(FlowConfig(positions=1), FakePrices(walk(1)))
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


# --- describe and the commands ----------------------------------------------------------------------------------


def test_describe_by_hand(tmp_path: Path) -> None:
    hour = 60 * MINUTE
    sol = {"action": "open", "position_id": 1, "market": "SOL", "side": "long"}
    btc = {"action": "open", "position_id": 2, "market": "BTC", "side": "short", "size_usd": 300.0}
    rows = [
        {"timestamp": T0} | sol | {"leverage": 5.0, "collateral_usd": 100.0, "stop_loss": 9.0},
        {"timestamp": T0 + hour} | btc | {"collateral_usd": 100.0},
        {"timestamp": T0 + 2 * hour, "action": "close", "position_id": 1},
        {"timestamp": T0 + 3 * hour} | sol | {"leverage": 2.0, "collateral": 1.0},
        {"timestamp": T0 + 4 * hour, "action": "increase", "position_id": 2, "size_usd": 50.0, "collateral_usd": 10.0},
        {"timestamp": T0 + 9 * hour, "action": "close", "position_id": 2},
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_row_index("order_id")
    frame.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))).write_parquet(tmp_path / "o.parquet")
    summary = describe(tmp_path / "o.parquet")
    assert summary.orders == 6
    assert (summary.first, summary.last) == ("2025-01-01T00:00:00Z", "2025-01-01T09:00:00Z")
    assert summary.actions == {"open": 3, "close": 2, "increase": 1}
    assert (summary.opens, summary.closed, summary.unsized) == (3, 2, 1)
    assert summary.long_share == pytest.approx(2 / 3)
    assert summary.stop_loss_share == pytest.approx(1 / 3)
    assert summary.volume_usd == 850.0
    assert summary.markets == {"SOL": {"orders": 2, "volume_usd": 500.0}, "BTC": {"orders": 1, "volume_usd": 300.0}}
    assert summary.spread["leverage"]["median"] == 4.0  # 5, 3, 2 and 5
    assert summary.spread["holding_hours"]["mean"] == 5.0  # 2 and 8
    assert summary.spread["holding_hours"]["max"] == 8.0


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
    result = CliRunner().invoke(perpool, ["flow", *(str(argument) for argument in arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_generate_and_describe(price_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "orders.parquet"
    toml = ROOT / "configs" / "flows" / "uniform.toml"
    text = run("generate", toml, "--prices", price_file, "--out", out, "--positions", 200, "--seed", 5)
    assert "open 200" in text
    assert text == run("describe", out)
    summary = json.loads(run("describe", "--json", out))
    assert summary["opens"] == 200
    assert OrderSource(out, NAMES).n_rows == summary["orders"]
    direct = generate(FlowConfig(positions=200, seed=5), FakePrices(walk(1)))
    write_orders(direct, tmp_path / "direct.parquet")
    assert digest(out) == digest(tmp_path / "direct.parquet")


def test_generate_within_dates(price_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "orders.parquet"
    dates = ("--start", "2025-01-01T12:00", "--end", "2025-01-02")
    summary = json.loads(run("generate", "--prices", price_file, "--out", out, *dates, "--json"))
    assert "2025-01-01T12:00" <= summary["first"] < summary["last"] < "2025-01-02"


def test_a_missing_symbol_is_named(price_file: Path, tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text('markets = [{market = "DOGE"}]')
    with pytest.raises(PerpoolError, match="DOGE"):
        run("generate", tmp_path / "flow.toml", "--prices", price_file, "--out", tmp_path / "o.parquet")
    assert not (tmp_path / "o.parquet").exists()


def test_schema_command() -> None:
    assert "trigger_price  [double, decimal or any integer, USD]" in run("schema")
    assert json.loads(run("schema", "--json"))[0]["column"] == "timestamp"


@pytest.mark.parametrize("name", list(flow.commands))
def test_every_command_has_an_example(name: str) -> None:
    assert f"Example:\n    perpool flow {name}" in run(name, "--help")
