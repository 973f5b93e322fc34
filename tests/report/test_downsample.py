"""Down-sampling keeps what one looks at: every stretch's first, lowest, highest and last value."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from backtest.report.downsample import BUCKETS, extremes
from backtest.report.lines import Style, lines

_STEPS = st.lists(st.tuples(st.integers(1, 10**9), st.floats(-1e12, 1e12)), min_size=1, max_size=300)


@given(_STEPS, st.integers(1, 12))
def test_extremes_of_every_stretch_are_kept(steps, buckets):
    times = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps])
    kept = extremes(times, values, buckets)
    assert (np.diff(kept) > 0).all()
    assert {0, len(times) - 1} <= set(kept)
    if len(times) <= 4 * buckets:
        assert len(kept) == len(times)
        return
    assert len(kept) <= 4 * buckets
    width = int(times[-1] - times[0]) + 1
    stretch = [int(time - times[0]) * buckets // width for time in times]
    for number in set(stretch):
        mine = [i for i, place in enumerate(stretch) if place == number]
        drawn = [i for i in kept if stretch[i] == number]
        assert {mine[0], mine[-1]} <= set(drawn)
        assert values[drawn].min() == values[mine].min()
        assert values[drawn].max() == values[mine].max()


def test_a_year_of_minutes_keeps_its_one_spike_and_says_what_is_left_out():
    n = 525_600
    value = np.zeros(n)
    value[123_456] = 7.5
    at = pl.select(pl.datetime(2025, 1, 1, time_zone="UTC") + pl.duration(minutes=pl.int_range(n))).to_series()
    spec, note = lines(pl.DataFrame({"series": ["a"] * n, "timestamp": at, "value": value}), "usd", {"a": Style("")})
    drawn = spec["data"][0]
    assert max(drawn["y"]) == 7.5
    assert drawn["x"][drawn["y"].index(7.5)] == 1_735_689_600_000 + 123_456 * 60_000
    assert note.startswith(f"Drawn from {len(drawn['x']):,} of 525,600 samples")
    assert len(drawn["x"]) <= 4 * BUCKETS


def test_few_points_are_all_drawn_without_a_word():
    at = pl.Series([0, 60_000_000], dtype=pl.Datetime("us", "UTC"))
    spec, note = lines(pl.DataFrame({"series": "a", "timestamp": at, "value": [1.0, 2.0]}), "usd", {"a": Style("")})
    assert (spec["data"][0]["x"], spec["data"][0]["y"], note) == ([0, 60_000], [1.0, 2.0], "")
