"""Any damage to a file gives an import that a run can read, or one line that says what is wrong; never a traceback."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.errors import PerpoolError
from backtest.prices import SymbolSource, open_prices
from tests.history.imports import BARS, MS0, bars, csv, imported, klines, nothing_left, ohlcv, write_feather, zipped

SECONDS = [MS0 // 1_000 + 60 * at for at in range(3)]
ANSWER = {"s": "ok", "t": SECONDS} | {letter: [row[at] for row in BARS] for at, letter in enumerate("ohlcv")}
ROUNDS = csv(
    [(at, 100 + at, 10**10, time, time, 100) for at, time in enumerate(SECONDS)], ",round,answer,start,update,x"
)
FILES = {
    "binance": ("f.csv", klines().encode()),
    "ccxt": ("f.json", json.dumps(ohlcv()).encode()),
    "tradingview": ("f.json", json.dumps(ANSWER).encode()),
    "lean": ("20250101.csv", csv([(60_000 * at, *row) for at, row in enumerate(BARS)]).encode()),
    "chainlink": ("f.csv", ROUNDS.encode()),
    "columns": ("f.csv", bars().write_csv(datetime_format="%Y-%m-%d %H:%M:%S").encode()),
}
PARTS = st.sampled_from(
    [b"", b"\n", b",", b"0", b"-", b"9" * 30, b'"', b"\x00", b"\xff", b"nan", b"]", b"e9", b";", b"Z"]
)


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_text(tmp_path_factory, kind, data):
    name, raw = FILES[kind]
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(raw)))
        raw = raw[:begin] + data.draw(PARTS) + raw[begin + data.draw(st.integers(0, 12)) :]
    check(tmp_path_factory.mktemp("text"), kind, name, raw)


@pytest.mark.parametrize("kind", ["binance", "freqtrade", "columns"])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_packed(tmp_path_factory, kind, data):
    folder = tmp_path_factory.mktemp("packed")
    whole = folder / "whole"
    if kind == "binance":
        name = "f.zip"
        zipped(whole, {"a.csv": klines(50)})
    elif kind == "freqtrade":
        name = "f.feather"
        write_feather(whole, bars(50).rename({"timestamp": "date"}))
    else:
        name = "f.parquet"
        bars(50).write_parquet(whole)
    raw = bytearray(whole.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[at] ^= data.draw(st.integers(1, 255))
    check(folder, kind, name, bytes(raw[: data.draw(st.integers(len(raw) - 40, len(raw)))]))


def check(folder, kind, name, raw):
    (folder / name).write_bytes(raw)
    message = ""
    try:
        found = imported(folder / "out", kind, folder / name).symbols[0]
    except PerpoolError as error:
        message = str(error)
    if message:
        assert "\n" not in message and str(folder / name) in message and not (folder / "out").exists()
    else:
        alone = 60_000_000 if found.total == 1 else None  # a single candle has no length of its own
        open_prices(folder / "out", [SymbolSource("SOL", "SOL", 2**60)], interval_us=alone)
    assert nothing_left(folder)
