"""How good a price history is: what is missing, what no run could use, and what looks wrong, symbol by symbol."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np
import polars as pl

from backtest.calendars import closed
from backtest.config import Calendar
from backtest.price_checks import DAY_US
from backtest.price_files import SECOND_US, Ints, iso
from backtest.quality import gaps
from backtest.quality.faults import FAULTS, find_faults, is_price, with_sound_times
from backtest.quality.limits import Rules
from backtest.quality.moves import Jumps, find_jumps, find_still
from backtest.quality.report import Fault, Gap, Gaps, Jump, Report, Span, Stale, SymbolReport
from backtest.quality.rows import KINDS, Survey, rows_of

SHOWN = 5
Calendars = Mapping[str, Calendar | None]


def check(
    found: Survey,
    calendars: Calendars | None = None,
    rules: Rules | None = None,
    now_us: int | None = None,
    done: Callable[[str], object] = lambda symbol: None,
) -> Report:
    """Read every symbol of a dataset and report on it; `done` is told of each.

    calendars: market hours by symbol, None for a market that never closes; symbols that are not named are looked at
        for hours that recur
    now_us: the time after which prices are of the future; None: now
    """
    now = time.time_ns() // 1_000 if now_us is None else now_us
    symbols: list[SymbolReport] = []
    for symbol in found.symbols:
        symbols.append(_check_symbol(found, symbol, calendars or {}, rules or Rules(), now))
        done(symbol)
    return Report(
        KINDS[found.shape],
        [str(file) for file in found.columns],
        {str(file): why for file, why in found.refused.items()},
        found.unnamed,
        _joint([one.span for one in symbols]),
        symbols,
    )


def _joint(spans: list[Span | None]) -> tuple[str, str] | None:
    known = [span for span in spans if span]
    if not known or len(known) < len(spans):
        return None
    first = max((span.first for span in known), key=datetime.fromisoformat)
    last = min((span.last for span in known), key=datetime.fromisoformat)
    return (first, last) if datetime.fromisoformat(first) <= datetime.fromisoformat(last) else None


def _check_symbol(found: Survey, symbol: str, calendars: Calendars, rules: Rules, now_us: int) -> SymbolReport:
    rows = with_sound_times(rows_of(found, symbol), now_us)
    times: Ints = np.unique(rows["time_us"].drop_nulls().to_numpy())
    cadence, share = gaps.cadence_us(times)
    regular = cadence > 0 and (found.candles or share >= gaps.REGULAR_SHARE)
    stale, outliers, largest = _moves(rows, found.shape, rules)
    return SymbolReport(
        symbol,
        len(rows),
        _span(times, cadence, regular) if len(times) else None,
        _gaps(times, cadence if regular else 0, symbol, calendars) if len(times) else Gaps(),
        _faults(found, rows, cadence),
        stale,
        int((rows["volume"] == 0).sum()) if "volume" in rows.columns else None,
        outliers,
        largest,
    )


def _span(times: Ints, cadence: int, regular: bool) -> Span:
    days = len(np.unique(times // DAY_US))
    return Span(iso(int(times[0])), iso(int(times[-1])), days, cadence / SECOND_US or None, regular)


def _faults(found: Survey, rows: pl.DataFrame, cadence: int) -> dict[str, Fault]:
    files = list(found.columns)
    named: dict[str, Fault] = {}
    for kind, (count, file, row, time_us) in find_faults(rows, cadence if found.candles else 0).items():
        when = None if time_us is None else iso(time_us)
        named[kind] = Fault(count, *FAULTS[kind], str(files[file]), row, when)
    return named


def _gaps(times: Ints, cadence: int, symbol: str, calendars: Calendars) -> Gaps:
    """What is missing in the times of one symbol; cadence 0: nothing is due, so only the longest steps are named."""
    calendar = calendars.get(symbol)
    asleep = int(closed(calendar, times).sum()) if calendar else 0
    hours = "given" if symbol in calendars else "none"
    if not cadence:
        steps = np.argsort(-np.diff(times), kind="stable")[:SHOWN]
        return Gaps(hours=hours, asleep_rows=asleep, longest=[_gap(times, int(at), None) for at in steps])
    shut = gaps.NO_SPANS
    if calendar:
        shut = gaps.calendar_spans(calendar, int(times[0]), int(times[-1]))
    elif symbol not in calendars:
        shut = gaps.weekly_spans(times)
    its = gaps.find_gaps(times, cadence, shut)
    if hours == "none" and its.asleep.any():
        hours = "weekly"
    missing = int(its.missing.sum())
    due = len(times) - asleep + missing
    longest = [at for at in np.argsort(-its.missing, kind="stable")[:SHOWN] if its.missing[at]]
    return Gaps(
        due,
        missing,
        (due - missing) / due if due else None,
        int((its.missing > 0).sum()),
        [_gap(times, int(its.after[at]), int(its.missing[at])) for at in longest],
        hours,
        int((its.asleep > 0).sum()),
        int(its.asleep.sum()),
        asleep,
    )


def _gap(times: Ints, at: int, missing: int | None) -> Gap:
    before, after = int(times[at]), int(times[at + 1])
    return Gap(iso(before), iso(after), (after - before) / SECOND_US, missing)


def _moves(rows: pl.DataFrame, shape: tuple[str, ...], rules: Rules) -> tuple[Stale, int, list[Jump]]:
    """Prices that stand still or jump, among the rows with sound prices: in order, the last of each time."""
    sound = rows.filter(pl.col("time_us").is_not_null(), *[is_price(pl.col(name)) for name in shape])
    sound = sound.select("time_us", *shape).unique("time_us", keep="last", maintain_order=True).sort("time_us")
    if not len(sound):
        return Stale(), 0, []
    times: Ints = sound["time_us"].to_numpy()
    prices = {name: sound[name].to_numpy() for name in shape}
    still, jumps = find_still(prices, rules.stale_run), find_jumps(prices, rules.sigmas)
    begin = iso(int(times[still.longest_at])) if still.runs else None
    stale = Stale(still.runs, still.rows, still.longest, begin)
    return stale, len(jumps.at), _largest(times, jumps, shape)


def _largest(times: Ints, jumps: Jumps, shape: tuple[str, ...]) -> list[Jump]:
    found: list[Jump] = []
    for number in np.argsort(-np.abs(jumps.size), kind="stable")[:SHOWN].tolist():
        at, size, wick = int(jumps.at[number]), float(jumps.size[number]), bool(jumps.wick[number])
        column = ("high" if size > 0 else "low") if wick else shape[-1]
        found.append(Jump(iso(int(times[at])), float(np.expm1(size)), column))
    return found
