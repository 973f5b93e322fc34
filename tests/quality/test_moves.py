"""Prices that stand still and prices that jump: suspicions, each with its place and size."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.quality.limits import Rules
from backtest.quality.moves import find_jumps, find_still
from backtest.quality.report import Jump, Stale
from tests.quality.dirty_data import candles, of, prices, put, walk

STILL = Rules(stale_run=5)


def held(frame: pl.DataFrame, row: int, rows: int) -> pl.DataFrame:
    """`rows` rows from `row` on have the last price of the row before."""
    last = "close" if "close" in frame.columns else "price"
    value = frame[last][row - 1]
    for column in ("open", "high", "low", "close") if last == "close" else ("price",):
        frame = put(frame, column, dict.fromkeys(range(row, row + rows), value))
    return frame


@pytest.mark.parametrize("make", [prices, candles])
def test_a_run_counts_from_its_least_length(tmp_path, make):
    frame = held(held(held(make(100), 10, 4), 30, 5), 60, 9)
    assert of(tmp_path, frame, rules=STILL).stale == Stale(2, 14, 9, "2025-01-01T01:00:00Z")


def test_sixty_rows_are_the_default(tmp_path):
    assert of(tmp_path, held(prices(200), 10, 59)).stale.rows == 0
    assert of(tmp_path, held(prices(200), 10, 60)).stale == Stale(1, 60, 60, "2025-01-01T00:10:00Z")


def test_a_candle_with_a_body_or_a_wick_is_not_still(tmp_path):
    frame = held(candles(100), 10, 20)
    high = put(frame, "high", {20: frame["high"][20] * 1.0001})
    assert of(tmp_path, high, rules=STILL).stale.runs == 2
    assert of(tmp_path, high, rules=STILL).stale.rows == 19


@given(st.lists(st.sampled_from([1.0, 2.0]), min_size=1, max_size=60), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_runs_are_those_of_a_plain_loop(values, least):
    runs, run = [], 0
    for at, value in enumerate([*values, -1.0]):
        if at and value == values[at - 1]:
            run += 1
        else:
            runs.append(run)
            run = 0
    kept = [length for length in runs if length >= least]
    found = find_still({"price": np.array(values)}, least)
    assert (found.runs, found.rows, found.longest) == (len(kept), sum(kept), max(kept, default=0))


def test_untraded_rows_are_those_of_no_volume(tmp_path):
    assert of(tmp_path, put(candles(100), "volume", {3: 0.0, 4: 0.0, 5: None})).untraded_rows == 2
    assert of(tmp_path, prices(100)).untraded_rows is None


# --- jumps ------------------------------------------------------------------------------------------------------------


def test_a_price_that_jumps_and_comes_back(tmp_path):
    frame = prices(300)
    value = frame["price"][100]
    one = of(tmp_path, put(frame, "price", {100: value * 1.5, 200: frame["price"][200] * 0.8}))
    assert one.outliers == 2
    assert [(jump.time, jump.column) for jump in one.largest] == [
        ("2025-01-01T01:40:00Z", "price"),
        ("2025-01-01T03:20:00Z", "price"),
    ]
    back = value * 1.5 / max(frame["price"][99], frame["price"][101]) - 1  # the smaller of the two steps
    assert one.largest[0].size == pytest.approx(back, rel=1e-12)
    assert -0.21 < one.largest[1].size < -0.19


def test_a_price_that_jumps_and_stays_is_a_move(tmp_path):
    values = walk(300)
    values[100:] *= 2
    assert of(tmp_path, prices(300).with_columns(price=values)).outliers == 0


@pytest.mark.parametrize(
    ("column", "factor", "found"), [("high", 1.4, "high"), ("low", 0.7, "low"), ("high", 1.015, None)]
)
def test_the_wick_of_a_candle(tmp_path, column, factor, found):
    frame = candles(300)
    bodies = frame[99:102].select(
        pl.max_horizontal("open", "close").max(), pl.min_horizontal("open", "close").min().alias("low")
    )
    top, floor = bodies.row(0)
    one = of(tmp_path, put(frame, column, {100: (top if column == "high" else floor) * factor}))
    assert one.faults == {}
    expected = [] if found is None else [Jump("2025-01-01T01:40:00Z", pytest.approx(factor - 1), found)]
    assert one.largest == expected


def test_a_wick_within_the_bodies_beside_it_is_a_move(tmp_path):
    """A crash within a candle that the next one opens at."""
    frame = candles(300)
    shift = pl.when(pl.int_range(pl.len()) > 100).then(0.5).otherwise(1.0)
    fallen = frame.with_columns(pl.col("open", "high", "low", "close") * shift)
    one = of(tmp_path, put(fallen, "low", {100: fallen["low"][101]}))
    assert (one.faults, one.outliers) == ({}, 0)


def test_a_close_that_jumps_is_told_from_its_wick(tmp_path):
    frame = candles(300)
    value = frame["close"][100] * 1.3
    one = of(tmp_path, put(put(frame, "close", {100: value}), "high", {100: value}))
    assert [(jump.time, jump.column) for jump in one.largest] == [("2025-01-01T01:40:00Z", "close")]


@pytest.mark.parametrize(
    ("high", "jump", "found"), [(100.1, 0.0199, 0), (100.1, 0.0201, 1), (101.0, 0.193, 0), (101.0, 0.194, 1)]
)
def test_a_jump_is_measured_by_the_steps_around_it(high, jump, found):
    """Steps of ln 1.01, up and down: 12 * 1.4826 of them are a factor of 1.1937; those of ln 1.001 less than 2 %."""
    values = np.tile([100.0, high], 200)
    values[200] = high * (1 + jump)
    assert len(find_jumps({"price": values}, 12).at) == found


def test_fewer_deviations_find_more():
    values = np.tile([100.0, 101.0], 200)
    values[201] *= 1.1
    assert len(find_jumps({"price": values}, 12).at) == 0
    assert find_jumps({"price": values}, 5).at.tolist() == [201]


def test_a_quiet_stretch_in_a_wild_year_is_measured_by_itself():
    rng = np.random.default_rng(1)
    steps = np.concatenate([rng.normal(0, 0.02, 1000), rng.normal(0, 0.0005, 1000)])
    values = 100 * np.exp(np.cumsum(steps))
    values[1500] *= 1.04
    assert find_jumps({"price": values}, 12).at.tolist() == [1500]


def test_the_ends_have_one_neighbour_and_no_jump():
    values = walk(100)
    values[0] *= 2
    values[-1] *= 2
    assert len(find_jumps({"price": values}, 12).at) == 0
    assert len(find_jumps({"price": values[:1]}, 12).at) == 0


def test_faulty_rows_are_left_out_of_the_search(tmp_path):
    frame = put(prices(300), "price", {10: 0.0, 11: None, 12: float("nan"), 13: 1e9, 14: -5.0})
    one = of(tmp_path, pl.concat([frame, frame[100:101]]).reverse())
    assert (one.outliers, one.stale.rows) == (0, 0)


@pytest.mark.parametrize(("factors", "outliers"), [((2.0, 1.0), 0), ((1.0, 2.0), 1)])
def test_of_rows_of_one_time_the_last_is_looked_at(tmp_path, factors, outliers):
    frame = prices(300)
    value = frame["price"][100]
    twice = pl.concat([frame[:101], frame[100:]])
    assert of(tmp_path, put(twice, "price", {100 + n: value * factors[n] for n in (0, 1)})).outliers == outliers


@given(
    seed=st.integers(0, 2**32 - 1),
    spikes=st.dictionaries(st.integers(1, 96).map(lambda number: 4 * number), st.sampled_from([0.5, 0.9, 1.1, 3.0])),
)
@settings(max_examples=40, deadline=None)
def test_seeded_spikes_are_found_exactly(seed, spikes):
    values = walk(400, seed)
    for row, factor in list(spikes.items())[:40]:
        values[row] *= factor
    expected = sorted(list(spikes)[:40])
    assert find_jumps({"price": values}, 12).at.tolist() == expected
