"""New histories where they are used: a run of ALP through a crash and a depeg, and real candles redrawn.

The real candles are not part of the project: $PERPOOL_REAL_DATA, else ../shared/data, holds them as Feather files.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.real import candles, real_data
from tests.shell import ROOT, perpool
from tests.synthetic.histories import read

FOLDER = "binance_5m_2024"
SAMPLE = ROOT / "data" / "sample" / "prices.parquet"
CRASH = "SOL+jitoSOL:-60%:30m:recover=50%/1d@2025-01-03T06:00"


def make(*options: str | Path) -> dict[str, Any]:
    done = perpool("prices", "scenario", *options, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def run(prices: Path, out: Path) -> dict[str, Any]:
    done = perpool("run", "sample", "--prices", prices, "--positions", "1500", "--out", out, "--json")
    assert done.code == 0, done.err
    assert perpool("audit", out).code == 0
    found: dict[str, Any] = json.loads(done.out)["summary"]
    return found


def test_alp_lives_through_a_crash_an_outage_and_a_depeg(tmp_path: Path, kernels_compiled: None) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    drawn = ["--from", SAMPLE, "--symbols", "SOL,BTC,BONK,jitoSOL", "--method", "bootstrap"]
    drawn += ["--seed", "3", "--length", "6d"]
    make(*drawn, "--keep", "USDC=1", "--out", calm)
    shocks = (CRASH, "BTC:outage:2h@2025-01-02T12:00", "USDC:depeg:-12%:3h:recover=2d@2025-01-03")
    make(*drawn, *(word for shock in shocks for word in ("--shock", shock)), "--out", wild)
    before, after = (run(folder, tmp_path / f"run-{folder.name}") for folder in (calm, wild))
    assert after["liquidated"] > before["liquidated"] and after["lp_price_end"] < before["lp_price_end"]
    crash, dark = ("2025-01-03T06:00", "2025-01-03T06:35"), ("2025-01-02T12:20", "2025-01-02T13:55")
    ruined = [len(events(tmp_path / f"run-{name}", "SOL", *crash, "liquidation")) for name in ("calm", "wild")]
    assert ruined[0] == 0 and ruined[1] > 5
    traded = [len(events(tmp_path / f"run-{name}", "BTC", *dark, "open", "close")) for name in ("calm", "wild")]
    assert traded[0] > 3 and traded[1] == 0


def events(run: Path, market: str, since: str, until: str, *kinds: str) -> pl.DataFrame:
    """The events of these kinds in a market from `since` to `until`."""
    since_, until_ = (pl.lit(text).str.to_datetime("%Y-%m-%dT%H:%M", time_zone="UTC") for text in (since, until))
    return pl.read_parquet(run / "events.parquet").filter(
        pl.col("timestamp").is_between(since_, until_),
        pl.col("market").cast(pl.String) == market,
        pl.col("kind").cast(pl.String).is_in(kinds),
    )


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (real_data() / FOLDER).is_dir():
        pytest.skip(f"no {FOLDER} in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds real prices")
    return candles(FOLDER, {symbol: f"{symbol}_USDT-5m" for symbol in ("SOL", "BTC")}, tmp_path_factory.mktemp("real"))


def test_real_candles_by_blocks_keep_what_they_are_like(real: Path, tmp_path: Path) -> None:
    found = make("--from", real, "--method", "bootstrap", "--seed", "1", "--out", tmp_path / "new")
    for symbol in ("SOL", "BTC"):
        old, new = found["old"][symbol], found["new"][symbol]
        assert new["volatility"] == pytest.approx(old["volatility"], rel=0.1)
        assert new["rows"] == old["rows"] and new["worst_step"] >= old["worst_step"] - 1e-9
    assert found["correlation_new"][0][1] == pytest.approx(found["correlation_old"][0][1], abs=0.05)
    frame = read(tmp_path / "new", "SOL")
    returns = np.abs(np.diff(np.log(frame["close"].to_numpy())))
    kept = np.corrcoef(returns[1:], returns[:-1])[0, 1]
    history = pl.read_parquet(real).filter(pl.col("symbol") == "SOL")["close"].to_numpy()
    was = np.abs(np.diff(np.log(history)))
    assert kept == pytest.approx(np.corrcoef(was[1:], was[:-1])[0, 1], abs=0.1)
    # every candle is one of the old ones: their shapes, to ten digits
    shapes = [
        set(np.round(np.log(rows["high"] / rows["low"]).to_numpy(), 10).tolist())
        for rows in (frame, pl.read_parquet(real).filter(pl.col("symbol") == "SOL"))
    ]
    assert shapes[0] <= shapes[1]


def test_real_hours_by_garch(real: Path, tmp_path: Path) -> None:
    options = ("--from", real, "--method", "garch", "--seed", "2", "--out", tmp_path / "new")
    found = make(*options, "--every", "1h")
    for symbol in ("SOL", "BTC"):
        fitted = found["parameters"]["symbols"][symbol]
        assert 0.9 < fitted["alpha"] + fitted["beta"] < 1
        assert fitted["volatility_per_year"] == pytest.approx(found["old"][symbol]["volatility"], rel=0.4)
        assert found["new"][symbol]["kurtosis"] > 1
    assert 2.1 < found["parameters"]["degrees_of_freedom"] < 10
    innovations = found["parameters"]["correlation"][0][1]
    assert innovations == pytest.approx(found["correlation_old"][0][1], abs=0.1)
    assert found["correlation_new"][0][1] == pytest.approx(innovations, abs=0.1)


def test_five_minutes_of_btc_allow_no_stationary_fit(real: Path, tmp_path: Path) -> None:
    done = perpool(
        "prices", "scenario", "--from", real, "--method", "garch", "--symbols", "BTC", "--out", tmp_path / "new"
    )
    assert done.code == 1 and done.err.startswith("error: the GARCH fit of BTC is not stationary enough: alpha 0.")
    assert not (tmp_path / "new").exists()
