"""Faults of ccxt and TradingView files, each with its one message, and nothing left on disk."""

import pytest

from tests.history.imports import MS0, csv, ohlcv, written
from tests.history.refusals import AGAIN, DROP_INCOMPLETE, DROP_ZERO, HTML, OTHER, T, refused

CCXT = [
    ("x.json", "", "x.json: the file is empty (0 bytes); get it again or leave it out"),
    ("x.json", "{}", "x.json: row 0: expected array, got object; get the file again"),
    ("x.json", HTML, "x.json: is a web page or XML, not a table (it begins '<!DOCTYPE html>'); download it again"),
    ("x.json", "[]", "x.json: the file has no rows; get it again or leave it out"),
    ("x.json", [[MS0, 1, 1, 1, 1]], "x.json: row 0: expected array of 6; get the file again"),
    (
        "x.json",
        [[MS0, 1, 1, 1, 1, 1], [MS0 + 60_000, 1, 1, "x", 1, 1]],
        "x.json: row 1, column low: expected number, got str; get the file again",
    ),
    (
        "x.json",
        [[MS0, 1, 1, 1, 1, 1], [MS0 + 60_000, 1, None, 1, 1, 1]],
        f"x.json: row 1, column high: is missing; {DROP_INCOMPLETE}",
    ),
    (
        "x.json",
        [[MS0, 1, 1, 1, 1, 1], [MS0 // 1000 + 60, 1, 1, 1, 1, 1]],
        "x.json: row 1, column timestamp: 1735689660 is a time in seconds, but the file began in "
        "milliseconds; give one unit per file",
    ),
    (
        "x.json",
        "[[1735689600000,1,1,1,1,1],[17356",
        "x.json: is not the JSON of this format (Input data was truncated); get the file again",
    ),
    (
        "x.json",
        "[1735689600000,1,1,1,1,1]\n[1735689660000,1,x,1,1,1]\n",
        "x.json: row 1: is not the JSON of this format (JSON is malformed: invalid character (byte "
        "17)); get the file again",
    ),
    (
        "x.json",
        '[1735689600000,1,1,1,1,1]\n[1735689660000,1,"x",1,1,1]\n',
        "x.json: row 1, column high: expected number, got str; get the file again",
    ),
    (
        "x.csv",
        csv(ohlcv(), "time,o,h,l,c,v"),
        "x.csv: the first line is time,o,h,l,c,v, expected a row such as "
        "1735689600000,1.5,1.6,1.4,1.5,100 or the names timestamp, open, high, low, close, volume; "
        f"{OTHER}",
    ),
    (
        "x.csv",
        csv(ohlcv(), "timestamp,open,high,low,close,volume").split("\n", 1)[0],
        "x.csv: the file has no rows; get it again or leave it out",
    ),
    (
        "x.csv",
        "1st Jan,1,1,1,1,1\n",
        "x.csv: the first line is 1st Jan,1,1,1,1,1, expected a row such as "
        "1735689600000,1.5,1.6,1.4,1.5,100 or the names timestamp, open, high, low, close, volume; "
        f"{OTHER}",
    ),
    (
        "x.csv",
        "timestamp,open,high,low,close,volume\n1st Jan,1,1,1,1,1\n",
        "x.csv: the first row has the time '1st Jan', expected a number or ISO 8601 text",
    ),
    (
        "x.csv",
        f"{T},1,1,1,1,1\n2025-01-01 00:01:00,1,1,1,1,1\n",
        "x.csv: line 2, column timestamp: '2025-01-01 00:01:00' is no time with a zone as in the first "
        "row, such as 2025-01-31T12:00:00Z",
    ),
    (
        "x.csv",
        f"2025-01-01 00:01:00,1,1,1,1,1\n{T},1,1,1,1,1\n",
        "x.csv: line 2, column timestamp: '2025-01-01T00:00:00Z' is no time without a zone as in the "
        "first row, such as 2025-01-31 12:00:00",
    ),
    (
        "x.csv",
        f"{T},1,1,1,1,1\n{MS0},1,1,1,1,1\n",
        "x.csv: line 2, column timestamp: '1735689600000' is no time with a zone as in the first row, "
        "such as 2025-01-31T12:00:00Z",
    ),
    ("x.csv", "0,1,1,1,1,1\n", f"x.csv: line 1, column timestamp: is 0, which is no time; {DROP_ZERO}"),
    (
        "x.csv",
        "-60000,1,1,1,1,1\n",
        "x.csv: line 1, column timestamp: 1969-12-31T07:20:00Z is not between 1970 and 2200; check its unit",
    ),
    (
        "x.csv",
        "2300-01-01T00:00:00Z,1,1,1,1,1\n",
        "x.csv: line 1, column timestamp: 2300-01-01T00:00:00Z is not between 1970 and 2200; check its unit",
    ),
    ("x.csv", "2300-01-01T00:00:00Z,1,1,1,1\n", f"x.csv: line 1 has 5 columns, expected 6; {AGAIN}"),
]


@pytest.mark.parametrize(("name", "content", "message"), CCXT)
def test_ccxt(tmp_path, name, content, message):
    assert refused(tmp_path, "ccxt", written(tmp_path / name, content)) == (message, 1)


OK = {"s": "ok", "t": [MS0 // 1000], "o": [1], "h": [1], "l": [1], "c": [1]}
TRADINGVIEW = [
    ("", "f.json: the file is empty; get it again or leave it out"),
    (
        HTML,
        "f.json: is not the JSON of this format (JSON is malformed: invalid character (byte 0)); get the file again",
    ),
    ([1], "f.json: expected object, got array; get the file again"),
    (
        {"s": "error", "errmsg": "no such symbol"},
        "f.json: the service answered s = 'error' (no such symbol); ask it again",
    ),
    ({"s": "no_data"}, "f.json: the service answered s = 'no_data' (it does not say why); ask it again"),
    ({"s": "ok"}, "f.json: the file has no rows; get it again or leave it out"),
    ({"t": []}, "f.json: object missing required field s; get the file again"),
    (OK | {"h": [1, 2]}, "f.json: t has 1 times but h has 2 values; get the file again"),
    (OK | {"h": [None]}, f"f.json: row 0, column high: is missing; {DROP_INCOMPLETE}"),
    (OK | {"h": ["1"]}, "f.json: row 0, column h: expected number, got str; get the file again"),
    (
        OK | {"t": [MS0]},
        "f.json: row 0, column timestamp: 1735689600000000000 us since 1970 is not between 1970 and "
        "2200; check its unit",
    ),
    (OK | {"t": [10**40]}, "f.json: row 0, column t: expected int <= 4611686018427387904; get the file again"),
    (OK | {"t": 3}, "f.json, column t: expected array, got int; get the file again"),
    (
        OK | {"h": [0.5]},
        "f.json: row 0, column high: 0.5 is below the low of the same row, 1.0 US dollars; repair or remove it",
    ),
]


@pytest.mark.parametrize(("content", "message"), TRADINGVIEW)
def test_tradingview(tmp_path, content, message):
    assert refused(tmp_path, "tradingview", written(tmp_path / "f.json", content)) == (message, 1)
