"""Market hours: weekly sessions, daily breaks and holidays, from text to a mask over many times at once.

A week starts on Monday at 00:00. A span holds its start and not its end, like every interval here. Times are UTC, or
those of a zone where an exchange follows its daylight saving; ticks are always UTC.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from backtest.config import Calendar, Protocol
from backtest.toml_files import hint

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTE_US = 60_000_000
DAY_MINUTES = 1_440
WEEK_MINUTES = 7 * DAY_MINUTES
_EPOCH_TO_MONDAY_MINUTES = 3 * DAY_MINUTES  # 1970-01-01 was a Thursday
_CLOCK = r"(\d{2}):(\d{2})"
_SESSION = re.compile(rf"\s*(\w{{3}})\s+{_CLOCK}\s*-\s*(\w{{3}})\s+{_CLOCK}\s*")
_BREAK = re.compile(rf"\s*{_CLOCK}\s*-\s*{_CLOCK}\s*")
_MOMENT = r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}))?"
_HOLIDAY = re.compile(rf"\s*{_MOMENT}(?:\s+-\s+{_MOMENT})?\s*")
Minutes = NDArray[np.bool_]
Times = NDArray[np.int64]


def closed(calendar: Calendar, time_us: Times) -> NDArray[np.bool_]:
    """Whether the market is closed at each time (T,) in microseconds UTC."""
    local_us = local_times(calendar.zone, time_us)
    minute = local_us // MINUTE_US
    shut: NDArray[np.bool_] = ~open_minutes(calendar)[(minute + _EPOCH_TO_MONDAY_MINUTES) % WEEK_MINUTES]
    for start_us, end_us in holidays(calendar):
        shut |= (local_us >= start_us) & (local_us < end_us)
    return shut


def local_times(zone: str, time_us: Times) -> Times:
    """Times (T,) in microseconds UTC as microseconds of a zone's clock; ValueError for a zone that is not known."""
    if zone == "UTC":
        return time_us
    import polars as pl

    clock = pl.Series(time_us).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    try:
        local = clock.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    except (pl.exceptions.PolarsError, ValueError):
        raise ValueError(f'"{zone}" is no time zone; write one such as "America/New_York", or "UTC"') from None
    found: Times = local.cast(pl.Int64).to_numpy()
    return found


def open_minutes(calendar: Calendar) -> Minutes:
    """The ordinary week: whether each of its minutes (10080,) lies in a session and outside every break."""
    week = np.zeros(WEEK_MINUTES, np.bool_)
    for text in calendar.open:
        start, end = session(text)
        week[start:end] = True
        if end <= start:  # over the end of the week
            week[start:] = week[:end] = True
    day = week.reshape(7, DAY_MINUTES)
    for text in calendar.breaks:
        start, end = pause(text)
        if start < end:
            day[:, start:end] = False
        else:
            day[:, start:] = day[:, :end] = False
    return week


def session(text: str) -> tuple[int, int]:
    """Minutes of the week of "Sun 23:00 - Fri 22:00"; ValueError saying what is wrong."""
    found = _SESSION.fullmatch(text)
    if not found or found[1] not in DAYS or found[4] not in DAYS:
        raise ValueError('write day and time of both ends, such as "Sun 23:00 - Fri 22:00" (Mon to Sun)')
    start = DAYS.index(found[1]) * DAY_MINUTES + _clock(found[2], found[3])
    end = DAYS.index(found[4]) * DAY_MINUTES + _clock(found[5], found[6])
    if start == end:
        raise ValueError("starts when it ends; a session of a whole week needs no calendar")
    return start, end if end else WEEK_MINUTES


def pause(text: str) -> tuple[int, int]:
    """Minutes of the day of "22:00 - 23:00"; ValueError saying what is wrong."""
    found = _BREAK.fullmatch(text)
    if not found:
        raise ValueError('write the time of both ends, such as "22:00 - 23:00"')
    start, end = _clock(found[1], found[2]), _clock(found[3], found[4])
    if start == end:
        raise ValueError("starts when it ends; a break has a length")
    return start, end


def holidays(calendar: Calendar) -> list[tuple[int, int]]:
    """Start and end of every holiday, microseconds of the calendar's clock."""
    return [holiday(text) for text in calendar.holidays]


def holiday(text: str) -> tuple[int, int]:
    """Microseconds of "2025-12-25" (the whole day) or of a span of days or moments; ValueError if it is neither.

    The end of a span that names a day only is the end of that day.
    """
    found = _HOLIDAY.fullmatch(text)
    if not found:
        raise ValueError('write a day, "2025-12-25", or a span, "2025-12-24 18:00 - 2025-12-25 23:00"')
    start = _moment(found[1], found[2])
    end = _moment(found[3] or found[1], found[4])
    if not found[4]:
        end += timedelta(days=1)
    if end <= start:
        raise ValueError("ends before it starts")
    return _microseconds(start), _microseconds(end)


def faults(protocol: Protocol) -> Iterator[str]:
    """What is wrong with the calendars of a protocol and with the markets that name them."""
    for name, calendar in protocol.calendar.items():
        yield from _texts(name, calendar)
    custody_prices = {row.price or row.symbol for row in protocol.custody}
    of_price: dict[str, str] = {}
    for row in protocol.market:
        at, price = f"market.{row.symbol}", row.price or row.symbol
        if row.calendar and row.calendar not in protocol.calendar:
            yield f'{at}.calendar = "{row.calendar}" is not a [calendar.NAME]; {hint(row.calendar, protocol.calendar)}'
        if of_price.setdefault(price, row.calendar) != row.calendar:
            yield f"{at}.calendar: another market closes the price {price} at other hours; give both the same calendar"
        if row.calendar and price in custody_prices:
            yield (f"{at}.calendar closes the price {price}, which values a custody too; give it its own price")


def _texts(name: str, calendar: Calendar) -> Iterator[str]:
    if not calendar.open:
        yield f'calendar.{name}.open is empty, so the market never opens; add "Sun 23:00 - Fri 22:00"'
    try:
        local_times(calendar.zone, np.zeros(1, np.int64))
    except ValueError as error:
        yield f"calendar.{name}.zone: {error}"
    readers = (("open", session), ("breaks", pause), ("holidays", holiday))
    sound = True
    for key, read in readers:
        for text in getattr(calendar, key):
            try:
                read(text)
            except ValueError as error:
                sound = False
                yield f'calendar.{name}.{key}: "{text}": {error}'
    if sound and calendar.open and not open_minutes(calendar).any():
        yield f"calendar.{name}: the breaks leave nothing of the sessions; shorten them"


def _clock(hours: str, minutes: str) -> int:
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError(f"{hours}:{minutes} is no time of day; 00:00 to 23:59")
    return int(hours) * 60 + int(minutes)


def _moment(day: str, clock: str | None) -> datetime:
    try:
        return datetime.fromisoformat(f"{day}T{clock or '00:00'}").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{day} {clock or ''}".strip() + " is no date") from None


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
