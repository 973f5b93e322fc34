"""What may be done to rows that a run would refuse: rows are dropped or moved, and no price is ever changed."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import polars as pl

from backtest.errors import UsageError
from backtest.history.store import SCHEMA
from backtest.price_files import CANDLES, LONG

REPAIRS = {
    "drop-zero": "drop rows whose price (of a candle: all four) or whose time is 0, such as oracle rounds that never "
    "completed",
    "drop-incomplete": "drop rows in which the time, a price or the confidence is missing (null, NaN or blank)",
    "keep-last": "of rows with the same timestamp keep the last one in the order of the file",
    "sort": "put rows in the order of time",
}
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # the update time of an oracle round that did not complete


def check_repairs(names: Iterable[str]) -> tuple[str, ...]:
    """The repairs among `names` in the order in which they are applied; UsageError for a name that is none."""
    given = set(names)
    for name in sorted(given - REPAIRS.keys()):
        raise UsageError(f"repair {name!r} is unknown; the repairs are {', '.join(REPAIRS)}")
    return tuple(name for name in REPAIRS if name in given)


def apply(frame: pl.DataFrame, repairs: Collection[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Repair the rows of one symbol, given in file order; return the rest and how many rows each repair touched.

    frame: `timestamp` and the columns of one shape, named as in `store.SCHEMA`, without `symbol`
    repairs: names of REPAIRS; whatever their order, rows are dropped before they are compared, and sorted last
    """
    counts: dict[str, int] = {}
    for name in check_repairs(repairs):
        if name == "sort":
            counts[name] = out_of_order(frame["timestamp"])
            frame = frame.sort("timestamp", maintain_order=True) if counts[name] else frame
        else:
            kept = frame.filter(_KEEP[name](frame.columns))
            counts[name], frame = len(frame) - len(kept), kept
    return frame, counts


def out_of_order(times: pl.Series) -> int:
    """How many rows are earlier than some row before them."""
    return int((times < times.cum_max()).sum())


def _not_zero(columns: list[str]) -> pl.Expr:
    prices = [pl.col(name) == 0 for name in (*CANDLES, *LONG) if name in columns]
    zero = pl.all_horizontal(prices) | (pl.col("timestamp") == NEVER)
    return ~zero.fill_null(False)


def _complete(columns: list[str]) -> pl.Expr:
    """A run needs time, prices and confidence; min, max and ema may be unknown (null), but not NaN."""
    numbers = [name for name in columns if name in SCHEMA and name not in ("timestamp", "symbol", "volume")]
    needed = [name for name in numbers if name not in ("min", "max", "ema")]
    there = [pl.col(name).is_not_null() for name in ("timestamp", *needed)]
    return pl.all_horizontal(*there, *[pl.col(name).is_not_nan().fill_null(True) for name in numbers])


def _last_of_its_time(columns: list[str]) -> pl.Expr:
    """Rows without a time are not of the same time."""
    return pl.col("timestamp").is_null() | pl.col("timestamp").is_last_distinct()


_KEEP = {"drop-zero": _not_zero, "drop-incomplete": _complete, "keep-last": _last_of_its_time}
