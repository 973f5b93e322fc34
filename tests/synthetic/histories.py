"""Small histories for tests: tracks in memory, price files on disk, and the error of a mean over seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from backtest.synthetic.garch import Garch, simulate
from backtest.synthetic.tracks import Track, walk
from tests.shell import MINUTE, T0, stamps


def prices(values: Sequence[float], step_us: int = MINUTE, start_us: int = T0) -> Track:
    """A track of prices from `start_us` on."""
    times = start_us + np.arange(len(values), dtype=np.int64) * step_us
    return Track(times, {"price": np.asarray(values, np.float64)}, step_us)


def candles(rows: Sequence[Sequence[float]], step_us: int = MINUTE) -> Track:
    """A track of candles: rows of open, high, low, close and perhaps volume."""
    times = T0 + np.arange(len(rows), dtype=np.int64) * step_us
    columns = dict(zip(("open", "high", "low", "close", "volume"), np.asarray(rows, np.float64).T, strict=False))
    return Track(times, columns, step_us)


def clustered(rows: int, seed: int) -> dict[str, Track]:
    """Two symbols with fat tails, calm and wild hours, and a correlation: a shared volatility that wanders."""
    rng = np.random.default_rng(seed)
    calm = np.empty(rows)
    level = 0.0
    for at, shock in enumerate(rng.standard_normal(rows).tolist()):
        level = 0.95 * level + 0.3 * shock
        calm[at] = level
    noise = rng.standard_normal((rows, 2))
    noise[:, 1] = 0.8 * noise[:, 0] + 0.6 * noise[:, 1]
    returns = 0.002 * np.exp(calm)[:, None] * noise
    return {
        symbol: prices((first * np.exp(np.cumsum(returns[:, at]))).tolist())
        for at, (symbol, first) in enumerate({"SOL": 100.0, "BTC": 50_000.0}.items())
    }


def drawn(rows: int) -> dict[str, Track]:
    """Two symbols of a GARCH(1,1), so that one can be fitted to them."""
    model = Garch(np.zeros(2), np.full(2, 1e-7), np.full(2, 0.1), np.full(2, 0.8), np.array([[1, 0.8], [0.8, 1]]), 8.0)
    log_returns = simulate(np.random.default_rng(1), model, rows - 1)
    first = {"BTC": prices([50_000.0, 50_000.0]), "SOL": prices([100.0, 100.0])}
    return walk(first, T0 + np.arange(rows, dtype=np.int64) * MINUTE, log_returns)


def random_candles(rows: int, seed: int) -> dict[str, Track]:
    """Two symbols of candles that gap between close and open; the volume is the row, and a million more for BTC."""
    rng = np.random.default_rng(seed)
    found = {}
    for symbol, first, offset in (("SOL", 100.0, 0), ("BTC", 50_000.0, 1_000_000)):
        close = first * np.exp(np.cumsum(0.01 * rng.standard_normal(rows)))
        opened = np.append(first, close[:-1]) * np.exp(0.002 * rng.standard_normal(rows))
        high = np.maximum(opened, close) * np.exp(0.003 * rng.random(rows))
        low = np.minimum(opened, close) * np.exp(-0.003 * rng.random(rows))
        found[symbol] = candles(np.column_stack([opened, high, low, close, offset + np.arange(rows)]).tolist())
    return found


def write(path: Path, tracks: Mapping[str, Track]) -> Path:
    """The tracks as one price file."""
    frames = [
        pl.DataFrame(
            {"timestamp": stamps(track.times.tolist()), "symbol": [symbol] * len(track.times), **track.columns}
        )
        for symbol, track in tracks.items()
    ]
    pl.concat(frames, how="diagonal").write_parquet(path)
    return path


def read(folder: Path, symbol: str) -> pl.DataFrame:
    """The rows of a symbol of a dataset."""
    return pl.read_parquet(folder / f"{symbol}.parquet")


def z_score(estimates: Sequence[float], expected: float) -> float:
    """How many standard errors the mean of independent estimates lies from what is expected."""
    found = np.asarray(estimates)
    return float((found.mean() - expected) / (found.std(ddof=1) / np.sqrt(len(found))))
