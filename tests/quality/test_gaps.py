"""Gaps: rows that are due and not there, with closed hours given, told from the weeks, or none."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.calendars import closed
from backtest.config import Calendar
from backtest.errors import UsageError
from backtest.protocols import load_protocol
from backtest.quality import gaps as gaps
from backtest.quality.hours import read_hours
from backtest.quality.report import Gap
from tests.price_data import MINUTE, T0, S
from tests.quality.dirty_data import DAY, candles, of, prices, report, write

HOUR = 60 * MINUTE
CME = load_protocol("adrena-rwalp").calendar["commodities"]
NEW_YORK = Calendar(zone="America/New_York", open=("Sun 18:00 - Fri 17:00",), breaks=("17:00 - 18:00",))
OFFICE = Calendar(open=("Mon 08:00 - Fri 16:30",), breaks=("16:30 - 08:00",))


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


def without(frame: pl.DataFrame, *rows: int) -> pl.DataFrame:
    keep = np.ones(len(frame), bool)
    keep[list(rows)] = False
    return frame.filter(keep)


def hours(weeks: int, calendar: Calendar, step: int = HOUR, start: str = "2025-01-06") -> pl.DataFrame:
    """Rows of whole weeks in the open hours of a calendar."""
    frame = prices(weeks * 7 * DAY // step, step=step).with_columns(pl.col("timestamp") + us(start) - T0)
    return frame.filter(~closed(calendar, frame["timestamp"].to_numpy()))


def test_gaps_are_counted_and_the_longest_named(tmp_path):
    frame = without(candles(100), 10, 20, 21, 22, *range(40, 50), 60, 70, 71, 80)
    found = of(tmp_path, frame).gaps
    assert (found.due, found.missing, found.count, found.hours) == (100, 18, 6, "none")
    assert found.coverage == 0.82
    assert [gap.missing for gap in found.longest] == [10, 3, 2, 1, 1]
    assert found.longest[0] == Gap("2025-01-01T00:39:00Z", "2025-01-01T00:50:00Z", 660.0, 10)


def test_a_step_that_is_nearly_the_cadence_is_no_gap(tmp_path):
    frame = prices(100)
    jittered = frame.with_columns(pl.col("timestamp") + pl.int_range(pl.len()) % 4 // 3 * 20 * S)
    found = of(tmp_path, without(jittered, 50, 51))
    assert (found.span.cadence_s, found.span.regular) == (60, True)
    assert (found.gaps.missing, found.gaps.count) == (2, 1)


def test_prices_that_come_when_they_like_miss_nothing(tmp_path):
    frame = prices(100)
    times = T0 + np.cumsum(np.arange(100) % 17 + 1) * S
    found = of(tmp_path, frame.with_columns(timestamp=times))
    assert (found.span.regular, found.gaps.due, found.gaps.coverage) == (False, 0, None)
    assert [gap.lasts_s for gap in found.gaps.longest] == [17] * 5
    assert {gap.missing for gap in found.gaps.longest} == {None}


@pytest.mark.parametrize(("rows", "cadence"), [(1, None), (2, 60)])
def test_few_rows(tmp_path, rows, cadence):
    found = of(tmp_path, prices(rows))
    assert (found.span.cadence_s, found.gaps.missing, found.outliers, found.stale.rows) == (cadence, 0, 0, 0)


def test_days_are_those_with_rows(tmp_path):
    assert of(tmp_path, without(prices(24 * 5, step=HOUR), *range(24, 48))).span.days == 4


# --- market hours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calendar", [CME, NEW_YORK, OFFICE])
@pytest.mark.parametrize("step", [HOUR, 5 * MINUTE])
def test_closed_hours_are_no_gap(tmp_path, calendar, step):
    whole = hours(6, calendar, step, "2025-02-24")  # New York's clock goes forward on 9 March
    found = of(tmp_path, whole, calendars={"SOL": calendar}).gaps
    assert (found.missing, found.coverage, found.hours, found.asleep_rows) == (0, 1.0, "given", 0)
    assert found.closed_rows == (whole["timestamp"][-1] - whole["timestamp"][0]) // step + 1 - len(whole)


def test_what_is_missing_in_open_hours_is_counted_beside_them(tmp_path):
    whole = hours(3, NEW_YORK)
    friday = us("2025-01-10 21:00")  # the last open hour
    cut = whole.filter((pl.col("timestamp") < friday - 2 * HOUR) | (pl.col("timestamp") > friday))
    assert len(whole) - len(cut) == 3
    found = of(tmp_path, cut, calendars={"SOL": NEW_YORK}).gaps
    assert (found.due, found.missing, found.count) == (len(whole), 3, 1)
    assert found.longest[0] == Gap("2025-01-10T18:00:00Z", "2025-01-12T23:00:00Z", 53 * 3600.0, 3)


def test_rows_in_closed_hours_are_counted_apart(tmp_path):
    frame = prices(14 * 24, step=HOUR)
    shut = int(closed(CME, frame["timestamp"].to_numpy()).sum())
    found = of(tmp_path, frame, calendars={"SOL": CME}).gaps
    assert (found.asleep_rows, found.due, found.missing, found.closed_rows) == (shut, 14 * 24 - shut, 0, 0)
    assert 90 < shut < 150


@given(
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=60),
    cadence=st.sampled_from([7 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 5 * HOUR]),
    offset=st.integers(0, 7 * 24 * 60),
    calendar=st.sampled_from([CME, NEW_YORK, OFFICE]),
)
@settings(max_examples=60, deadline=None)
def test_missing_rows_are_those_of_a_plain_loop(steps, cadence, offset, calendar):
    times = T0 + offset * MINUTE + np.cumsum(np.array(steps, np.int64)) * cadence
    spans = gaps.calendar_spans(calendar, int(times[0]), int(times[-1]))
    found = gaps.find_gaps(times, cadence, spans)
    expected = []
    for at in range(len(times) - 1):
        due = np.arange(times[at] + cadence, times[at + 1], cadence)
        if len(due):
            shut = int(closed(calendar, due).sum())
            expected.append((at, len(due) - shut, shut))
    assert list(zip(found.after.tolist(), found.missing.tolist(), found.asleep.tolist(), strict=True)) == expected


# --- hours told from the weeks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [HOUR, 30 * MINUTE, 5 * MINUTE])
def test_weekends_and_breaks_that_recur_look_like_market_hours(tmp_path, step):
    found = of(tmp_path, hours(8, OFFICE, step)).gaps
    assert (found.missing, found.hours) == (0, "weekly")
    assert found.closed == 8 * 5 - 1


def test_half_a_year_of_an_exchange_with_daylight_saving(tmp_path):
    """Its weekend and its daily break lie an hour earlier in summer; the break alone is in no hour of most weeks."""
    found = of(tmp_path, hours(26, NEW_YORK, start="2024-12-09")).gaps
    assert (found.missing, found.hours, found.closed) == (0, "weekly", 26 * 5)


def test_a_holiday_and_an_outage_are_gaps_all_the_same(tmp_path):
    whole = hours(10, OFFICE)
    wednesday = us("2025-02-05")
    cut = whole.filter((pl.col("timestamp") < wednesday) | (pl.col("timestamp") >= wednesday + DAY))
    found = of(tmp_path, without(cut, 3, 4)).gaps
    assert (found.missing, found.count) == (9 + 2, 2)
    assert found.longest[0].after == "2025-02-04T16:00:00Z"


@pytest.mark.parametrize(("weeks", "hours_are"), [(3, "none"), (4, "weekly")])
def test_it_takes_four_whole_weeks(tmp_path, weeks, hours_are):
    """Nights that recur for three weeks are no rule, those of four are."""
    assert of(tmp_path, hours(weeks, OFFICE)).gaps.hours == hours_are


@pytest.mark.parametrize(("absent", "recurs"), [(8, True), (7, False)])
def test_it_takes_four_weeks_in_five(absent, recurs):
    """Every Wednesday from 12:00 to 13:00 of ten weeks, in two or three of which there are rows."""
    frame = prices(10 * 7 * 24 * 12, step=5 * MINUTE).with_columns(pl.col("timestamp") + us("2025-01-06") - T0)
    noon = [us("2025-01-08 12:00") + week * 7 * DAY for week in range(absent)]
    times = np.array([at for at in frame["timestamp"] if not any(start <= at < start + HOUR for start in noon)])
    found = gaps.find_gaps(times, 5 * MINUTE, gaps.weekly_spans(times))
    assert (found.missing.sum(), found.asleep.sum()) == ((0, absent * 12) if recurs else (absent * 12, 0))


def test_a_market_that_never_closes_has_no_weekly_hours(tmp_path):
    """A protocol says so by naming no calendar; what recurs is then missing."""
    found = of(tmp_path, hours(8, OFFICE), calendars={"SOL": None}).gaps
    assert (found.hours, found.closed_rows) == ("given", 0)
    assert found.missing > 100


# --- --hours ----------------------------------------------------------------------------------------------------------

TWO = """extends = "adrena-rwalp"

[calendar.oil]
open = ["Mon 00:00 - Fri 12:00"]
"""


def test_hours_by_symbol_and_by_protocol(tmp_path):
    (tmp_path / "two.toml").write_text(TWO)
    two = tmp_path / "two.toml"
    assert read_hours(["XAU=adrena-rwalp"], ["SOL", "XAU"]) == {"XAU": CME}
    assert read_hours(["adrena-rwalp"], ["SOL", "XAG", "XAU"]) == {"XAG": CME, "XAU": CME}
    assert read_hours(["adrena-alp"], ["SOL", "XAU"]) == {"SOL": None}
    oil = read_hours([f"XAU={two}:oil", "adrena-rwalp"], ["XAG", "XAU"])
    assert oil["XAG"] == CME
    assert oil["XAU"] is not None and oil["XAU"].open == ("Mon 00:00 - Fri 12:00",)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["GLD=adrena-rwalp"], "--hours GLD=adrena-rwalp: the dataset has no GLD; known: SOL, XAU"),
        (["XAU=adrena-alp"], "--hours XAU=adrena-alp: adrena-alp has no [calendar.NAME]; name a protocol that has..."),
        (
            ["XAU=adrena-rwalp:metals"],
            "--hours XAU=adrena-rwalp:metals: adrena-rwalp has no calendar metals; known: commodities",
        ),
        (["XAU=two.toml"], "--hours XAU=two.toml: two.toml has the calendars commodities, oil; name one: two.toml:..."),
        (["XAU=adrena-rwalp"] * 2, "--hours XAU=adrena-rwalp: XAU has hours already; give each symbol one calendar"),
        (["adrena-rwap"], "no protocol is called 'adrena-rwap'; did you mean 'adrena-rwalp'?, or give a TOML file"),
    ],
)
def test_hours_that_make_no_sense(tmp_path, monkeypatch, texts, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.toml").write_text(TWO)
    with pytest.raises(UsageError) as caught:
        read_hours(texts, ["SOL", "XAU"])
    assert str(caught.value).startswith(message.removesuffix("..."))


def test_a_protocol_without_prices_of_the_dataset_is_refused():
    with pytest.raises(UsageError) as caught:
        read_hours(["adrena-rwalp"], ["SOL", "XAUUSD"])
    assert str(caught.value) == (
        "--hours adrena-rwalp: its markets have the prices XAU, XAG, WTI, the dataset has SOL, XAUUSD; "
        "name the symbol too: --hours SOL=adrena-rwalp"
    )


# --- together ---------------------------------------------------------------------------------------------------------


def test_the_joint_span_is_where_every_symbol_has_prices(tmp_path):
    write(tmp_path, "SOL", prices(100))
    write(tmp_path, "BTC", prices(50, step=2 * MINUTE)[10:])
    found = report(tmp_path)
    assert found.joint == ("2025-01-01T00:20:00Z", "2025-01-01T01:38:00Z")
    write(tmp_path, "ETH", prices(100).with_columns(pl.col("timestamp") + DAY))
    assert report(tmp_path).joint is None


def test_fractions_of_a_second_do_not_confuse_the_joint_span(tmp_path):
    write(tmp_path, "SOL", prices(100))
    write(tmp_path, "BTC", prices(100).with_columns(pl.col("timestamp") + S // 2))
    assert report(tmp_path).joint == ("2025-01-01T00:00:00.500000Z", "2025-01-01T01:39:00Z")
