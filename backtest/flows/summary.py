"""What is in an order file, in one page: counts, volume, when and what was traded, the spread of sizes and times."""

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from backtest.order_schema import BY_NAME
from backtest.orders import check_columns, open_parquet, order_files
from backtest.price_files import iso

_OPENS = ("open", "limit_open")
_SIZED = (*_OPENS, "increase")
_SATURDAY = 6  # ISO weekday
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
    """Figures of a flow. Shares are of opens, None where there are none; what is left out is counted beside.

    days: from the first order to the last
    closed, unclosed: opens that a `close` of the same position_id follows, or not; liquidations come with a run
    busiest_hour: hour of the day in which most opens fall, UTC; weekend_share: opens on Saturdays and Sundays, UTC
    top_1pct_share, top_10pct_share: of the volume opened, what the largest 1 % and 10 % of opens make up
    volume_usd: of opens and increases, without the `unsized` whose margin is in tokens
    markets: per market its orders and volume with increases; its opens, and shares of opens, volume and longs
    spread: per quantity (leverage [x], size_usd, collateral_usd, holding_hours) its QUANTILES, mean and max
    """

    files: list[str]
    orders: int
    first: str
    last: str
    days: float
    actions: dict[str, int]
    opens: int
    opens_per_day: float | None
    closed: int
    unclosed: int
    long_share: float | None
    stop_loss_share: float | None
    take_profit_share: float | None
    busiest_hour: int | None
    busiest_hour_share: float | None
    weekend_share: float | None
    volume_usd: float
    volume_per_day_usd: float | None
    unsized: int
    top_1pct_share: float | None
    top_10pct_share: float | None
    markets: dict[str, dict[str, float | None]]
    spread: dict[str, dict[str, float]]


def describe(paths: str | Path | list[str]) -> FlowSummary:
    """Summarise the files of one flow. Types and columns are checked; values are not (a run does that, row by row)."""
    files = order_files(paths)
    for path in files:
        with open_parquet(path) as parquet:
            check_columns(path, parquet.schema_arrow)
    orders = pl.concat([_scan(path) for path in files]).collect(engine="streaming")
    sized = orders.filter(pl.col("action").is_in(_SIZED)).with_columns(
        size=pl.coalesce("size_usd", pl.col("leverage") * pl.col("collateral_usd")),
        times=pl.coalesce("leverage", pl.col("size_usd") / pl.col("collateral_usd")),
    )
    opens = sized.filter(pl.col("action").is_in(_OPENS))
    held = _holding_hours(orders)
    first, last = orders["timestamp"].min(), orders["timestamp"].max()
    days = (
        (last - first).total_seconds() / 86_400 if isinstance(first, datetime) and isinstance(last, datetime) else 0.0
    )
    volume = float(sized["size"].sum())
    hours = opens["timestamp"].dt.hour().value_counts().sort("count", "timestamp", descending=[True, False])
    counts = orders["action"].value_counts().sort("count", "action", descending=[True, False]).iter_rows()
    return FlowSummary(
        files=[str(path) for path in files],
        orders=orders.height,
        first=_moment(first),
        last=_moment(last),
        days=days,
        actions={str(name): int(count) for name, count in counts},
        opens=opens.height,
        opens_per_day=opens.height / days if days else None,
        closed=len(held),
        unclosed=opens.height - len(held),
        long_share=_share(opens["side"] == "long"),
        stop_loss_share=_share(opens["stop_loss"].is_not_null()),
        take_profit_share=_share(opens["take_profit"].is_not_null()),
        busiest_hour=hours["timestamp"][0] if hours.height else None,
        busiest_hour_share=hours["count"][0] / opens.height if hours.height else None,
        weekend_share=_share(opens["timestamp"].dt.weekday() >= _SATURDAY),
        volume_usd=volume,
        volume_per_day_usd=volume / days if days else None,
        unsized=sized["size"].null_count(),
        top_1pct_share=_top_share(opens["size"], 0.01),
        top_10pct_share=_top_share(opens["size"], 0.1),
        markets=_markets(sized, opens.height, volume),
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


def _markets(sized: pl.DataFrame, opens: int, volume: float) -> dict[str, dict[str, float | None]]:
    """By volume, the largest first; orders that name no market (increases may) are in none."""
    opened = pl.col("action").is_in(_OPENS)
    rows = (
        sized.filter(pl.col("market").is_not_null())
        .group_by("market")
        .agg(
            pl.len().alias("orders"),
            pl.col("size").sum().alias("volume_usd"),
            opened.sum().alias("opens"),
            (opened & (pl.col("side") == "long")).sum().alias("longs"),
        )
        .sort("volume_usd", "market", descending=[True, False])
    )
    return {
        row["market"]: {
            "orders": row["orders"],
            "volume_usd": row["volume_usd"],
            "opens": row["opens"],
            "opens_share": row["opens"] / opens if opens else None,
            "volume_share": row["volume_usd"] / volume if volume else None,
            "long_share": row["longs"] / row["opens"] if row["opens"] else None,
        }
        for row in rows.to_dicts()
    }


def _top_share(sizes: pl.Series, share: float) -> float | None:
    """Part of the sum that the largest `share` of the sizes make up, at least one of them."""
    sizes = sizes.drop_nulls()
    total = float(sizes.sum())
    return float(sizes.top_k(math.ceil(share * len(sizes))).sum()) / total if total else None


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
