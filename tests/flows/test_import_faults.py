"""What a position history may have wrong: one line that names file, line, column and value, and nothing written."""

import json
from pathlib import Path

import pytest

from backtest.errors import PerpoolError
from tests.flows.histories import HEAD, ROW, imported, orders_of, write

SKIP = "--skip-bad leaves such rows out"
TIME = "is no time between 1970 and 2200; write 2025-01-31T12:00:00Z, or numbers since 1970 in one unit per column"
DISAGREE = "a size in tokens needs --map quantity=COLUMN, and --map leverage= leaves the leverage out"
FAULTS = {
    "no opening time": (
        {"opened": ""},
        "column 'opened': (empty) is no time; every position needs its opening",
        "no opening time",
    ),
    "day first": ({"opened": "31.01.2025"}, f"column 'opened': '31.01.2025' {TIME}", "unreadable time"),
    "no such day": ({"opened": "2025-02-30"}, f"column 'opened': '2025-02-30' {TIME}", "unreadable time"),
    "before 1970": ({"opened": "1960-01-01"}, f"column 'opened': '1960-01-01' {TIME}", "unreadable time"),
    "unreadable close": ({"closed": "soon"}, f"column 'closed': 'soon' {TIME}", "unreadable time"),
    "closed before": (
        {"closed": "2024-12-31"},
        "column 'closed': '2024-12-31' is before its opening at 2025-01-01T00:00:00Z",
        "closed before it was opened",
    ),
    "no market": ({"market": "--"}, "column 'market': (empty) is no market; name what was traded", "no market"),
    "no name": (
        {"market": "?"},
        "column 'market': '?' is no name of a market, such as SOL; rename it with --market-map ?=NAME",
        "unknown market",
    ),
    "no side": (
        {"side": ""},
        "column 'side': (empty) is no side; expected long, short, buy or sell",
        "unknown side",
    ),
    "unknown side": (
        {"side": "up"},
        "column 'side': 'up' is no side; expected long, short, buy or sell",
        "unknown side",
    ),
    "no number": (
        {"size": "1.234,5"},
        "column 'size': '1.234,5' is no number; write 1234.5 or $1,234.50",
        "unreadable size",
    ),
    "not finite": (
        {"collateral": "inf"},
        "column 'collateral': 'inf' is no number; write 1234.5 or $1,234.50",
        "unreadable collateral",
    ),
    "zero": ({"size": "0"}, "column 'size': '0' must be positive", "size not positive"),
    "negative": ({"collateral": "-5"}, "column 'collateral': '-5' must be positive", "collateral not positive"),
    "no size": (
        {"size": ""},
        "column 'size': (empty) does not say enough: an order needs two of size, collateral and leverage; correct the "
        "row, or give --leverage where the venue keeps none",
        "size, collateral and leverage not known",
    ),
    "disagree": (
        {"size": "3.5", "leverage": "5x"},
        "column 'size': '3.5' is not collateral x leverage (size 3.50 USD, collateral 100.00 USD, leverage 5x); "
        + DISAGREE,
        "size, collateral and leverage disagree",
    ),
    "another unit": (
        {"size": "500000000000000000", "leverage": ""},
        "column 'size': '500000000000000000' makes a size of 5e+17 USD, and the books hold 0.000001 to 9,007,199,255; "
        "is it in another unit? --map size=COLUMN/1e6 divides it",
        "size out of range",
    ),
    "rounds to nothing": (
        {"collateral": "0.0000001"},
        "column 'collateral': '0.0000001' makes a collateral of 1e-07 USD, and the books hold 0.000001 to "
        "9,007,199,255; is it in another unit? --map collateral=COLUMN/1e6 divides it",
        "collateral out of range",
    ),
    "a code": (
        {"status": "3"},
        "column 'status': '3' is a code; write the word that it stands for (close, liquidated, ...), or leave the "
        "column out with --map exit_reason=",
        "exit reason is a code",
    ),
    "closed without a time": (
        {"closed": "0"},
        "column 'closed': '0' is no time, but the position has ended (closed); fill it in, or leave the exit reasons "
        "out with --map exit_reason=",
        "closed without a time",
    ),
    "twice": (
        {"id": "1"},
        "column 'id': '1' was used by an earlier row; a history has one row per position. If the column is something "
        "else, leave it out with --map position_id=",
        "position id used twice",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_rows_that_cannot_be_orders(name: str, tmp_path: Path) -> None:
    changes, message, reason = FAULTS[name]
    values = dict(zip(HEAD.split(","), ROW.split(","), strict=True)) | {"id": "2", "leverage": ""} | changes
    path = tmp_path / "log.csv"
    write(path, ROW + ",5", ",".join(f'"{value}"' for value in values.values()), head=HEAD + ",leverage")
    with pytest.raises(PerpoolError) as caught:
        imported(path)
    assert str(caught.value) == f"{path}: line 3, {message}; {SKIP}"
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]
    done = imported(path, skip_bad=True)
    assert done.skipped == {reason: 1}
    assert orders_of(tmp_path)["position_id"].to_list() == [1, 1]


def test_a_market_that_the_protocol_does_not_have(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", ROW.replace("SOL", "ETHUSDT"))
    with pytest.raises(PerpoolError) as caught:
        imported(path, protocol="adrena-alp")
    assert str(caught.value) == (
        f"{path}: line 2, column 'market': 'ETHUSDT' is not a market of adrena-alp (SOL, BTC, BONK); rename it with "
        f"--market-map ETHUSDT=NAME; {SKIP}"
    )


def test_epochs_in_two_units(tmp_path: Path) -> None:
    head = "opened,market,side,size,leverage"
    path = write(tmp_path / "log.csv", "1735689600000,SOL,long,5,5", "1735689600,SOL,long,5,5", head=head)
    with pytest.raises(PerpoolError) as caught:
        imported(path)
    assert str(caught.value) == f"{path}: line 3, column 'opened': '1735689600' {TIME}; {SKIP}"


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_rows_are_named_where_they_are_no_lines(suffix: str, tmp_path: Path) -> None:
    row = dict(zip(HEAD.split(","), ROW.split(","), strict=True))
    path = tmp_path / f"log.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps([row, row | {"side": "up"}], indent=2))
    else:
        write(path, ROW, ROW.replace("long", '"up\nwards"'))
    with pytest.raises(PerpoolError, match=r": row 1, column 'side': 'up.*' is no side"):
        imported(path)


def test_rows_of_a_second_file_are_named_in_it(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", ROW, ROW.replace("1,", "2,", 1))
    second = write(tmp_path / "b.csv", ROW)
    with pytest.raises(PerpoolError, match=r"b\.csv: line 2, column 'id': '1' was used by an earlier row"):
        imported(first, second)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "the file is empty; export it again or leave it out"),
        (HEAD.encode(), "the file has no rows; export it again or leave it out"),
        (b"a,b\n1,2\n1,2,3\n", "cannot be read (line 3 has more fields than the header); export it as CSV, Parquet or"),
        (b"a,b\n1,\xff\n", "cannot be read (invalid utf-8 sequence); export it as CSV, Parquet or JSON lines"),
    ],
)
def test_files_that_are_none(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(PerpoolError) as caught:
        imported(path)
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("name", ["log.parquet", "log.json", "log.jsonl"])
def test_files_that_are_not_what_they_are_called(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"a": 1}\nno\n' if name.endswith("l") else "no")
    with pytest.raises(PerpoolError, match=rf"{name}: cannot be read \(.*\); export it as CSV, Parquet or JSON lines$"):
        imported(tmp_path / name)


def test_nothing_found(tmp_path: Path) -> None:
    with pytest.raises(PerpoolError, match=r"none\.csv: no such file; give a position history as CSV, Parquet or JSON"):
        imported(tmp_path / "none.csv")
    with pytest.raises(PerpoolError, match=r"the folder holds no \.csv, \.tsv,"):
        imported(tmp_path)


def test_no_row_is_left(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", ROW.replace("long", "up"), ROW.replace("100", "0"))
    with pytest.raises(PerpoolError) as caught:
        imported(path, skip_bad=True)
    assert str(caught.value) == (
        f"{path}: none of 2 rows can be an order (unknown side 1, collateral not positive 1); without --skip-bad the "
        "first is explained"
    )
