"""New symbols from those of a dataset, such as `USDC/USD = BTCUSD / BTCUSDC`: where all of them have a row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from backtest.errors import PerpoolError, UsageError
from backtest.history import store
from backtest.history.evaluation import evaluate, is_monotone
from backtest.history.expressions import Node, parse, symbols
from backtest.history.pieces import times_of
from backtest.history.row_checks import first_fault
from backtest.history.sources import digest
from backtest.price_files import CANDLES, LONG, Floats, iso, shape_of
from backtest.toml_files import hint


@dataclass(frozen=True)
class Derived:
    """A symbol that was made.

    lonely: per input, its rows without a partner at the same time
    untraded: rows left out because an input's candle had no trade
    """

    symbol: str
    expression: str
    file: str
    rows: int
    first: str
    last: str
    lonely: dict[str, int]
    untraded: int


class _Made(NamedTuple):
    formula: "Formula"
    rows: pl.DataFrame
    report: Derived


class Formula(NamedTuple):
    """`NAME = EXPRESSION`, read."""

    name: str
    text: str
    node: Node
    inputs: tuple[str, ...]


def formula(given: str) -> Formula:
    """Read `NAME = EXPRESSION`; UsageError when it is none."""
    left, equals, right = given.partition("=")
    name, text = left.strip().strip('"`'), right.strip()
    if not equals or not name or not text:
        raise UsageError(f"{given!r} is no NAME = EXPRESSION; write for example 'USDC/USD = BTCUSD / BTCUSDC'")
    node = parse(text)
    inputs = tuple(symbols(node))
    if not inputs:
        raise UsageError(f"{given!r} names no symbol, so it has no times; a constant price needs no file")
    if name in inputs:
        raise UsageError(f"{given!r} makes {name} out of itself; give the result another name")
    return Formula(store.check_symbol(name), text, node, inputs)


def derive(folder: Path, given: Sequence[str], keep_untraded: bool = False) -> list[Derived]:
    """Work out the formulas, each from the dataset and those before it, then write them all.

    Raises UsageError for formulas, PerpoolError for prices; then nothing is written.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder; name the folder of a dataset")
    made: dict[str, _Made] = {}
    for item in map(formula, given):
        if item.name in made:
            raise UsageError(f"{item.name} is derived twice; give each result a name of its own")
        _check_target(folder, item)
        made[item.name] = _worked_out(folder, item, made, keep_untraded)
    for done in made.values():
        files = {name: store.file_of(folder, name) for name in done.formula.inputs}
        entry = {
            "derived": done.formula.text,
            "inputs": [{"symbol": name, "sha256": digest(file)} for name, file in files.items()],
            "untraded": "keep" if keep_untraded else "skip",
            "made_at": iso(int(datetime.now(UTC).timestamp()) * 1_000_000),
        }
        store.write_symbol(folder, done.formula.name, done.rows, [entry])
    return [done.report for done in made.values()]


def _check_target(folder: Path, item: Formula) -> None:
    file = store.file_of(folder, item.name)
    if any(store.file_of(folder, name) == file for name in item.inputs):
        raise UsageError(f"{item.name} would lie in the file of one of its inputs, {file}; give it another name")
    if file.is_file() and not any("derived" in entry for entry in store.provenance_of(file)):
        raise PerpoolError(f"{file}: was not derived, and is not replaced; give the result another name")


def _worked_out(folder: Path, item: Formula, made: Mapping[str, _Made], keep_untraded: bool) -> _Made:
    inputs = {name: made[name].rows if name in made else _read(folder, name) for name in item.inputs}
    columns = _shape(inputs)
    joined = _joined(inputs, columns)
    lonely = {name: len(rows) - len(joined) for name, rows in inputs.items()}
    idle = [pl.col(name) == 0 for name in joined.columns if name.startswith("volume ")]
    traded = joined if keep_untraded or not idle else joined.filter(~pl.any_horizontal(idle).fill_null(False))
    if traded.is_empty():
        raise PerpoolError(
            f"{folder}: at no time do {', '.join(inputs)} all have a {'trade' if len(joined) else 'row'}"
        )
    rows = _priced(item.node, traded, columns)
    _check(item, rows, traded, columns)
    times = times_of(rows)
    report = Derived(
        item.name,
        item.text,
        str(store.file_of(folder, item.name)),
        len(rows),
        iso(int(times[0])),
        iso(int(times[-1])),
        lonely,
        len(joined) - len(traded),
    )
    return _Made(item, rows, report)


def _read(folder: Path, symbol: str) -> pl.DataFrame:
    """The rows of a symbol of the dataset: timestamp, prices, and the volume where there is one."""
    file = store.file_of(folder, symbol)
    if not file.is_file():
        there = [str(pl.scan_parquet(path).select(pl.first("symbol")).collect().item()) for path in _files(folder)]
        raise UsageError(f"{folder}: has no symbol {symbol}; {hint(symbol, there)}")
    columns = shape_of(file)
    names = [*columns, *[name for name in ("volume",) if name in pl.read_parquet_schema(file)]]
    rows = pl.read_parquet(file, columns=["timestamp", "symbol", *names], use_pyarrow=False)
    other = rows.filter(pl.col("symbol") != symbol)
    if len(other):
        raise PerpoolError(
            f"{file}: holds rows of {other['symbol'][0]}, not of {symbol} only; import it into a dataset"
        )
    rows = rows.select(pl.col(name).cast(store.SCHEMA[name]) for name in ("timestamp", *names))
    if rows["timestamp"].null_count() or not (np.diff(times_of(rows)) > 0).all():
        raise PerpoolError(f"{file}: its times do not rise from row to row; see `perpool prices check {folder}`")
    return rows


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.parquet") if shape_of(file))


def _shape(inputs: Mapping[str, pl.DataFrame]) -> tuple[str, ...]:
    """CANDLES or LONG, one for all; candles must be of one length, or their closes were not known at one time."""
    shapes = {name: CANDLES if CANDLES[0] in rows.columns else LONG for name, rows in inputs.items()}
    first, columns = next(iter(shapes.items()))
    lengths = {name: _length(rows) for name, rows in inputs.items()} if columns == CANDLES else {}
    for name, shape in shapes.items():
        if shape != columns:
            raise PerpoolError(f"{first} and {name} are not both candles or both prices; derive from one shape")
        if lengths and lengths[name] != lengths[first]:
            raise PerpoolError(
                f"candles of {first} last {lengths[first] / 1e6:g} s, but those of {name} {lengths[name] / 1e6:g} s; "
                "derive from candles of one length"
            )
    return columns


def _length(rows: pl.DataFrame) -> int:
    gaps = Counter(np.diff(times_of(rows)).tolist())
    return min(gaps, key=lambda gap: (-gaps[gap], gap), default=0)


def _joined(inputs: Mapping[str, pl.DataFrame], columns: Sequence[str]) -> pl.DataFrame:
    """Rows of the times that all inputs have; column `close SOL` is the close of SOL."""
    renamed = [
        rows.rename({column: f"{column} {name}" for column in rows.columns if column != "timestamp"})
        for name, rows in inputs.items()
    ]
    return reduce(lambda one, other: one.join(other, on="timestamp", how="inner"), renamed).sort("timestamp")


def _priced(node: Node, joined: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """The derived prices. When in a candle its extremes were is not known, so those of several symbols have no
    high or low of their own: it is then the higher or lower of open and close."""

    def value(column: str) -> Floats:
        return evaluate(node, {name: joined[f"{column} {name}"].to_numpy() for name in symbols(node)})

    found = {column: value(column) for column in columns if column not in ("high", "low")}
    if columns == CANDLES:
        found["high"] = np.maximum(found["open"], found["close"])
        found["low"] = np.minimum(found["open"], found["close"])
        names = symbols(node)
        if len(names) == 1:
            low, high = (joined[f"{column} {names[0]}"].to_numpy() for column in ("low", "high"))
            exact = is_monotone(node, low, high)
            ends = value("high"), value("low")
            found["high"] = np.where(exact, np.maximum.reduce([*ends, found["high"]]), found["high"])
            found["low"] = np.where(exact, np.minimum.reduce([*ends, found["low"]]), found["low"])
    return joined.select("timestamp").with_columns(pl.Series(name, found[name]) for name in columns)


def _check(item: Formula, rows: pl.DataFrame, joined: pl.DataFrame, columns: Sequence[str]) -> None:
    fault = first_fault(rows)
    if fault is None:
        return
    source = columns[-1] if fault.column in ("high", "low") else fault.column
    given = ", ".join(f"{name} {joined[f'{source} {name}'][fault.row]}" for name in item.inputs)
    when = iso(int(times_of(rows[fault.row : fault.row + 1])[0]))
    value = rows[fault.column][fault.row]
    raise PerpoolError(
        f"{item.name} = {item.text} has the {fault.column} {value} at {when}, which is not a price (from {given}); "
        "correct the expression or the prices it reads"
    )
