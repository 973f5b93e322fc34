"""`perpool prices check` as a shell calls it: the report, its limits, exit codes, and what is refused."""

import json
from pathlib import Path

import polars as pl
import pytest

from backtest.quality.limits import Limits, Rules, percent, verdicts
from backtest.quality.text import lasts
from tests.price_data import MINUTE
from tests.quality.dirty_data import candles, prices, put, report, write
from tests.shell import perpool


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a clean dataset `prices` of SOL."""
    monkeypatch.chdir(tmp_path)
    write(Path("prices"), "SOL", candles(400))
    return tmp_path


CLEAN = """\
symbol  from        to          days  every  rows  coverage  stale  outliers  faults
────────────────────────────────────────────────────────────────────────────────────
SOL     2025-01-01  2025-01-01     1     1m   400   100.00%  0.00%         0       0

ok    files     every file can be read
ok    faults    no row that a run could not use
ok    missing   at most 1% of the rows that are due in open hours
ok    stale     at most 5% of the rows in runs of 60 or more that do not move
ok    outliers  at most 0.01% of the rows, or 1, jump 12 deviations and come back
5 of 5 limits kept
"""

DIRTY = """\
symbol  from        to          days  every   rows  coverage    stale  outliers  faults
───────────────────────────────────────────────────────────────────────────────────────
BTC     2025-01-01  2025-01-01     1    30m     14   100.00%    0.00%         0       0
SOL     2025-01-01  2025-01-03     3     1m  2,998  ! 98.91%  ! 5.34%       ! 2     ! 3
All symbols have prices from 2025-01-01 00:00 to 2025-01-01 06:30 UTC; their cadences differ

SOL
  zero      2 rows: a price is 0; first prices/SOL.parquet: row 3 (2025-01-01 00:03)
            to mend: --repair drop-zero, if no price of the row is above 0; else remove it by hand
  unsorted  1 row: earlier than a row above it; first prices/SOL.parquet: row 9 (2025-01-01 00:08)
            to mend: --repair sort
  gaps      33 rows missing in 2 gaps:
            2025-01-02 09:19 to 2025-01-02 09:51  32m, 31 rows
            2025-01-01 16:39 to 2025-01-01 16:42  3m, 2 rows
  untraded  1 row of volume 0, 0.033%
  stale     160 rows unmoved in 1 run; the longest 160 from 2025-01-02 12:01
  outliers  2:
            2025-01-01 01:40  high  +50.0%
            2025-01-01 05:00  close -19.9%

ok    files     every file can be read
FAIL  faults    no row that a run could not use: SOL 3
FAIL  missing   at most 1% of the rows that are due in open hours: SOL 1.09% (33)
FAIL  stale     at most 5% of the rows in runs of 60 or more that do not move: SOL 5.34% (160)
FAIL  outliers  at most 0.01% of the rows, or 1, jump 12 deviations and come back: SOL 0.067% (2)
1 of 5 limits kept
"""


def test_a_clean_dataset(folder):
    found = perpool("prices check prices")
    assert (found.code, found.err) == (0, "")
    assert [line.rstrip() for line in found.out.splitlines()] == CLEAN.splitlines()


def dirty() -> pl.DataFrame:
    """Two days of minutes with a little of everything."""
    frame = put(candles(3031), "volume", {50: 0.0})
    for column in ("open", "high", "low", "close"):
        frame = put(frame, column, {3: 0.0, 4: 0.0} | dict.fromkeys(range(2161, 2321), frame["close"][2160]))
    body = frame[99:102].select(pl.max_horizontal("open", "close").max()).item()
    frame = put(frame, "high", {100: 1.5 * body})
    low = frame["close"][300] * 0.8
    frame = put(put(frame, "close", {300: low}), "low", {300: low})
    kept = frame.with_row_index("at").filter(~pl.col("at").is_in([1000, 1001, *range(2000, 2031)])).drop("at")
    return pl.concat([kept[:8], kept[9:10], kept[8:9], kept[10:]])


def test_a_dirty_dataset(folder):
    write(Path("prices"), "SOL", dirty())
    write(Path("prices"), "BTC", candles(14, step=30 * MINUTE))
    found = perpool("prices check prices")
    assert (found.code, found.err) == (1, "")
    assert [line.rstrip() for line in found.out.splitlines()] == DIRTY.splitlines()


def test_json_holds_all_of_it(folder):
    write(Path("prices"), "SOL", dirty())
    found = perpool("prices check prices --json")
    assert (found.code, found.err) == (1, "")
    said = json.loads(found.out)
    assert list(said) == ["kind", "files", "refused", "unnamed_rows", "joint", "symbols", "verdicts", "passed"]
    (sol,) = said["symbols"]
    assert sol["span"] == {
        "first": "2025-01-01T00:00:00Z",
        "last": "2025-01-03T02:30:00Z",
        "days": 3,
        "cadence_s": 60.0,
        "regular": True,
    }
    assert (sol["gaps"]["missing"], sol["gaps"]["longest"][0]["missing"]) == (33, 31)
    assert {kind: fault["rows"] for kind, fault in sol["faults"].items()} == {"zero": 2, "unsorted": 1}
    assert (sol["outliers"], len(sol["largest"]), sol["untraded_rows"]) == (2, 2, 1)
    assert sol["stale"] == {"runs": 1, "rows": 160, "longest_rows": 160, "longest_from": "2025-01-02T12:01:00Z"}
    assert [one["name"] for one in said["verdicts"] if one["passed"]] == ["files"]
    assert said["passed"] is False


def test_limits_can_be_set(folder):
    write(Path("prices"), "SOL", dirty())
    perpool("prices check prices --repair drop-zero,sort --out mended")
    assert perpool("prices check mended").code == 1
    loose = "--max-missing 1.2% --max-stale 6% --max-outliers 0.1%"
    assert perpool(f"prices check mended {loose}").code == 0
    for tight in ("--max-missing 1%", "--max-stale 5%", "--max-outliers 0%"):
        assert perpool(f"prices check mended {loose} {tight}").code == 1
    assert perpool(f"prices check mended {loose} --max-stale 0% --stale-run 161").code == 0
    assert perpool(f"prices check mended {loose} --max-outliers 0% --outlier 10000").code == 0


@pytest.mark.parametrize(("missing", "passed"), [(1, True), (2, False)])
def test_a_limit_is_kept_up_to_itself(tmp_path, missing, passed):
    frame = prices(100).filter(~pl.int_range(pl.len()).is_in(range(50, 50 + missing)))
    found = report(write(tmp_path, "SOL", frame))
    judged = {one.name: one.passed for one in verdicts(found, Limits(), Rules())}
    assert judged == {"files": True, "faults": True, "missing": passed, "stale": True, "outliers": True}


@pytest.mark.parametrize(("spikes", "passed"), [(1, True), (2, False)])
def test_one_outlier_always_passes(tmp_path, spikes, passed):
    frame = prices(400)
    for row in range(100, 100 + 20 * spikes, 20):
        frame = put(frame, "price", {row: frame["price"][row] * 2})
    found = report(write(tmp_path, "SOL", frame))
    assert verdicts(found, Limits(outliers=0), Rules())[-1].passed is passed


def test_the_report_follows_a_repair(folder):
    write(Path("dirty"), "SOL", put(prices(40), "price", {5: 0.0, 6: 0.0}))
    found = perpool("prices check dirty --repair drop-zero --out mended")
    assert found.code == 1  # the two rows are missing now: 5 % of 40
    head, rest = found.out.split("\n\n", 1)
    assert head == (
        "SOL: 38 rows in mended/SOL.parquet\n  drop-zero       2 rows, 2025-01-01 00:05 to 2025-01-01 00:06"
    )
    assert "2025-01-01 00:04 to 2025-01-01 00:07  3m, 2 rows" in rest
    assert rest.endswith("4 of 5 limits kept\n")
    said = json.loads(perpool("prices check dirty --repair drop-zero --out other --json").out)
    assert said["repaired"] == [
        {
            "symbol": "SOL",
            "file": "other/SOL.parquet",
            "rows": 38,
            "steps": [
                {"name": "drop-zero", "rows": 2, "first": "2025-01-01T00:05:00Z", "last": "2025-01-01T00:06:00Z"}
            ],
        }
    ]


def test_files_that_cannot_be_read_fail_the_check(folder):
    Path("prices/ZEC.parquet").write_bytes(b"PAR1 cut")
    found = perpool("prices check prices")
    assert found.code == 1
    assert "refused  prices/ZEC.parquet: not a readable Parquet file; convert it to Parquet first\n" in found.out
    assert "FAIL  files     every file can be read: prices/ZEC.parquet\n" in found.out


def test_hours_of_a_protocol(folder):
    """Two weeks from a holiday (24 hours) on: two weekends (49 each) and the breaks of seven other days are closed."""
    write(Path("metals"), "XAU", prices(14 * 24, step=60 * MINUTE))
    found = perpool("prices check metals --hours XAU=adrena-rwalp")
    assert "  hours     129 rows in closed hours; 0 more would be due if they were open\n" in found.out
    assert found.code == 0
    assert perpool("prices check metals --hours adrena-rwalp").out == found.out


HELP = "; `perpool prices check --help` shows what is possible"
FAULTS = {
    "no prices": ("", 2, f"Missing argument 'PRICES...'{HELP}"),
    "no such folder": ("nowhere", 1, "nowhere: no such price file or folder; check the path"),
    "no share": ("prices --max-stale 5", 2, '"5" is no share of rows; give 0% to 100%, such as "1%"'),
    "no number": ("prices --max-missing x%", 2, '"x%" is no share of rows; give 0% to 100%, such as "1%"'),
    "nan": ("prices --max-missing nan%", 2, '"nan%" is no share of rows; give 0% to 100%, such as "1%"'),
    "above all": ("prices --max-outliers 101%", 2, '"101%" is no share of rows; give 0% to 100%, such as "1%"'),
    "no run": ("prices --stale-run 0", 2, f"Invalid value for '--stale-run': 0 is not in the range x>=1{HELP}"),
    "no deviations": ("prices --outlier 0", 2, f"Invalid value for '--outlier': 0.0 is not in the range x>0{HELP}"),
    "repair without out": ("prices --repair sort", 2, f"--repair and --out go together{HELP}"),
    "out without repair": ("prices --out new", 2, f"--repair and --out go together{HELP}"),
    "unknown repair": (
        "prices --repair fill --out new",
        2,
        "repair 'fill' is unknown; the repairs are drop-zero, drop-incomplete, keep-last, sort",
    ),
    "no repair": (
        "prices --repair '' --out new",
        2,
        "repair '' is unknown; the repairs are drop-zero, drop-incomplete, keep-last, sort",
    ),
    "hours of another symbol": (
        "prices --hours XAU=adrena-rwalp",
        2,
        "--hours XAU=adrena-rwalp: the dataset has no XAU; known: SOL",
    ),
    "hours of no protocol": (
        "prices --hours SOL=adrena-rwap",
        2,
        "no protocol is called 'adrena-rwap'; did you mean 'adrena-rwalp'?, or give a TOML file",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(folder, name):
    args, code, message = FAULTS[name]
    before = sorted(folder.rglob("*"))
    found = perpool(f"prices check {args}")
    assert (found.code, found.out, found.err) == (code, "", f"error: {message}\n")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("fraction", "text"), [(0, "0.00%"), (1, "100.00%"), (0.0534, "5.34%"), (0.000123, "0.012%"), (2e-6, "0.0002%")]
)
def test_percent(fraction, text):
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4s"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60, "1m"),
        (90, "1m 30s"),
        (3600, "1h"),
        (183_600, "2d 3h"),
        (86_401, "1d 1s"),
    ],
)
def test_lasts(seconds, text):
    assert lasts(seconds) == text
