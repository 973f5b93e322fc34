"""Columns beside the price at the door: `min`, `max` (or `bid`, `ask`), `confidence`, `ema`, where a protocol asks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError, UsageError
from backtest.price_files import Floats, check_number, floats

_NAMES = {"min": ("min", "bid"), "max": ("max", "ask"), "confidence": ("confidence",), "ema": ("ema",)}

# Given the row in the batch, the column and the problem; raises with file and row.
Refuse = Callable[[int, str, str], object]
Problem = Callable[[float], str]


def quote_names(file: Path, wanted: Sequence[str]) -> dict[str, str]:
    """What `file` calls each of the `wanted` columns that it has, types checked; `confidence` must be there."""
    if not wanted:
        return {}
    schema = pq.read_schema(file)
    found: dict[str, str] = {}
    for name in wanted:
        there = [column for column in schema.names if column in _NAMES[name]]
        if len(there) > 1:
            raise PerpoolError(f"{file}: columns {' and '.join(there)} say the same ({name}); keep one")
        for column in there:
            check_number(file, column, schema.field(column).type)
            found[name] = column
    if "confidence" in wanted and "confidence" not in found:
        raise UsageError(
            f"{file}: column confidence is missing (there are: {', '.join(schema.names)}); the protocol's trade_price "
            "confidence quotes price - confidence and price + confidence. Add the column, US dollars per token "
            "(0 for none), or trade at the price itself: --set mechanisms.trade_price=oracle"
        )
    return found


def check_quotes(
    data: pa.RecordBatch, named: Mapping[str, str], price_column: str, bad_price: Problem, refuse: Refuse
) -> None:
    """Refuse the first row whose columns contradict its price; null in min, max and ema means unknown."""
    if not named:
        return
    prices = floats(data.column(price_column))
    values: dict[str, Floats] = {}
    for name, column in named.items():
        values[name] = floats(data.column(column))
        unknown = data.column(column).is_null().to_numpy(zero_copy_only=False)
        if name == "confidence":
            _check_confidence(values[name], unknown, prices, refuse)
            continue
        for at in np.flatnonzero(~unknown).tolist() if not _plain(values[name], unknown, bad_price) else ():
            if problem := bad_price(float(values[name][at])):
                refuse(at, column, problem)
    unit = "US dollars; repair or remove the row"
    for name, other, wrong, word in (
        ("min", "max", np.greater, "above"),
        ("min", "price", np.greater, "above"),
        ("max", "price", np.less, "below"),
    ):
        if name not in values or (other != "price" and other not in values):
            continue
        against = prices if other == "price" else values[other]
        bad = wrong(values[name], against)  # False where either is unknown
        if bad.any():
            at = int(bad.argmax())
            shown = price_column if other == "price" else named[other]
            refuse(at, named[name], f"{values[name][at]} is {word} the {shown} of the same row, {against[at]} {unit}")


def _plain(values: Floats, unknown: np.ndarray, bad_price: Problem) -> bool:
    """Whether all known values are prices, told from the lowest and the highest of them."""
    known = values[~unknown]
    return not len(known) or not (bad_price(float(known.min())) or bad_price(float(known.max())))


def _check_confidence(values: Floats, unknown: np.ndarray, prices: Floats, refuse: Refuse) -> None:
    if unknown.any():
        refuse(int(unknown.argmax()), "confidence", "is null; fill it in, US dollars per token (0 for none)")
    good = (values >= 0) & (values < prices)  # False for NaN
    if not good.all():
        at = int(good.argmin())
        refuse(
            at,
            "confidence",
            f"{values[at]} is not from 0 to below the price of the same row, {prices[at]} US dollars; "
            "repair or remove the row",
        )
