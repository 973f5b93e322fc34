"""Candles of LEAN (QuantConnect): quote bars become mid prices with half the spread beside them, trade bars candles.

Prices are taken as they are written, so scaled equity files (ten-thousandths of a dollar) do not belong here.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from backtest.errors import PerpoolError
from backtest.history import text
from backtest.history.rows import Options, Place, Rows, refuse
from backtest.history.sources import Member, members
from backtest.history.times import UTC_US
from backtest.price_files import CANDLES

_BID, _ASK = ([f"{side}_{name}" for name in CANDLES] for side in ("bid", "ask"))
_NAMES = {11: ("time", *_BID, "bid_size", *_ASK, "ask_size"), 6: ("time", *CANDLES, "volume")}
_TIME_FORMAT = "%Y%m%d %H:%M"


def lean(file: Path, options: Options) -> Iterator[Rows]:
    """LEAN's zips and CSVs: hour and day with `YYYYMMDD HH:MM`, minute and second with the date in the name."""
    for member in members(file):
        first = text.cells(text.head(member)[0])
        if len(first) not in _NAMES:
            raise PerpoolError(
                f"{member.name}: line 1 has {len(first)} columns, expected 11 (quote bars: time, open, high, low, "
                "close and size of bid and of ask) or 6 (trade bars: time, open, high, low, close, volume)"
            )
        names = _NAMES[len(first)]
        of_day = first[0].isdigit()
        kinds = dict.fromkeys(names, text.NUMBER) | {"time": text.WHOLE if of_day else text.NAIVE_TIME}
        midnight = _midnight(member) if of_day else None
        layout = text.Layout(names, kinds, header=False, time_formats=[] if of_day else [_TIME_FORMAT])
        for frame, place in text.batches(member, layout):
            times = frame["time"] * 1_000 + midnight if midnight is not None else frame["time"]
            if of_day:
                _check_of_day(frame["time"], place)
            values = _mid(frame, place) if "bid_open" in names else frame.drop("time")
            stamped = times.cast(UTC_US) if of_day else times.dt.replace_time_zone("UTC")
            yield Rows(values.insert_column(0, stamped.alias("timestamp")), place, {"timestamp": "time"}, naive=True)


def _midnight(member: Member) -> int:
    """Start of the day that the name of the inner or else the outer file begins with or holds, µs."""
    for name in (member.name.rpartition("/")[2], member.file.name):
        for digits in re.findall(r"(?<!\d)\d{8}(?!\d)", name):
            try:
                day = datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)
            except ValueError:
                continue
            return int(day.timestamp()) * 1_000_000
    raise PerpoolError(
        f"{member.name}: the times are milliseconds since midnight, but no name says of which day; "
        "name the file as LEAN does, such as 20250131_quote.zip"
    )


def _check_of_day(times: pl.Series, place: Place) -> None:
    odd = ((times < 0) | (times >= 86_400_000)).fill_null(False)
    if odd.any():
        at = int(odd.arg_max() or 0)
        refuse(place, at, "time", f"{times[at]} is no number of milliseconds since midnight (0 to 86399999)")


def _mid(frame: pl.DataFrame, place: Place) -> pl.DataFrame:
    for bid, ask in zip(_BID, _ASK, strict=True):
        crossed = (frame[bid] > frame[ask]).fill_null(False)
        if crossed.any():
            at = int(crossed.arg_max() or 0)
            problem = f"{frame[bid][at]} is above the {ask} of the same candle, {frame[ask][at]}"
            refuse(place, at, bid, f"{problem}; repair or remove the candle")
    mids = [((pl.col(bid) + pl.col(ask)) / 2).alias(name) for name, bid, ask in zip(CANDLES, _BID, _ASK, strict=True)]
    return frame.select(*mids, confidence=(pl.col("ask_close") - pl.col("bid_close")) / 2)
