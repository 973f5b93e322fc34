"""What is in an order file, in one page: counts, volume, and how sizes, leverage and holding times are spread."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from backtest.order_schema import BY_NAME
from backtest.orders import check_columns, open_parquet, order_files
from backtest.price_files import iso

_OPENS = ("open", "limit_open")
_SIZED = (*_OPENS, "increase")
_POLARS: dict[str, pl.DataType] = {
    "time": pl.Datetime("us", "UTC"),
    "id": pl.Int64(),
    "text": pl.String(),
    "number": pl.Float64(),
    "flag": pl.Boolean(),
}
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True)
class FlowSummary:
    """Figures of an order file. `volume_usd` and sizes leave out the `unsized` orders whose margin is in tokens.

    `spread`: per quantity (leverage [x], size_usd, collateral_usd, holding_hours) its QUANTILES, mean and max.
    `closed`: opens that a `close` of the same position_id follows; liquidations are not known before a run.
    """

    files: list[str]
    orders: int
    first: str
    last: str
    actions: dict[str, int]
    opens: int
    closed: int
    long_share: float | None
    stop_loss_share: float | None
    take_profit_share: float | None
    volume_usd: float
    unsized: int
    markets: dict[str, dict[str, float]]
    spread: dict[str, dict[str, float]]


def describe(paths: str | Path | list[str]) -> FlowSummary:
    """Summarise order files. Types and columns are checked; values are not (a run does that, row by row)."""
    files = order_files(paths)
    for path in files:
        with open_parquet(path) as parquet:
            check_columns(path, parquet.schema_arrow)
    orders = pl.concat([_scan(path) for path in files]).collect(engine="streaming")
    opens = orders.filter(pl.col("action").is_in(_OPENS))
    sized = orders.filter(pl.col("action").is_in(_SIZED)).with_columns(
        size=pl.coalesce("size_usd", pl.col("leverage") * pl.col("collateral_usd")),
        times=pl.coalesce("leverage", pl.col("size_usd") / pl.col("collateral_usd")),
    )
    held = _holding_hours(orders)
    counts = orders["action"].value_counts(sort=True).iter_rows()
    return FlowSummary(
        files=[str(path) for path in files],
        orders=orders.height,
        first=_moment(orders["timestamp"].min()),
        last=_moment(orders["timestamp"].max()),
        actions={str(name): int(count) for name, count in counts},
        opens=opens.height,
        closed=len(held),
        long_share=_share(opens["side"] == "long"),
        stop_loss_share=_share(opens["stop_loss"].is_not_null()),
        take_profit_share=_share(opens["take_profit"].is_not_null()),
        volume_usd=float(sized["size"].sum()),
        unsized=sized["size"].null_count(),
        markets=_markets(sized),
        spread={
            "leverage": _spread(sized["times"]),
            "size_usd": _spread(sized["size"]),
            "collateral_usd": _spread(sized["collateral_usd"]),
            "holding_hours": _spread(held),
        },
    )


def _scan(path: Path) -> pl.LazyFrame:
    """The file's rows with every column of the summary, null where the file lacks it."""
    frame = pl.scan_parquet(path, glob=False)
    given = frame.collect_schema().names()
    wanted = (
        *("timestamp", "order_id", "action", "position_id", "market", "side"),
        *("size_usd", "leverage", "collateral_usd", "stop_loss", "take_profit"),
    )
    columns = []
    for name in wanted:
        kind = _POLARS[BY_NAME[name].kind]
        columns.append(pl.col(name).cast(kind) if name in given else pl.lit(None, kind).alias(name))
    return frame.select(columns)


def _holding_hours(orders: pl.DataFrame) -> pl.Series:
    """Hours from each open to the close that follows it under the same position_id."""
    ends = orders.filter(pl.col("action").is_in([*_OPENS, "close"])).sort("position_id", "timestamp", "order_id")
    pairs = (
        (pl.col("action") == "close")
        & (pl.col("position_id") == pl.col("position_id").shift(1))
        & pl.col("action").shift(1).is_in(_OPENS)
    )
    hours = (pl.col("timestamp") - pl.col("timestamp").shift(1)).dt.total_microseconds() / 3_600_000_000
    return ends.select(pl.when(pairs).then(hours).alias("hours"))["hours"].drop_nulls()


def _markets(sized: pl.DataFrame) -> dict[str, dict[str, float]]:
    named = sized.filter(pl.col("market").is_not_null()).group_by("market")
    rows = named.agg(pl.len().alias("orders"), pl.col("size").sum()).sort("size", "market", descending=[True, False])
    return {row["market"]: {"orders": row["orders"], "volume_usd": row["size"]} for row in rows.to_dicts()}


def _share(flags: pl.Series) -> float | None:
    return float(flags.sum()) / len(flags) if len(flags) else None


def _spread(values: pl.Series) -> dict[str, float]:
    values = values.drop_nulls()
    if values.is_empty():
        return {}
    numbers: dict[str, Any] = {name: values.quantile(at, "linear") for name, at in QUANTILES.items()}
    return {name: float(number) for name, number in (numbers | {"mean": values.mean(), "max": values.max()}).items()}


def _moment(value: Any) -> str:
    return iso(round(value.timestamp() * 1e6)) if value is not None else ""
