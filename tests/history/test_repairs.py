"""Repairs by hand: which rows go, how many are counted, and that no price changes."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import UsageError
from backtest.history.repairs import REPAIRS, apply

T0 = datetime(2025, 1, 1, tzinfo=UTC)
NAN = float("nan")


def prices(*rows: tuple[int | None, float | None]) -> pl.DataFrame:
    """Rows of (minute, price); a minute of None is no time, of -1 the start of 1970."""
    times = [
        None if at is None else datetime(1970, 1, 1, tzinfo=UTC) if at < 0 else T0 + timedelta(minutes=at)
        for at, _ in rows
    ]
    return pl.DataFrame(
        {"timestamp": times, "price": [price for _, price in rows]},
        schema={"timestamp": pl.Datetime("us", "UTC"), "price": pl.Float64},
    )


@pytest.mark.parametrize(
    ("repair", "before", "after", "count"),
    [
        ("drop-zero", [(0, 1.0), (1, 0.0), (2, -0.0), (-1, 5.0), (3, 2.0)], [(0, 1.0), (3, 2.0)], 3),
        ("drop-zero", [(0, None), (1, NAN), (None, 1.0)], [(0, None), (1, NAN), (None, 1.0)], 0),
        ("drop-incomplete", [(0, 1.0), (1, None), (2, NAN), (None, 3.0), (3, 0.0)], [(0, 1.0), (3, 0.0)], 3),
        ("keep-last", [(1, 1.0), (0, 2.0), (1, 3.0), (1, 4.0)], [(0, 2.0), (1, 4.0)], 2),
        ("keep-last", [(None, 1.0), (None, 2.0)], [(None, 1.0), (None, 2.0)], 0),
        (
            "sort",
            [(0, 1.0), (3, 2.0), (1, 3.0), (2, 4.0), (4, 5.0)],
            [(0, 1.0), (1, 3.0), (2, 4.0), (3, 2.0), (4, 5.0)],
            2,
        ),
        ("sort", [(0, 1.0), (0, 2.0), (1, 3.0)], [(0, 1.0), (0, 2.0), (1, 3.0)], 0),
    ],
)
def test_each_repair(repair, before, after, count):
    frame, counts = apply(prices(*before), [repair])
    assert frame.equals(prices(*after))
    assert counts == {repair: count}


def test_candles_are_zero_only_as_a_whole_and_need_no_volume():
    frame = pl.DataFrame(
        {
            "timestamp": [T0 + timedelta(minutes=at) for at in range(3)],
            "open": [0.0, 0.0, 1.0],
            "high": [0.0, 2.0, 2.0],
            "low": [0.0, 0.0, 1.0],
            "close": [0.0, 1.0, None],
            "volume": [1.0, None, 1.0],
        }
    )
    kept, counts = apply(frame, ["drop-incomplete", "drop-zero"])
    assert kept["open"].to_list() == [0.0] and kept["high"].to_list() == [2.0]
    assert counts == {"drop-zero": 1, "drop-incomplete": 1}


def test_quotes_may_be_unknown_but_not_nan_and_confidence_is_needed():
    frame = prices((0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)).with_columns(
        pl.Series("min", [None, NAN, 0.9, 0.9]), pl.Series("confidence", [0.1, 0.1, None, 0.0])
    )
    kept, counts = apply(frame, ["drop-incomplete"])
    assert kept["timestamp"].dt.minute().to_list() == [0, 3] and counts == {"drop-incomplete": 2}


def test_rows_are_dropped_before_they_are_compared():
    frame, counts = apply(prices((1, 7.0), (0, 3.0), (1, 0.0)), ["sort", "keep-last", "drop-zero"])
    assert frame.equals(prices((0, 3.0), (1, 7.0)))
    assert counts == {"drop-zero": 1, "keep-last": 0, "sort": 1}


def test_a_name_that_is_none():
    with pytest.raises(UsageError) as caught:
        apply(prices((0, 1.0)), ["sort", "fill"])
    assert str(caught.value) == (
        "repair 'fill' is unknown; the repairs are drop-zero, drop-incomplete, keep-last, sort"
    )


@given(
    st.lists(st.tuples(st.integers(-1, 8) | st.none(), st.sampled_from([0.0, 1.0, 2.5, None, NAN]))),
    st.sets(st.sampled_from(list(REPAIRS))),
)
def test_repairs_never_make_a_row_and_are_done_once(rows, repairs):
    before = prices(*rows)
    after, counts = apply(before, repairs)
    assert after.join(before, on=["timestamp", "price"], how="anti", nulls_equal=True).is_empty()
    assert len(before) - len(after) == sum(count for name, count in counts.items() if name != "sort")
    again, more = apply(after, repairs)
    assert again.equals(after) and not any(more.values())
