"""On real prices: the measured numbers of the shipped populations, and a crash that draws traders and frightens LPs."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from backtest.flows.config import load_flow
from backtest.flows.generate import generate, open_flow_prices
from backtest.flows.populations import find_flow, load_flows
from tests.real import candles, real_data

FOLDER = "binance_5m_2025"

pytestmark = pytest.mark.skipif(
    not (real_data() / FOLDER).is_dir(), reason=f"no {FOLDER} in {real_data()}; set PERPOOL_REAL_DATA"
)


def year(symbol: str) -> pl.DataFrame:
    frame = pl.read_ipc(real_data() / FOLDER / f"{symbol}_USDT-5m.feather")
    frame = frame.filter(pl.col("date").dt.year() == 2025)
    return frame.with_columns(dollars=pl.col("volume") * pl.col("close"))


def shape(frame: pl.DataFrame, part: pl.Expr) -> np.ndarray:
    sums = frame.group_by(part.alias("part")).agg(pl.col("dollars").sum()).sort("part")["dollars"].to_numpy()
    return sums / sums.mean()


def test_the_hours_and_days_of_retail_are_those_of_binance() -> None:
    frames = [year("BTC"), year("SOL")]
    arrival = load_flow(find_flow("retail")).arrival
    hours = sum(shape(frame, pl.col("date").dt.hour()) for frame in frames) / 2
    days = sum(shape(frame, pl.col("date").dt.weekday()) for frame in frames) / 2
    assert arrival.hours == pytest.approx(hours, abs=0.006)
    assert arrival.days == pytest.approx(days, abs=0.006)
    assert load_flow(find_flow("degens")).arrival.hours == arrival.hours
    assert load_flow(find_flow("whales")).arrival.days == arrival.days


@pytest.mark.parametrize(("symbol", "exponent"), [("BTC", 1.10), ("SOL", 1.15)])
def test_volume_rises_with_volatility_as_retail_says(symbol: str, exponent: float) -> None:
    frame = year(symbol).with_columns(step=pl.col("close").log().diff())
    days = frame.group_by(pl.col("date").dt.date()).agg(pl.col("dollars").sum(), (pl.col("step") ** 2).sum())
    slope = np.polyfit(0.5 * np.log(days["step"].to_numpy()), np.log(days["dollars"].to_numpy()), 1)[0]
    assert slope == pytest.approx(exponent, abs=0.006)


def test_the_crash_of_october_2025(tmp_path: Path) -> None:
    prices = candles(FOLDER, {symbol: f"{symbol}_USDT-5m" for symbol in ("SOL", "BTC")}, tmp_path)
    texts = {name: find_flow(name).read_text() for name in ("degens", "whales")}
    no_bonk = 'source = "SOL"\nmarket = "BONK"'  # there are no prices of it for 2025
    texts["degens"] = texts["degens"].replace('market = "BONK"', no_bonk)
    texts["whales"] = texts["whales"].replace("deposits = 40", "deposits = 400")
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)
    configs = load_flows([tmp_path / f"{name}.toml" for name in texts], positions=20_000)
    start, end = (int(datetime(2025, month, 1, tzinfo=UTC).timestamp() * 1e6) for month in (10, 11))
    orders = pl.DataFrame(pl.from_arrow(generate(configs, open_flow_prices(configs, prices, start, end))))
    orders = orders.with_columns(pl.col("action").cast(pl.String))
    crash = pl.col("timestamp").is_between(
        pl.datetime(2025, 10, 10, 21, 30, time_zone="UTC"), pl.datetime(2025, 10, 10, 23, 30, time_zone="UTC")
    )
    same_hours = pl.col("timestamp").dt.strftime("%H:%M").is_between(pl.lit("21:30"), pl.lit("23:30"))
    opens = orders.filter(pl.col("action") == "open")
    usual = opens.filter(same_hours & ~crash).height / 30
    assert opens.filter(crash).height > 4 * usual
    left = orders.filter(pl.col("action") == "remove_liquidity")
    within = left.filter(
        pl.col("timestamp").is_between(
            pl.datetime(2025, 10, 10, 21, 15, time_zone="UTC"), pl.datetime(2025, 10, 14, time_zone="UTC")
        )
    )
    assert within.height > 0.6 * left.height > 30
