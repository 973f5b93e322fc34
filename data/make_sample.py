"""Generate data/sample/prices.parquet: 90 days of synthetic 5-minute prices, the same for the same seed.

Nothing here is market data. Three tokens move by a common and an own factor (geometric Brownian motion whose
volatility switches between calm, normal and stormy, plus jumps); one crash takes SOL down by about a quarter within
two hours, after which prices recover. jitoSOL is SOL times a slowly rising rate; USDC stays near one dollar.

    python data/make_sample.py [--seed 7] [--out data/sample/prices.parquet]
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 90
STEP_S = 300
STEPS_PER_DAY = 86_400 // STEP_S
STEPS = DAYS * STEPS_PER_DAY
SEED = 7

# token: first price (USD), yearly volatility, share of the common factor, crash as a log return, smallest price step
TOKENS = {
    "SOL": (190.0, 0.75, 0.80, -0.29, 2),
    "BTC": (94_000.0, 0.45, 0.85, -0.15, 0),
    "BONK": (3.0e-5, 1.10, 0.65, -0.42, 9),
}
# Regimes of volatility: multiplier, mean stay in days.
REGIMES = ((0.6, 5.0), (1.0, 8.0), (1.9, 1.5))
JUMPS_PER_DAY = 0.25
JUMP_SIZE = 0.012  # standard deviation of a jump in the common factor, as a log return of SOL
CRASH_STEP = 47 * STEPS_PER_DAY + 13 * 12  # 2025-02-17 13:00
CRASH_STEPS = 2 * 12
RECOVERY_STEPS = 3 * STEPS_PER_DAY
RECOVERED = 0.85  # share of the crash that comes back


def volatility_regimes(random: np.random.Generator) -> Floats:
    """Multiplier of volatility per step, shape (STEPS,): a Markov chain over REGIMES."""
    leave = [1 / (days * STEPS_PER_DAY) for _, days in REGIMES]
    draws = random.random((STEPS, 2))
    factor = np.empty(STEPS)
    regime = 1
    for step in range(STEPS):
        if draws[step, 0] < leave[regime]:
            others = [number for number in range(len(REGIMES)) if number != regime]
            regime = others[int(draws[step, 1] * len(others))]
        factor[step] = REGIMES[regime][0]
    return factor


def crash_path() -> Floats:
    """Share of the crash in force per step, shape (STEPS,): 0, then 1 within two hours, then back over three days."""
    share = np.zeros(STEPS)
    fall = np.linspace(0, 1, CRASH_STEPS + 1)[1:] ** 1.5  # it accelerates
    share[CRASH_STEP : CRASH_STEP + CRASH_STEPS] = fall
    bottom = CRASH_STEP + CRASH_STEPS
    share[bottom:] = 1 - RECOVERED
    recovering = 1 - np.exp(-5 * np.arange(RECOVERY_STEPS) / RECOVERY_STEPS)
    share[bottom : bottom + RECOVERY_STEPS] = 1 - RECOVERED * recovering
    return share


def reverting(random: np.random.Generator, spread: float, stay_steps: float) -> Floats:
    """Noise around zero, shape (STEPS,), with standard deviation `spread` and a memory of `stay_steps`."""
    keep = float(np.exp(-1 / stay_steps))
    shocks = random.standard_normal(STEPS) * spread * np.sqrt(1 - keep**2)
    noise = np.empty(STEPS)
    level = 0.0
    for step in range(STEPS):
        level = keep * level + shocks[step]
        noise[step] = level
    return noise


def prices(seed: int) -> pl.DataFrame:
    """Return columns timestamp (µs, UTC), symbol and price (USD), by symbol and time."""
    random = np.random.default_rng(seed)
    regimes, crash = volatility_regimes(random), crash_path()
    common = random.standard_normal(STEPS) * regimes
    jumps = (random.random(STEPS) < JUMPS_PER_DAY / STEPS_PER_DAY) * random.standard_normal(STEPS) * JUMP_SIZE
    columns: dict[str, Floats] = {}
    for token, (first, yearly, share, fall, digits) in TOKENS.items():
        step_volatility = yearly * np.sqrt(1 / (365 * STEPS_PER_DAY))
        own = random.standard_normal(STEPS) * regimes
        returns = step_volatility * (share * common + np.sqrt(1 - share**2) * own) - step_volatility**2 / 2
        returns += jumps * yearly / TOKENS["SOL"][1]
        returns[0] = 0.0
        columns[token] = np.round(first * np.exp(np.cumsum(returns) + fall * crash), digits)
    years = np.arange(STEPS) / (365 * STEPS_PER_DAY)
    rate = 1.165 * np.exp(0.075 * years) * (1 + reverting(random, 4e-4, 36) - 0.004 * crash)
    columns["jitoSOL"] = np.round(columns["SOL"] * rate, 2)
    columns["USDC"] = np.round(1 + reverting(random, 1.5e-4, 288) - 0.003 * crash, 4)
    times = START.timestamp() * 1e6 + np.arange(STEPS, dtype=np.int64) * STEP_S * 1_000_000
    stamps = pl.Series("timestamp", times.astype(np.int64)).cast(pl.Datetime("us", "UTC"))
    return pl.concat(
        pl.DataFrame({"timestamp": stamps, "symbol": [token] * STEPS, "price": columns[token]})
        for token in sorted(columns)
    )


def main() -> None:
    """Write the file that `--out` names."""
    parser = argparse.ArgumentParser(description="Write the synthetic sample price history.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample" / "prices.parquet")
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    # One row group per symbol: each is sorted by time, and a reader skips the symbols it has no use for.
    prices(given.seed).write_parquet(given.out, compression="zstd", compression_level=19, row_group_size=STEPS)


if __name__ == "__main__":
    main()
