"""Runs side by side: what differs between their configurations, and what came of it.

All figures are rows of SQL over the runs (views `headlines`, `rejections`, `pool`), so a query finds the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from backtest import warehouse
from backtest.errors import PerpoolError, UsageError
from backtest.warehouse import Run

# Column of the view `headlines`: unit and meaning. In the order in which they are shown.
FIGURES: dict[str, tuple[str, str]] = {
    "open_fees_usd": ("USD", "fees on notional added"),
    "close_fees_usd": ("USD", "fees of voluntary exits, stops and take-profits"),
    "liquidation_fees_usd": ("USD", "exit fees of liquidations"),
    "borrow_fees_usd": ("USD", "borrow interest settled"),
    "lp_fees_usd": ("USD", "fees on liquidity, internal dollars and swaps"),
    "fees_usd": ("USD", "the five above: all fees settled"),
    "fees_of_lps_usd": ("USD", "of all fees, the LPs' part, in the pool or paid beside it"),
    "fees_of_protocol_usd": ("USD", "of all fees, the protocol's part"),
    "fees_of_referrers_usd": ("USD", "of all fees, the referrers' part"),
    "funding_usd": ("USD", "funding settled, to the LPs; + traders paid"),
    "confiscated_usd": ("USD", "margin that liquidated traders did not get back, fees apart"),
    "liquidators_usd": ("USD", "rewards of liquidators, out of the pool"),
    "bad_debt_usd": ("USD", "losses beyond margin and fees, borne by the LPs"),
    "accrued_usd": (
        "USD",
        "fees and funding owed by open positions at the end, as far as the pool's value counts them",
    ),
    "aum_start_usd": ("USD", "AUM at the first sample, right after the genesis"),
    "aum_end_usd": ("USD", "AUM at the last sample"),
    "lp_price_start_usd": ("USD per LP token", "LP price at the first sample"),
    "lp_price_end_usd": ("USD per LP token", "LP price at the last sample"),
    "lp_return": ("share", "change of the LP price, last sample over first"),
    "rewards_usd": ("USD", "fees paid to LPs beside the pool, so not in the LP price"),
    "lp_return_with_rewards": ("share", "the same with each reward, per LP token of its time, added to the last price"),
    "fee_apr": (
        "share per year",
        "LPs' part of fees, funding and confiscated margin, less liquidators' rewards, accrued "
        "and rewards included, over the time-weighted AUM; simple, 365 days",
    ),
    "trader_pnl_usd": ("USD", "price PnL settled, before fees; + traders win"),
    "trader_net_usd": ("USD", "the same after fees, funding and confiscated margin; bad debt is not theirs"),
    "trader_unrealised_usd": ("USD", "price PnL of open positions at the end, as the pool's value counts it"),
    "volume_usd": ("USD", "notional opened and closed"),
    "fees_per_volume_bps": ("bps", "open, close, liquidation and borrow fees per dollar of volume"),
    "positions_opened": ("count", "positions opened"),
    "liquidations": ("count", "positions liquidated"),
    "liquidated_usd": ("USD", "notional liquidated"),
}
_TABLES = ("mechanisms", "pool", "fees")
_ROWS = ("custody", "market")
_SCENARIO = (
    "execution_delay",
    "path",
    "max_staleness",
    "flow",
    "positions",
    "seed",
)


@dataclass(frozen=True)
class Difference:
    """One value of the configurations that is not the same in all runs; None where a run does not have it."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Figure:
    """One result in every run: Decimal dollars and prices, int counts, float shares; None where it is undefined."""

    name: str
    unit: str
    meaning: str
    values: tuple[Any, ...]

    @property
    def changes(self) -> tuple[Any, ...]:
        """Each run's value less the first run's; None where either is undefined."""
        first = self.values[0]
        return tuple(None if value is None or first is None else value - first for value in self.values)


@dataclass(frozen=True)
class Comparison:
    """`runs` by name; `values` of differences and figures are in their order. `warnings`: why they may not compare."""

    runs: tuple[str, ...]
    warnings: tuple[str, ...]
    differences: tuple[Difference, ...]
    figures: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        """The figure of that name; KeyError when there is none."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)


def compare(*paths: str | Path) -> Comparison:
    """Compare run directories with the first one. Runs of one order file compare best: where not, a warning says so.

    Raises UsageError for fewer than two runs, PerpoolError when one cannot be read.
    """
    if len(paths) < 2:
        raise UsageError("compare takes two or more run directories; the others are compared with the first")
    runs = warehouse.load_runs(paths)
    con = warehouse.open_run(*paths)
    try:
        figures = _figures(con, [run.name for run in runs])
    except duckdb.Error as error:
        listed = ", ".join(str(run.path) for run in runs)
        raise PerpoolError(f"cannot compare {listed}: {warehouse.one_line(error)}; run the backtest again") from error
    finally:
        con.close()
    return Comparison(tuple(run.name for run in runs), _warnings(runs), _differences(runs), figures)


# --- what came of it --------------------------------------------------------------------------------------------------


def _figures(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> tuple[Figure, ...]:
    found = con.sql("FROM headlines").to_arrow_table().to_pylist()
    by_run = {row["run"]: row for row in found}
    figures = [
        Figure(name, unit, meaning, tuple(by_run[run][name] if run in by_run else None for run in names))
        for name, (unit, meaning) in FIGURES.items()
    ]
    refused = con.sql("SELECT run, reason, count(*) AS n FROM rejections GROUP BY ALL ORDER BY ALL").fetchall()
    counts = {(run, reason): n for run, reason, n in refused}
    for reason in sorted({reason for _, reason, _ in refused}):
        values = tuple(counts.get((run, reason), 0) for run in names)
        figures.append(Figure(f"rejected.{reason}", "count", "orders refused for this reason", values))
    return (*figures, *_utilisation(con, names))


def _utilisation(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[Figure]:
    used = con.sql(
        "SELECT run, custody, avg(CAST(utilisation AS DECIMAL(18, 9))), max(utilisation) FROM pool GROUP BY ALL"
    ).fetchall()
    levels = {(run, custody): levels for run, custody, *levels in used}
    figures = []
    for custody in dict.fromkeys(custody for _, custody, *_ in sorted(used)):
        for place, word in enumerate(("mean", "max")):
            meaning = f"locked / owned, {word} over the samples"
            values = tuple(levels[run, custody][place] if (run, custody) in levels else None for run in names)
            figures.append(Figure(f"utilisation.{custody}.{word}", "share", meaning, values))
    return figures


# --- what differs -----------------------------------------------------------------------------------------------------


def _warnings(runs: Sequence[Run]) -> tuple[str, ...]:
    """Why differences of the results may come from something else than the venues."""
    said = []
    for role, what in (("orders", "orders"), ("prices", "prices")):
        if len({_inputs(run.manifest, role) for run in runs}) > 1:
            said.append(f"the runs were made from different {what}, so their results differ for that reason too")
    if len({_span(run.manifest) for run in runs}) > 1:
        said.append("the runs cover different spans of time, so sums of dollars do not compare")
    return tuple(said)


def _inputs(manifest: Mapping[str, Any], role: str) -> str:
    """Fingerprint of all input files of a role, in order: the first 12 digits of each file's sha256."""
    entries = (entry for entry in manifest.get("inputs", ()) if entry.get("role") == role)
    return ", ".join(str(entry["sha256"])[:12] for entry in entries)


def _span(manifest: Mapping[str, Any]) -> str:
    span = manifest.get("span") or {}
    return f"{span.get('start')} to {span.get('end')}, {span.get('ticks')} ticks"


def _differences(runs: Sequence[Run]) -> tuple[Difference, ...]:
    """Every value that is not the same in all configurations: venue, inputs and span first, then parameters by path."""
    shared = {table: _listed_by_all(runs, table) for table in _ROWS}
    told = [_configuration(run.manifest, shared) for run in runs]
    paths = sorted(dict.fromkeys(path for values in told for path in values), key=_place)
    rows = (Difference(path, tuple(values.get(path) for values in told)) for path in paths)
    return tuple(row for row in rows if any(value != row.values[0] for value in row.values))


def _listed_by_all(runs: Sequence[Run], table: str) -> set[str]:
    """Symbols of the custodies or markets that every run has."""
    rows = [{row["symbol"] for row in (run.manifest.get("protocol") or {}).get(table) or ()} for run in runs]
    return set.intersection(*rows)


def _place(path: str) -> int:
    """Where a path is shown: what a run is about, then the tables of a protocol, then what happens during the run."""
    heads = ("venue", "span", "sample_interval_us", "prices", "orders", "scenario", *_TABLES, *_ROWS, "symbols")
    head = path.split(".")[0]
    return heads.index(head) if head in heads else len(heads)


def _configuration(manifest: Mapping[str, Any], shared: Mapping[str, set[str]]) -> dict[str, Any]:
    """What a run was made of, as flat as it can be said: dotted paths as in `perpool protocols show`.

    Of a custody or market that only some runs have, that it is there is all that is said.
    """
    protocol, scenario = manifest.get("protocol") or {}, manifest.get("scenario") or {}
    found: dict[str, Any] = {"venue": protocol.get("name")}
    found |= {"span": _span(manifest), "sample_interval_us": manifest.get("sample_interval_us")}
    found |= {role: _inputs(manifest, role) or None for role in ("prices", "orders")}
    found |= {f"scenario.{key}": scenario.get(key) for key in _SCENARIO}
    found |= {f"scenario.liquidity.{name}": usd for name, usd in (scenario.get("liquidity") or {}).items()}
    found |= {f"symbols.{symbol}": source for symbol, source in (manifest.get("symbols") or {}).items()}
    for table in _TABLES:
        found |= {f"{table}.{key}": value for key, value in (protocol.get(table) or {}).items()}
    for table in _ROWS:
        for row in protocol.get(table) or ():
            path = f"{table}.{row['symbol']}"
            if row["symbol"] in shared[table]:
                found |= {f"{path}.{key}": value for key, value in row.items() if key != "symbol"}
            else:
                found[path] = "listed"
    for change in manifest.get("changes") or ():
        for value in change.get("values", ()):
            found[f"{change['time']} {value['path']}"] = value["after"]
    return found
