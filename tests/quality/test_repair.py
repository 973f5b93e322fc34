"""Repairs of a dataset: what is dropped and moved, where it is written, and what is refused before anything is."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from backtest.errors import PerpoolError, UsageError
from backtest.history.store import PROVENANCE, provenance_of
from backtest.prices import open_prices
from backtest.quality.repair import Step, names_of, repair
from backtest.quality.rows import survey
from tests.price_data import MINUTE, T0, sources
from tests.quality.dirty_data import candles, counts, prices, put, report, write

FILL = "remove the rows by hand"


def dirty() -> pl.DataFrame:
    """Forty rows of prices: two zero, one null, two repeated with other prices, and one that is late."""
    frame = put(put(prices(40), "price", {5: 0.0, 6: 0.0, 9: None}), "timestamp", {})
    again = put(frame[20:22], "price", {0: 1.0, 1: 2.0})
    return pl.concat([frame[:12], frame[13:22], again, frame[12:13], frame[22:]])


def mend(folder: Path, names: str, out: Path):
    return repair(survey(folder), names_of(names), out)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_each_repair_did(tmp_path):
    file = write(tmp_path / "in", "SOL", dirty())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (done,) = mend(tmp_path / "in", "sort,keep-last, drop-incomplete,drop-zero", tmp_path / "out")
    assert done.steps == [
        Step("drop-zero", 2, "2025-01-01T00:05:00Z", "2025-01-01T00:06:00Z"),
        Step("drop-incomplete", 1, "2025-01-01T00:09:00Z", "2025-01-01T00:09:00Z"),
        Step("keep-last", 2, "2025-01-01T00:20:00Z", "2025-01-01T00:21:00Z"),
        Step("sort", 1, "2025-01-01T00:12:00Z", "2025-01-01T00:12:00Z"),
    ]
    assert (done.symbol, done.rows, done.file) == ("SOL", 37, tmp_path / "out" / "SOL.parquet")
    clean = prices(40).filter(~pl.int_range(pl.len()).is_in([5, 6, 9]))
    expected = put(clean, "price", {17: 1.0, 18: 2.0})  # of 00:20 and 00:21 the last
    found = pl.read_parquet(done.file)
    assert found["timestamp"].to_physical().to_list() == expected["timestamp"].to_list()
    assert found["price"].to_list() == expected["price"].to_list()
    (entry,) = provenance_of(done.file)
    assert entry.pop("repaired_at").endswith("+00:00")
    assert entry == {
        "repaired": {"drop-zero": 2, "drop-incomplete": 1, "keep-last": 2, "sort": 1},
        "sources": [{"source": "SOL.parquet", "sha256": digest}],
    }
    assert counts(report(tmp_path / "out").symbols[0]) == {}
    open_prices(tmp_path / "out", sources("SOL"))


def test_the_same_folder_and_what_was_known_of_it(tmp_path):
    for symbol in ("SOL", "BTC"):
        frame = (
            prices(40)
            .reverse()
            .with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")), pl.lit(symbol).alias("symbol"))
        )
        frame.write_parquet(tmp_path / f"{symbol}.parquet", metadata={PROVENANCE: '[{"source": "old.csv"}]'})
    before = {symbol: hashlib.sha256((tmp_path / f"{symbol}.parquet").read_bytes()).hexdigest() for symbol in ("SOL",)}
    mend(tmp_path, "sort", tmp_path)
    assert sorted(contents(tmp_path)) == ["BTC.parquet", "SOL.parquet"]
    old, new = provenance_of(tmp_path / "SOL.parquet")
    assert old == {"source": "old.csv"}
    assert (new["repaired"], new["sources"][0]["sha256"]) == ({"sort": 39}, before["SOL"])
    mend(tmp_path / "SOL.parquet", "sort", tmp_path)  # one of them again, beside the other
    assert provenance_of(tmp_path / "SOL.parquet")[2]["repaired"] == {"sort": 0}


def test_one_file_of_many_symbols_becomes_a_file_for_each(tmp_path):
    both = pl.concat(
        [
            candles(20, seed).with_columns(
                pl.col("timestamp").cast(pl.Datetime("us", "UTC")), pl.lit(symbol).alias("symbol")
            )
            for seed, symbol in enumerate(("SOL", "USDC/USD"))
        ]
    ).sort("timestamp")
    both = both.with_columns(bid=pl.col("close") * 0.99, ask=pl.col("close") * 1.01, note=pl.lit("x"))
    (tmp_path / "in").mkdir()
    both.write_parquet(tmp_path / "in" / "all.parquet")
    mend(tmp_path / "in", "sort", tmp_path / "out")
    assert sorted(contents(tmp_path / "out")) == ["SOL.parquet", "USDC-USD.parquet"]
    found = pl.read_parquet(tmp_path / "out" / "USDC-USD.parquet")
    assert found.columns == ["timestamp", "symbol", "open", "high", "low", "close", "volume", "min", "max"]
    assert found["close"].to_list() == candles(20, 1)["close"].to_list()


def test_files_of_one_symbol_are_merged(tmp_path):
    frame = prices(40)
    write(tmp_path / "in", "SOL", frame[1::2], "a")
    write(tmp_path / "in", "SOL", frame[::2], "b")
    (done,) = mend(tmp_path / "in", "drop-zero", tmp_path / "out")
    assert pl.read_parquet(done.file)["price"].to_list() == frame["price"].to_list()
    assert [one["source"] for one in provenance_of(done.file)[0]["sources"]] == ["a.parquet", "b.parquet"]


@pytest.mark.parametrize(
    ("frame", "names", "message"),
    [
        (
            dirty(),
            "keep-last,sort,drop-incomplete",
            "SOL.parquet: row 5 (2025-01-01T00:05:00Z, price 0.0): a price is 0; so in 2 of the rows of SOL that the "
            "repairs leave. To mend: --repair drop-zero, if no price of the row is above 0; else remove it by hand. "
            "Nothing was written",
        ),
        (
            dirty(),
            "drop-zero,keep-last,drop-incomplete",
            "SOL.parquet: row 23 (2025-01-01T00:12:00Z, price ...): earlier than a row above it; so in 1 of the rows "
            "of SOL that the repairs leave. To mend: --repair sort. Nothing was written",
        ),
        (
            dirty(),
            "drop-zero,sort,drop-incomplete",
            "SOL.parquet: row 21 (2025-01-01T00:20:00Z, price 1.0): repeats a time with other values; so in 2 of the "
            "rows of SOL that the repairs leave. To mend: --repair keep-last, if the last is right. Nothing was "
            "written",
        ),
        (
            put(candles(40), "low", {7: 0.0}),
            "drop-zero",
            "SOL.parquet: row 7 (2025-01-01T00:07:00Z, open ..., high ..., low 0.0, close ..., volume 1.0): a price "
            "is 0; so in 1 of the rows of SOL that the repairs leave. To mend: --repair drop-zero, if no price of the "
            "row is above 0; else remove it by hand. Nothing was written",
        ),
        (
            put(prices(40), "price", {7: -3.0}),
            "drop-zero",
            "SOL.parquet: row 7 (2025-01-01T00:07:00Z, price -3.0): a price is below 0; so in 1 of the rows of SOL "
            f"that the repairs leave. To mend: {FILL}. Nothing was written",
        ),
        (
            put(prices(40), "timestamp", {7: -1}),
            "drop-incomplete",
            "SOL.parquet: row 7, column timestamp: is not between 1970 and 2200, which no repair mends; check the "
            "unit the times were written in",
        ),
        (
            put(prices(3), "price", {0: 0.0, 1: 0.0, 2: 0.0}),
            "drop-zero",
            "SOL: the repairs leave 0 rows, too few for a run; leave its files out. Nothing was written",
        ),
        (
            put(candles(2), "low", {0: None}),
            "drop-incomplete",
            "SOL: the repairs leave 1 rows, too few for a run; leave its files out. Nothing was written",
        ),
    ],
)
def test_what_a_run_would_still_refuse_is_not_written(tmp_path, frame, names, message):
    write(tmp_path, "BTC", frame.head(0).vstack(type_of(frame)))
    write(tmp_path, "SOL", frame)
    before = contents(tmp_path)
    with pytest.raises(PerpoolError) as caught:
        mend(tmp_path, names, tmp_path)
    said = str(caught.value).replace(f"{tmp_path}/", "")
    for part in message.split("..."):
        assert part in said
    assert contents(tmp_path) == before


def type_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Clean rows of the same shape."""
    return candles(10) if "close" in frame.columns else prices(10)


def test_a_dataset_with_a_file_that_cannot_be_read_is_not_repaired(tmp_path):
    write(tmp_path, "SOL", prices(10))
    (tmp_path / "ZEC.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(PerpoolError, match=r"ZEC.parquet: not a readable Parquet file"):
        mend(tmp_path, "sort", tmp_path)


def test_rows_without_a_symbol_are_not_dropped(tmp_path):
    frame = prices(40).with_columns(symbol=pl.Series(["SOL"] * 37 + [None] * 3))
    frame.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))).write_parquet(tmp_path / "p.parquet")
    with pytest.raises(PerpoolError, match="3 rows have no symbol; name it by hand, or remove them"):
        mend(tmp_path, "sort", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "out", "message"),
    [
        (
            "all",
            "in",
            "--out in: all.parquet cannot be replaced, as it does not hold one symbol alone and all of it; give a new "
            "folder",
        ),
        ("SOL", "other", "--out other: holds price files already; give a new folder, or the folder that is repaired"),
        ("SOL", "in/SOL.parquet", "--out in/SOL.parquet: is a file; give a folder"),
    ],
)
def test_where_it_cannot_be_written(tmp_path, monkeypatch, name, out, message):
    monkeypatch.chdir(tmp_path)
    write(Path("in"), "SOL", prices(10), name)
    write(Path("other"), "BTC", prices(10))
    before = contents(tmp_path)
    with pytest.raises(UsageError) as caught:
        mend(Path("in"), "sort", Path(out))
    assert str(caught.value) == message
    assert contents(tmp_path) == before


def test_a_symbol_in_two_files_is_not_written_over_one_of_them(tmp_path):
    write(tmp_path, "SOL", prices(10))
    write(tmp_path, "SOL", prices(20)[10:], "SOL-2")
    with pytest.raises(UsageError, match=r"cannot be replaced, as it does not hold one symbol alone and all of it"):
        mend(tmp_path, "sort", tmp_path)


def test_the_round_that_never_completed(tmp_path):
    """A price of 0 at the time 0, as an oracle reports it, newest first."""
    frame = pl.concat([prices(10).reverse(), pl.DataFrame({"timestamp": [0], "price": [0.0]})])
    write(tmp_path / "in", "SOL", frame)
    (done,) = mend(tmp_path / "in", "drop-zero,sort", tmp_path / "out")
    assert (done.rows, done.steps[0].rows) == (10, 1)
    first = pl.read_parquet(done.file)["timestamp"].to_physical()
    assert first.to_list() == [T0 + row * MINUTE for row in range(10)]


def test_unknown_repairs_are_refused():
    with pytest.raises(UsageError) as caught:
        names_of("sort,fill")
    assert str(caught.value) == (
        "repair 'fill' is unknown; the repairs are drop-zero, drop-incomplete, keep-last, sort"
    )
