"""The values of a position history as people write them: times, dollars, sides, and words for how a position ended.

Every function takes a cleaned column (`clean`) and gives null where a value is missing or cannot be read; the caller
knows which of the two by looking at the column.
"""

import polars as pl

from backtest.flows.history_files import NULLS

UTC_US = pl.Datetime("us", "UTC")
_TIME = (
    r"^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,9})?))?)?\s*(?:(Z|UTC|GMT)|([+-]\d\d):?(\d\d))?$"
)
_NUMBER = r"^[+-]?\d+(\.\d*)?$"
_GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
# Epochs by magnitude: from 1973 on, seconds have 9 to 11 digits, milliseconds three more, and so on.
_EPOCH_LEAST = {"s": 1e8, "ms": 1e11, "us": 1e14, "ns": 1e17}
_EPOCH_PER_US = {"s": 1e-6, "ms": 1e-3, "us": 1.0, "ns": 1e3}
_SIDES = {"long": "long", "buy": "long", "l": "long", "true": "long"}
_SIDES |= {"short": "short", "sell": "short", "s": "short", "false": "short"}

# How a position ended.
OPEN, CLOSED, LIQUIDATED, STOP_LOSS, TAKE_PROFIT, TRIGGERED, CODE = (
    *("open", "closed", "liquidated", "stop-loss", "take-profit", "trigger", "code"),
)
_STOP = r"stop|\bsl\b"
_TAKE = r"take|\btp\b"
_REASONS: tuple[tuple[str, str], ...] = (  # the first that matches; anything else is a close by the trader
    (r"^[\d ]+$", CODE),
    (r"liq|bust|^true$", LIQUIDATED),  # `true` of a column such as isLiquidated
    (r"^(open|opened|opening|active|partial.*)$", OPEN),
    (rf"({_STOP}).*({_TAKE})|({_TAKE}).*({_STOP})|trigger", TRIGGERED),
    (_STOP, STOP_LOSS),
    (_TAKE, TAKE_PROFIT),
)


def clean(column: pl.Series) -> pl.Series:
    """The column without spaces around its text, null where it says that there is nothing."""
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        column = column.str.strip_chars()
        return column.set(column.is_in(list(NULLS)), None)
    return column.fill_nan(None) if column.dtype.is_float() else column


def is_naive(column: pl.Series) -> bool:
    """Whether any time is written without a zone (and is no epoch)."""
    if column.dtype == pl.String:
        groups = column.str.extract_groups(_TIME).struct
        return bool((groups.field("1").is_not_null() & groups.field("6").is_null() & groups.field("7").is_null()).any())
    return column.dtype == pl.Date or (isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None)


def times(column: pl.Series) -> pl.Series:
    """UTC timestamps [us]; a column is epochs or written times as its first value is. No zone is UTC, epoch 0 none."""
    if isinstance(column.dtype, pl.Datetime):
        zoned = column if column.dtype.time_zone else column.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if column.dtype == pl.String and not column.drop_nulls().head(1).str.contains(_NUMBER).any():
        return _written_times(column)
    return _epochs(column.cast(pl.Float64, strict=False))


def _written_times(column: pl.Series) -> pl.Series:
    """ISO 8601 and its looser cousins: a space or slashes, no seconds, no time at all; never the day first."""
    frame = column.str.extract_groups(_TIME).struct.unnest()
    year, month, day, minute, second, _, hours, minutes = map(pl.col, frame.columns)
    text = pl.format("{}-{}-{}T{}:{}", year, month, day, minute.fill_null("00:00"), second.fill_null("00"))
    local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    sign = pl.when(hours.str.starts_with("-")).then(-1).otherwise(1)
    offset = hours.cast(pl.Int64).fill_null(0) * 60 + sign * minutes.cast(pl.Int64).fill_null(0)
    return frame.select(local - pl.duration(minutes=offset)).to_series()


def _epochs(number: pl.Series) -> pl.Series:
    """One unit per column, that of its first time; null where another value cannot be in that unit."""
    number = number.set(number == 0.0, None)
    first = number.drop_nulls().head(1)
    unit = next((unit for unit, least in reversed(_EPOCH_LEAST.items()) if first.len() and first[0] >= least), "s")
    fits = number.is_between(_EPOCH_LEAST[unit], _EPOCH_LEAST[unit] * 1e3, closed="left")
    microseconds = (number.set(~fits, None) / _EPOCH_PER_US[unit]).round()
    return microseconds.cast(pl.Int64, strict=False).cast(UTC_US)


def numbers(column: pl.Series, decimal_comma: bool = False) -> pl.Series:
    """Plain numbers, `$1,234.50`, `10x` or `12.5 USDC`; null too for what is not finite.

    decimal_comma: the file may use commas as decimal points, so 1,234 could be two numbers and is not read
    """
    if column.dtype != pl.String:
        number = column.cast(pl.Float64, strict=False)
    else:
        text = column.str.replace(r"^([+-]?)\$\s*", "${1}").str.replace(r"(?i)\s*(usd[ct]?|x)$", "")
        if not decimal_comma:
            text = text.set(text.str.contains(_GROUPED), None).fill_null(text.str.replace_all(",", "", literal=True))
        number = text.set(text.str.contains(r"[,_]"), None).cast(pl.Float64, strict=False)
    return number.set(~number.is_finite(), None)


def sides(column: pl.Series) -> pl.Series:
    """`long` or `short`."""
    return column.cast(pl.String).str.to_lowercase().replace_strict(_SIDES, default=None, return_dtype=pl.String)


def endings(column: pl.Series) -> pl.Series:
    """What the words of an exit reason mean: OPEN, CLOSED, LIQUIDATED, STOP_LOSS, TAKE_PROFIT, TRIGGERED or CODE."""
    words = pl.col("words").str.to_lowercase().str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars()
    meaning = pl.lit(CLOSED)
    for pattern, ending in reversed(_REASONS):
        meaning = pl.when(words.str.contains(pattern)).then(pl.lit(ending)).otherwise(meaning)
    frame = pl.DataFrame({"words": column.cast(pl.String)})
    return frame.select(pl.when(pl.col("words").is_not_null()).then(meaning)).to_series()
