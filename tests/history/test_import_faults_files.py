"""Faults of whole files and of arguments: broken zips and Feather files, wrong paths, times that look local."""

import polars as pl
import pytest

from tests.history.imports import (
    bars,
    gzipped,
    imported,
    klines,
    nothing_left,
    rows,
    write_feather,
    written,
    zipped,
)
from tests.history.refusals import refused
from tests.shell import perpool


def damaged(tmp_path, at: int) -> None:
    """A zip in which a byte of the packed rows is another one."""
    file = zipped(tmp_path / "f.zip", {"a.csv": klines(2_000)})
    raw = bytearray(file.read_bytes())
    raw[at] ^= 0xFF
    file.write_bytes(raw)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        (
            "f.zip",
            lambda file: file.write_bytes(zipped(file, {"a.csv": klines(500)}).read_bytes()[:-30]),
            "f.zip: is no whole zip file (File is not a zip file); download it again",
        ),
        (
            "f.zip",
            lambda file: written(file, "<html>"),
            "f.zip: is no whole zip file (File is not a zip file); download it again",
        ),
        (
            "f.zip",
            lambda file: damaged(file.parent, 3_000),
            "f.zip: is no whole zip file (Bad CRC-32 for file 'a.csv'); download it again",
        ),
        (
            "f.zip",
            lambda file: zipped(file, {"a.txt": "x"}),
            "f.zip: the zip holds no .csv file (there is a.txt); give one that does",
        ),
        (
            "f.zip",
            lambda file: zipped(file, {}),
            "f.zip: the zip holds no .csv file (there is nothing); give one that does",
        ),
        (
            "f.zip",
            lambda file: zipped(file, {"b.csv": klines(), "a.csv": ""}),
            "f.zip/a.csv: the file is empty (0 bytes); get it again or leave it out",
        ),
        (
            "f.zip",
            lambda file: zipped(file, {"b.csv": klines() + "1\n"}),
            "f.zip/b.csv: line 4 has 1 column, expected 12; repair the line or get the file again",
        ),
        (
            "f.csv.gz",
            lambda file: file.write_bytes(gzipped(file, klines(500)).read_bytes()[:-30]),
            "f.csv.gz: is no whole gz file (Compressed file ended before the end-of-stream marker was "
            "reached); download it again",
        ),
        (
            "f.csv.gz",
            lambda file: written(file, klines()),
            "f.csv.gz: is no whole gz file (Not a gzipped file (b'17')); download it again",
        ),
    ],
)
def test_packed_files(tmp_path, name, make, message):
    make(tmp_path / name)
    assert refused(tmp_path, "binance", tmp_path / name) == (message, 1)


def cut(file):
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: written(file, ""), "f.feather: the file is empty (0 bytes); get it again or leave it out"),
        (
            lambda file: written(file, "<html>"),
            "f.feather: is no whole Feather or Parquet file (File is too small: 6); get it again",
        ),
        (
            lambda file: cut(write_feather(file, bars(5_000).rename({"timestamp": "date"}))),
            "f.feather: is no whole Feather or Parquet file (Not an Arrow file); get it again",
        ),
        (
            lambda file: bars(5_000).write_parquet(file) or cut(file),
            "f.feather: is no whole Feather or Parquet file (Parquet magic bytes not found in footer. "
            "Either the file is corrupted or this is not a parquet file); get it again",
        ),
        (
            lambda file: write_feather(file, bars().rename({"timestamp": "time"})),
            "f.feather: column date is missing (there are: time, open, high, low, close, volume); other "
            "tables are imported with the format columns",
        ),
        (
            lambda file: write_feather(file, bars().clear()),
            "f.feather: the file has no rows; get it again or leave it out",
        ),
        (
            lambda file: write_feather(file, bars().with_columns(pl.col("timestamp").dt.replace_time_zone(None))),
            "f.feather: column timestamp holds times without a zone. Where they are in UTC, import the file "
            "with the format columns: --map timestamp=timestamp",
        ),
        (
            lambda file: write_feather(file, bars().with_columns(pl.col("timestamp").dt.epoch("ms"))),
            "f.feather: column timestamp holds Int64 without a zone. Where they are in UTC, import the file "
            "with the format columns: --map timestamp=timestamp",
        ),
        (
            lambda file: write_feather(file, bars().with_columns(pl.col("close").cast(pl.String))),
            "f.feather: column close has type String; expected numbers: write it again as such",
        ),
        (
            lambda file: write_feather(file, bars().with_columns(close=pl.Series([1.0, None, 1.0]))),
            "f.feather: row 0, column low: 99.5 is above the close of the same row, 1.0 US dollars; repair "
            "or remove it",
        ),
        (
            lambda file: write_feather(file, bars().with_columns(timestamp=bars()["timestamp"].shift())),
            "f.feather: row 0, column timestamp: is missing; give every row the time of its price, or let "
            "--repair drop-incomplete drop it",
        ),
    ],
)
def test_freqtrade(tmp_path, make, message):
    make(tmp_path / "f.feather")
    assert refused(tmp_path, "freqtrade", tmp_path / "f.feather") == (message, 1)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            bars().with_columns(pl.col("timestamp").dt.epoch("s").cast(pl.Float64)),
            "f.parquet: row 0, column timestamp: 1735689600.0 (Float64) is no time; expected timestamps, or "
            "numbers since 1970",
        ),
        (
            bars().with_columns(pl.col("timestamp").dt.strftime("%d.%m.%Y")),
            "f.parquet: row 0, column timestamp: '01.01.2025' (String) is no time; expected timestamps, or "
            "numbers since 1970",
        ),
        (
            bars().with_columns(pl.col("timestamp").dt.epoch("ms") * pl.Series([1, 1, 1_000])),
            "f.parquet: row 2, column timestamp: 1735689720000000 is a time in microseconds, but the file "
            "began in milliseconds; give one unit per file",
        ),
        (
            bars().with_columns(symbol=pl.Series(["SOL", None, "SOL"])),
            "f.parquet: row 1, column symbol: is missing; name the symbol of every row",
        ),
    ],
)
def test_columns_of_parquet(tmp_path, frame, message):
    frame.write_parquet(tmp_path / "f.parquet")
    assert refused(tmp_path, "columns", tmp_path / "f.parquet") == (message, 1)


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        ("binance DIR/none.csv --out DIR/out --symbol SOL", "none.csv: no such file or folder; check the path", 1),
        ("binance DIR/*.none --out DIR/out --symbol SOL", "*.none: no file matches; check the pattern", 1),
        (
            "lean DIR/empty --out DIR/out --symbol SOL",
            "empty: the folder holds no files that end with .csv, .zip, .gz; check the path",
            1,
        ),
        (
            "binance DIR/a.csv --out DIR/out",
            "a.csv: does not say of which symbol its rows are; give --symbol, such as --symbol SOL",
            2,
        ),
        (
            "binance DIR/a.csv --symbol SOL",
            "Missing option '--out'; `perpool prices import --help` shows what is possible",
            2,
        ),
        (
            "binance --out DIR/out --symbol SOL",
            "Missing argument 'PATH...'; `perpool prices import --help` shows what is possible",
            2,
        ),
        (
            "binance DIR/a.csv --out DIR/out --symbol SOL --map close=last",
            "--map is for the format columns; binance knows its columns",
            2,
        ),
        ("binanc DIR/a.csv --out DIR/out --symbol SOL", "format 'binanc' is unknown; did you mean 'binance'?", 2),
        ("binance DIR/a.csv --out DIR/a.csv --symbol SOL", "a.csv: is a file; --out names the folder of a dataset", 2),
        (
            "chainlink DIR/a.csv --out DIR/out --symbol SOL --decimals 40",
            "Invalid value for '--decimals': 40 is not in the range 0<=x<=30; `perpool prices import "
            "--help` shows what is possible",
            2,
        ),
    ],
)
def test_arguments(tmp_path, words, message, code):
    (tmp_path / "empty").mkdir()
    written(tmp_path / "a.csv", klines())
    found = perpool("prices import " + words.replace("DIR", str(tmp_path)))
    assert found.out == "" and not (tmp_path / "out").exists() and nothing_left(tmp_path)
    assert (found.err.removeprefix("error: ").rstrip("\n").replace(f"{tmp_path}/", ""), found.code) == (message, code)


def clock(*spans: tuple[str, str], step: str = "15m", turned: bool = False) -> str:
    """Prices at local-looking times from one to another, both included, as a clock on the wall shows them."""
    parts = [
        pl.datetime_range(pl.lit(first).str.to_datetime(), pl.lit(last).str.to_datetime(), step, eager=True)
        for first, last in spans
    ]
    times = pl.concat([part.alias("timestamp") for part in parts])
    return pl.DataFrame([times.reverse() if turned else times]).with_columns(price=1.0).write_csv()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("spans", "step", "jump"),
    [
        (
            [("2025-03-08 00:00", "2025-03-09 01:45"), ("2025-03-09 03:00", "2025-03-09 12:00")],
            "15m",
            "New York, spring",
        ),
        (
            [("2025-11-01 00:00", "2025-11-02 01:45"), ("2025-11-02 01:00", "2025-11-02 12:00")],
            "15m",
            "New York, autumn",
        ),
        ([("2025-03-29 00:00", "2025-03-30 01:00"), ("2025-03-30 03:00", "2025-03-31 12:00")], "1h", "Berlin, spring"),
        ([("2025-10-25 00:00", "2025-10-26 02:00"), ("2025-10-26 02:00", "2025-10-26 12:00")], "1h", "Berlin, autumn"),
        ([("2025-10-04 00:00", "2025-10-05 01:59"), ("2025-10-05 03:00", "2025-10-05 12:00")], "1m", "Sydney, spring"),
    ],
)
def test_times_that_look_local(tmp_path, spans, step, jump, turned):
    file = written(tmp_path / "f.csv", clock(*spans, step=step, turned=turned))
    message, code = refused(tmp_path, "columns", file)
    line = 2 + len(clock(spans[turned], step=step).splitlines()) - 1
    assert code == 1 and message.startswith(f"f.csv: line {line}, column timestamp: {spans[1][0][:10]}"), jump
    assert message.endswith(
        "a jump as of clocks that change for summer: the times look local. Convert them to UTC; if they are, "
        "say so with a Z behind each"
    )


@pytest.mark.parametrize(
    "spans",
    [
        [("2025-03-08 00:00", "2025-03-09 01:45"), ("2025-03-09 02:30", "2025-03-09 12:00")],  # no hour
        [("2025-03-08 00:00", "2025-03-09 11:45"), ("2025-03-09 13:00", "2025-03-09 18:00")],  # at noon
        [("2025-03-08 00:00", "2025-03-10 01:45"), ("2025-03-10 03:00", "2025-03-10 12:00")],  # on a Monday
        [("2025-01-04 00:00", "2025-01-05 01:45"), ("2025-01-05 03:00", "2025-01-05 12:00")],  # in January
    ],
)
def test_times_that_do_not(tmp_path, spans):
    imported(tmp_path / "out", "columns", written(tmp_path / "f.csv", clock(*spans)))
    spring = clock(("2025-03-08 00:00", "2025-03-09 01:45"), ("2025-03-09 03:00", "2025-03-09 12:00"))
    said = spring.replace(",1.0", "Z,1.0")  # a gap of an hour in times that say they are UTC
    imported(tmp_path / "zoned", "columns", written(tmp_path / "g.csv", said))
    assert len(rows(tmp_path / "zoned")) == len(said.splitlines()) - 1
