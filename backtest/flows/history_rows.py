"""The rows of a position history as typed columns, and what follows from them: dollars, endings, what becomes of each.

What was liquidated, or ended by a trigger whose price is known, is left to the engine: it ends it by its own rules.
"""

from collections.abc import Mapping

import polars as pl

from backtest.flows import history_values as values
from backtest.flows.history_columns import FIELDS, NUMBERS, Source
from backtest.flows.history_files import ROW, History

FILE = "__file"
# What becomes of a position.
AT_ITS_TIME, STAYS = "closes at its time", "stays open"
TO_ENGINE, TO_TRIGGER = "left to the engine's liquidation", "left to its trigger price"

_TIMES = ("open_time", "close_time")
_KINDS = {
    field.name: values.UTC_US if field.name in _TIMES else pl.Float64() if field.name in NUMBERS else pl.String()
    for field in FIELDS
}
_ZERO_IS_NONE = ("close_time", "stop_loss", "take_profit")


def parsed(history: History, sources: Mapping[str, Source], number: int) -> pl.DataFrame:
    """The fields of one file with their types, null where missing or unreadable, and `given_*`: which are there.

    number: of the file, in the column FILE
    """
    height = history.rows.height
    columns = [history.rows[ROW], pl.Series(FILE, [number]).new_from_index(0, height)]
    for name, kind in _KINDS.items():
        source = sources.get(name)
        if source is None:
            columns.append(pl.Series(name, [None], kind).new_from_index(0, height))
            columns.append(pl.Series(f"given_{name}", [False]).new_from_index(0, height))
            continue
        raw = values.clean(history.rows[source.column])
        if name in _ZERO_IS_NONE and not raw.dtype.is_temporal():
            raw = raw.set(values.numbers(raw) == 0.0, None)
        columns.append(_read(raw, name, source, history).alias(name))
        columns.append(raw.is_not_null().alias(f"given_{name}"))
    return pl.DataFrame(columns)


def is_naive(history: History, sources: Mapping[str, Source]) -> bool:
    """Whether a time of the file has no zone."""
    columns = [sources[name].column for name, kind in _KINDS.items() if kind == values.UTC_US and name in sources]
    return any(values.is_naive(values.clean(history.rows[column])) for column in columns)


def _read(raw: pl.Series, field: str, source: Source, history: History) -> pl.Series:
    if _KINDS[field] == values.UTC_US:
        return values.times(raw)
    if field in NUMBERS:
        return values.numbers(raw, history.decimal_comma) / source.divisor
    if field == "side":
        return values.sides(raw)
    if field == "exit_reason":
        return values.endings(raw)
    return raw.cast(pl.Int64, strict=False).cast(pl.String) if raw.dtype.is_float() else raw.cast(pl.String)


def derived(
    frame: pl.DataFrame, market_map: Mapping[str, str], leverage: float | None, *, as_closes: bool
) -> pl.DataFrame:
    """With what follows: market at the venue, dollars (`size_usd`, `collateral_usd`), how it ended, and its fate.

    leverage: taken where neither collateral nor leverage is given [x]
    as_closes: all that ended has a close at its time
    """
    size, collateral, end = pl.col("notional"), pl.col("collateral"), pl.col("close_time")
    constant = pl.when(collateral.is_null()).then(pl.lit(leverage, pl.Float64))
    without_word = pl.when(end.is_null()).then(pl.lit(values.OPEN)).otherwise(pl.lit(values.CLOSED))
    return frame.with_columns(
        market=pl.col("market").replace(dict(market_map)),
        notional=pl.coalesce("size", pl.col("quantity").abs() * pl.col("entry_price")),
        leverage=pl.coalesce("leverage", constant),
        ending=pl.coalesce("exit_reason", without_word),
    ).with_columns(
        size_usd=pl.coalesce(size, collateral * pl.col("leverage")),
        collateral_usd=pl.coalesce(collateral, size / pl.col("leverage")),
        fate=_fate(as_closes=as_closes),
    )


def _fate(*, as_closes: bool) -> pl.Expr:
    """What becomes of a position, from `ending` and its trigger prices."""
    ending = pl.col("ending")
    stop, take = pl.col("stop_loss").is_not_null(), pl.col("take_profit").is_not_null()
    of_stop = stop & ending.is_in([values.STOP_LOSS, values.TRIGGERED])
    of_take = take & ending.is_in([values.TAKE_PROFIT, values.TRIGGERED])
    fate: pl.Expr = pl.lit(AT_ITS_TIME)
    if not as_closes:
        fate = pl.when(of_stop | of_take).then(pl.lit(TO_TRIGGER)).otherwise(fate)
        fate = pl.when(ending == values.LIQUIDATED).then(pl.lit(TO_ENGINE)).otherwise(fate)
    return pl.when(ending == values.OPEN).then(pl.lit(STAYS)).otherwise(fate)
