"""Rows on their way into a dataset: sorted pieces on disk, read back by memory map, merged window by window."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import PerpoolError
from backtest.price_files import SECOND_US, Ints, iso

WINDOW_ROWS = 1_000_000
_SAMPLES = 1_000  # of a window: how finely its ends can be placed


class Piece(NamedTuple):
    """Rows of one symbol and one file, sorted by time, as an Arrow file.

    name: of the file they are from, for messages
    rising: no time is there twice
    """

    path: Path
    name: str
    first_us: int
    last_us: int
    rows: int
    rising: bool


def keep(rows: pl.DataFrame, path: Path, name: str) -> Piece:
    """Write sorted rows to `path`."""
    times = times_of(rows)
    rows.write_ipc(path, compression="uncompressed")
    return Piece(path, name, int(times[0]), int(times[-1]), len(rows), bool((np.diff(times) > 0).all()))


def columns_of(piece: Piece) -> tuple[str, ...]:
    """The columns of its rows."""
    return tuple(pl.read_ipc_schema(piece.path))


def times_of(rows: pl.DataFrame) -> Ints:
    """The timestamps (n,), µs."""
    times: Ints = rows["timestamp"].dt.epoch("us").to_numpy()
    return times


def disjoint(pieces: Sequence[Piece], folder: Path, keep_last: bool) -> tuple[list[Piece], dict[str, int]]:
    """The same rows in pieces that follow one another in time; and per file how many rows `keep_last` dropped.

    Rows of equal time that agree become one; else PerpoolError for the earliest, unless they are of one file and
    `keep_last` says that its later row counts. `pieces` are in the order of the command line and of the files.
    """
    done: list[Piece] = []
    dropped: dict[str, int] = {}
    for number, group in enumerate(_overlapping(pieces)):
        if len(group) == 1 and group[0].rising:
            done += group
            continue
        for at, rows in enumerate(_windows(group)):
            merged = _merged(rows, [piece.name for piece in group], keep_last, dropped)
            done.append(keep(merged, folder / f"merged-{number}-{at}.arrow", group[0].name))
    return done, dropped


def check_spacing(symbol: str, pieces: Sequence[Piece], interval_us: int | None) -> None:
    """Refuse candles that open before the one before has ended, and two prices in a second: a run would."""
    before = np.empty(0, np.int64)
    for piece in pieces:
        times = np.concatenate([before, times_of(_read(piece))])
        steps = np.diff(times) if interval_us else np.diff(times // SECOND_US)
        close = steps < (interval_us or 1)
        if close.any():
            one, other = (iso(int(time)) for time in times[int(close.argmax()) :][:2])
            reason = (
                f"closer than their length of {interval_us / SECOND_US:g} s" if interval_us else "in the same second"
            )
            what = "candles" if interval_us else "prices"
            raise PerpoolError(
                f"{symbol}: {what} at {one} and {other} ({piece.name}) are {reason}; "
                "leave one of them out, or files that do not belong together"
            )
        before = times[-1:]


def _overlapping(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Groups that share no time, in order of time; within a group the given order."""
    place = {piece.path: at for at, piece in enumerate(pieces)}
    group: list[Piece] = []
    last = 0
    for piece in sorted(pieces, key=lambda piece: piece.first_us):
        if group and piece.first_us > last:
            yield sorted(group, key=lambda piece: place[piece.path])
            group = []
        last = max(last, piece.last_us) if group else piece.last_us
        group.append(piece)
    if group:
        yield sorted(group, key=lambda piece: place[piece.path])


def _windows(group: Sequence[Piece]) -> Iterator[list[pl.DataFrame]]:
    """Per window of time, of about WINDOW_ROWS, the rows of each piece."""
    total = sum(piece.rows for piece in group)
    stride = max(WINDOW_ROWS // _SAMPLES, 1)
    samples = np.sort(np.concatenate([times_of(_read(piece))[::stride] for piece in group]))
    ends = [*samples[_SAMPLES::_SAMPLES].tolist()] if total > WINDOW_ROWS else []
    begin = min(piece.first_us for piece in group)
    for end in [*dict.fromkeys(ends), max(piece.last_us for piece in group) + 1]:
        if end > begin:
            yield [_between(_read(piece), begin, end) for piece in group]
            begin = end


def _read(piece: Piece) -> pl.DataFrame:
    with pa.memory_map(str(piece.path)) as mapped, pa.ipc.open_file(mapped) as file:
        return pl.DataFrame(pl.from_arrow(file.read_all()))


def _between(rows: pl.DataFrame, begin: int, end: int) -> pl.DataFrame:
    first, last = np.searchsorted(times_of(rows), [begin, end]).tolist()
    return rows[first:last]


def _merged(
    rows: Sequence[pl.DataFrame], names: Sequence[str], keep_last: bool, dropped: dict[str, int]
) -> pl.DataFrame:
    numbers = {name: at for at, name in enumerate(dict.fromkeys(names))}
    frame = pl.concat(
        [part.with_columns(file=pl.lit(numbers[name], pl.Int32)) for part, name in zip(rows, names, strict=True)]
    ).sort("timestamp", maintain_order=True)
    if keep_last:
        kept = frame.unique(["timestamp", "file"], keep="last", maintain_order=True)
        for name, number in numbers.items():
            fewer = int((frame["file"] == number).sum()) - int((kept["file"] == number).sum())
            dropped[name] = dropped.get(name, 0) + fewer
        frame = kept
    _check_agreement(frame, list(numbers))
    return frame.unique("timestamp", keep="first", maintain_order=True).drop("file")


def _check_agreement(frame: pl.DataFrame, names: Sequence[str]) -> None:
    values = [name for name in frame.columns if name not in ("timestamp", "file")]
    same_time = pl.col("timestamp") == pl.col("timestamp").shift()
    differs = [pl.col(name).ne_missing(pl.col(name).shift()).alias(name) for name in values]
    conflict = frame.select((same_time & pl.any_horizontal(differs)).fill_null(False)).to_series()
    if not conflict.any():
        return
    at = int(conflict.arg_max() or 0)
    one, other = frame.row(at - 1, named=True), frame.row(at, named=True)
    column = next(name for name in values if one[name] != other[name])
    when = iso(int(times_of(frame[at : at + 1])[0]))
    if one["file"] == other["file"]:
        raise PerpoolError(
            f"{names[one['file']]}: {when} is there twice with different {column}, {one[column]} and {other[column]}; "
            "remove one row, or keep the last with --repair keep-last"
        )
    raise PerpoolError(
        f"{names[one['file']]} and {names[other['file']]} disagree at {when}: {column} is {one[column]} in the first "
        f"and {other[column]} in the second; leave one of them out"
    )
