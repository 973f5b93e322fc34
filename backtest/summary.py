"""The headline figures of a run, as an LP reads them, from its samples and counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backtest.rundir import load_manifest, rules_of

_YEAR_US = 365 * 86_400_000_000


@dataclass(frozen=True)
class Summary:
    """Money in dollars, shares as fractions, APR simple and annualised with 365 days.

    fees_to_lps: what LPs kept of all fees and funding, realised and accrued, after what liquidators were paid; rewards
    that they get beside the pool are part of it.
    fee_apr: that over average AUM, per year.
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
    lp_return_with_rewards: float
    fees_total: float
    fees_to_lps: float
    rewards: float
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
    return np.asarray(pc.cast(table[column], pa.float64(), safe=False).to_numpy(), np.float64)


def _utilisation(pool: pa.Table) -> dict[str, tuple[float, float]]:
    names = pool["custody"].to_pylist()
    owned, locked = _floats(pool, "owned_units"), _floats(pool, "locked_units")
    used = np.divide(locked, owned, out=np.zeros_like(locked), where=owned > 0)
    found: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(names):
        mine = used[np.array([other == name for other in names])]
        found[str(name)] = (float(mine.mean()), float(mine.max()))
    return found


def _rewards(path: Path) -> tuple[float, float]:
    """Fees paid to LPs beside the pool, and the same per LP token of their time; 0 where a venue has no such thing."""
    rules = rules_of(load_manifest(path))
    if all((rule.get("mechanisms") or {}).get("fee_booking") != "reserve" for rule in rules):
        return 0.0, 0.0
    from backtest import warehouse  # most runs do without a database

    con = warehouse.open_run(path)
    try:
        found = con.sql(
            "SELECT coalesce(sum(reward_usd), 0), coalesce(sum(reward_per_token), 0) FROM rewards"
        ).fetchall()
    finally:
        con.close()
    return float(found[0][0]), float(found[0][1])


def summarise(path: Path, totals: dict[str, int]) -> Summary:
    """Figures of the run directory `path`; `totals` are the engine's counters (n_open, n_closed, ...)."""
    lp = pq.read_table(path / "lp.parquet")
    pool = pq.read_table(path / "pool.parquet", columns=["custody", "owned_units", "locked_units"])
    times = lp["timestamp"].cast(pa.int64()).to_numpy()
    aum, price = _floats(lp, "aum_usd"), _floats(lp, "lp_price_usd")
    trading = _floats(lp, "open_fee_usd") + _floats(lp, "exit_fee_usd") + _floats(lp, "borrow_fee_usd")
    fees, funding = trading + _floats(lp, "lp_fee_usd"), _floats(lp, "funding_usd")
    kept = (
        fees - _floats(lp, "to_others_usd") + funding + _floats(lp, "confiscated_usd") - _floats(lp, "liquidator_usd")
    )
    span = max(int(times[-1] - times[0]), 1)
    mean_aum = float(np.average(aum[:-1], weights=np.diff(times))) if len(aum) > 1 else float(aum[0])
    rewards, per_token = _rewards(path)
    earned = float(kept[-1] - kept[0]) + rewards
    paid_by_traders = float(trading[-1] + funding[-1])
    trader_pnl = float(_floats(lp, "trader_pnl_usd")[-1])
    return Summary(
        start_us=int(times[0]),
        end_us=int(times[-1]),
        aum_start=float(aum[0]),
        aum_end=float(aum[-1]),
        lp_price_start=float(price[0]),
        lp_price_end=float(price[-1]),
        lp_return=float(price[-1] / price[0] - 1) if price[0] else 0.0,
        lp_return_with_rewards=float((price[-1] + per_token) / price[0] - 1) if price[0] else 0.0,
        fees_total=float(fees[-1]),
        fees_to_lps=float(kept[-1]) + rewards,
        rewards=rewards,
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


def _money(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}"


def _percent(value: float) -> str:
    return f"{value:+.2%}"


def _reward_rows(summary: Summary) -> list[tuple[str, str, str]]:
    if not summary.rewards:
        return []
    note = f"{_percent(summary.lp_return_with_rewards)} with the LP price"
    return [("Rewards to LPs", _money(summary.rewards), f"fees paid beside the pool; {note}")]


def lines(summary: Summary, manifest: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value, note) of every headline figure, for a terminal."""
    counts, timings = manifest["counts"], manifest["timings"]
    seconds = max(timings["replay_s"], 1e-9)
    rows = [
        ("AUM", _money(summary.aum_end), f"from {_money(summary.aum_start)}"),
        (
            "LP price",
            f"${summary.lp_price_end:.6f}",
            f"{_percent(summary.lp_return)} from ${summary.lp_price_start:.6f}",
        ),
        *_reward_rows(summary),
        ("APR from fees", f"{summary.fee_apr:.2%}", f"LPs kept {_money(summary.fees_to_lps)} of all fees and funding"),
        ("Fees", _money(summary.fees_total), "all beneficiaries, accrued included"),
        ("Trader PnL", _money(summary.trader_pnl), f"{_money(summary.trader_net)} after fees; + traders win"),
        ("Volume", _money(summary.volume), "opened and closed"),
        ("Positions", f"{summary.opened:,}", f"{summary.closed:,} closed, {summary.open_at_end:,} still open"),
        ("Liquidations", f"{summary.liquidated:,}", f"bad debt {_money(summary.bad_debt)}"),
        ("Orders refused", f"{summary.rejected:,}", f"of {counts['orders_total']:,}; {summary.pending:,} pending"),
    ]
    for custody, (mean, highest) in summary.utilisation.items():
        rows.append((f"Utilisation {custody}", f"{mean:.1%}", f"highest {highest:.1%}"))
    changes = manifest.get("changes") or []
    if changes:
        rows.append(
            ("Rules", f"{len(changes):,} changes", f"from {changes[0]['time'][:10]} to {changes[-1]['time'][:10]}")
        )
    per_second = counts["events"] / seconds
    rows.append(("Throughput", f"{per_second:,.0f} events/s", f"{counts['ticks']:,} ticks in {seconds:.2f} s"))
    return rows
