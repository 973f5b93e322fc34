"""Histories read from files: what is read, one clock for all, and what is refused."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import PerpoolError, UsageError
from backtest.synthetic.history import load
from backtest.synthetic.resample import resampled
from backtest.synthetic.tracks import Track, joint, returns_of, steps_per_year, told
from tests.shell import MINUTE, T0, stamps
from tests.synthetic.histories import candles, prices, random_candles, write

HOUR = 60 * MINUTE


def test_reads_every_symbol_in_order_of_time_from_several_files(tmp_path: Path) -> None:
    late = prices([3.0, 4.0], start_us=T0 + 2 * MINUTE)
    write(tmp_path / "a.parquet", {"SOL": late, "BTC": prices([7.0, 8.0])})
    write(tmp_path / "b.parquet", {"SOL": prices([1.0, 2.0])})
    found = load([str(tmp_path)], [])
    assert list(found) == ["BTC", "SOL"]
    assert found["SOL"].columns["price"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert found["SOL"].times.tolist() == [T0 + number * MINUTE for number in range(4)]
    assert found["SOL"].step_us == MINUTE and not found["SOL"].candles
    assert list(load([str(tmp_path)], ["SOL"])) == ["SOL"]


def test_reads_candles_with_what_lies_beside_the_price_but_no_average(tmp_path: Path) -> None:
    track = random_candles(5, seed=1)["SOL"]
    beside = {"bid": track.close - 1, "ask": track.close + 1, "confidence": np.ones(5), "ema": track.close}
    write(tmp_path / "p.parquet", {"SOL": Track(track.times, track.columns | beside, MINUTE)})
    found = load([str(tmp_path)], [])["SOL"]
    assert list(found.columns) == ["open", "high", "low", "close", "min", "max", "confidence", "volume"]
    assert np.array_equal(found.columns["min"], track.close - 1)
    assert np.array_equal(found.columns["volume"], np.arange(5))


def test_a_confidence_that_some_files_lack_is_left_out(tmp_path: Path) -> None:
    track = prices([1.0, 2.0])
    write(tmp_path / "a.parquet", {"SOL": Track(track.times, track.columns | {"confidence": np.zeros(2)}, MINUTE)})
    write(tmp_path / "b.parquet", {"BTC": track})
    assert list(load([str(tmp_path)], [])["SOL"].columns) == ["price"]
    assert list(load([str(tmp_path / "a.parquet")], [])["SOL"].columns) == ["price", "confidence"]


def frame(tmp_path: Path, times: list[int], values: list[float | None], name: str = "p") -> str:
    rows = {"timestamp": stamps(times), "symbol": ["SOL"] * len(times), "price": pl.Series(values, dtype=pl.Float64)}
    pl.DataFrame(rows).write_parquet(tmp_path / f"{name}.parquet")
    return str(tmp_path / f"{name}.parquet")


def test_what_a_run_refuses_is_refused(tmp_path: Path) -> None:
    fill = "remove the row or fill in the price in US dollars"
    for value, problem in (
        (None, "is null"),
        (float("nan"), "nan is not a price"),
        (0.0, "0.0 is not a price above zero"),
    ):
        path = frame(tmp_path, [T0, T0 + MINUTE], [1.0, value])
        with pytest.raises(PerpoolError) as caught:
            load([path], [])
        assert str(caught.value) == f"{path}: row 1, column price: {problem}; {fill}"


def test_faults_of_several_rows(tmp_path: Path) -> None:
    single = frame(tmp_path, [T0], [1.0])
    with pytest.raises(PerpoolError) as caught:
        load([single], [])
    assert str(caught.value) == "SOL has a single row, at 2025-01-01T00:00:00Z; give a history of two rows or more"
    other = frame(tmp_path, [T0, T0 + MINUTE], [1.0, 2.0], "q")
    with pytest.raises(PerpoolError) as caught:
        load([single, other], [])
    assert str(caught.value) == (
        f"SOL has two prices at 2025-01-01T00:00:00Z: {single} row 0 and {other} row 0; keep one row per symbol and "
        "timestamp"
    )
    with pytest.raises(PerpoolError) as caught:
        load([other], ["SOL", "ETH"])
    assert str(caught.value) == (
        f"{other}: no prices for ETH; the column symbol holds SOL; add the missing prices or map the symbol to one of "
        "these"
    )


def test_candles_of_two_lengths_are_refused(tmp_path: Path) -> None:
    minutes = candles([(1.0, 1.0, 1.0, 1.0)] * 5)
    short = Track(
        np.array([T0 + 5 * MINUTE - 1_000_000]), {name: values[:1] for name, values in minutes.columns.items()}, 1
    )
    one, other = write(tmp_path / "a.parquet", {"SOL": minutes}), write(tmp_path / "b.parquet", {"SOL": short})
    with pytest.raises(PerpoolError) as caught:
        load([str(tmp_path)], [])
    assert str(caught.value) == (
        f"candles of SOL open at 2025-01-01T00:04:00Z and 2025-01-01T00:04:59Z ({one} row 4 and {other} row 0), closer "
        "than their interval of 1m; give files of one interval"
    )


def test_candles_and_prices_do_not_mix(tmp_path: Path) -> None:
    one = write(tmp_path / "a.parquet", {"SOL": candles([(1.0, 1.0, 1.0, 1.0)] * 2)})
    other = write(tmp_path / "b.parquet", {"BTC": prices([1.0, 2.0])})
    with pytest.raises(PerpoolError, match=f"^{one} holds candles but {other} holds prices; give one shape per run"):
        load([str(tmp_path)], [])


def test_joint_rows_are_those_that_all_symbols_have() -> None:
    sol, btc = prices([1.0, 2.0, 3.0, 4.0]), prices([7.0, 8.0, 9.0], start_us=T0 + MINUTE)
    found = joint({"SOL": sol, "BTC": btc.rows(np.array([0, 2]))})
    assert found["SOL"].close.tolist() == [2.0, 4.0] and found["BTC"].close.tolist() == [7.0, 9.0]
    assert found["SOL"].times.tolist() == found["BTC"].times.tolist() == [T0 + MINUTE, T0 + 3 * MINUTE]
    assert returns_of(found) == pytest.approx(np.array([[np.log(2), np.log(9 / 7)]]))


def test_returns_of_candles_are_from_close_to_close() -> None:
    rows = {"SOL": candles([(1.0, 9.0, 1.0, 2.0), (3.0, 9.0, 1.0, 8.0), (5.0, 9.0, 1.0, 4.0)])}
    assert returns_of(rows)[:, 0] == pytest.approx([np.log(4), -np.log(2)])


def test_symbols_that_are_not_on_one_clock_are_refused() -> None:
    with pytest.raises(PerpoolError) as caught:
        joint({"SOL": prices([1.0, 2.0]), "BTC": prices([1.0, 2.0], step_us=5 * MINUTE)})
    assert str(caught.value) == (
        "SOL has a row every 1m, BTC every 5m; put them on one clock with --every 5m, or choose others with --symbols"
    )
    with pytest.raises(PerpoolError) as caught:
        joint({"SOL": prices([1.0] * 9), "BTC": prices([1.0] * 7, start_us=T0 + 6 * MINUTE)})
    assert str(caught.value) == (
        "SOL, BTC have 3 timestamps in common, of the 7 of BTC; put them on one clock with --every, such as --every "
        "1h, or choose others with --symbols"
    )


def test_a_coarser_clock_for_candles_by_hand() -> None:
    """Minutes 0 to 4 into candles of two minutes; the last has one minute only."""
    rows = [(10, 12, 9, 11, 1), (11, 15, 10, 12, 2), (12, 13, 8, 9, 3), (9, 9.5, 7, 8, 4), (8, 9, 8, 9, 5)]
    found = resampled("SOL", candles(rows), 2 * MINUTE)
    assert ((found.times - T0) // MINUTE).tolist() == [0, 2, 4]
    values = {name: column.tolist() for name, column in found.columns.items()}
    assert values == {
        "open": [10, 12, 8],
        "high": [15, 13, 9],
        "low": [9, 7, 8],
        "close": [12, 8, 9],
        "volume": [3, 7, 5],
    }
    assert found.step_us == 2 * MINUTE


def test_a_coarser_clock_for_prices_knows_nothing_of_the_future() -> None:
    """A price at t is the last of the interval that ends at t; an interval without prices has none."""
    track = prices([1.0, 2.0, 3.0, 4.0, 5.0]).rows(np.array([0, 1, 2, 4]))
    found = resampled("SOL", track, 2 * MINUTE)
    assert ((found.times - T0) // MINUTE).tolist() == [0, 2, 4]
    assert found.close.tolist() == [1.0, 3.0, 5.0]
    found = resampled("SOL", prices([1.0, 2.0, 3.0, 4.0], start_us=T0 + MINUTE), 3 * MINUTE)
    assert ((found.times - T0) // MINUTE).tolist() == [3, 6]
    assert found.close.tolist() == [3.0, 4.0]


@given(st.integers(1, 60), st.integers(1, 12))
def test_a_coarser_clock_keeps_ends_extremes_and_volume(rows: int, times: int) -> None:
    track = random_candles(rows, seed=rows)["SOL"]
    found = resampled("SOL", track, times * MINUTE)
    assert found.columns["open"][0] == track.columns["open"][0] and found.close[-1] == track.close[-1]
    assert found.columns["high"].max() == track.columns["high"].max()
    assert found.columns["low"].min() == track.columns["low"].min()
    assert found.columns["volume"].sum() == track.columns["volume"].sum()
    assert len(found.times) == -(-rows // times) or T0 % (times * MINUTE)


@pytest.mark.parametrize("every", [30_000_000, 90_000_000])
def test_a_clock_that_does_not_fit_is_refused(every: int) -> None:
    with pytest.raises(UsageError) as caught:
        resampled("SOL", candles([(1, 1, 1, 1)] * 3), every)
    assert str(caught.value) == (
        f"--every {every // 1_000_000}s is not possible: SOL has a row every 1m; give a whole multiple of that"
    )


def test_durations_and_years() -> None:
    texts = {90_000_000: "90s", 5 * MINUTE: "5m", HOUR: "1h", 24 * HOUR: "1d", 36 * HOUR: "36h", 7: "7us"}
    assert [told(duration) for duration in texts] == list(texts.values())
    assert steps_per_year(prices([1.0, 1.0, 1.0], step_us=HOUR).times) == 365 * 24
