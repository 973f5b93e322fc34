"""Rows of a position history that cannot be orders: what is wrong with each, said once, first fault first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from backtest.errors import PerpoolError
from backtest.flows.history_columns import NUMBERS, Source
from backtest.flows.history_files import ROW, History
from backtest.flows.history_rows import AT_ITS_TIME, FILE
from backtest.flows.history_values import CODE
from backtest.order_convert import LARGEST
from backtest.price_checks import LATEST_S
from backtest.price_files import iso

MOST_USD = LARGEST / 1e6
_LEAST_USD = 0.5e-6
# Venues take fees into the leverage that they report, so it may miss size / collateral by 1 % and 0.2 % of the size.
_SLACK_OF_COLLATERAL, _SLACK_OF_SIZE = 0.01, 0.002
_SYMBOL = r"^[A-Za-z0-9][A-Za-z0-9._/:+-]*$"
_OTHER_NAMES = {"size": "quantity", "quantity": "size"}


class Fault(NamedTuple):
    """`bad`: rows at fault; `problem`: said of the value of `field`, with the row's values in braces."""

    reason: str
    field: str
    bad: pl.Expr
    problem: str


def faults(markets: Sequence[str], protocol: str) -> list[Fault]:
    """Every check, in the order in which a row is said to be wrong. `markets`: those of `protocol`, empty: any name."""
    known = ", ".join(markets)
    unknown = ~pl.col("market").is_in(list(markets)) if markets else ~pl.col("market").str.contains(_SYMBOL)
    say = f"is not a market of {protocol} ({known}); " if markets else "is no name of a market, such as SOL; "
    begin, end = pl.col("open_time"), pl.col("close_time")
    size, collateral, leverage = pl.col("size_usd"), pl.col("collateral_usd"), pl.col("leverage")
    slack = _SLACK_OF_COLLATERAL * collateral + _SLACK_OF_SIZE * size
    three = "(size {size_usd:,.2f} USD, collateral {collateral_usd:,.2f} USD, leverage {leverage:g}x)"
    return [
        Fault("no opening time", "open_time", ~_given("open_time"), "is no time; every position needs its opening"),
        *(_unreadable_time(field) for field in ("open_time", "close_time")),
        Fault("closed before it was opened", "close_time", end < begin, "is before its opening at {open_time}"),
        Fault("no market", "market", ~_given("market"), "is no market; name what was traded"),
        Fault("unknown market", "market", unknown, say + "rename it with --market-map {market}=NAME"),
        Fault("unknown side", "side", pl.col("side").is_null(), "is no side; expected long, short, buy or sell"),
        *(fault for field in NUMBERS for fault in _number(field)),
        Fault(
            "size, collateral and leverage not known",
            "size",
            size.is_null() | collateral.is_null(),
            "does not say enough: an order needs two of size, collateral and leverage; correct the row, or give "
            "--leverage where the venue keeps none",
        ),
        Fault(
            "size, collateral and leverage disagree",
            "size",
            leverage.is_not_null() & ((collateral - size / leverage).abs() > slack),
            f"is not collateral x leverage {three}; a size in tokens needs --map quantity=COLUMN, and --map leverage= "
            "leaves the leverage out",
        ),
        *(_range(field, column) for field, column in (("size", size), ("collateral", collateral))),
        Fault(
            "exit reason is a code",
            "exit_reason",
            pl.col("ending") == CODE,
            "is a code; write the word that it stands for (close, liquidated, ...), or leave the column out with --map "
            "exit_reason=",
        ),
        Fault(
            "closed without a time",
            "close_time",
            (pl.col("fate") == AT_ITS_TIME) & end.is_null(),
            "is no time, but the position has ended ({ending}); fill it in, or leave the exit reasons out with --map "
            "exit_reason=",
        ),
        Fault(
            "position id used twice",
            "position_id",
            _given("position_id") & ~pl.col("position_id").is_first_distinct(),
            "was used by an earlier row; a history has one row per position. If the column is something else, leave "
            "it out with --map position_id=",
        ),
    ]


def _given(field: str) -> pl.Expr:
    return pl.col(f"given_{field}")


def _unreadable_time(field: str) -> Fault:
    time = pl.col(field)
    beyond = ~time.dt.epoch("s").is_between(0, LATEST_S - 1)
    return Fault(
        "unreadable time",
        field,
        _given(field) & (time.is_null() | beyond),
        "is no time between 1970 and 2200; write 2025-01-31T12:00:00Z, or numbers since 1970 in one unit per column",
    )


def _number(field: str) -> tuple[Fault, Fault]:
    value = pl.col(field)
    low = value == 0.0 if field == "quantity" else value <= 0.0  # venues sign it by the side, which has its own column
    return (
        Fault(f"unreadable {field}", field, _given(field) & value.is_null(), "is no number; write 1234.5 or $1,234.50"),
        Fault(f"{field} not positive", field, low, "must be positive"),
    )


def _range(field: str, column: pl.Expr) -> Fault:
    return Fault(
        f"{field} out of range",
        field,
        (column > MOST_USD) | (column < _LEAST_USD),
        f"makes a {field} of {{{field}_usd:g}} USD, and the books hold 0.000001 to {MOST_USD:,.0f}; is it in another "
        f"unit? --map {field}=COLUMN/1e6 divides it",
    )


def check(
    frame: pl.DataFrame,
    checks: Sequence[Fault],
    histories: Sequence[History],
    sources: Sequence[Mapping[str, Source]],
    *,
    skip_bad: bool,
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows without a fault, and how many were left out for which reason.

    Raises PerpoolError for the first row at fault unless `skip_bad`.
    """
    first = pl.coalesce(pl.when(fault.bad).then(pl.lit(number)) for number, fault in enumerate(checks))
    found = frame.select(first.alias("fault"))["fault"]
    bad = found.is_not_null()
    if bad.any() and not skip_bad:
        at = int(bad.arg_max() or 0)
        row = frame.row(at, named=True)
        raise _error(checks[int(found[at])], row, histories[row[FILE]], sources[row[FILE]])
    counts: dict[str, int] = {}
    for number, count in found.drop_nulls().value_counts().sort("count", "fault", descending=[True, False]).iter_rows():
        reason = checks[int(number)].reason
        counts[reason] = counts.get(reason, 0) + int(count)
    return frame.filter(~bad), counts


def _error(fault: Fault, row: Mapping[str, Any], history: History, sources: Mapping[str, Source]) -> PerpoolError:
    named = (fault.field, _OTHER_NAMES.get(fault.field, ""), "collateral", "leverage")
    column = next((sources[name].column for name in named if name in sources), fault.field)
    raw = history.rows.row(by_predicate=pl.col(ROW) == row[ROW], named=True).get(column)
    shown = "(empty)" if raw is None else repr(raw) if isinstance(raw, str) else raw
    problem = fault.problem.format_map({name: _readable(value) for name, value in row.items()})
    place = f"{history.path}: {history.place(row[ROW])}, column '{column}'"
    return PerpoolError(f"{place}: {shown} {problem}; --skip-bad leaves such rows out")


def _readable(value: Any) -> Any:
    return iso(round(value.timestamp() * 1e6)) if isinstance(value, datetime) else value
