"""Files of many formats into a price dataset: each file once, rows that agree merged, everything or nothing."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from backtest.errors import PerpoolError, UsageError
from backtest.history import store
from backtest.history.existing import Existing, check_kind, existing
from backtest.history.formats import format_of
from backtest.history.intake import Intake, take
from backtest.history.pieces import Piece, check_spacing, columns_of, disjoint
from backtest.history.repairs import check_repairs
from backtest.history.rows import Options
from backtest.history.sources import digest, find
from backtest.price_files import iso

Known = Callable[[Path], dict[str, dict[str, Any]]]  # file of the dataset -> its provenance, by key
# Told how many of how many files are done, and the rows so far.
Announce = Callable[[int, int, int], object]


@dataclass(frozen=True)
class Imported:
    """What became of a symbol: its file, rows in it, new ones among them, span, candle length, rows per repair."""

    symbol: str
    file: str
    new: int
    total: int
    first: str
    last: str
    interval_s: float | None
    repairs: dict[str, int]


@dataclass(frozen=True)
class Report:
    """What an import did. skipped: files that were there already; naive: files whose times were taken as UTC."""

    files: list[str]
    skipped: list[str]
    naive: list[str]
    symbols: list[Imported] = field(default_factory=list)


@dataclass(frozen=True)
class _Plan:
    """A symbol ready to be written."""

    symbol: str
    pieces: list[Piece]
    provenance: list[dict[str, Any]]
    report: Imported


def import_prices(
    kind: str,
    paths: Sequence[str | Path],
    out: Path,
    *,
    options: Options = Options(),  # noqa: B008 (frozen)
    repairs: Collection[str] = (),
    announce: Announce = lambda done, files, rows: None,
) -> Report:
    """Add the files that `paths` name, of format `kind` (formats.FORMATS), to the dataset in the folder `out`.

    Raises UsageError for arguments that are wrong, PerpoolError for files; then the dataset is as it was.
    """
    form, names = format_of(kind), check_repairs(repairs)
    if options.symbol is not None:
        store.check_symbol(options.symbol)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file; --out names the folder of a dataset")
    if options.mapping and kind != "columns":
        raise UsageError(f"--map is for the format columns; {kind} knows its columns")
    files = find(paths, form.endings)
    report = Report([str(file) for file in files], [], [])
    taken: dict[str, list[tuple[dict[str, Any], Intake]]] = {}
    known: Known = cache(lambda file: {_key(old): old for old in store.provenance_of(file)} if file.is_file() else {})
    rows = 0
    with _scratch(out) as scratch, ThreadPoolExecutor(1) as hasher:
        for number, file in enumerate(files):
            announce(number, len(files), rows)
            sha256 = hasher.submit(digest, file)  # while the file is read, unless it may be there
            entry = _entry(file, kind, options, names)
            if _is_there(known, out, entry, sha256, options.symbol):
                report.skipped.append(str(file))
                continue
            found: dict[str, Intake] = {}
            for batch in take(file, form, options, names, scratch, found):
                rows += batch
                announce(number, len(files), rows)
            entry["sha256"] = sha256.result()
            for symbol, intake in found.items():
                taken.setdefault(symbol, []).append((entry | _what(intake, list(found)), intake))
            if any(intake.naive for intake in found.values()):
                report.naive.append(str(file))
        _check_names(out, taken)
        plans = [_plan(out, symbol, of_symbol, scratch, names) for symbol, of_symbol in sorted(taken.items())]
        check_kind(out, {plan.symbol: columns_of(plan.pieces[0]) for plan in plans})
        for plan in plans:
            scan = pl.scan_ipc([piece.path for piece in plan.pieces])
            store.write_symbol(out, plan.symbol, scan, plan.provenance)
            report.symbols.append(plan.report)
    return report


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out`, gone when the block ends."""
    beside = next(folder for folder in out.absolute().parents if folder.is_dir())
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.import-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _entry(file: Path, kind: str, options: Options, repairs: Sequence[str]) -> dict[str, Any]:
    """What the provenance says of a file before it is read; `options` are those that change its rows."""
    given: dict[str, Any] = {"repair": list(repairs)} if repairs else {}
    if kind == "columns" and options.mapping:
        given["map"] = dict(options.mapping)
    if kind == "chainlink":
        given["decimals"] = options.decimals
    return {"source": file.name, "sha256": "", "bytes": file.stat().st_size, "format": kind, "options": given}


def _what(intake: Intake, symbols: list[str]) -> dict[str, Any]:
    return {
        "symbols": symbols,
        "rows": sum(piece.rows for piece in intake.pieces),
        "first": iso(min(piece.first_us for piece in intake.pieces)),
        "last": iso(max(piece.last_us for piece in intake.pieces)),
        "imported_at": iso(int(datetime.now(UTC).timestamp()) * 1_000_000),
        "repairs": dict(intake.repairs),
    }


def _key(entry: Mapping[str, Any]) -> str:
    """Two files of one key give the same rows."""
    return json.dumps([entry.get(name) for name in ("sha256", "format", "options")], sort_keys=True)


def _is_there(known: Known, out: Path, entry: Mapping[str, Any], sha256: Future[str], symbol: str | None) -> bool:
    """Whether the dataset has all that the file gives, with these options."""
    files = sorted(out.glob("*.parquet")) if symbol is None else [store.file_of(out, symbol)]
    if not any(old.get("bytes") == entry["bytes"] for file in files for old in known(file).values()):
        return False
    key = _key({**entry, "sha256": sha256.result()})
    old = next((known(file)[key] for file in files if key in known(file)), None)
    symbols = [] if old is None else old["symbols"] if symbol is None else [symbol]
    return bool(symbols) and all(key in known(store.file_of(out, name)) for name in symbols)


def _check_names(out: Path, symbols: Iterable[str]) -> None:
    """Symbols such as USDC/USD and USDC-USD would lie in one file."""
    files: dict[Path, str] = {}
    for symbol in symbols:
        other = files.setdefault(store.file_of(out, symbol), symbol)
        if other != symbol:
            raise PerpoolError(f"{other} and {symbol} would lie in one file; import one of them with --symbol")


def _plan(
    out: Path,
    symbol: str,
    taken: Sequence[tuple[dict[str, Any], Intake]],
    scratch: Path,
    repairs: Collection[str],
) -> _Plan:
    """Bring together what the dataset has of a symbol and what the files add, or say what contradicts."""
    there = existing(out, symbol, scratch)
    interval = _check_alike(there, taken)
    own = scratch / f"of {store.file_of(out, symbol).stem}"
    own.mkdir()
    pieces = [*there.pieces, *(piece for _, intake in taken for piece in intake.pieces)]
    merged, dropped = disjoint(pieces, own, "keep-last" in repairs)
    check_spacing(symbol, merged, interval)
    for entry, intake in taken:
        if more := dropped.pop(intake.pieces[0].name, 0):
            entry["repairs"]["keep-last"] += more
    entries = [entry for entry, _ in taken]
    total = sum(piece.rows for piece in merged)
    report = Imported(
        symbol,
        str(store.file_of(out, symbol)),
        total - sum(piece.rows for piece in there.pieces),
        total,
        iso(merged[0].first_us),
        iso(merged[-1].last_us),
        interval / 1e6 if interval else None,
        dict(sum((Counter(entry["repairs"]) for entry in entries), Counter())),
    )
    renewed = {_key(entry) for entry in entries}
    kept = [old for old in there.provenance if _key(old) not in renewed]
    return _Plan(symbol, merged, [*kept, *entries], report)


def _check_alike(there: Existing, taken: Sequence[tuple[dict[str, Any], Intake]]) -> int | None:
    """One symbol has one shape and, of candles, one length (µs), which is returned."""
    known = [(there.name, columns_of(there.pieces[0]), there.gaps)] if there.pieces else []
    known += [(intake.pieces[0].name, columns_of(intake.pieces[0]), intake.gaps) for _, intake in taken]
    first, columns, _ = known[0]
    for name, others, _ in known:
        if set(others) != set(columns):
            raise PerpoolError(
                f"{first} has the columns {', '.join(store.in_order(columns))}, but {name} has "
                f"{', '.join(store.in_order(others))}; one symbol has one shape: import them into two folders"
            )
    if "open" not in columns:
        return None
    lengths = [(name, min(gaps, key=lambda gap: (-gaps[gap], gap))) for name, _, gaps in known if gaps]
    for name, length in lengths:
        if length != lengths[0][1]:
            raise PerpoolError(
                f"{lengths[0][0]} has candles of {lengths[0][1] / 1e6:g} s, but {name} of {length / 1e6:g} s; "
                "one symbol has one candle length: import them into two folders"
            )
    return lengths[0][1] if lengths else None
