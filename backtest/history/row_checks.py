"""Rows that a run would refuse: the first of a batch, its column, and what is wrong with it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from backtest.history.repairs import NEVER
from backtest.price_checks import HIGHEST_PRICE, LATEST_S, LOWEST_PRICE
from backtest.price_files import CANDLES, LONG, iso

_USD = "US dollars"
_UNKNOWN = ("min", "max", "ema")  # null in these says that nobody knows
_LATEST_US = LATEST_S * 1_000_000
_DROP_ZERO = "--repair drop-zero drops rounds and candles that never were"
_DROP_INCOMPLETE = "fill it in, or let --repair drop-incomplete drop the row"


class Fault(NamedTuple):
    """What is wrong with a cell."""

    row: int
    column: str
    problem: str


class _Rule(NamedTuple):
    column: str
    bad: pl.Expr
    say: Callable[[dict[str, float]], str]  # given the row


def first_fault(frame: pl.DataFrame) -> Fault | None:
    """The earliest row that a run would refuse for what it holds, or None; order and repeats are not looked at."""
    rules = _all_rules(tuple(frame.columns))
    broken = frame.select(rule.bad.any().alias(str(number)) for number, rule in enumerate(rules)).row(0)
    if not any(broken):
        return None
    found = [rule for rule, fault in zip(rules, broken, strict=True) if fault]
    rows = frame.select(rule.bad.fill_null(False).arg_max().alias(str(at)) for at, rule in enumerate(found)).row(0)
    row, at = min((row, at) for at, row in enumerate(rows))
    cells = frame[row : row + 1].with_columns(pl.col("timestamp").dt.epoch("us")).row(0, named=True)
    return Fault(row, found[at].column, found[at].say(cells))


@lru_cache
def _all_rules(columns: tuple[str, ...]) -> list[_Rule]:
    rules = [rule for column in columns for rule in _rules(column, columns)]
    return rules + [rule for column in columns for rule in _contradictions(column, columns)]


def _rules(column: str, columns: Sequence[str]) -> list[_Rule]:
    if column == "timestamp":
        return _time_rules()
    if column == "volume":
        bad = pl.col("volume").is_null() | ~pl.col("volume").is_finite() | (pl.col("volume") < 0)
        return [_Rule("volume", bad, lambda row: f"{_volume_problem(row['volume'])}; 0 says that nothing traded")]
    if column == "confidence":
        price = _price_of(columns)
        bad = ~pl.col("confidence").is_between(0, pl.col(price), closed="left")
        return [
            _missing("confidence"),
            _Rule(
                "confidence",
                bad | pl.col("confidence").is_nan(),
                lambda row: (
                    f"{row['confidence']} is not from 0 to below the {price} of the same row, {row[price]} {_USD}; "
                    "repair or remove it"
                ),
            ),
        ]
    rules = [] if column in _UNKNOWN else [_missing(column)]
    return [*rules, _Rule(column, _is_no_price(column), lambda row: _price_problem(row[column]))]


def _time_rules() -> list[_Rule]:
    time = pl.col("timestamp")
    late = ~time.dt.epoch("us").is_between(0, _LATEST_US, closed="left")
    return [
        _missing(
            "timestamp", "is missing; give every row the time of its price, or let --repair drop-incomplete drop it"
        ),
        _Rule("timestamp", time == NEVER, lambda row: f"is 0, which is no time; {_DROP_ZERO}"),
        _Rule(
            "timestamp", late, lambda row: f"{iso(int(row['timestamp']))} is not between 1970 and 2200; check its unit"
        ),
    ]


def _missing(column: str, problem: str = f"is missing; {_DROP_INCOMPLETE}") -> _Rule:
    return _Rule(column, pl.col(column).is_null(), lambda row: problem)


def _is_no_price(column: str) -> pl.Expr:
    return ~((pl.col(column) > LOWEST_PRICE) & (pl.col(column) < HIGHEST_PRICE) & pl.col(column).is_not_nan())


def _price_problem(value: float) -> str:
    if value == 0:
        return f"0 is not a price; {_DROP_ZERO}"
    if value != value:  # NaN
        return f"nan is not a price; {_DROP_INCOMPLETE}"
    if value < 0 or value == float("inf"):
        return f"{value} is not a price; remove the row or fill in the price in {_USD}"
    return (
        f"{value} is outside the range of prices, {LOWEST_PRICE:g} to {HIGHEST_PRICE:g} {_USD}; "
        "check the unit: whole dollars per whole token"
    )


def _contradictions(column: str, columns: Sequence[str]) -> list[_Rule]:
    """What `column` must not be below or above, of the columns there are."""
    price = _price_of(columns)
    below = {"high": ("low", "open", "close"), "max": (price,)}.get(column, ())
    above = {"low": ("open", "close"), "min": ("max", price)}.get(column, ())
    this = pl.col(column)
    return [
        *[_Rule(column, this < pl.col(other), _order(column, "below", other)) for other in below if other in columns],
        *[_Rule(column, this > pl.col(other), _order(column, "above", other)) for other in above if other in columns],
    ]


def _order(column: str, word: str, other: str) -> Callable[[dict[str, float]], str]:
    return lambda row: f"{row[column]} is {word} the {other} of the same row, {row[other]} {_USD}; repair or remove it"


def _price_of(columns: Sequence[str]) -> str:
    return CANDLES[-1] if CANDLES[-1] in columns else LONG[0]


def _volume_problem(value: float | None) -> str:
    return "is missing" if value is None else f"{value:g} is no volume"
