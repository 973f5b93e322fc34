"""Faults of tables with a header, each with its one message and exit code, and nothing left on disk."""

import pytest

from tests.history.imports import written
from tests.history.refusals import DROP_INCOMPLETE, HTML, REMOVE, TWICE, T, refused

PRICES = "timestamp,price\n"
SOL = "--symbol=SOL"


COLUMNS = [
    ("", [SOL], "f.csv: the file is empty (0 bytes); get it again or leave it out", 1),
    (HTML, [SOL], "f.csv: is a web page or XML, not a table (it begins '<!DOCTYPE html>'); download it again", 1),
    (
        f"{T},1\n",
        [SOL],
        "f.csv: the first line (2025-01-01T00:00:00Z,1) is a row, but this format needs a line of "
        "names; write one above it, such as timestamp,price",
        1,
    ),
    (PRICES, [SOL], "f.csv: the file has no rows; get it again or leave it out", 1),
    (PRICES + f"{T},1\n", [], "f.csv: has no column symbol; give --symbol, or --map symbol=COLUMN", 2),
    (
        f"time,price\n{T},1\n",
        [SOL],
        "f.csv: which column holds the time? (there are: time, price); give --map timestamp=COLUMN",
        2,
    ),
    (
        f"time,last\n{T},1\n",
        [SOL, "--map=timestamp=time"],
        "f.csv: which column holds the price? (there are: time, last); give --map price=COLUMN, or "
        "open=, high=, low= and close=",
        2,
    ),
    (
        f"timestamp,open,high\n{T},1,1\n",
        [SOL],
        "f.csv: which column holds low? (there are: timestamp, open, high); give --map price=COLUMN, or "
        "open=, high=, low= and close=",
        2,
    ),
    (
        f"timestamp,price,close\n{T},1,1\n",
        [SOL],
        "f.csv: has both price and close; leave out one shape: --map price= or --map close=",
        2,
    ),
    (f"timestamp,price,price\n{T},1,1\n", [SOL], "f.csv: column price is there twice; keep one", 1),
    (
        PRICES + f"{T},1\n",
        [SOL, "--map=price=prize"],
        "f.csv: --map price=prize: there is no such column; did you mean 'price'?",
        2,
    ),
    (
        PRICES + f"{T},1\n",
        [SOL, "--map=prise=price"],
        "--map prise=price: 'prise' is no field; did you mean 'price'?",
        2,
    ),
    (
        PRICES + f"{T},1\n",
        [SOL, "--map=price"],
        "--map 'price' is no FIELD=COLUMN; write for example timestamp=open_time,price=close",
        2,
    ),
    (PRICES + f"{T},1\n", [SOL, "--map=min=price,bid=price"], "--map names min twice; name each field once", 2),
    (
        PRICES + "soon,1\n",
        [SOL],
        "f.csv: line 2, column timestamp: 'soon' is no time; expected a number since 1970 or ISO 8601 "
        "text such as 2025-01-31T12:00:00Z",
        1,
    ),
    (
        PRICES + "2025-01-01T00:00:00.1234567Z,1\n",
        [SOL],
        "f.csv: line 2, column timestamp: '2025-01-01T00:00:00.1234567Z' is no time; expected a number "
        "since 1970 or ISO 8601 text such as 2025-01-31T12:00:00Z",
        1,
    ),
    (
        PRICES + "20250131,1\n",
        [SOL],
        "f.csv: line 2, column timestamp: 20250131 is no number of seconds since 1970; write dates as "
        "ISO 8601, such as 2025-01-31",
        1,
    ),
    (
        PRICES + "01/02/2025,1\n",
        [SOL],
        "f.csv: line 2, column timestamp: '01/02/2025' is no time; expected a number since 1970 or ISO "
        "8601 text such as 2025-01-31T12:00:00Z",
        1,
    ),
    (
        f"timestamp,price,min\n{T},1,1.5\n",
        [SOL],
        "f.csv: line 2, column min: 1.5 is above the price of the same row, 1.0 US dollars; repair or remove it",
        1,
    ),
    (
        f"timestamp,price,bid,ask\n{T},1,0.5,0.9\n",
        [SOL],
        "f.csv: line 2, column ask: 0.9 is below the price of the same row, 1.0 US dollars; repair or remove it",
        1,
    ),
    (
        f"timestamp,price,confidence\n{T},1,1\n",
        [SOL],
        "f.csv: line 2, column confidence: 1.0 is not from 0 to below the price of the same row, 1.0 US "
        "dollars; repair or remove it",
        1,
    ),
    (
        f"timestamp,price,confidence\n{T},1,\n",
        [SOL],
        f"f.csv: line 2, column confidence: is missing; {DROP_INCOMPLETE}",
        1,
    ),
    (
        f"timestamp,price,ema\n{T},1,nan\n",
        [SOL],
        f"f.csv: line 2, column ema: nan is not a price; {DROP_INCOMPLETE}",
        1,
    ),
    (
        f"timestamp,symbol,price\n{T},SOL,1\n{T},,2\n",
        [],
        "f.csv: line 3, column symbol: is missing; name the symbol of every row",
        1,
    ),
    (
        f"timestamp,symbol,price\n{T},SOL,1\n{T},a b,2\n",
        [],
        "f.csv: column symbol: 'a b' is no symbol; use letters, digits and . _ / : + -, such as SOL or USDC/USD",
        1,
    ),
    (
        f"timestamp,symbol,price\n{T},SOL,1\n",
        ["--symbol=BTC"],
        "f.csv: no rows of BTC to import; check its column symbol, if it has one, and the repairs",
        1,
    ),
    (
        f"timestamp,symbol,price\n{T},SOL,1\n{T},BTC,1\n2025-01-01T00:01:00Z,SOL,-1\n",
        [],
        f"f.csv: line 4, column price: -1.0 is not a price; {REMOVE}",
        1,
    ),
    (
        PRICES + f"{T},1\n{T},2\n",
        [SOL],
        f"f.csv: 2025-01-01T00:00:00Z is there twice with different price, 1.0 and 2.0; {TWICE}",
        1,
    ),
    (
        PRICES + f"{T},1\n",
        ["--symbol=a b"],
        "'a b' is no symbol; use letters, digits and . _ / : + -, such as SOL or USDC/USD",
        2,
    ),
    (
        PRICES + f"{T},0\n",
        [SOL, "--repair=drop-zero"],
        "f.csv: no rows of SOL to import; check its column symbol, if it has one, and the repairs",
        1,
    ),
    (
        PRICES + f"{T},0\n",
        [SOL, "--repair=drop"],
        "repair 'drop' is unknown; the repairs are drop-zero, drop-incomplete, keep-last, sort",
        2,
    ),
]


@pytest.mark.parametrize(("content", "options", "message", "code"), COLUMNS)
def test_columns(tmp_path, content, options, message, code):
    assert refused(tmp_path, "columns", written(tmp_path / "f.csv", content), options) == (message, code)
