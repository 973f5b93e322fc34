"""How a value is written on a page: money, shares, counts and times, each under the name of its kind."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from backtest import render

NOTHING = "–"
_LONGEST = 60  # characters of a value of a configuration; a list of fee tiers is longer


def _signed(text: str, value: Any) -> str:
    """`text` of the size of `value`, with a true minus sign where it is below zero and does not round to zero."""
    return f"−{text}" if value < 0 and _has_size(text) else text


def _has_size(text: str) -> bool:
    return any(digit in "123456789" for digit in text)


def _usd(value: Any) -> str:
    return _signed(f"${abs(value):,.0f}", value)


def _cents(value: Any) -> str:
    return _signed(f"${abs(value):,.2f}", value)


def _percent(value: Any) -> str:
    return _signed(f"{abs(value):,.2%}", value)


def _tokens(value: Any) -> str:
    size = abs(value)
    return _signed(f"{size:,.0f}" if size >= 1_000 else f"{size:,.4g}", value)


def _moment(value: Any) -> str:
    if not isinstance(value, datetime):
        return str(value)
    return value.strftime("%Y-%m-%d %H:%M")


def _day(value: Any) -> str:
    return value.strftime("%-d %B %Y") if isinstance(value, date) else str(value)


SHOW: dict[str, Callable[[Any], str]] = {
    "usd": _usd,
    "cents": _cents,
    "exact_usd": lambda value: _signed(f"${abs(value):,.6f}", value),
    "price": lambda value: _signed(f"${abs(value):,.6f}", value),
    "dollar": lambda value: _signed(f"${abs(value):,.3f}", value),
    "percent": _percent,
    "share": lambda value: _signed(f"{abs(value):.1%}", value),
    "points": lambda value: _signed(f"{abs(value) * 100:,.2f} points", value),
    "ratio": lambda value: _signed(f"{abs(value):,.2f}", value),
    "bps": lambda value: _signed(f"{abs(value):,.2f} bps", value),
    "count": lambda value: _signed(f"{abs(value):,.0f}", value),
    "days": lambda value: f"{value:,.0f}" if value >= 2 else f"{value:,.1f}",
    "tokens": _tokens,
    "moment": _moment,
    "day": _day,
    "text": str,
}


def show(kind: str, value: Any) -> str:
    """The text of `value`, with a plus sign for the kinds that begin with `gain_`; a dash where it is not defined."""
    if value is None or value != value:
        return NOTHING
    text = SHOW[kind.removeprefix("gain_")](value)
    return f"+{text}" if kind.startswith("gain_") and value > 0 and _has_size(text) else text


def told(value: Any) -> str:
    """A value of a configuration, cut where it is long; a dash where there is none."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        text = ", ".join(value)
    elif isinstance(value, float):
        text = f"{value:,.12g}"
    else:
        text = value if isinstance(value, str) else render.as_json(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
