"""Candles in JSON: ccxt's lists of lists, and TradingView's columns as Pyth's benchmarks service answers them.

Such files are answers of a service, a few thousand candles each, and are read whole.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import polars as pl

from backtest.errors import PerpoolError
from backtest.history.rows import Options, Rows, numbered
from backtest.history.sources import Member, members, whole
from backtest.history.times import Clock, from_epoch
from backtest.price_files import CANDLES

_VALUES = (*CANDLES, "volume")
_Number = float | None
_Time = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Candle = tuple[_Time, _Number, _Number, _Number, _Number, _Number]
_LETTERS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}


class _History(msgspec.Struct):
    s: str
    t: list[_Time] = []
    o: list[_Number] = []
    h: list[_Number] = []
    l: list[_Number] = []  # noqa: E741 (the service's name)
    c: list[_Number] = []
    v: list[_Number] | None = None
    errmsg: str = "it does not say why"


def ccxt_lists(member: Member) -> Iterator[Rows]:
    """[[ms, open, high, low, close, volume], ...], or one such list a line."""
    raw = _read(member)
    if re.match(rb"\[\s*[\[\]]", raw):
        rows = _decode(raw, list[_Candle], member)
    else:
        lines = [line for line in raw.splitlines() if line.strip()]
        rows = [_decode(line, _Candle, member, f"row {number}") for number, line in enumerate(lines)]
    if not rows:
        raise PerpoolError(f"{member.name}: the file has no rows; get it again or leave it out")
    frame = pl.DataFrame(rows, {"timestamp": pl.Int64} | dict.fromkeys(_VALUES, pl.Float64), orient="row")
    place = numbered(member.name, 0)
    yield Rows(frame.with_columns(Clock("timestamp").read(frame["timestamp"], place)), place)


def tradingview(file: Path, options: Options) -> Iterator[Rows]:
    """{s, t, o, h, l, c[, v]}: t in seconds, s must be ok, all of one length."""
    for member in members(file):
        found = _decode(_read(member), _History, member)
        if found.s != "ok":
            raise PerpoolError(f"{member.name}: the service answered s = {found.s!r} ({found.errmsg}); ask it again")
        columns = {letter: getattr(found, letter) for letter in _LETTERS if getattr(found, letter) is not None}
        for letter, values in columns.items():
            if len(values) != len(found.t):
                raise PerpoolError(
                    f"{member.name}: t has {len(found.t)} times but {letter} has {len(values)} values; "
                    "get the file again"
                )
        if not found.t:
            raise PerpoolError(f"{member.name}: the file has no rows; get it again or leave it out")
        times = from_epoch(pl.Series("timestamp", found.t, pl.Int64), "s")
        values = [pl.Series(_LETTERS[letter], values, pl.Float64) for letter, values in columns.items()]
        yield Rows(pl.DataFrame([times, *values]), numbered(member.name, 0))


def _read(member: Member) -> bytes:
    with whole(member.file), member.open() as stream:
        raw = stream.read().removeprefix(b"\xef\xbb\xbf").strip()
    if not raw:
        raise PerpoolError(f"{member.name}: the file is empty; get it again or leave it out")
    return raw


def _decode(raw: bytes, kind: Any, member: Member, row: str = "") -> Any:
    where = f"{member.name}: {row}".rstrip(": ")
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        raise PerpoolError(f"{where}{_cell(path, row)}: {_worded(problem)}; get the file again") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error).rstrip(".")
        raise PerpoolError(f"{where}: is not the JSON of this format ({reason}); get the file again") from None


def _cell(path: str, row: str) -> str:
    """Where in the file a path such as `$[3][1]` of ccxt or `$.o[3]` points to."""
    numbers = [int(number) for number in re.findall(r"\[(\d+)\]", path)]
    letter = re.match(r"`\$\.(\w+)", path)
    columns = ("timestamp", *_VALUES)
    if letter:
        row = f": row {numbers[0]}" if numbers else ""
        return f"{row}, column {letter[1]}"
    found = "" if row or not numbers else f": row {numbers.pop(0)}"
    return found + (f", column {columns[numbers[0]]}" if numbers else "")


def _worded(problem: str) -> str:
    problem = problem.replace("`", "").replace("float | null", "number").replace(" of length", " of")
    return problem[0].lower() + problem[1:]
