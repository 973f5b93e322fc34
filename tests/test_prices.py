"""Ticks from price files: paths, asof fill, staleness, look-back and chunks, against a naive twin."""

import hashlib
import importlib.util
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import PerpoolError, UsageError
from backtest.prices import SymbolSource, TickSource, fingerprint, open_prices
from kernels.codes import FLAG_STALE
from kernels.state import Ticks
from tests.price_data import MINUTE, T0, S, sources, stamps, write_candles, write_prices
from tests.reference.naive_ticks import naive_ticks


def collect(source: TickSource, size: int = 10**9) -> Ticks:
    chunks = list(source.chunks(size))
    assert [len(chunk.time_us) for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
    for chunk in chunks:
        assert 0 < len(chunk.time_us) <= size
        for column, kind in zip(chunk, (np.int64, np.int64, np.uint8), strict=True):
            assert column.dtype == kind and column.flags.c_contiguous and column.flags.writeable
    return Ticks(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


def same(one: Ticks, other: Ticks) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def seconds(ticks: Ticks) -> list[float]:
    return [(time - T0) / S for time in ticks.time_us.tolist()]


def dollars(ticks: Ticks, column: int = 0) -> list[float]:
    return [price / 1e10 for price in ticks.price[:, column].tolist()]


def test_union_asof_and_staleness(tmp_path):
    file = write_prices(
        tmp_path / "p.parquet",
        [(T0, "SOL", 100.0), (T0 + 10 * S, "BTC", 9e4), (T0 + 20 * S, "SOL", 101.0), (T0 + 50 * S, "BTC", 8e4)],
    )
    feeds = [
        SymbolSource("SOL", "SOL", 29 * S),
        SymbolSource("wBTC", "BTC", 30 * S),
        SymbolSource("USDC", 1.0, 0),
        SymbolSource("jitoSOL", "SOL", 30 * S),
    ]
    source = open_prices(file, feeds)
    ticks = collect(source)
    assert source.symbols == ("SOL", "wBTC", "USDC", "jitoSOL")
    assert (source.files, source.path) == ((file,), "close")
    assert (source.span.start_us, source.span.end_us, source.span.n_ticks) == (T0 + 10 * S, T0 + 50 * S, 3)
    assert seconds(ticks) == [10, 20, 50]  # the price at 0 has no BTC beside it
    assert dollars(ticks, 0) == dollars(ticks, 3) == [100, 101, 101]
    assert dollars(ticks, 1) == [9e4, 9e4, 8e4]
    assert dollars(ticks, 2) == [1, 1, 1]
    assert ticks.flags.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [FLAG_STALE, 0, 0, 0]]  # 30 s old: over 29, not over 30


def test_prices_round_to_the_nearest_1e_10(tmp_path):
    file = write_prices(
        tmp_path / "p.parquet", [(T0, "A", 1.00000000016), (T0 + S, "A", 2.3e-10), (T0 + 2 * S, "A", 89_999_999.5)]
    )
    assert collect(open_prices(file, sources("A"))).price[:, 0].tolist() == [10_000_000_002, 2, 899_999_995_000_000_000]


def test_close_is_known_when_the_candle_ends(tmp_path):
    rows = [(T0 + k * MINUTE, "SOL", 10.0, 13.0, 9.0, close) for k, close in enumerate([11.0, 12.0, 10.5])]
    ticks = collect(open_prices(write_candles(tmp_path / "p.parquet", rows), sources("SOL")))
    assert seconds(ticks) == [60, 120, 180]
    assert dollars(ticks) == [11, 12, 10.5]


def test_each_symbol_has_its_own_candle_interval(tmp_path):
    rows = [(T0 + k * MINUTE, "SOL", 1.0, 1.0, 1.0, 1.0 + 0) for k in range(12)]
    rows += [(T0 + k * 5 * MINUTE, "BONK", 2.0, 3.0, 2.0, 2.0 + k / 10) for k in range(3)]
    ticks = collect(open_prices(write_candles(tmp_path / "p.parquet", rows), sources("SOL", "BONK")))
    assert seconds(ticks) == [60 * k for k in [5, 6, 7, 8, 9, 10, 11, 12, 15]]
    assert dollars(ticks, 1) == [2.0] * 5 + [2.1] * 3 + [2.2]


def test_ohlc_path_follows_the_direction_of_the_candle(tmp_path):
    rows = [
        (T0, "SOL", 10.0, 13.0, 9.0, 11.0),  # rises: low first
        (T0 + MINUTE, "SOL", 11.0, 14.0, 8.0, 10.0),  # falls: high first
        (T0 + 2 * MINUTE, "SOL", 10.0, 12.0, 7.0, 10.0),  # level: low first
    ]
    source = open_prices(write_candles(tmp_path / "p.parquet", rows), sources("SOL"), path="ohlc")
    ticks = collect(source)
    assert source.path == "ohlc"
    assert seconds(ticks) == [0, 20, 40, 59, 60, 80, 100, 119, 120, 140, 160, 179]
    assert dollars(ticks) == [10, 9, 13, 11, 11, 14, 8, 10, 10, 7, 12, 10]


def test_given_interval_overrides_the_common_gap(tmp_path):
    file = write_candles(tmp_path / "p.parquet", [(T0 + k * MINUTE, "SOL", 1.0, 1.0, 1.0, 1.0) for k in range(2)])
    assert seconds(collect(open_prices(file, sources("SOL"), interval_us=30 * S))) == [30, 90]


def test_start_looks_back_and_end_is_exclusive(tmp_path):
    rows = [(T0 + k * MINUTE, "SOL", 100.0 + k) for k in range(10)] + [(T0, "BTC", 9e4)]
    file = write_prices(tmp_path / "p.parquet", rows, row_group_size=3)
    start, end = T0 + 4 * MINUTE, T0 + 7 * MINUTE
    source = open_prices(file, sources("SOL", "BTC", stale=5 * MINUTE), start_us=start, end_us=end)
    ticks = collect(source)
    assert ticks.time_us.tolist() == [start, start + MINUTE, start + 2 * MINUTE]
    assert dollars(ticks) == [104, 105, 106]
    assert dollars(ticks, 1) == [9e4] * 3
    assert ticks.flags.tolist() == [[0, 0], [0, 0], [0, FLAG_STALE]]
    assert source.span.n_ticks == 3
    early = open_prices(file, sources("SOL", "BTC"), start_us=start - 1, end_us=end + 1)
    assert early.span.n_ticks == 4


@pytest.mark.parametrize("path", ["close", "ohlc"])
def test_start_looks_back_over_candles(tmp_path, path):
    rows = [(T0 + k * MINUTE, "SOL", 5.0, 9.0, 1.0, 5.0 + k / 10) for k in range(40)]
    rows += [(T0 + k * MINUTE, "BTC", 5.0, 9.0, 1.0, 6.0 + k / 10) for k in (0, 1, 2)]
    (tmp_path / "d").mkdir()
    for name in ("SOL", "BTC"):
        write_candles(tmp_path / "d" / f"{name}.parquet", [row for row in rows if row[1] == name])
    whole = collect(open_prices(tmp_path / "d", sources("SOL", "BTC"), path=path))
    for start in (T0 + MINUTE, T0 + 20 * MINUTE, T0 + 20 * MINUTE + S):
        part = collect(open_prices(tmp_path / "d", sources("SOL", "BTC"), path=path, start_us=start))
        keep = whole.time_us >= start
        assert same(part, Ticks(*(column[keep] for column in whole)))


def test_files_may_be_split_by_symbol_or_time_and_named_in_any_way(tmp_path):
    rows = [(T0 + k * MINUTE, name, 1.0 + k) for k in range(9) for name in ("A", "B")]
    whole = write_prices(tmp_path / "whole.parquet", rows)
    deep = tmp_path / "split" / "deep"
    deep.mkdir(parents=True)
    write_prices(deep / "a_late.parquet", [row for row in rows if row[1] == "A" and row[0] >= T0 + 5 * MINUTE])
    write_prices(deep / "b.parquet", [row for row in rows if row[1] == "B"], unit="ns")
    write_prices(
        tmp_path / "split" / "a_soon.parquet",
        [row for row in rows if row[1] == "A" and row[0] < T0 + 5 * MINUTE],
        unit="ms",
        zone="Asia/Tokyo",  # another zone, but the same instants
    )
    expected = collect(open_prices(whole, sources("A", "B")))
    split = tmp_path / "split"
    for paths in (
        split,
        str(split),
        f"{split}/**/*.parquet",
        [deep, split / "a_soon.parquet"],
        [deep, split],  # a file named twice counts once
    ):
        assert same(collect(open_prices(paths, sources("A", "B"))), expected)


def test_symbols_may_be_categorical_and_prices_decimal_or_narrow(tmp_path):
    frame = pl.DataFrame({"timestamp": stamps([T0, T0 + S]), "symbol": ["A", "A"], "price": [1.5, 2.25]})
    for number, kind in enumerate((pl.Float32, pl.Decimal(18, 10), pl.Float64)):
        file = tmp_path / f"{number}.parquet"
        frame.with_columns(pl.col("price").cast(kind), pl.col("symbol").cast(pl.Categorical)).write_parquet(file)
        assert dollars(collect(open_prices(file, sources("A")))) == [1.5, 2.25]


def test_rows_of_other_symbols_are_ignored(tmp_path):
    rows = [(T0, "A", 1.0), (T0, "BAD", float("nan")), (T0 + S, "A", 2.0), (T0 - S, "BAD", -1.0)]
    ticks = collect(open_prices(write_prices(tmp_path / "p.parquet", rows), sources("A")))
    assert (seconds(ticks), dollars(ticks)) == ([0, 1], [1, 2])


def history(draw_seed: int, days: int = 9) -> list[tuple[int, str, float]]:
    """Irregular whole-second prices of three symbols over several days, sorted by symbol and time."""
    random = np.random.default_rng(draw_seed)
    rows = []
    for name, count in (("A", 900), ("B", 150), ("C", 400)):
        times = np.unique(random.integers(0, days * 86_400, count))
        rows += [(T0 + int(time) * S, name, float(random.uniform(1, 2))) for time in times]
    return rows


@pytest.mark.parametrize("path", ["close", "ohlc"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunk_and_window_sizes_do_not_change_the_ticks(tmp_path, monkeypatch, size, path):
    if path == "close":
        file = write_prices(tmp_path / "p.parquet", history(3), row_group_size=100)
    else:
        rows = [(T0 + k * 3_600 * S, "ABC"[k % 3], 2.0, 4.0, 1.0, 1.5 + k % 2) for k in range(240)]
        file = write_candles(tmp_path / "p.parquet", rows)
    feeds = sources("A", "B", "C", stale=7_000 * S)
    expected = collect(open_prices(file, feeds, path=path))
    monkeypatch.setattr("backtest.ticks.WINDOW_ROWS", 1)  # a window a day
    windowed = open_prices(file, feeds, path=path)
    assert windowed.span.n_ticks == len(expected.time_us) > 400
    assert same(collect(windowed, size), expected)
    assert same(collect(windowed, size), expected)  # and again


@st.composite
def datasets(draw):
    rows = []
    for name in "AB":
        times = draw(st.sets(st.integers(0, 40), min_size=1, max_size=12))
        # Six hours apart, so that windows of a day are crossed.
        rows += [(T0 + 21_600 * S * time, name, draw(st.integers(1, 10**7)) / 1000) for time in sorted(times)]
    start = draw(st.integers(-1, 30))
    span = draw(st.integers(1, 50))
    return rows, T0 + 21_600 * S * start, T0 + 21_600 * S * (start + span)


@given(
    case=datasets(),
    stale=st.integers(0, 10),
    size=st.integers(1, 9),
    group=st.integers(1, 20),
    window=st.sampled_from([1, 65_536]),
)
def test_ticks_equal_the_naive_twin(tmp_path_factory, case, stale, size, group, window):
    rows, start_us, end_us = case
    file = write_prices(tmp_path_factory.mktemp("naive") / "p.parquet", rows, row_group_size=group)
    feeds = sources("B", "A", stale=stale * 21_600 * S)
    expected = naive_ticks(rows, feeds, start_us, end_us)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtest.ticks.WINDOW_ROWS", window)
        if not expected:
            with pytest.raises(PerpoolError, match="has a price of every symbol"):
                open_prices(file, feeds, start_us=start_us, end_us=end_us)
            return
        source = open_prices(file, feeds, start_us=start_us, end_us=end_us)
        ticks = collect(source, size)
    assert [*zip(*(column.tolist() for column in ticks), strict=True)] == expected
    assert (source.span.start_us, source.span.end_us, source.span.n_ticks) == (
        expected[0][0],
        expected[-1][0],
        len(expected),
    )


def test_fingerprint_names_bytes_and_hash(tmp_path):
    (tmp_path / "d" / "x").mkdir(parents=True)
    for name in ("b.parquet", "x/a.parquet"):
        write_prices(tmp_path / "d" / name, [(T0, "A", 1.0)])
    data = (tmp_path / "d" / "b.parquet").read_bytes()
    first, second = fingerprint(tmp_path / "d")
    assert first == {"path": "b.parquet", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert second["path"] == "x/a.parquet"
    assert fingerprint(tmp_path / "d" / "b.parquet") == [first]


@pytest.mark.parametrize("size", [0, -5])
def test_chunk_size_is_positive(tmp_path, size):
    source = open_prices(write_prices(tmp_path / "p.parquet", [(T0, "A", 1.0)]), sources("A"))
    with pytest.raises(UsageError, match=f"ticks_per_chunk is {size}; give 1 or more"):
        source.chunks(size)


def test_bundled_sample_is_what_its_generator_makes():
    root = Path(__file__).resolve().parents[1] / "data"
    spec = importlib.util.spec_from_file_location("make_sample", root / "make_sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made, kept = module.prices(module.SEED), pl.read_parquet(root / "sample" / "prices.parquet")
    assert made.drop("price").equals(kept.drop("price"))
    # exp() may differ in the last bit between machines, hence a step of rounding
    assert np.allclose(made["price"].to_numpy(), kept["price"].to_numpy(), rtol=1e-4, atol=0)
    source = open_prices(root / "sample", sources("SOL", "jitoSOL", "BTC", "BONK", "USDC", stale=0))
    ticks = collect(source)
    assert source.span.n_ticks == 90 * 288 and not ticks.flags.any()
    assert (root / "sample" / "prices.parquet").stat().st_size < 1_500_000
    two_hours = ticks.price[24:, 0] / ticks.price[:-24, 0]
    assert 0.73 < two_hours.min() < 0.77


def test_real_candles(tmp_path):
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("PERPOOL_REAL_DATA", root / "../shared/data")) / "binance_5m_2024"
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}; set PERPOOL_REAL_DATA")
    names = ("BTC", "SOL", "BONK")
    frames = {}
    for name in names:
        frame = pl.read_ipc(folder / f"{name}_USDT-5m.feather").rename({"date": "timestamp"})
        frames[name] = frame.with_columns(symbol=pl.lit(name))
        frames[name].write_parquet(tmp_path / f"{name}.parquet")
    source = open_prices(tmp_path, sources(*names, stale=0))
    ticks = collect(source, 1440)
    joined = frames["BTC"].join(frames["SOL"], on="timestamp").join(frames["BONK"], on="timestamp", suffix="_bonk")
    known = joined["timestamp"].dt.epoch("us").to_numpy() + 300 * S
    fresh = ~ticks.flags.any(axis=1)  # the files end on different days
    assert np.array_equal(ticks.time_us[fresh], known)
    for column, name in enumerate(("close", "close_right", "close_bonk")):
        assert np.array_equal(ticks.price[fresh, column], np.rint(joined[name].to_numpy() * 1e10))
    low = open_prices(tmp_path, sources("BTC"), path="ohlc")
    assert low.span.n_ticks == 4 * len(frames["BTC"])
    assert collect(low, 50_000).price[:, 0].min() == round(frames["BTC"]["low"].min() * 1e10)
