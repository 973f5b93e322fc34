"""Price files at the door: refuse what is wrong, row by row, in one streaming pass over the symbols a run reads.

Rows of other symbols are ignored. What the pass leaves behind is an index of row groups, so that later passes read
each part of a file once and never the whole history.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.price_files import (
    BATCH_ROWS,
    CANDLES,
    LONG,
    PER_SECOND,
    SECOND_US,
    Floats,
    Ints,
    Places,
    decode,
    floats,
    iso,
    open_file,
    shape_of,
    times_us,
)
from backtest.quote_checks import check_quotes, quote_names

LOWEST_PRICE, HIGHEST_PRICE = 1e-10, 9e7  # exclusive; prices settle as DECIMAL(18,10)
DAY_US = 86_400 * SECOND_US
LATEST_S = 7_258_118_400  # 2200-01-01: a later timestamp was written in another unit than its type says


@dataclass(frozen=True)
class RowGroup:
    """Where some rows lie: `spans` (first, last timestamp, µs) per symbol; `sole`: all rows are of one symbol."""

    file: Path
    index: int
    spans: Mapping[str, tuple[int, int]]
    sole: bool

    @property
    def first_us(self) -> int:
        """Earliest timestamp in the group, µs."""
        return min(first for first, _ in self.spans.values())

    @property
    def last_us(self) -> int:
        """Latest timestamp in the group, µs."""
        return max(last for _, last in self.spans.values())


@dataclass
class Dataset:
    """What the pass learns: shape, row groups, and per symbol its span and the gaps between its rows (µs).

    quotes: per file, what it calls the columns beside the price that the run reads (quote_checks)
    """

    files: tuple[Path, ...]
    columns: tuple[str, ...]
    groups: list[RowGroup] = field(default_factory=list)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    gaps: dict[str, Counter[int]] = field(default_factory=dict)
    rows_per_day: Counter[int] = field(default_factory=Counter)
    quotes: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)

    def named(self, file: Path, columns: Sequence[str]) -> dict[str, str]:
        """The names in `file` of those of `columns` that it has."""
        there = {name: name for name in self.columns} | dict(self.quotes.get(file, {}))
        return {name: there[name] for name in columns if name in there}

    @property
    def candles(self) -> bool:
        """True for candles, False for the long form."""
        return self.columns == CANDLES


def scan(files: Sequence[Path], symbols: Sequence[str], quotes: Sequence[str] = ()) -> Dataset:
    """Read every row of `symbols` once, in file order, a batch at a time; refuse the first fault met.

    `quotes`: columns beside the price to look for (price_quotes.Quotes.columns).
    """
    shapes = {file: shape_of(file) for file in files}
    first = files[0]
    for file, columns in shapes.items():
        if columns != shapes[first]:
            kinds = {LONG: "prices", CANDLES: "candles"}
            raise PerpoolError(
                f"{first} holds {kinds[shapes[first]]} but {file} holds {kinds[columns]}; "
                "give one shape per run: convert one of them, or name only the files that belong together"
            )
    named = {file: quote_names(file, quotes) for file in files}
    dataset = Dataset(tuple(files), shapes[first], quotes=named)
    others: set[str] = set()
    before: dict[str, int] = {}  # last timestamp of the symbol in the files so far
    for file in files:
        _scan_file(dataset, file, symbols, others, before)
    missing = [symbol for symbol in symbols if symbol not in dataset.spans]
    if missing:
        there = sorted(others | set(dataset.spans))
        shown = ", ".join(there[:20]) + (f" and {len(there) - 20} more" if len(there) > 20 else "")
        raise PerpoolError(
            f"{_where(files)}: no prices for {', '.join(missing)}; the column symbol holds {shown}; "
            "add the missing prices or map the symbol to one of these"
        )
    return dataset


def _where(files: Sequence[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more files"


def _scan_file(dataset: Dataset, file: Path, symbols: Sequence[str], others: set[str], before: dict[str, int]) -> None:
    last: dict[str, int] = {}
    row = 0
    with open_file(file) as parquet:
        for index in range(parquet.num_row_groups):
            spans: dict[str, tuple[int, int]] = {}
            used = rows = 0
            for batch in _batches(parquet, file, index, [*dataset.columns, *dataset.quotes.get(file, {}).values()]):
                codes, names = decode(batch, symbols)
                others.update(name for name in names if name is not None)
                used += _scan_batch(dataset, _Batch(file, row, batch, codes), symbols, spans, last, before)
                rows += len(codes)
                row += len(codes)
            if spans:
                dataset.groups.append(RowGroup(file, index, spans, sole=len(spans) == 1 and used == rows))


def _batches(parquet: pq.ParquetFile, file: Path, index: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        yield from parquet.iter_batches(BATCH_ROWS, row_groups=[index], columns=["timestamp", "symbol", *columns])
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise PerpoolError(f"{file}: row group {index} cannot be read ({reason}); write the file again") from error


@dataclass(frozen=True)
class _Batch:
    file: Path
    row: int  # of the file, where the batch begins
    data: pa.RecordBatch
    codes: Places

    def refuse(self, at: int, column: str, problem: str) -> NoReturn:
        raise PerpoolError(f"{self.file}: row {self.row + at}, column {column}: {problem}")


def _scan_batch(
    dataset: Dataset,
    batch: _Batch,
    symbols: Sequence[str],
    spans: dict[str, tuple[int, int]],
    last: dict[str, int],
    before: dict[str, int],
) -> int:
    """Check one batch and note what it holds; return how many of its rows are of `symbols`."""
    unnamed = batch.codes == -2
    if unnamed.any():
        batch.refuse(int(unnamed.argmax()), "symbol", "is null; name the symbol of every row")
    picked = np.flatnonzero(batch.codes >= 0)
    if len(picked) == 0:
        return 0
    whole = len(picked) == len(batch.codes)
    data = batch.data if whole else batch.data.take(pa.array(picked))
    codes = batch.codes[picked]
    times = _checked_times(batch, data.column("timestamp"), picked)
    _check_prices(batch, data, dataset.columns, picked)
    named = dataset.quotes.get(batch.file, {})
    check_quotes(
        data, named, dataset.columns[-1], _price_problem, lambda at, *fault: batch.refuse(int(picked[at]), *fault)
    )
    dataset.rows_per_day.update(_counts(times // DAY_US))
    for code in np.flatnonzero(np.bincount(codes)).tolist():
        symbol = symbols[code]
        mine = np.flatnonzero(codes == code)
        own = times[mine]
        _check_order(batch, symbol, own, picked[mine], last.get(symbol))
        earlier = before.get(symbol)
        steps = np.diff(own) if earlier is None else np.diff(own, prepend=earlier)
        dataset.gaps.setdefault(symbol, Counter()).update(_counts(steps[steps > 0]))
        first, final = int(own[0]), int(own[-1])
        last[symbol] = before[symbol] = final
        for known in (spans, dataset.spans):
            low, high = known.get(symbol, (first, final))
            known[symbol] = (min(low, first), max(high, final))
    return len(picked)


def _counts(values: Ints) -> dict[int, int]:
    if len(values) and values.min() == values.max():  # all gaps alike: the usual case, and no sort
        return {int(values[0]): len(values)}
    kinds, counts = np.unique(values, return_counts=True)
    return dict(zip(kinds.tolist(), counts.tolist(), strict=True))


def _checked_times(batch: _Batch, column: pa.Array, picked: Places) -> Ints:
    if column.null_count:
        at = int(column.is_null().to_numpy(zero_copy_only=False).argmax())
        batch.refuse(int(picked[at]), "timestamp", "is null; every row needs the time of its price")
    unit = column.type.unit
    raw: Ints = column.cast(pa.int64()).to_numpy()
    bad = (raw < 0) | (raw >= LATEST_S * PER_SECOND[unit])
    if bad.any():
        at = int(bad.argmax())
        batch.refuse(
            int(picked[at]),
            "timestamp",
            f"{raw[at]} {unit} since 1970 is not between 1970 and 2200; check the unit the times were written in",
        )
    return times_us(column)


def _check_prices(batch: _Batch, data: pa.RecordBatch, columns: tuple[str, ...], picked: Places) -> None:
    prices: dict[str, Floats] = {}
    for name in columns:
        column = data.column(name)
        if column.null_count:
            at = int(column.is_null().to_numpy(zero_copy_only=False).argmax())
            batch.refuse(int(picked[at]), name, "is null; remove the row or fill in the price in US dollars")
        prices[name] = values = floats(column)
        good = (values > LOWEST_PRICE) & (values < HIGHEST_PRICE)  # False for NaN
        if not good.all():
            at = int(good.argmin())
            batch.refuse(int(picked[at]), name, _price_problem(float(values[at])))
    if columns == CANDLES:
        _check_candles(batch, prices, picked)


def _price_problem(value: float) -> str:
    """What is wrong with a price; empty: nothing."""
    if LOWEST_PRICE < value < HIGHEST_PRICE:
        return ""
    if not np.isfinite(value):
        return f"{value} is not a price; remove the row or fill in the price in US dollars"
    if value <= 0:
        return f"{value} is not a price above zero; remove the row or fill in the price in US dollars"
    return (
        f"{value} is outside the range of prices, {LOWEST_PRICE:g} to {HIGHEST_PRICE:g} US dollars; "
        "check the unit: whole dollars per whole token"
    )


def _check_candles(batch: _Batch, prices: Mapping[str, Floats], picked: Places) -> None:
    for name, other, wrong, word in (
        ("high", "low", np.less, "below"),
        ("high", "open", np.less, "below"),
        ("high", "close", np.less, "below"),
        ("low", "open", np.greater, "above"),
        ("low", "close", np.greater, "above"),
    ):
        bad = wrong(prices[name], prices[other])
        if bad.any():
            at = int(bad.argmax())
            problem = f"{prices[name][at]} is {word} the {other} of the same candle, {prices[other][at]} US dollars"
            batch.refuse(int(picked[at]), name, f"{problem}; repair or remove the candle")


def _check_order(batch: _Batch, symbol: str, times: Ints, picked: Places, last: int | None) -> None:
    """Within a file the times of a symbol rise strictly."""
    steps = np.diff(times, prepend=times[0] - 1 if last is None else last)
    bad = steps <= 0
    if not bad.any():
        return
    at = int(bad.argmax())
    if steps[at] == 0:
        problem = f"{iso(int(times[at]))} repeats the previous time of {symbol}; keep one row per symbol and timestamp"
    else:
        previous = iso(int(times[at] - steps[at]))
        problem = f"{iso(int(times[at]))} comes after {previous} of {symbol}; sort the file by timestamp"
    batch.refuse(int(picked[at]), "timestamp", problem)


def locate(dataset: Dataset, symbol: str, time_us: int) -> list[str]:
    """Name file and row of every price of `symbol` at `time_us`; for messages, so it may read again."""
    found: list[str] = []
    for file in dataset.files:
        row = 0
        with open_file(file) as parquet:
            for batch in parquet.iter_batches(BATCH_ROWS, columns=["timestamp", "symbol"]):
                codes, _ = decode(batch, [symbol])
                hits = np.flatnonzero(codes == 0)
                if len(hits):
                    times = times_us(batch.column("timestamp").take(pa.array(hits)))
                    found += [f"{file} row {row + int(hits[at])}" for at in np.flatnonzero(times == time_us)]
                row += len(codes)
    return found
