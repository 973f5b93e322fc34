"""Faults of klines, of LEAN and of oracle rounds, each with its one message, and nothing left on disk."""

import pytest

from tests.history.imports import BARS, MS0, klines, written
from tests.history.refusals import (
    AGAIN,
    DROP_INCOMPLETE,
    DROP_ZERO,
    HTML,
    NAMES,
    OTHER,
    RANGE,
    REMOVE,
    TEXT_FAULTS,
    TWICE,
    refused,
)

ROUND = ",round,answer,start,update,answeredInRound\n"


def with_line(text: str, number: int, line: str) -> str:
    """`text` with its line `number` (1-based) replaced."""
    lines = text.split("\n")
    lines[number - 1] = line
    return "\n".join(lines)


def kline(time: object = MS0, **values: object) -> str:
    given = dict(zip(("open", "high", "low", "close", "volume"), BARS[0], strict=True)) | values
    return ",".join(map(str, [time, *given.values(), 0, 0, 0, 0, 0, 0]))


BINANCE = [
    *TEXT_FAULTS,
    ("a,b,c\n", f"f.csv: the first line is a,b,c, expected 12 numbers or the names {NAMES}; {OTHER}"),
    (
        ",".join(["open_time"] * 12),
        "f.csv: the first line is open_time,open_time,open_time,open_time,open_time,open_time,, "
        f"expected 12 numbers or the names {NAMES}; {OTHER}",
    ),
    (with_line(klines(), 2, "1735689660000,1,1"), f"f.csv: line 2 has 3 columns, expected 12; {AGAIN}"),
    (
        with_line(klines(), 3, kline(close="x")),
        "f.csv: line 3, column close: 'x' is no number; write plain numbers such as 0.0123",
    ),
    (with_line(klines(), 3, kline(close="1,5")), f"f.csv: line 3 has 13 columns, expected 12; {AGAIN}"),
    (
        with_line(klines(), 3, kline(MS0 * 1_000)),
        "f.csv: line 3, column open_time: 1735689600000000 is a time in microseconds, but the file "
        "began in milliseconds; give one unit per file",
    ),
    (with_line(klines(), 3, kline("12.5")), "f.csv: line 3, column open_time: '12.5' is no whole number"),
    (with_line("\r\n" + klines(), 4, kline(open="")), f"f.csv: line 4, column open: is missing; {DROP_INCOMPLETE}"),
    (with_line(klines(), 2, kline(open="null")), f"f.csv: line 2, column open: is missing; {DROP_INCOMPLETE}"),
    (
        with_line(klines(), 2, kline("")),
        "f.csv: line 2, column open_time: is missing; give every row the time of its price, or let "
        "--repair drop-incomplete drop it",
    ),
    (
        with_line(klines(), 2, kline(open=0, high=0, low=0, close=0)),
        f"f.csv: line 2, column open: 0 is not a price; {DROP_ZERO}",
    ),
    (with_line(klines(), 2, kline(close="nan")), f"f.csv: line 2, column close: nan is not a price; {DROP_INCOMPLETE}"),
    (with_line(klines(), 2, kline(close=-1)), f"f.csv: line 2, column close: -1.0 is not a price; {REMOVE}"),
    (with_line(klines(), 2, kline(high="inf")), f"f.csv: line 2, column high: inf is not a price; {REMOVE}"),
    (
        with_line(klines(), 2, kline(high=1e9)),
        f"f.csv: line 2, column high: 1000000000.0 is outside the range of prices, {RANGE}",
    ),
    (
        with_line(klines(), 2, kline(high=50)),
        "f.csv: line 2, column high: 50.0 is below the low of the same row, 99.5 US dollars; repair or remove it",
    ),
    (
        with_line(klines(), 2, kline(low=100.5)),
        "f.csv: line 2, column low: 100.5 is above the open of the same row, 100.0 US dollars; repair or remove it",
    ),
    (
        with_line(klines(), 2, kline(volume=-1)),
        "f.csv: line 2, column volume: -1 is no volume; 0 says that nothing traded",
    ),
    (with_line(klines(), 2, kline(volume="")), "f.csv: line 2, column volume: is missing; 0 says that nothing traded"),
    (
        with_line(klines(), 2, kline(volume=3)),
        f"f.csv: 2025-01-01T00:00:00Z is there twice with different volume, 7.0 and 3.0; {TWICE}",
    ),
    (
        with_line(klines(), 2, kline(9 * 10**18)),
        "f.csv: line 2, column open_time: 9000000000000000000 is a time in nanoseconds, but the file "
        "began in milliseconds; give one unit per file",
    ),
    (klines()[:-20], f"f.csv: line 3 has 7 columns, expected 12; {AGAIN}"),
]


@pytest.mark.parametrize(("content", "message"), BINANCE)
def test_binance(tmp_path, content, message):
    assert refused(tmp_path, "binance", written(tmp_path / "f.csv", content)) == (message, 1)


QUOTE = "20250101 00:00,1,1,1,1,0,2,2,2,2,0\n"
LEAN = [
    ("f.csv", "", "f.csv: the file is empty (0 bytes); get it again or leave it out"),
    ("f.csv", HTML, "f.csv: is a web page or XML, not a table (it begins '<!DOCTYPE html>'); download it again"),
    (
        "f.csv",
        "1,2,3\n",
        "f.csv: line 1 has 3 columns, expected 11 (quote bars: time, open, high, low, close and size of "
        "bid and of ask) or 6 (trade bars: time, open, high, low, close, volume)",
    ),
    (
        "f.csv",
        "20250101,1,1,1,1,1\n",
        "f.csv: the times are milliseconds since midnight, but no name says of which day; name the file "
        "as LEAN does, such as 20250131_quote.zip",
    ),
    (
        "f.csv",
        "0,1,1,1,1,1\n",
        "f.csv: the times are milliseconds since midnight, but no name says of which day; name the file "
        "as LEAN does, such as 20250131_quote.zip",
    ),
    (
        "20250101.csv",
        "86400000,1,1,1,1,1\n",
        "20250101.csv: line 1, column time: 86400000 is no number of milliseconds since midnight (0 to 86399999)",
    ),
    (
        "20251301.csv",
        "0,1,1,1,1,1\n",
        "20251301.csv: the times are milliseconds since midnight, but no name says of which day; name "
        "the file as LEAN does, such as 20250131_quote.zip",
    ),
    ("f.csv", QUOTE + "20250101 01:00,,,,,0,2,2,2,2,0\n", f"f.csv: line 2, column open: is missing; {DROP_INCOMPLETE}"),
    (
        "f.csv",
        QUOTE + "20250101 01:00,1,1,1,1,0,2,2,2,0.5,0\n",
        "f.csv: line 2, column bid_close: 1.0 is above the ask_close of the same candle, 0.5; repair or "
        "remove the candle",
    ),
    ("f.csv", QUOTE + "20250101 01:00,1,1,1,1,0,2,2,2\n", f"f.csv: line 2 has 9 columns, expected 11; {AGAIN}"),
    (
        "f.csv",
        QUOTE + "20250101 25:00,1,1,1,1,0,2,2,2,2,0\n",
        "f.csv: line 2, column time: '20250101 25:00' is no time such as 20250131 12:00",
    ),
    (
        "f.csv",
        QUOTE + "20250101 02:00,1,1,1,1,0,2,2,2,9,0\n",
        "f.csv: line 2, column high: 1.5 is below the close of the same row, 5.0 US dollars; repair or remove it",
    ),
    (
        "f.csv",
        QUOTE + "20250102 02:00,1,1,1,1,0,9,9,9,9,0\n" + QUOTE.replace("2,2", "3,3"),
        f"f.csv: 2025-01-01T00:00:00Z is there twice with different open, 1.5 and 2.0; {TWICE}",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), LEAN)
def test_lean(tmp_path, name, content, message):
    assert refused(tmp_path, "lean", written(tmp_path / name, content)) == (message, 1)


CHAINLINK = [
    ("", "f.csv: the file is empty (0 bytes); get it again or leave it out"),
    (HTML, "f.csv: is a web page or XML, not a table (it begins '<!DOCTYPE html>'); download it again"),
    (
        "a,b\n1,2\n",
        "f.csv: column round, answer, update is missing (there are: a, b); expected round, answer, "
        "start, update, answeredInRound",
    ),
    (ROUND, "f.csv: the file has no rows; get it again or leave it out"),
    (
        ROUND + "0,5,100000000,1735689600,1735689600,5\n1,4,0,0,0,4\n",
        f"f.csv: line 3, column update: is 0, which is no time; {DROP_ZERO}",
    ),
    (ROUND + "0,5,0,1735689600,1735689600,5\n", f"f.csv: line 2, column answer: 0 is not a price; {DROP_ZERO}"),
    (
        ROUND + "0,5,100000000,1735689600,1735689600,5\n1,4,200000000,1,1735689600,4\n",
        f"f.csv: 2025-01-01T00:00:00Z is there twice with different price, 2.0 and 1.0; {TWICE}",
    ),
    (
        ROUND + "0,x,100000000,1735689600,1735689600,5\n",
        "f.csv: line 2, column round: 'x' is no round id; expected a whole number",
    ),
    (
        ROUND + "0,5,100000000,1735689600,17356896000000,5\n",
        "f.csv: line 2, column update: 4611686018427000000 us since 1970 is not between 1970 and 2200; check its unit",
    ),
    (
        ROUND + "0,5,-100000000,1735689600,1735689600,5\n",
        f"f.csv: line 2, column answer: -1.0 is not a price; {REMOVE}",
    ),
    (
        ROUND + "0,5,1e20,1735689600,1735689600,5\n",
        f"f.csv: line 2, column answer: 1000000000000.0 is outside the range of prices, {RANGE}",
    ),
    (ROUND + "0,5,,1735689600,1735689600,5\n", f"f.csv: line 2, column answer: is missing; {DROP_INCOMPLETE}"),
    (
        ROUND + "0,5,100000000,1735689600,1735689600.5,5\n",
        "f.csv: line 2, column update: '1735689600.5' is no whole number",
    ),
    (ROUND + "0,5,100000000,1735689600,1735689600\n", f"f.csv: line 2 has 5 columns, expected 6; {AGAIN}"),
]


@pytest.mark.parametrize(("content", "message"), CHAINLINK)
def test_chainlink(tmp_path, content, message):
    assert refused(tmp_path, "chainlink", written(tmp_path / "f.csv", content)) == (message, 1)
