"""Rows that no run can use: each kind counted exactly, and the first of them named."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.errors import PerpoolError
from backtest.prices import open_prices
from backtest.quality.faults import FAULTS
from backtest.quality.rows import survey
from tests.price_data import MINUTE, T0, S, sources
from tests.quality.dirty_data import CANDLES, DAY, NOW, candles, counts, of, prices, put, report, write

NAN, INF = float("nan"), float("inf")
ROWS = (3, 10, 11)


def each(value):
    return dict.fromkeys(ROWS, value)


# Fault: what is done to three clean rows of prices.
IN_PRICES = {
    "null": lambda frame: put(frame, "price", each(None)),
    "null time": lambda frame: put(frame, "timestamp", each(None)),
    "nan": lambda frame: put(frame, "price", {3: NAN, 10: INF, 11: -INF}),
    "zero": lambda frame: put(frame, "price", each(0.0)),
    "negative": lambda frame: put(frame, "price", each(-1e-9)),
    "range": lambda frame: put(frame, "price", {3: 9e7, 10: 1e-10, 11: 1e300}),
    "time": lambda frame: put(frame, "timestamp", {3: 0, 10: NOW + 1, 11: T0 - 26 * 365 * DAY}),
    "second": lambda frame: put(frame, "timestamp", {row: T0 + (row - 1) * MINUTE + 1 for row in (3, 10, 15)}),
}
IN_CANDLES = {
    "null": lambda frame: put(frame, "low", each(None)),
    "nan": lambda frame: put(frame, "open", each(NAN)),
    "zero": lambda frame: put(frame, "low", each(0.0)),
    "negative": lambda frame: put(frame, "low", each(-1.0)),
    "range": lambda frame: put(frame, "high", each(1e8)),
    "ohlc": lambda frame: put(put(frame, "high", {3: 90.0, 10: 1.0}), "low", {11: 110.0}),
    "overlap": lambda frame: put(frame, "timestamp", {row: T0 + row * MINUTE - S for row in (3, 10, 15)}),
}


@pytest.mark.parametrize("name", IN_PRICES)
def test_each_kind_is_counted_in_prices(tmp_path, name):
    assert counts(of(tmp_path, IN_PRICES[name](prices(40)))) == {name.split()[0]: 3}


@pytest.mark.parametrize("name", IN_CANDLES)
def test_each_kind_is_counted_in_candles(tmp_path, name):
    assert counts(of(tmp_path, IN_CANDLES[name](candles(40)))) == {name: 3}


@pytest.mark.parametrize(
    "candle",
    [
        (10.0, 9.0, 9.5, 9.8),
        (10.0, 9.9, 9.0, 9.5),
        (9.0, 9.5, 8.0, 10.0),
        (8.0, 11.0, 9.0, 10.0),
        (10.0, 11.0, 9.0, 8.0),
        (7.0, 9.0, 9.5, 9.7),
    ],
)
def test_a_high_and_a_low_that_do_not_enclose_the_rest(tmp_path, candle):
    frame = candles(40)
    for column, value in zip(CANDLES, candle, strict=True):
        frame = put(frame, column, {7: value})
    assert counts(of(tmp_path, frame)) == {"ohlc": 1}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"min": {3: 200.0}}, {"crossed": 1}),
        ({"max": {3: 1.0, 4: 1.0}}, {"crossed": 2}),
        ({"min": {3: 200.0}, "max": {3: None}}, {"crossed": 1}),
        ({"min": {3: None, 4: None}}, {}),
        ({"min": {3: 0.0}, "max": {4: NAN}}, {"zero": 1, "nan": 1}),
        ({"min": {3: -1.0}, "max": {4: 9e7}}, {"negative": 1, "range": 1}),
        ({"confidence": {3: None, 4: -0.1, 5: 1e3, 6: NAN}}, {"confidence": 4}),
        ({"ema": {3: None, 4: 0.0}}, {"zero": 1}),
    ],
)
@pytest.mark.parametrize("make", [prices, candles])
def test_columns_beside_the_price(tmp_path, make, columns, found):
    frame = make(40)
    price = pl.col("close" if "close" in frame.columns else "price")
    width = {"min": price * 0.99, "max": price * 1.01, "confidence": price * 0.01, "ema": price}
    for column, values in columns.items():
        frame = put(frame.with_columns(width[column].alias(column)), column, values)
    assert counts(of(tmp_path, frame)) == found


def test_bid_and_ask_are_min_and_max(tmp_path):
    frame = prices(40).with_columns(bid=pl.col("price") * 0.99, ask=pl.col("price") * 1.01)
    assert counts(of(tmp_path, put(frame, "ask", each(1.0)))) == {"crossed": 3}


def test_rows_of_one_time_are_told_apart_by_their_values(tmp_path):
    frame = prices(40)
    twice = pl.concat([frame, frame[5:8], put(frame[20:22], "price", {0: 1.0, 1: 2.0})]).sort(
        "timestamp", maintain_order=True
    )
    assert counts(of(tmp_path, twice)) == {"conflict": 2, "repeated": 3}


def test_rows_that_repeat_a_null_repeat_a_row(tmp_path):
    frame = put(prices(40), "price", {5: None})
    assert counts(of(tmp_path, pl.concat([frame[:6], frame[5:]]))) == {"null": 2, "repeated": 1}


def test_rows_out_of_order_are_those_after_a_later_one(tmp_path):
    frame = prices(40)
    late = pl.concat([frame[:5], frame[6:20], frame[5:6], frame[20:]])
    early = pl.concat([frame[10:11], frame[:10], frame[11:]])
    assert counts(of(tmp_path / "late", late)) == {"unsorted": 1}
    assert counts(of(tmp_path / "early", early)) == {"unsorted": 10}
    assert counts(of(tmp_path / "newest first", frame.reverse())) == {"unsorted": 39}


def test_files_that_overlap_are_merged_as_a_run_merges_them(tmp_path):
    frame = prices(40)
    write(tmp_path, "SOL", frame[1::2], "a")
    write(tmp_path, "SOL", frame[::2], "b")
    assert counts(report(tmp_path).symbols[0]) == {}
    open_prices(tmp_path, sources("SOL"))
    write(tmp_path, "SOL", frame[7:9], "c")
    assert counts(report(tmp_path).symbols[0]) == {"repeated": 2}


def test_the_first_row_of_each_kind_is_named(tmp_path):
    write(tmp_path, "SOL", prices(40)[:20], "a")
    later = put(prices(40)[20:], "price", {4: 0.0, 7: 0.0})
    other = later.with_columns(price=pl.lit(1.0))
    both = pl.concat(
        [
            frame.select(pl.col("timestamp").cast(pl.Datetime("us", "UTC")), pl.lit(symbol).alias("symbol"), "price")
            for symbol, frame in (("BTC", other), ("SOL", later))
        ]
    )
    both.write_parquet(tmp_path / "b.parquet")
    fault = report(tmp_path).symbols[1].faults["zero"]
    assert (fault.rows, fault.file, fault.row) == (2, str(tmp_path / "b.parquet"), 24)
    assert fault.time == "2025-01-01T00:24:00Z"
    assert (fault.problem, fault.mend) == FAULTS["zero"]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_every_unit_of_time_reads_the_same(tmp_path, unit):
    one = report(write(tmp_path, "SOL", prices(40), unit=unit)).symbols[0]
    assert one.span is not None
    assert (one.span.first, one.span.last, one.span.cadence_s) == ("2025-01-01T00:00:00Z", "2025-01-01T00:39:00Z", 60)
    assert counts(one) == {}


def test_times_in_another_unit_than_their_type_says_do_not_wrap_round(tmp_path):
    """Nanoseconds in a column of milliseconds: a factor of 1,000 more would not fit into 64 bits."""
    frame = prices(3).select(
        (pl.col("timestamp") * 1000).cast(pl.Datetime("ms", "UTC")), pl.lit("SOL").alias("symbol"), "price"
    )
    frame.write_parquet(tmp_path / "p.parquet")
    one = report(tmp_path).symbols[0]
    assert (one.rows, one.span, counts(one)) == (3, None, {"time": 3})


def test_number_types_and_categories_are_read(tmp_path):
    frame = prices(40).select(
        pl.col("timestamp").cast(pl.Datetime("us", "UTC")),
        pl.lit("SOL").cast(pl.Categorical).alias("symbol"),
        pl.col("price").round(2).cast(pl.Decimal(18, 4)),
    )
    frame.write_parquet(tmp_path / "p.parquet")
    one = report(tmp_path).symbols[0]
    assert (one.symbol, one.rows, counts(one)) == ("SOL", 40, {})


def test_files_that_cannot_be_read_are_named_and_the_rest_is_checked(tmp_path):
    write(tmp_path, "SOL", prices(40))
    write(tmp_path, "XRP", candles(40))
    (tmp_path / "ZEC.parquet").write_bytes(b"PAR1 cut")
    (tmp_path / "ZRX.parquet").touch()
    found = report(tmp_path)
    assert [one.symbol for one in found.symbols] == ["SOL"]
    assert {name.rsplit("/", 1)[1]: why.replace(f"{tmp_path}/", "") for name, why in found.refused.items()} == {
        "XRP.parquet": "XRP.parquet: holds candles, but SOL.parquet holds prices; "
        "keep candles and prices in folders of their own",
        "ZEC.parquet": "ZEC.parquet: not a readable Parquet file; convert it to Parquet first",
        "ZRX.parquet": "ZRX.parquet: the file is empty (0 bytes); write it again or leave it out",
    }


def test_times_without_a_zone_are_refused_and_those_of_another_are_instants(tmp_path):
    local = pl.col("timestamp").cast(pl.Datetime("us", "UTC")).dt.convert_time_zone("America/New_York")
    frame = prices(40).with_columns(local, pl.lit("SOL").alias("symbol"))
    frame.write_parquet(tmp_path / "a.parquet")
    frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None)).write_parquet(tmp_path / "b.parquet")
    found = report(tmp_path)
    assert found.symbols[0].span.first == "2025-01-01T00:00:00Z"
    assert "column timestamp has no time zone" in found.refused[str(tmp_path / "b.parquet")]


def test_a_volume_that_is_no_number_is_left_out(tmp_path):
    assert of(tmp_path, candles(40).with_columns(volume=pl.lit("many"))).untraded_rows is None


def test_a_dataset_without_a_file_that_can_be_read_is_refused(tmp_path):
    (tmp_path / "ZEC.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(PerpoolError, match="not a readable Parquet file; convert it to Parquet first"):
        survey(tmp_path)


def test_rows_without_a_symbol_are_counted(tmp_path):
    frame = prices(40).with_columns(symbol=pl.Series(["SOL"] * 37 + [None] * 3))
    frame.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))).write_parquet(tmp_path / "p.parquet")
    found = report(tmp_path)
    assert (found.unnamed_rows, found.symbols[0].rows) == (3, 37)


# --- by chance --------------------------------------------------------------------------------------------------------

KINDS = ("null", "nan", "zero", "negative", "range", "ohlc", "repeated", "conflict")
BAD = {"null": None, "nan": NAN, "zero": 0.0, "negative": -1.0, "range": 1e9}


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 300), step=st.sampled_from([S, MINUTE, 60 * MINUTE]))
@settings(max_examples=25, deadline=None)
def test_a_clean_history_has_no_findings(tmp_path_factory, seed, count, step):
    for make in (prices, candles):
        one = of(tmp_path_factory.mktemp("clean"), make(count, seed, step))
        assert (one.faults, one.gaps.missing, one.gaps.coverage) == ({}, 0, 1.0)
        assert (one.outliers, one.stale.rows, one.span.cadence_s) == (0, 0, step / S)


@given(
    seed=st.integers(0, 2**32 - 1),
    faults=st.dictionaries(st.integers(0, 99), st.sampled_from(KINDS)),
    columns=st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_seeded_faults_are_found_exactly(tmp_path_factory, seed, faults, columns):
    frame = candles(100, seed)
    pieces = []
    for row in range(100):
        piece = frame[row : row + 1]
        kind = faults.get(row)
        if kind in BAD:
            piece = put(piece, columns.choice(CANDLES), {0: BAD[kind]})
        if kind == "ohlc":
            piece = put(piece, columns.choice(["high", "open"]), {0: 1.0 if columns.random() < 0.5 else 2.0})
        if kind == "conflict":
            pieces.append(put(piece, "volume", {0: 5.0}))
        if kind == "repeated":
            pieces.append(piece)
        pieces.append(piece)
    seeded = list(faults.values())
    expected = {kind: seeded.count(kind) for kind in KINDS if kind in seeded}
    file = write(tmp_path_factory.mktemp("dirty"), "SOL", pl.concat(pieces))
    assert counts(report(file).symbols[0]) == expected
    if expected:  # what is counted is what a run refuses
        with pytest.raises(PerpoolError):
            open_prices(file, sources("SOL"))
    else:
        open_prices(file, sources("SOL"))
