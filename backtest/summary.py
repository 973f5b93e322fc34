"""The headline figures of a run, as an LP reads them, from its samples and counts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_YEAR_US = 365 * 86_400_000_000


@dataclass(frozen=True)
class Summary:
    """Money in dollars, shares as fractions, APR simple and annualised with 365 days.

    fees_to_lps: what LPs kept of all fees, realised and accrued. fee_apr: that over average AUM, per year.
    trader_pnl: price PnL of traders before fees, open positions included; + traders win.
    trader_net: after the fees and funding they paid.
    """

    start_us: int
    end_us: int
    aum_start: float
    aum_end: float
    lp_price_start: float
    lp_price_end: float
    lp_return: float
    fees_total: float
    fees_to_lps: float
    fee_apr: float
    trader_pnl: float
    trader_net: float
    bad_debt: float
    utilisation: dict[str, tuple[float, float]]  # custody: (mean, highest)
    volume: float
    opened: int
    closed: int
    liquidated: int
    open_at_end: int
    rejected: int
    pending: int


def _floats(table: pa.Table, column: str) -> np.ndarray:
    return np.asarray(pc.cast(table[column], pa.float64()).to_numpy(), np.float64)


def _utilisation(pool: pa.Table) -> dict[str, tuple[float, float]]:
    names = pool["custody"].to_pylist()
    owned, locked = _floats(pool, "owned_units"), _floats(pool, "locked_units")
    used = np.divide(locked, owned, out=np.zeros_like(locked), where=owned > 0)
    found: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(names):
        mine = used[np.array([other == name for other in names])]
        found[str(name)] = (float(mine.mean()), float(mine.max()))
    return found


def summarise(path: Path, totals: dict[str, int]) -> Summary:
    """Figures of the run directory `path`; `totals` are the engine's counters (n_open, n_closed, ...)."""
    lp = pq.read_table(path / "lp.parquet")
    pool = pq.read_table(path / "pool.parquet", columns=["custody", "owned_units", "locked_units"])
    times = lp["timestamp"].cast(pa.int64()).to_numpy()
    aum, price = _floats(lp, "aum_usd"), _floats(lp, "lp_price_usd")
    exit_fee, borrow, lp_fee = (_floats(lp, name) for name in ("exit_fee_usd", "borrow_fee_usd", "lp_fee_usd"))
    fees = exit_fee + borrow + lp_fee
    kept = fees - _floats(lp, "to_others_usd") + _floats(lp, "funding_usd") + _floats(lp, "confiscated_usd")
    span = max(int(times[-1] - times[0]), 1)
    mean_aum = float(np.average(aum[:-1], weights=np.diff(times))) if len(aum) > 1 else float(aum[0])
    earned = float(kept[-1] - kept[0])
    paid_by_traders = float(exit_fee[-1] + borrow[-1] + _floats(lp, "funding_usd")[-1])
    trader_pnl = float(_floats(lp, "trader_pnl_usd")[-1])
    return Summary(
        start_us=int(times[0]),
        end_us=int(times[-1]),
        aum_start=float(aum[0]),
        aum_end=float(aum[-1]),
        lp_price_start=float(price[0]),
        lp_price_end=float(price[-1]),
        lp_return=float(price[-1] / price[0] - 1) if price[0] else 0.0,
        fees_total=float(fees[-1]),
        fees_to_lps=float(kept[-1]),
        fee_apr=earned / mean_aum * _YEAR_US / span if mean_aum else 0.0,
        trader_pnl=trader_pnl,
        trader_net=trader_pnl - paid_by_traders,
        bad_debt=float(_floats(lp, "bad_debt_usd")[-1]),
        utilisation=_utilisation(pool),
        volume=totals["volume_usd"] / 1e6,
        opened=totals["n_open"],
        closed=totals["n_closed"],
        liquidated=totals["n_liquidated"],
        open_at_end=totals["n_open"] - totals["n_closed"] - totals["n_liquidated"],
        rejected=totals["rejected"],
        pending=totals["pending"],
    )
