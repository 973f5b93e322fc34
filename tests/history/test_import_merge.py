"""Files upon files: what is there is skipped, what agrees is merged, what contradicts is refused, nothing is lost."""

import hashlib
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest.errors import PerpoolError
from backtest.history import pieces, store, text
from tests.history.imports import bars, csv, imported, klines, minute, nothing_left, rows, written

COLUMNS = "timestamp,symbol,open,high,low,close,volume"


def table(frame: pl.DataFrame, symbol: str = "SOL") -> str:
    """Candles as a CSV that the format `columns` reads without a map."""
    return frame.with_columns(pl.lit(symbol).alias("symbol")).write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ")


def state(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*"))}


def test_a_new_month_is_added_and_both_files_are_remembered(tmp_path):
    out = tmp_path / "out"
    january, february = (written(tmp_path / name, klines(3, first)) for name, first in (("1.csv", 0), ("2.csv", 3)))
    imported(out, "binance", january)
    found = imported(out, "binance", february).symbols[0]
    assert (found.new, found.total, found.interval_s) == (3, 6, 60.0)
    assert (found.first, found.last) == ("2025-01-01T00:00:00Z", "2025-01-01T00:05:00Z")
    assert rows(out).equals(bars(6))
    one, two = store.provenance_of(out / "SOL.parquet")
    assert one.pop("imported_at") <= two.pop("imported_at")
    assert two == {
        "source": "2.csv",
        "sha256": hashlib.sha256(february.read_bytes()).hexdigest(),
        "bytes": february.stat().st_size,
        "format": "binance",
        "options": {},
        "symbols": ["SOL"],
        "rows": 3,
        "first": "2025-01-01T00:03:00Z",
        "last": "2025-01-01T00:05:00Z",
        "repairs": {},
    }


def test_a_file_that_is_there_is_skipped_under_any_name(tmp_path):
    out = tmp_path / "out"
    imported(out, "binance", written(tmp_path / "a.csv", klines()))
    before = state(out)
    again = imported(out, "binance", written(tmp_path / "b.csv", klines()))
    assert again.skipped == [str(tmp_path / "b.csv")] and again.symbols == []
    assert state(out) == before and nothing_left(tmp_path)


def test_a_file_of_many_symbols_is_skipped_only_when_all_are_there(tmp_path):
    out = tmp_path / "out"
    file = written(tmp_path / "a.csv", table(bars()) + table(bars(), "BTC").split("\n", 1)[1])
    imported(out, "columns", file, symbol=None)
    assert imported(out, "columns", file, symbol=None).skipped == [str(file)]
    (out / "BTC.parquet").unlink()
    report = imported(out, "columns", file, symbol=None)
    assert [(found.symbol, found.new) for found in report.symbols] == [("BTC", 3), ("SOL", 0)]
    assert len(store.provenance_of(out / "SOL.parquet")) == 1


def test_other_repairs_are_another_import(tmp_path):
    out, file = tmp_path / "out", written(tmp_path / "a.csv", klines())
    imported(out, "binance", file)
    assert imported(out, "binance", file, repair="drop-zero").symbols[0].new == 0
    assert [entry["options"] for entry in store.provenance_of(out / "SOL.parquet")] == [{}, {"repair": ["drop-zero"]}]


def test_rows_that_agree_become_one(tmp_path):
    out = tmp_path / "out"
    files = [written(tmp_path / f"{first}.csv", klines(4, first)) for first in (6, 0, 3)]
    found = imported(out, "binance", *files).symbols[0]
    assert (found.new, found.total) == (10, 10) and rows(out).equals(bars(10))
    assert imported(out, "binance", written(tmp_path / "x.csv", klines(12))).symbols[0].new == 2
    assert rows(out).equals(bars(12))


def test_a_row_that_is_there_twice_in_one_file_becomes_one(tmp_path):
    imported(tmp_path / "out", "binance", written(tmp_path / "a.csv", klines(2) + klines(1)))
    assert rows(tmp_path / "out").equals(bars(2))


@pytest.mark.parametrize("there", [True, False])
def test_the_first_disagreement_is_refused(tmp_path, there):
    out = tmp_path / "out"
    one = written(tmp_path / "1.csv", klines(5))
    two = written(tmp_path / "2.csv", klines(5, 3).replace("102.0,100.0,", "102.0,99.75,").replace("101.5", "101.25"))
    if there:
        imported(out, "binance", one)
    before = state(out) if there else None
    with pytest.raises(PerpoolError) as caught:
        imported(out, "binance", *([two] if there else [one, two]))
    name = f"{out}/SOL.parquet" if there else one
    assert str(caught.value) == (
        f"{name} and {two} disagree at 2025-01-01T00:03:00Z: high is 101.5 in the first and 101.25 in the second; "
        "leave one of them out"
    )
    assert (state(out) == before) if there else not out.exists()
    assert nothing_left(tmp_path)


def test_several_symbols_are_written_together_or_not_at_all(tmp_path):
    out = tmp_path / "out"
    imported(out, "columns", written(tmp_path / "1.csv", table(bars())), symbol=None)
    before = state(out)
    text = table(bars(), "BTC") + table(bars().with_columns(pl.col("high") + 1)).split("\n", 1)[1]
    with pytest.raises(PerpoolError, match=r"disagree at 2025-01-01T00:00:00Z: high is 101\.5 in the first and 102\.5"):
        imported(out, "columns", written(tmp_path / "2.csv", text), symbol=None)
    assert state(out) == before


def test_candles_between_candles_are_refused(tmp_path):
    out = tmp_path / "out"
    imported(out, "binance", written(tmp_path / "a.csv", klines()))
    shifted = bars().with_columns(pl.col("timestamp") + timedelta(seconds=30))
    with pytest.raises(PerpoolError) as caught:
        imported(out, "columns", written(tmp_path / "b.csv", table(shifted)))
    assert str(caught.value) == (
        f"SOL: candles at 2025-01-01T00:00:00Z and 2025-01-01T00:00:30Z ({out}/SOL.parquet) are closer than their "
        "length of 60 s; leave one of them out, or files that do not belong together"
    )


def test_prices_of_one_second_are_refused(tmp_path):
    lines = csv([("2025-01-01T00:00:00.9Z", 1), ("2025-01-01T00:00:01.1Z", 1), ("2025-01-01T00:00:01.2Z", 2)])
    file = written(tmp_path / "a.csv", "timestamp,price\n" + lines)
    with pytest.raises(PerpoolError) as caught:
        imported(tmp_path / "out", "columns", file)
    assert str(caught.value) == (
        f"SOL: prices at 2025-01-01T00:00:01.100000Z and 2025-01-01T00:00:01.200000Z ({file}) are in the same second; "
        "leave one of them out, or files that do not belong together"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.with_columns(timestamp=pl.Series([minute(5 * at) for at in range(3)])),
            "OUT/SOL.parquet has candles of 60 s, but b.csv of 300 s; one symbol has one candle length: "
            "import them into two folders",
        ),
        (
            lambda frame: frame.drop("volume"),
            "OUT/SOL.parquet has the columns timestamp, open, high, low, close, volume, but b.csv has timestamp, open, "
            "high, low, close; one symbol has one shape: import them into two folders",
        ),
        (
            lambda frame: frame.select("timestamp", price="close", symbol=pl.lit("BTC")),
            "OUT/SOL.parquet holds candles but OUT/BTC.parquet prices; a dataset has one shape: "
            "import into another folder",
        ),
    ],
)
def test_a_dataset_is_of_one_kind(tmp_path, change, message):
    out = tmp_path / "out"
    imported(out, "binance", written(tmp_path / "a.csv", klines(3)))
    frame = change(bars())
    file = written(tmp_path / "b.csv", frame.write_csv() if "symbol" in frame.columns else table(frame))
    with pytest.raises(PerpoolError) as caught:
        imported(out, "columns", file, symbol=None)
    assert str(caught.value).replace(str(out), "OUT").replace(f"{tmp_path}/", "") == message
    assert [path.name for path in out.iterdir()] == ["SOL.parquet"] and nothing_left(tmp_path)


def test_a_file_of_another_symbol_or_of_a_derived_one_is_not_touched(tmp_path):
    out, file = tmp_path / "out", written(tmp_path / "a.csv", klines())
    imported(out, "binance", file, symbol="USDC/USD")
    with pytest.raises(PerpoolError) as caught:
        imported(out, "binance", written(tmp_path / "b.csv", klines(2)), symbol="USDC-USD")
    assert str(caught.value) == (
        f"{out}/USDC-USD.parquet: holds rows of USDC/USD, so USDC-USD has no place there; import into another folder"
    )
    store.write_symbol(out, "X", bars(), [{"derived": "2 * SOL"}])
    with pytest.raises(PerpoolError) as caught:
        imported(out, "binance", file, symbol="X")
    assert str(caught.value) == (f"{out}/X.parquet: was derived (2 * SOL); remove the file to import X from elsewhere")


def test_an_interrupted_import_leaves_nothing(tmp_path, monkeypatch):
    def stop(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "write_symbol", stop)
    with pytest.raises(KeyboardInterrupt):
        imported(tmp_path / "new" / "out", "binance", written(tmp_path / "a.csv", klines()))
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("symbol", ["SOL", None])
def test_a_dataset_that_is_broken(tmp_path, symbol):
    (tmp_path / "out").mkdir()
    broken = written(tmp_path / "out" / "SOL.parquet", "x")
    with pytest.raises(PerpoolError) as caught:
        imported(tmp_path / "out", "columns", written(tmp_path / "a.csv", table(bars())), symbol=symbol)
    assert str(caught.value) == f"{broken}: not a readable Parquet file; take it out of the dataset"


def test_a_row_of_the_dataset_that_a_run_refuses_is_named(tmp_path):
    (tmp_path / "out").mkdir()
    file = tmp_path / "out" / "SOL.parquet"
    bars().with_columns(symbol=pl.lit("SOL"), close=pl.Series([101.0, None, 99.0])).write_parquet(file)
    with pytest.raises(PerpoolError) as caught:
        imported(tmp_path / "out", "binance", written(tmp_path / "a.csv", klines()))
    assert str(caught.value) == (
        f"{file}: row 1, column close: is missing; fill it in, or let --repair drop-incomplete drop the row"
    )


def test_rows_are_sorted_and_those_out_of_order_counted(tmp_path):
    file = written(tmp_path / "a.csv", table(bars(5)[[0, 3, 1, 2, 4]]))
    assert imported(tmp_path / "out", "columns", file).symbols[0].repairs == {"sort": 2}
    assert rows(tmp_path / "out").equals(bars(5))
    file = written(tmp_path / "b.csv", table(bars(5).reverse()))
    assert imported(tmp_path / "newest", "columns", file).symbols[0].repairs == {"sort": 4}
    assert rows(tmp_path / "newest").equals(bars(5))


SMALL = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@SMALL
@given(
    st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=30), min_size=1, max_size=4),
    st.sampled_from([3, 7, 1_000]),
    st.sampled_from([200, 10_000]),
)
def test_any_files_in_any_order_give_the_history_they_are_cut_from(tmp_path_factory, files, window, block):
    folder = tmp_path_factory.mktemp("cut")
    whole = bars(41).select("timestamp", price="close")  # not candles, which files of random rows have no length of
    with pytest.MonkeyPatch.context() as patch:  # so that few rows make many blocks, pieces and windows
        patch.setattr(pieces, "WINDOW_ROWS", window)
        patch.setattr(pieces, "_SAMPLES", 2)
        patch.setattr(text, "_BLOCK_BYTES", block)
        for number, picked in enumerate(files):
            imported(folder / "out", "columns", written(folder / f"{number}.csv", table(whole[picked])))
    assert rows(folder / "out").equals(whole[sorted({row for picked in files for row in picked})])


@SMALL
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1.0, 2.0, 3.0])), min_size=1, max_size=40),
    st.sampled_from([64, 300, 10_000]),
)
def test_keep_last_keeps_the_last_of_the_file_however_it_is_cut(tmp_path_factory, prices, block):
    folder = tmp_path_factory.mktemp("last")
    lines = [(f"{minute(at):%FT%TZ}", price) for at, price in prices]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BLOCK_BYTES", block)
        file = written(folder / "a.csv", csv(lines, "timestamp,price"))
        found = imported(folder / "out", "columns", file, repair="keep-last").symbols[0]
    last = dict(prices)
    assert rows(folder / "out").rows() == [(minute(at), last[at]) for at in sorted(last)]
    assert found.repairs.get("keep-last", 0) == len(prices) - len(last)
    assert store.provenance_of(folder / "out" / "SOL.parquet")[0]["repairs"]["keep-last"] == len(prices) - len(last)


def test_gaps_of_a_market_do_not_make_another_candle_length(tmp_path):
    frame = bars(6).with_columns(timestamp=pl.Series([minute(at) for at in (0, 1, 2, 60, 61, 62)]))
    imported(tmp_path / "out", "columns", written(tmp_path / "a.csv", table(frame)))
    later = frame.with_columns(pl.col("timestamp") + timedelta(days=1))
    assert imported(tmp_path / "out", "columns", written(tmp_path / "b.csv", table(later))).symbols[0].total == 12
