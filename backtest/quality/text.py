"""A data-quality report for the eye: a line per symbol, then what was found, then whether the limits are kept."""

import math
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from backtest.quality.limits import Verdict, fault_rows, percent
from backtest.quality.repair import Repaired
from backtest.quality.report import Fault, Report, SymbolReport

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def overview(report: Report, verdicts: Sequence[Verdict]) -> Table:
    """One line per symbol; what is beyond a limit is marked."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("symbol", "from", "to"):
        table.add_column(name, no_wrap=True)
    for name in ("days", "every", "rows", "coverage", "stale", "outliers", "faults"):
        table.add_column(name, justify="right", no_wrap=True)
    over = {one.name: one.over for one in verdicts}
    for one in report.symbols:
        coverage = "-" if one.gaps.coverage is None else f"{math.floor(1e4 * one.gaps.coverage) / 100:.2f}%"
        table.add_row(
            one.symbol,
            *_span(one),
            f"{one.rows:,}",
            _marked(coverage, one.symbol in over["missing"]),
            _marked(percent(one.stale.rows / one.rows), one.symbol in over["stale"]),
            _marked(f"{one.outliers:,}", one.symbol in over["outliers"]),
            _marked(f"{fault_rows(one):,}", one.symbol in over["faults"]),
        )
    return table


def _marked(text: str, beyond: bool) -> Text:
    return Text(f"! {text}", style="bold red") if beyond else Text(text)


def _span(one: SymbolReport) -> tuple[str, str, str, str]:
    if one.span is None:
        return "-", "-", "0", "-"
    every = "-" if one.span.cadence_s is None else lasts(one.span.cadence_s) if one.span.regular else "irregular"
    return one.span.first[:10], one.span.last[:10], f"{one.span.days:,}", every


def lasts(seconds: float) -> str:
    """A length of time in its two largest units: 5m, 2d 3h, 0.4s."""
    if seconds < 1 or (seconds % 1 and seconds < 60):
        return f"{seconds:g}s"
    parts: list[str] = []
    rest = round(seconds)
    for unit, length in _UNITS:
        if rest >= length:
            parts.append(f"{rest // length}{unit}")
            rest %= length
    return " ".join(parts[:2])


def details(report: Report) -> Iterator[str]:
    """What was found, in lines: files, the span in common, then by symbol its faults, gaps, quiet and jumps."""
    yield from (f"refused  {why}" for why in report.refused.values())
    if report.unnamed_rows:
        yield f"null     {report.unnamed_rows:,} rows have no symbol; name it by hand"
    if len(report.symbols) > 1:
        yield _joint(report)
    for one in report.symbols:
        lines = [*_faults(one.faults), *_gaps(one), *_suspicions(one)]
        if lines:
            yield from ("", one.symbol, *(f"  {name:<9} {text}" for name, text in lines))


def _joint(report: Report) -> str:
    every = {lasts(one.span.cadence_s) for one in report.symbols if one.span and one.span.cadence_s}
    unlike = "" if len(every) < 2 else "; their cadences differ"
    if report.joint is None:
        return f"No time lies in the span of every symbol{unlike}"
    return f"All symbols have prices from {_clock(report.joint[0])} to {_clock(report.joint[1])} UTC{unlike}"


def _clock(time: str) -> str:
    return time.replace("T", " ").removesuffix("Z").removesuffix("+00:00").removesuffix(":00")


def _faults(faults: dict[str, Fault]) -> Iterator[tuple[str, str]]:
    for kind, fault in faults.items():
        at = f" ({_clock(fault.time)})" if fault.time else ""
        yield kind, f"{_many(fault.rows)}: {fault.problem}; first {fault.file}: row {fault.row}{at}"
        yield "", f"to mend: {fault.mend}"


def _many(count: int, noun: str = "row") -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _gaps(one: SymbolReport) -> Iterator[tuple[str, str]]:
    gaps = one.gaps
    if gaps.hours == "weekly":
        count = f"{_many(gaps.closed, 'gap')}, {_many(gaps.closed_rows)}"
        yield "weekly", f"{count}: looks like market hours; give --hours to be exact"
    elif gaps.closed_rows or gaps.asleep_rows:
        there = _many(gaps.asleep_rows)
        yield "hours", f"{there} in closed hours; {gaps.closed_rows:,} more would be due if they were open"
    if gaps.count:
        longest = ", the longest:" if gaps.count > len(gaps.longest) else ":"
        yield "gaps", f"{_many(gaps.missing)} missing in {_many(gaps.count, 'gap')}{longest}"
    elif gaps.longest:
        yield "irregular", "no row is due at a given time; the longest without one:"
    for gap in gaps.longest:
        missing = "" if gap.missing is None else f", {_many(gap.missing)}"
        yield "", f"{_clock(gap.after)} to {_clock(gap.until)}  {lasts(gap.lasts_s)}{missing}"


def _suspicions(one: SymbolReport) -> Iterator[tuple[str, str]]:
    if one.untraded_rows:
        yield "untraded", f"{_many(one.untraded_rows)} of volume 0, {percent(one.untraded_rows / one.rows)}"
    stale = one.stale
    if stale.runs and stale.longest_from:
        yield (
            "stale",
            f"{_many(stale.rows)} unmoved in {_many(stale.runs, 'run')}; the longest "
            f"{stale.longest_rows:,} from {_clock(stale.longest_from)}",
        )
    if one.largest:
        yield "outliers", f"{one.outliers:,}, the largest:" if one.outliers > len(one.largest) else f"{one.outliers:,}:"
    for jump in one.largest:
        yield "", f"{_clock(jump.time)}  {jump.column:<5} {jump.size:+.1%}"


def conclusion(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Every limit with its verdict, and how many are kept."""
    width = max(len(one.name) for one in verdicts)
    for one in verdicts:
        over = f": {', '.join(f'{name} {what}'.strip() for name, what in one.over.items())}" if one.over else ""
        yield f"{'ok  ' if one.passed else 'FAIL'}  {one.name:<{width}}  {one.limit}{over}"
    yield f"{sum(one.passed for one in verdicts)} of {len(verdicts)} limits kept"


def repaired(done: Sequence[Repaired]) -> Iterator[str]:
    """What each repair did, by symbol, and the file that holds the rest."""
    for one in done:
        yield f"{one.symbol}: {_many(one.rows)} in {one.file}"
        for step in one.steps:
            touched = f", {_clock(step.first)} to {_clock(step.last)}" if step.first and step.last else ""
            yield f"  {step.name:<15} {_many(step.rows)}{touched}"
