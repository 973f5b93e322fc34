"""What a shock is, and how one is written on the command line: `SOL:-60%:30m:recover=50%/6h@2024-08-05T06:00`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from backtest.errors import UsageError
from backtest.flows.config import utc_us
from backtest.scenario import duration_us
from backtest.toml_files import hint

EVERY = "*"
FORMS = (
    "SYMBOLS:CHANGE:DURATION[:recover=[SHARE/]DURATION]@TIME",
    "SYMBOLS:depeg:CHANGE:DURATION[:recover=[SHARE/]DURATION]@TIME",
    "SYMBOLS:outage:DURATION@TIME",
)
_PERCENT = re.compile(r"([+-]?)(\d+(?:\.\d+)?)%")


@dataclass(frozen=True)
class Shock:
    """One shock, in µs and fractions of the price.

    text: as written
    symbols: those it hits; (EVERY,) means all of the history
    outage: rows are left out for `ramp_us`; else the price changes
    depeg: a symbol that the history lacks is made at a dollar
    change: of the price, such as -0.6, reached `ramp_us` after the start; 0 µs: at once
    recovered: share of the change that is undone within `recover_us` after that; 0: none
    """

    text: str
    symbols: tuple[str, ...]
    start_us: int
    outage: bool
    ramp_us: int
    depeg: bool = False
    change: float = 0.0
    recovered: float = 0.0
    recover_us: int = 0

    @property
    def end_us(self) -> int:
        """When the change is complete, or the outage over."""
        return self.start_us + self.ramp_us

    @property
    def knots(self) -> tuple[int, int, int]:
        """Where the factor bends, µs: start, end of the ramp, end of the recovery."""
        return self.start_us, self.end_us, self.end_us + self.recover_us


def parse(text: str) -> Shock:
    """Read one shock; UsageError names the part that is wrong and how to write it."""
    head, at, moment = text.rpartition("@")
    if not at:
        _refuse(text, text, "has no @TIME; end it with a moment such as @2024-08-05T06:00")
    start_us = _try(text, moment, utc_us)
    names, *parts = head.split(":")
    symbols = tuple(names.split("+"))
    if not all(symbols) or (EVERY in symbols and len(symbols) > 1):
        _refuse(text, names, "names no symbols; write SOL, SOL+BTC or * for all of the history")
    if parts[:1] == ["outage"]:
        if len(parts) != 2:
            _refuse(text, head, f"is no outage; write {FORMS[2]}")
        return Shock(text, symbols, start_us, outage=True, ramp_us=_duration(text, parts[1]))
    depeg = parts[:1] == ["depeg"]
    parts = parts[depeg:]
    if len(parts) not in (2, 3):
        _refuse(text, head, f"is no shock; write {FORMS[depeg]}")
    ramp_us = 0 if parts[1] == "gap" else _duration(text, parts[1], ", or gap for at once")
    recovered, recover_us = _recovery(text, parts[2]) if len(parts) == 3 else (0.0, 0)
    return Shock(text, symbols, start_us, False, ramp_us, depeg, _change(text, parts[0]), recovered, recover_us)


def _change(text: str, part: str) -> float:
    found = _PERCENT.fullmatch(part)
    if not found or not found[1]:
        _refuse(text, part, "is no change of the price; write it with its sign, such as -60% or +25%")
    change = float(found[1] + found[2]) / 100
    if change <= -1:
        _refuse(text, part, "leaves no price above zero; give a fall of less than 100%")
    if change == 0:
        _refuse(text, part, "changes nothing; give a fall or a rise")
    return change


def _recovery(text: str, part: str) -> tuple[float, int]:
    key, _, value = part.partition("=")
    if key != "recover":
        _refuse(text, part, "is unknown; write recover=6h or recover=50%/6h")
    share, slash, duration = value.rpartition("/")
    found = _PERCENT.fullmatch(share)
    if slash and (not found or found[1] or not 0 < float(found[2]) <= 100):
        _refuse(text, share, "is no share of the change; write more than 0% and at most 100%, such as recover=50%/6h")
    return (float(found[2]) / 100 if found else 1.0), _duration(text, duration)


def _duration(text: str, part: str, other: str = "") -> int:
    duration = _try(text, part, duration_us, other)
    if duration == 0:
        _refuse(text, part, f"is no time at all; give a duration such as 30m{other}")
    return duration


def _try(text: str, part: str, read: Callable[[str], int], other: str = "") -> int:
    try:
        return read(part)
    except UsageError as error:
        raise UsageError(f"--shock {text}: {error}{other}") from None


def _refuse(text: str, part: str, problem: str) -> NoReturn:
    raise UsageError(f"--shock {text}: {part!r} {problem}")


def resolve(shock: Shock, history: Sequence[str], kept: Sequence[str]) -> tuple[str, ...]:
    """The symbols that the shock hits among those of the history and those that are kept at a price."""
    if shock.symbols == (EVERY,):
        return tuple(history)
    known = [*history, *kept]
    for symbol in shock.symbols:
        if symbol not in known:
            _refuse(shock.text, symbol, f"is not among the symbols; {hint(symbol, known)}")
    return shock.symbols
