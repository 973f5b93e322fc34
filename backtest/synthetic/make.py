"""A new price history from an old one: read, put on one clock, redrawn, shaken, compared and written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from backtest.errors import PerpoolError, UsageError
from backtest.history.store import write_symbol
from backtest.price_checks import HIGHEST_PRICE, LATEST_S, LOWEST_PRICE
from backtest.price_files import SECOND_US, Ints, find_files, fingerprint, iso
from backtest.synthetic.figures import Figures, correlation, figures
from backtest.synthetic.folder import check_target, replaced
from backtest.synthetic.history import load
from backtest.synthetic.redraw import Method, Parameters, redraw
from backtest.synthetic.resample import resampled
from backtest.synthetic.shock_spec import EVERY, Shock
from backtest.synthetic.shocks import lay
from backtest.synthetic.tracks import Track, held, joint, told

MOST_PRICES = 100_000_000  # rows times symbols; more do not fit into the memory of most machines
ONE_DOLLAR = 1.0


@dataclass(frozen=True)
class Wanted:
    """What to make. Times and durations in µs; None: as the history has it.

    symbols: those of the history; empty: all that it has
    kept: symbols at a constant price, US dollars
    """

    paths: tuple[str, ...]
    out: Path
    method: Method
    symbols: tuple[str, ...] = ()
    start_us: int | None = None
    length_us: int | None = None
    every_us: int | None = None
    shocks: tuple[Shock, ...] = ()
    kept: Mapping[str, float] = field(default_factory=dict)
    overwrite: bool = False


@dataclass(frozen=True)
class Made:
    """What was made. `old` is the history that the method saw, `new` what lies in the files, shocks included.

    step: time from row to row; several where nothing was redrawn and symbols differ
    left_out: rows of each symbol at times that another symbol has no row, or outside of the span that was asked for
    gaps: steps of the history that are longer than `step`; each counts as one step
    parameters: what was fitted (see backtest.synthetic.redraw)
    kept: symbols at a constant price, those implied by a depeg included
    correlation_old, correlation_new: of returns, rows and columns as the symbols of `old` and `new`
    """

    folder: str
    method: str
    seed: int
    step: str
    shape: str
    left_out: dict[str, int]
    gaps: int
    parameters: Parameters
    shocks: list[str]
    kept: dict[str, float]
    old: dict[str, Figures]
    new: dict[str, Figures]
    correlation_old: list[list[float | None]]
    correlation_new: list[list[float | None]]


def make(wanted: Wanted) -> Made:
    """Make the history and write it as a dataset, whole or not at all.

    Without start and length the new rows have the timestamps of the old ones, gaps and closed hours included; else
    they are evenly spaced. Raises PerpoolError for faults of the files, UsageError for what cannot be made.
    """
    check_target(wanted.out, list(find_files(wanted.paths)), wanted.overwrite)
    loaded = _read(wanted)
    history, tracks, parameters = _drawn(wanted, loaded)
    like = next(iter(tracks.values()))
    kept = _kept(wanted, tracks)
    every_time: Ints = np.unique(np.concatenate([track.times for track in tracks.values()]))
    tracks |= {symbol: held(price, every_time, like) for symbol, price in kept.items()}
    tracks = lay(tracks, wanted.shocks, list(kept))
    for symbol, track in tracks.items():
        check_prices(symbol, track)
    first = next(iter(history.values()))
    made = Made(
        folder=str(wanted.out),
        method=wanted.method.name,
        seed=wanted.method.seed,
        step=", ".join(told(step) for step in sorted({track.step_us for track in history.values()})),
        shape="candles" if like.candles else "prices",
        left_out={
            symbol: rows for symbol in history if (rows := len(loaded[symbol].times) - len(history[symbol].times))
        },
        gaps=int((np.diff(first.times) > first.step_us).sum()),
        parameters=parameters,
        shocks=[shock.text for shock in wanted.shocks],
        kept=kept,
        old={symbol: figures(track) for symbol, track in history.items()},
        new={symbol: figures(track) for symbol, track in tracks.items()},
        correlation_old=correlation(history),
        correlation_new=correlation(tracks),
    )
    _write(wanted, tracks, made)
    return made


def _drawn(wanted: Wanted, loaded: Mapping[str, Track]) -> tuple[dict[str, Track], dict[str, Track], Parameters]:
    """The rows that the method learns from, what it makes of them, and what it fitted."""
    if wanted.method.name == "none":
        history = _window(loaded, wanted.start_us, wanted.length_us)
        return history, dict(history), {}
    history = joint(loaded)
    times = _new_times(next(iter(history.values())), len(history), wanted.start_us, wanted.length_us)
    return history, *redraw(wanted.method, history, times)


def _read(wanted: Wanted) -> dict[str, Track]:
    for symbol in wanted.symbols:
        if symbol in wanted.kept:
            raise UsageError(f"{symbol} is named by --symbols and by --keep; choose one of them")
    history = load(wanted.paths, wanted.symbols)
    history = {symbol: track for symbol, track in history.items() if symbol not in wanted.kept}
    if not history:
        raise UsageError("--keep names every symbol of the history, so nothing is left to make; leave one out")
    if wanted.every_us is None:
        return history
    return {symbol: resampled(symbol, track, wanted.every_us) for symbol, track in history.items()}


def _window(history: Mapping[str, Track], start_us: int | None, length_us: int | None) -> dict[str, Track]:
    """The rows in [start, start + length) of each symbol."""
    found: dict[str, Track] = {}
    begin = min(int(track.times[0]) for track in history.values()) if start_us is None else start_us
    for symbol, track in history.items():
        low = np.searchsorted(track.times, begin)
        high = len(track.times) if length_us is None else np.searchsorted(track.times, begin + length_us)
        if high - low < 2:
            raise UsageError(
                f"from {iso(begin)}{'' if length_us is None else f' for {told(length_us)}'} there are fewer than two "
                f"rows of {symbol}, which has {iso(int(track.times[0]))} to {iso(int(track.times[-1]))}; change "
                "--start or --length"
            )
        found[symbol] = track.rows(slice(int(low), int(high)))
    return found


def _new_times(old: Track, symbols: int, start_us: int | None, length_us: int | None) -> Ints:
    if start_us is None and length_us is None:
        return old.times
    rows = len(old.times) if length_us is None else length_us // old.step_us
    if rows < 2:
        raise UsageError(f"--length {told(length_us or 0)} holds {rows} rows of {told(old.step_us)}; give two or more")
    if rows * symbols > MOST_PRICES:
        raise UsageError(
            f"--length makes {rows:,} rows of {symbols} symbols, which is too much; shorten it or use --every"
        )
    start = int(old.times[0]) if start_us is None else start_us
    end = start + rows * old.step_us
    if start < 0 or end >= LATEST_S * SECOND_US:
        raise UsageError(f"{iso(start)} to {iso(end)} is not between 1970 and 2200; change --start or --length")
    return start + np.arange(rows, dtype=np.int64) * old.step_us


def _kept(wanted: Wanted, tracks: Mapping[str, Track]) -> dict[str, float]:
    """The constants that were asked for, and a dollar for each symbol that loses its peg and is not there."""
    pegs = {symbol for shock in wanted.shocks if shock.depeg for symbol in shock.symbols}
    return {**wanted.kept, **dict.fromkeys(sorted(pegs - {EVERY, *tracks, *wanted.kept}), ONE_DOLLAR)}


def check_prices(symbol: str, track: Track) -> None:
    """Refuse a path that leaves the range of prices which a run reads."""
    for name, values in track.columns.items():
        if name in ("volume", "confidence"):
            continue
        bad = ~((values > LOWEST_PRICE) & (values < HIGHEST_PRICE))  # NaN is bad too
        if name in ("min", "max"):
            bad &= ~np.isnan(values)  # not known, as in the history
        if bad.any():
            at = int(bad.argmax())
            raise PerpoolError(
                f"the new {name} of {symbol} is {values[at]:g} US dollars at {iso(int(track.times[at]))}, outside the "
                f"range of prices, {LOWEST_PRICE:g} to {HIGHEST_PRICE:g}; give a shorter --length, another --seed or "
                "--method, or a milder --shock"
            )


def _write(wanted: Wanted, tracks: Mapping[str, Track], made: Made) -> None:
    entry: dict[str, Any] = {
        "scenario": made.method,
        "seed": made.seed,
        "sources": fingerprint(wanted.paths),
        "history": {
            symbol: {"rows": old.rows, "first": old.first, "last": old.last} for symbol, old in made.old.items()
        },
        "step": made.step,
        "parameters": made.parameters,
        "shocks": made.shocks,
        "kept": made.kept,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    with replaced(wanted.out) as folder:
        for symbol, track in tracks.items():
            rows = pl.DataFrame({"timestamp": track.times, **track.columns})
            moments = pl.from_epoch("timestamp", "us").dt.replace_time_zone("UTC")
            write_symbol(folder, symbol, rows.with_columns(moments).fill_nan(None), [entry])
