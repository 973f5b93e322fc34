"""Generate data/sample/prices.parquet: 90 days of synthetic 5-minute prices, the same for the same seed.

Nothing here is market data. Tokens move by a common and an own factor (geometric Brownian motion whose volatility
switches between calm, normal and stormy, plus jumps); one crash takes SOL down by about a quarter within two hours,
after which prices recover. jitoSOL is SOL times a slowly rising rate; stablecoins stay near one dollar. Gold, silver
and oil move on their own, around the clock, but have prices in the hours of their exchange only: over a weekend and a
daily break they have none, and open at another price than they closed at.

Each symbol that was added later has a random stream of its own, so that it moves no other.

    python data/make_sample.py [--seed 7] [--out data/sample/prices.parquet]
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

Floats = npt.NDArray[np.float64]
Token = tuple[float, float, float, float, int]

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 90
STEP_S = 300
STEPS_PER_DAY = 86_400 // STEP_S
STEPS = DAYS * STEPS_PER_DAY
SEED = 7

# token: first price (USD), yearly volatility, share of the common factor, crash as a log return, decimals of a price
TOKENS: dict[str, Token] = {
    "SOL": (190.0, 0.75, 0.80, -0.29, 2),
    "BTC": (94_000.0, 0.45, 0.85, -0.15, 0),
    "BONK": (3.0e-5, 1.10, 0.65, -0.42, 9),
}
# The same for what has a random stream of its own. Append only: the position is the key of the stream.
MORE_TOKENS: dict[str, Token] = {
    "ETH": (3_340.0, 0.60, 0.88, -0.21, 1),
    "LINK": (20.0, 0.85, 0.78, -0.31, 2),
    "UNI": (13.2, 0.90, 0.75, -0.33, 2),
}
# The common factor of commodities is that of metals.
COMMODITIES: dict[str, Token] = {
    "XAU": (2_625.0, 0.15, 0.85, 0.0, 1),
    "XAG": (28.9, 0.28, 0.85, 0.0, 2),
    "WTI": (71.7, 0.34, 0.10, 0.0, 2),
}
# stablecoin: standard deviation around a dollar, what the crash takes off
STABLES = {"USDT": (1.0e-4, -0.0005), "DAI": (1.2e-4, 0.0020), "FRAX": (3.0e-4, 0.0045), "MIM": (6.0e-4, 0.0110)}
EXCHANGE_ZONE = "America/New_York"
EXCHANGE_HOLIDAYS = ("2025-01-01",)
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


def path(token: Token, regimes: Floats, common: Floats, own: Floats, jumps: Floats | float, crash: Floats) -> Floats:
    """Prices of a token, shape (STEPS,): `common` and `own` are standard normal steps, `jumps` those of SOL."""
    first, yearly, share, fall, digits = token
    step_volatility = yearly * np.sqrt(1 / (365 * STEPS_PER_DAY))
    returns = step_volatility * (share * common + np.sqrt(1 - share**2) * (own * regimes)) - step_volatility**2 / 2
    returns += jumps * yearly / TOKENS["SOL"][1]
    returns[0] = 0.0
    return np.asarray(np.round(first * np.exp(np.cumsum(returns) + fall * crash), digits))


def exchange_hours(stamps: pl.Series) -> pl.Series:
    """Whether commodities trade: Sunday 18:00 to Friday 17:00 on the exchange's clock but for an hour from 17:00."""
    local = pl.DataFrame({"at": stamps.dt.convert_time_zone(EXCHANGE_ZONE)})
    hour, day = pl.col("at").dt.hour(), pl.col("at").dt.weekday()  # Monday is 1
    week = (hour != 17) & ((day < 5) | ((day == 5) & (hour < 17)) | ((day == 7) & (hour > 17)))
    holiday = pl.col("at").dt.strftime("%Y-%m-%d").is_in(EXCHANGE_HOLIDAYS)
    return local.select(week & ~holiday).to_series()


def later_columns(seed: int, regimes: Floats, common: Floats, jumps: Floats, crash: Floats) -> dict[str, Floats]:
    """Prices of the symbols with a stream of their own, whether their market is open or not."""
    columns: dict[str, Floats] = {}
    for number, (name, token) in enumerate(MORE_TOKENS.items()):
        own = np.random.default_rng((seed, 1, number)).standard_normal(STEPS)
        columns[name] = path(token, regimes, common, own, jumps, crash)
    calm, metals = np.ones(STEPS), np.random.default_rng((seed, 2)).standard_normal(STEPS)
    for number, (name, token) in enumerate(COMMODITIES.items()):
        own = np.random.default_rng((seed, 3, number)).standard_normal(STEPS)
        columns[name] = path(token, calm, metals, own, 0.0, crash)
    for number, (name, (spread, fall)) in enumerate(STABLES.items()):
        noise = reverting(np.random.default_rng((seed, 4, number)), spread, 288)
        columns[name] = np.round(1 + noise - fall * crash, 4)
    return columns


def prices(seed: int) -> pl.DataFrame:
    """Return columns timestamp (µs, UTC), symbol and price (USD), by symbol and time."""
    random = np.random.default_rng(seed)
    regimes, crash = volatility_regimes(random), crash_path()
    common = random.standard_normal(STEPS) * regimes
    jumps = (random.random(STEPS) < JUMPS_PER_DAY / STEPS_PER_DAY) * random.standard_normal(STEPS) * JUMP_SIZE
    columns: dict[str, Floats] = {}
    for name, token in TOKENS.items():
        columns[name] = path(token, regimes, common, random.standard_normal(STEPS), jumps, crash)
    years = np.arange(STEPS) / (365 * STEPS_PER_DAY)
    rate = 1.165 * np.exp(0.075 * years) * (1 + reverting(random, 4e-4, 36) - 0.004 * crash)
    columns["jitoSOL"] = np.round(columns["SOL"] * rate, 2)
    columns["USDC"] = np.round(1 + reverting(random, 1.5e-4, 288) - 0.003 * crash, 4)
    columns |= later_columns(seed, regimes, common, jumps, crash)
    times = START.timestamp() * 1e6 + np.arange(STEPS, dtype=np.int64) * STEP_S * 1_000_000
    stamps = pl.Series("timestamp", times.astype(np.int64)).cast(pl.Datetime("us", "UTC"))
    is_open = exchange_hours(stamps)
    frames = []
    for name in sorted(columns):
        frame = pl.DataFrame({"timestamp": stamps, "symbol": [name] * STEPS, "price": columns[name]})
        frames.append(frame.filter(is_open) if name in COMMODITIES else frame)
    return pl.concat(frames)


def main() -> None:
    """Write the file that `--out` names."""
    parser = argparse.ArgumentParser(description="Write the synthetic sample price history.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample" / "prices.parquet")
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    # One row group per symbol: each is sorted by time, and a reader skips the symbols it has no use for.
    made = prices(given.seed).partition_by("symbol", maintain_order=True)
    schema = made[0].to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    coding = {"use_dictionary": ["symbol", "price"], "column_encoding": {"timestamp": "DELTA_BINARY_PACKED"}}
    with pq.ParquetWriter(given.out, schema, compression="zstd", compression_level=19, **coding) as writer:
        for frame in made:
            writer.write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), row_group_size=STEPS)


if __name__ == "__main__":
    main()
