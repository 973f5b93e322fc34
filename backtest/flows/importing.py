"""A history of positions, one row each, as orders: opens, and closes for what the traders ended themselves.

What was liquidated or ended by a trigger whose price is known gets no close order: the engine ends it by its own rules.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

from backtest import __version__
from backtest.errors import PerpoolError
from backtest.flows.generate import write_orders
from backtest.flows.history_checks import check, faults
from backtest.flows.history_columns import Source, recognise
from backtest.flows.history_files import ROW, History, history_files, read_history
from backtest.flows.history_rows import AT_ITS_TIME, FILE, derived, is_naive, parsed
from backtest.history.store import PROVENANCE
from backtest.protocols import load_protocol


@dataclass(frozen=True)
class Options:
    """How to read a history.

    mapping: source of a field where it is not recognised, None to leave the field out
    market_map: names of the file to names of the venue
    protocol: refuse markets that it does not have; empty: any
    leverage: taken for rows with neither collateral nor leverage [x]
    as_closes: every position ends by a close at its time, and no triggers are placed
    skip_bad: leave out and count rows that cannot be orders, instead of refusing the first
    """

    mapping: Mapping[str, Source | None]
    market_map: Mapping[str, str]
    protocol: str = ""
    leverage: float | None = None
    as_closes: bool = False
    skip_bad: bool = False


@dataclass(frozen=True)
class Imported:
    """What an import did.

    endings: rows of how positions ended, what becomes of them, and how many
    skipped: rows left out, by reason
    columns: per file, the column of each field as `--map` writes it
    notes: what was assumed
    """

    out: str
    positions: int
    orders: int
    endings: list[dict[str, str | int]]
    skipped: dict[str, int]
    columns: dict[str, dict[str, str]]
    notes: list[str]


def import_history(paths: Sequence[str | Path], out: str | Path, options: Options) -> Imported:
    """Write the orders of the positions in `paths` to `out`, which is either whole or untouched.

    Raises `UsageError` for columns that cannot be told apart, `PerpoolError` naming file, row, column and value.
    """
    protocol = load_protocol(options.protocol) if options.protocol else None
    markets = [market.symbol for market in protocol.market] if protocol else []
    histories = [read_history(path) for path in history_files(paths)]
    constants = () if options.leverage is None else ("leverage",)
    sources = [recognise(item.path, item.columns, options.mapping, constants) for item in histories]
    pairs = list(zip(histories, sources, strict=True))
    frame = pl.concat([parsed(history, found, number) for number, (history, found) in enumerate(pairs)])
    frame = derived(frame, options.market_map, options.leverage, as_closes=options.as_closes)
    rows = frame.height
    frame, skipped = check(frame, faults(markets, options.protocol), histories, sources, skip_bad=options.skip_bad)
    if frame.is_empty():
        raise PerpoolError(f"{histories[0].path}: none of {rows:,} rows can be an order ({_counted(skipped)}); without "
                           "--skip-bad the first is explained")  # fmt: skip
    frame, numbered = _numbered(frame.sort("open_time", FILE, ROW))
    orders = _orders(frame, as_closes=options.as_closes)
    columns = {str(history.path): {name: source.text for name, source in found.items()} for history, found in pairs}
    provenance = _provenance(histories, columns, options, rows, skipped)
    write_orders(orders.replace_schema_metadata({PROVENANCE: json.dumps(provenance)}), out)
    counts = frame.group_by("ending", "fate").len("positions").sort("positions", "ending", descending=[True, False])
    notes = _notes(pairs, frame, options.leverage, numbered=numbered)
    return Imported(str(out), frame.height, orders.num_rows, counts.to_dicts(), skipped, columns, notes)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def _notes(
    pairs: Sequence[tuple[History, Mapping[str, Source]]],
    frame: pl.DataFrame,
    leverage: float | None,
    *,
    numbered: bool,
) -> list[str]:
    """What was assumed, for people to read."""
    notes = []
    if any(is_naive(history, found) for history, found in pairs):
        notes.append("Times without a zone are read as UTC.")
    endless = [str(history.path) for history, found in pairs if "close_time" not in found]
    if endless:
        notes.append(f"No close_time in {', '.join(endless)}: what the engine does not end there stays open.")
    taken = int((~frame["given_leverage"] & ~frame["given_collateral"]).sum())
    if taken:
        notes.append(f"{leverage:g}x is taken for {taken:,} of {frame.height:,} positions, which have no collateral.")
    if numbered:
        notes.append("Position ids are not all integers: positions are numbered by their opening time.")
    return notes


def _numbered(frame: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """With `id`: the position ids where all are integers, else the place by opening time; and if ids are lost."""
    given = frame["position_id"]
    own = given.cast(pl.Int64, strict=False)
    if not own.null_count() and bool((own >= 0).all()) and not own.is_duplicated().any():
        return frame.with_columns(own.alias("id")), False
    return frame.with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias("id")), given.null_count() < given.len()


# --- orders -----------------------------------------------------------------------------------------------------------


def _orders(frame: pl.DataFrame, *, as_closes: bool) -> pa.Table:
    """Opens and closes sorted by (timestamp, order_id), the columns of an order file."""
    opens = frame.select(
        pl.col("open_time").alias("timestamp"),
        pl.lit(0).alias("rank"),
        pl.lit("open").alias("action"),
        pl.col("id").alias("position_id"),
        "market",
        "side",
        *((pl.col(name) * 1e6).round().cast(pl.Int64).alias(name) for name in ("size_usd", "collateral_usd")),
        *(() if as_closes else ("stop_loss", "take_profit")),
    )
    closes = frame.filter(pl.col("fate") == AT_ITS_TIME).select(
        pl.col("close_time").alias("timestamp"),
        pl.lit(1).alias("rank"),
        pl.lit("close").alias("action"),
        pl.col("id").alias("position_id"),
    )
    orders = pl.concat([opens, closes], how="diagonal").sort("timestamp", "rank", "position_id")
    columns: dict[str, Any] = {
        "timestamp": orders["timestamp"].to_arrow(),
        "order_id": pa.array(np.arange(orders.height)),
        "action": orders["action"].to_arrow().cast(pa.string()).dictionary_encode(),
        "position_id": orders["position_id"].to_arrow(),
        "market": orders["market"].to_arrow().cast(pa.string()).dictionary_encode(),
        "side": orders["side"].to_arrow().cast(pa.string()).dictionary_encode(),
    }
    for name in ("size_usd", "collateral_usd"):
        columns[name] = orders[name].to_arrow().view(pa.decimal64(18, 6))
    for name in ("stop_loss", "take_profit"):
        if name in orders.columns and orders[name].null_count() < orders.height:
            columns[name] = orders[name].to_arrow()
    return pa.table(columns)


def _provenance(
    histories: Sequence[History],
    columns: Mapping[str, Mapping[str, str]],
    options: Options,
    rows: int,
    skipped: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Where the orders are from, as the file's metadata says it: a list with one entry."""
    files = [
        {"path": item.path.name, "sha256": item.sha256, "rows": item.rows.height, "columns": columns[str(item.path)]}
        for item in histories
    ]
    chosen = {"market_map": dict(options.market_map), "leverage": options.leverage, "as_closes": options.as_closes}
    return [
        {"step": "flow import", "perpool": __version__, "files": files, "rows": rows, "skipped": dict(skipped)} | chosen
    ]
