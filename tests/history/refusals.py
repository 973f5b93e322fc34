"""What an import refuses: how a test calls it, and the messages that all formats share."""

from pathlib import Path

from backtest.history.bars import KLINE
from tests.history.imports import klines, nothing_left
from tests.shell import perpool

HTML = "<!DOCTYPE html>\n<html>Not found</html>\n"
T = "2025-01-01T00:00:00Z"
NAMES = ", ".join(KLINE)
OTHER = "other tables are imported with the format columns"
AGAIN = "repair the line or get the file again"
RANGE = "1e-10 to 9e+07 US dollars; check the unit: whole dollars per whole token"
TWICE = "remove one row, or keep the last with --repair keep-last"
REMOVE = "remove the row or fill in the price in US dollars"
DROP_INCOMPLETE = "fill it in, or let --repair drop-incomplete drop the row"
DROP_ZERO = "--repair drop-zero drops rounds and candles that never were"


def refused(folder: Path, kind: str, file: Path, options: list[str] | None = None) -> tuple[str, int]:
    """The message of an import that must fail and leave nothing behind, FOLDER for its folder, and its exit code."""
    out = folder / "out"
    found = perpool("prices", "import", kind, file, "--out", out, *(("--symbol=SOL",) if options is None else options))
    assert found.out == "" and found.code in (1, 2) and not out.exists() and nothing_left(folder)
    assert found.err.startswith("error: ") and found.err.count("\n") == 1
    return found.err.removeprefix("error: ").rstrip("\n").replace(f"{folder}/", ""), found.code


TEXT_FAULTS = [
    ("", "f.csv: the file is empty (0 bytes); get it again or leave it out"),
    ("\n\r\n", "f.csv: holds blank lines only; get it again or leave it out"),
    (HTML, "f.csv: is a web page or XML, not a table (it begins '<!DOCTYPE html>'); download it again"),
    (klines().encode("utf-16"), "f.csv: is not UTF-8 text; save it as CSV in UTF-8"),
]
