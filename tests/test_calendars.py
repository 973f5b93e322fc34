"""Market hours: texts to masks, daylight saving, holidays, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.calendars import closed, holiday, open_minutes, pause, session
from backtest.config import Calendar
from backtest.errors import UsageError
from backtest.protocols import load_protocol
from tests.protocol_files import SMALL, write

COMMODITIES = Calendar(
    zone="America/New_York", open=("Sun 18:00 - Fri 17:00",), breaks=("17:00 - 18:00",), holidays=("2025-12-25",)
)


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**6


def is_open(calendar: Calendar, *times: str) -> list[bool]:
    return [not shut for shut in closed(calendar, np.array([us(time) for time in times], np.int64)).tolist()]


def test_a_session_over_the_week_end_holds_its_start_and_not_its_end() -> None:
    calendar = Calendar(open=("Sun 23:00 - Fri 22:00",))
    times = ("2025-01-05 22:59:59", "2025-01-05 23:00", "2025-01-08 12:00", "2025-01-10 21:59:59", "2025-01-10 22:00")
    assert is_open(calendar, *times) == [False, True, True, True, False]
    assert is_open(calendar, "2025-01-04 12:00", "1969-12-28 23:30", "1969-12-27 12:00") == [False, True, False]
    assert int(open_minutes(calendar).sum()) == (5 * 24 - 1) * 60


def test_breaks_and_holidays_close_within_sessions() -> None:
    calendar = Calendar(
        open=("Mon 08:00 - Mon 16:00", "Tue 22:00 - Wed 02:00"),
        breaks=("12:00 - 13:00", "23:30 - 00:30"),
        holidays=("2025-01-13", "2025-01-21 23:00 - 2025-01-22 01:00", "2025-02-03 - 2025-02-04"),
    )
    monday = ("2025-01-06 08:00", "2025-01-06 12:00", "2025-01-06 13:00", "2025-01-06 16:00")
    assert is_open(calendar, *monday) == [True, False, True, False]
    assert is_open(calendar, "2025-01-07 23:00", "2025-01-07 23:45", "2025-01-08 00:15", "2025-01-08 00:30") == [
        True, False, False, True,
    ]  # fmt: skip
    assert is_open(calendar, "2025-01-13 09:00", "2025-01-20 09:00") == [False, True]
    assert is_open(calendar, "2025-01-21 22:30", "2025-01-21 23:15", "2025-01-22 01:00") == [True, False, True]
    assert is_open(calendar, "2025-02-03 09:00", "2025-02-04 23:00", "2025-02-10 09:00") == [False, False, True]


def test_a_zone_follows_daylight_saving() -> None:
    winter = ("2025-01-05 22:59", "2025-01-05 23:00", "2025-01-06 21:59", "2025-01-06 22:30", "2025-01-06 23:00")
    summer = ("2025-07-06 21:59", "2025-07-06 22:00", "2025-07-07 20:59", "2025-07-07 21:30", "2025-07-07 22:00")
    assert is_open(COMMODITIES, *winter) == is_open(COMMODITIES, *summer) == [False, True, True, False, True]
    assert is_open(COMMODITIES, "2025-12-25 04:59", "2025-12-25 05:00", "2025-12-26 04:59", "2025-12-26 05:00") == [
        True, False, False, True,
    ]  # fmt: skip


@given(st.lists(st.integers(us("2000-01-01"), us("2035-01-01")), min_size=1, max_size=50))
def test_many_times_at_once_are_as_a_clock_reads_one_by_one(times: list[int]) -> None:
    calendar = Calendar(open=("Sun 23:00 - Fri 22:00",), breaks=("22:00 - 23:00",), holidays=("2020-01-01",))

    def shut(moment: int) -> bool:
        time = datetime.fromtimestamp(moment // 10**6, UTC)
        day, hour = time.weekday(), time.hour
        weekend = day == 5 or (day == 4 and hour >= 22) or (day == 6 and hour < 23)
        return weekend or hour == 22 or (time.year, time.month, time.day) == (2020, 1, 1)

    assert closed(calendar, np.array(times)).tolist() == [shut(time) for time in times]


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (session, "Sun 23:00", "write day and time of both ends"),
        (session, "Sun 24:00 - Fri 22:00", "24:00 is no time of day; 00:00 to 23:59"),
        (session, "Son 23:00 - Fri 22:00", r"such as \"Sun 23:00 - Fri 22:00\" \(Mon to Sun\)"),
        (session, "Mon 08:00 - Mon 08:00", "starts when it ends"),
        (pause, "22-23", "write the time of both ends"),
        (pause, "22:00 - 22:00", "starts when it ends"),
        (holiday, "25.12.2025", "write a day"),
        (holiday, "2025-02-30", "2025-02-30 is no date"),
        (holiday, "2025-12-26 - 2025-12-24", "ends before it starts"),
    ],
)
def test_texts_that_are_no_hours_say_what_to_write(read, text: str, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        read(text)


FAULTS = [
    ("", 'calendar = "x"', "market.SOL.calendar = \"x\" is not a [calendar.NAME]; known: none"),
    ("[calendar.x]\nopen = []", "", "calendar.x.open is empty, so the market never opens; add "),
    ('[calendar.x]\nopen = ["Mon 08:00 - Mon 09:00"]\nbreaks = ["07:00 - 10:00"]', "",
     "calendar.x: the breaks leave nothing of the sessions; shorten them"),
    ('[calendar.x]\nopen = ["Mon 08:00 - Mon 09:00"]\nzone = "Mars"', "",
     'calendar.x.zone: "Mars" is no time zone; write one such as "America/New_York", or "UTC"'),
    ('[calendar.x]\nopen = ["Mon 08:00 - Mon 09:00"]', 'calendar = "x"\nprice = "jitoSOL"',
     "market.SOL.calendar closes the price jitoSOL, which values a custody too; give it its own price"),
    ('[calendar.x]\nopen = "Mon 08:00 - Mon 09:00"', "",
     'calendar.x.open = "Mon 08:00 - Mon 09:00" is not possible; give an array'),
    ('[calendar.x]\nopen = ["Mon 08:00 - Mon 09:00"]\nhours = 3', "",
     "calendar.x.hours is not a key that exists; known: zone, open, breaks, holidays"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "key", "message"), FAULTS)
def test_faults_of_a_file_name_calendar_and_text(tmp_path: Path, table: str, key: str, message: str) -> None:
    text = f"{SMALL}{key}\n{table}\n"
    with pytest.raises(UsageError) as caught:
        load_protocol(write(tmp_path, text))
    assert message in str(caught.value)


def test_markets_on_one_price_keep_the_same_hours(tmp_path: Path) -> None:
    second = SMALL[SMALL.index("[[market]]") :].replace('symbol = "SOL"', 'symbol = "SOL2"\nprice = "SOL"')
    text = f'{SMALL}calendar = "x"\n{second}[calendar.x]\nopen = ["Mon 08:00 - Mon 09:00"]\n'
    with pytest.raises(UsageError, match=r"SOL2\.calendar: another market closes the price SOL at other hours"):
        load_protocol(write(tmp_path, text))


def test_a_child_adds_a_calendar_to_those_of_its_base(tmp_path: Path) -> None:
    child = 'extends = "adrena-rwalp"\nname = "mine"\n[calendar.always]\nopen = ["Mon 00:00 - Sun 00:00"]\n'
    assert set(load_protocol(write(tmp_path, child)).calendar) == {"commodities", "always"}
