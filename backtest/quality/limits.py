"""How much is too much: the limits of a data-quality report and whether a dataset keeps them."""

from collections.abc import Callable
from dataclasses import dataclass

from backtest.errors import UsageError
from backtest.quality.report import Report, SymbolReport


@dataclass(frozen=True)
class Rules:
    """What is suspicious: so many unmoved rows in a row, so many robust deviations from both neighbours."""

    stale_run: int = 60
    sigmas: float = 12.0


@dataclass(frozen=True)
class Limits:
    """The largest shares of rows that pass; of faulty rows none does."""

    missing: float = 0.01
    stale: float = 0.05
    outliers: float = 0.0001


@dataclass(frozen=True)
class Verdict:
    """Whether one limit is kept, in words; `over` are the symbols (or files) beyond it, and what they have."""

    name: str
    passed: bool
    limit: str
    over: dict[str, str]


def share(text: str) -> float:
    """The fraction that "1%" is; UsageError otherwise."""
    try:
        if not text.endswith("%"):
            raise ValueError
        percent = float(text[:-1])
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:  # NaN fails too
        raise UsageError(f'"{text}" is no share of rows; give 0% to 100%, such as "1%"')
    return percent / 100


def percent(fraction: float) -> str:
    """A fraction as percent: two decimals, of small ones two digits."""
    value = 100 * fraction
    return f"{value:.2f}%" if value == 0 or value >= 0.1 else f"{value:.2g}%"


def verdicts(report: Report, limits: Limits, rules: Rules) -> list[Verdict]:
    """One verdict per limit; the dataset passes when all do."""
    faulty = {one.symbol: f"{rows:,}" for one in report.symbols if (rows := fault_rows(one))}
    if report.unnamed_rows:
        faulty["without a symbol"] = f"{report.unnamed_rows:,}"
    missing = f"at most {100 * limits.missing:g}% of the rows that are due in open hours"
    stale = f"at most {100 * limits.stale:g}% of the rows in runs of {rules.stale_run} or more that do not move"
    apart = f"at most {100 * limits.outliers:g}% of the rows, or 1, jump {rules.sigmas:g} deviations and come back"
    return [
        _verdict("files", "every file can be read", dict.fromkeys(report.refused, "")),
        _verdict("faults", "no row that a run could not use", faulty),
        _verdict("missing", missing, _over(report, limits.missing, lambda one: (one.gaps.missing, one.gaps.due))),
        _verdict("stale", stale, _over(report, limits.stale, lambda one: (one.stale.rows, one.rows))),
        _verdict("outliers", apart, _over(report, limits.outliers, lambda one: (one.outliers, one.rows), least=1)),
    ]


def fault_rows(one: SymbolReport) -> int:
    """Faults of a symbol; a row with two of them counts twice."""
    return sum(fault.rows for fault in one.faults.values())


def _verdict(name: str, limit: str, over: dict[str, str]) -> Verdict:
    return Verdict(name, not over, limit, over)


def _over(
    report: Report, limit: float, rows_of: Callable[[SymbolReport], tuple[int, int]], least: int = 0
) -> dict[str, str]:
    """The symbols that have more rows than `limit` times what they are counted of, and more than `least`."""
    found: dict[str, str] = {}
    for one in report.symbols:
        rows, of = rows_of(one)
        if rows > max(limit * of, least):
            found[one.symbol] = f"{percent(rows / of)} ({rows:,})"
    return found
