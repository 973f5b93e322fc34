"""Rows that no run can use, by kind: counted, and the first of each named by file and row."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from backtest.price_checks import HIGHEST_PRICE, LOWEST_PRICE
from backtest.price_files import CANDLES, LONG, SECOND_US
from backtest.quality.rows import QUOTES, values_of

# Kind: what is wrong, and what mends it.
FAULTS = {
    "null": ("a price or the time is null", "--repair drop-incomplete"),
    "nan": ("a price is NaN or infinite", "--repair drop-incomplete drops NaN; remove an infinite price by hand"),
    "zero": ("a price is 0", "--repair drop-zero, if no price of the row is above 0; else remove it by hand"),
    "negative": ("a price is below 0", "remove the rows by hand"),
    "range": (f"a price is outside of {LOWEST_PRICE:g} to {HIGHEST_PRICE:g} dollars", "check the unit"),
    "time": ("the time is before 2000 or in the future", "check the unit; --repair drop-zero drops the time 0"),
    "unsorted": ("earlier than a row above it", "--repair sort"),
    "conflict": ("repeats a time with other values", "--repair keep-last, if the last is right"),
    "repeated": ("repeats a row", "--repair keep-last"),
    "overlap": ("opens before the candle before it ends", "give candles of one interval"),
    "second": ("in the same second as another row", "round the times to whole seconds"),
    "ohlc": ("high and low do not enclose open and close", "remove the rows by hand"),
    "crossed": ("min above max, or the price outside of them", "remove the rows by hand"),
    "confidence": ("confidence is null, below 0 or not below the price", "remove the rows by hand"),
}
EARLIEST_US = 946_684_800 * SECOND_US  # 2000: what is older was most likely written in another unit


class Found(NamedTuple):
    """Rows of one kind: how many, and of the first the number of its file, its row, its time (µs; None: none)."""

    rows: int
    file: int
    row: int
    time_us: int | None


def with_sound_times(rows: pl.DataFrame, now_us: int) -> pl.DataFrame:
    """The rows of `rows.rows_of`; `time_us` is null where it is bad, and `bad_time` says so."""
    good = pl.col("time_us").is_between(EARLIEST_US, now_us).fill_null(False)
    return rows.with_columns(
        pl.when(good).then("time_us").alias("time_us"), (pl.col("timed") & ~good).alias("bad_time")
    ).select(*rows.columns, "bad_time")


def find_faults(rows: pl.DataFrame, cadence: int) -> dict[str, Found]:
    """The faults of one symbol's rows (`with_sound_times`), by kind; kinds without a row are left out.

    cadence: of candles, µs; 0 for prices
    """
    masks = {name: mask.fill_null(False) for name, mask in _in_rows(rows.columns)}
    in_order = _in_order(rows, cadence)
    found: dict[str, Found] = {}
    for frame, table in ((rows, rows.select(**masks)), (in_order, in_order)):
        for kind in FAULTS:
            if kind in table.columns and (count := int(table[kind].sum())):
                first = frame.filter(table[kind]).select("file", "row", "time_us").sort("file", "row").row(0)
                found[kind] = Found(count, *first)
    return {kind: found[kind] for kind in FAULTS if kind in found}


def _in_rows(columns: list[str]) -> Iterator[tuple[str, pl.Expr]]:
    """What each row shows by itself. Polars takes NaN for the largest number, so comparisons look for it apart."""
    prices = [pl.col(name) for name in (CANDLES if "close" in columns else LONG)]
    quotes = [pl.col(name) for name in QUOTES if name in columns]  # null: not known
    values = [*prices, *quotes]
    yield "null", pl.any_horizontal(~pl.col("timed"), *[price.is_null() for price in prices])
    yield "nan", pl.any_horizontal([~value.is_finite() for value in values])
    yield "zero", pl.any_horizontal([value == 0 for value in values])
    yield "negative", pl.any_horizontal([(value < 0) & value.is_finite() for value in values])
    yield "range", pl.any_horizontal([~is_price(value) & (value > 0) & value.is_finite() for value in values])
    yield "time", pl.col("bad_time")
    yield "unsorted", pl.col("time_us") < pl.col("time_us").cum_max().over("file")
    sound = pl.all_horizontal([is_price(price) for price in prices])
    if "close" in columns:
        opens, high, low, close = prices
        yield "ohlc", sound & ~((high >= opens) & (high >= close) & (low <= opens) & (low <= close))
    sides = {name: pl.col(name) for name in ("min", "max") if name in columns}
    crossed = [sides["min"] > sides["max"]] if len(sides) == 2 else []
    crossed += [side > prices[-1] if name == "min" else side < prices[-1] for name, side in sides.items()]
    if crossed:
        numbers = pl.all_horizontal([side.is_not_nan().fill_null(True) for side in sides.values()])
        yield "crossed", sound & numbers & pl.any_horizontal(crossed)
    if "confidence" in columns:
        width = pl.col("confidence")
        yield "confidence", width.is_null() | width.is_nan() | (width < 0) | (sound & (width >= prices[-1]))


def is_price(value: pl.Expr) -> pl.Expr:
    """Whether a run takes it for a price."""
    return (value > LOWEST_PRICE) & (value < HIGHEST_PRICE)


def _in_order(rows: pl.DataFrame, cadence: int) -> pl.DataFrame:
    """What rows show beside their neighbours in time: `conflict`, `repeated`, `overlap`, `second`."""
    timed = rows.filter(pl.col("time_us").is_not_null())
    if not timed["time_us"].is_sorted():
        timed = timed.sort("time_us", maintain_order=True)
    step = pl.col("time_us").diff()
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(name).shift()) for name in values_of(rows)])
    too_close = (step > 0) & (step < cadence)
    same_second = (step > 0) & (pl.col("time_us") // SECOND_US == pl.col("time_us").shift() // SECOND_US)
    return timed.select(
        "file",
        "row",
        "time_us",
        conflict=((step == 0) & ~same).fill_null(False),
        repeated=((step == 0) & same).fill_null(False),
        overlap=too_close.fill_null(False),
        second=(same_second & ~too_close).fill_null(False),
    )
