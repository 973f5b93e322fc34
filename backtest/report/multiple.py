"""The page of several runs side by side: what differs between them first, then what came of it."""

import html
from pathlib import Path

import polars as pl

from backtest.comparison import FIGURES, Comparison, compare
from backtest.errors import UsageError
from backtest.report import bars, colours, table
from backtest.report.answers import Row
from backtest.report.formats import told
from backtest.report.lines import Style, lines
from backtest.report.page import Figure, Page, Section, render
from backtest.report.section_risk import metrics
from backtest.report.subject import Hedge, Subject, opened
from backtest.report.table import KINDS

MOST = 6  # runs that a picture can still tell apart
_KEY = (
    table.Measure("lp_return", "LP return", "gain_percent"),
    table.Measure("lp_return_with_rewards", "LP return with rewards", "gain_percent"),
    table.Measure("basket_return", "First basket held", "gain_percent"),
    table.Measure("against_basket", "LP with rewards less basket", "gain_points"),
    table.Measure("fee_apr", "APR from fees", "percent"),
    table.Measure("deepest_drawdown", "Deepest drawdown", "percent"),
    table.Measure("fees_usd", "Fees settled", "usd"),
    table.Measure("trader_net_usd", "Traders, net", "gain_usd"),
    table.Measure("bad_debt_usd", "Bad debt", "usd"),
    table.Measure("liquidations", "Liquidations", "count"),
)


def comparison(*runs: Path | str) -> str:
    """The HTML page of two to six run directories. Raises as `backtest.comparison.compare` does."""
    if len(runs) > MOST:
        raise UsageError(f"a page compares at most {MOST} runs, {len(runs)} were given; without -o any number compares")
    found = compare(*runs)
    with opened(runs, Hedge()) as subject:
        subject.answers.parameters |= _first(subject)
        sections = [
            Section("differences", "What differs", [_differences(found)]),
            Section("return", "What an LP got", [_indexed(subject), _attribution(subject)]),
            Section("fees", "Fees", [_fees(subject)]),
            Section("traders", "Traders and liquidations", [_traders(subject), _liquidated(subject)]),
            Section("pool", "The pool", [_used(subject), _drawdown(subject)]),
            Section("risk", "Risk", [metrics(subject)]),
            Section("figures", "All figures", [_all_figures(subject)]),
        ]
        title = f"{len(runs)} runs side by side"
        return render(Page(title, ", ".join(subject.runs), _opening(subject, found), sections, subject.answers.asked))


def _first(subject: Subject) -> dict[str, str]:
    """The parameters of queries that compare with the first run."""
    name = subject.runs[0].replace("'", "''")
    columns = ",\n    ".join(f"h.{name} - f.{name} AS {name}" for name in FIGURES)
    return {"first": f"'{name}'", "figure_changes_columns": columns}


def _by_run(subject: Subject, query: str) -> list[Row]:
    """The row of each run, in the order in which the runs were given."""
    found = {row["run"]: row for row in subject.answers.rows(query)}
    return [found[run] for run in subject.runs]


# --- words and tables -------------------------------------------------------------------------------------------------


def _opening(subject: Subject, found: Comparison) -> str:
    heads = _by_run(subject, "headline")
    best = max(heads, key=lambda row: row["lp_return_with_rewards"] or 0)
    worst = min(heads, key=lambda row: row["lp_return_with_rewards"] or 0)
    count = len(found.differences)
    differ = f"Their configurations differ in {count:,} value{'' if count == 1 else 's'}." if count else ""
    lede = (
        f"{differ or 'Their configurations are the same.'} LPs did best in {best.show('run', 'text')}, with "
        f"{best.show('lp_return_with_rewards', 'gain_percent')}, and least well in {worst.show('run', 'text')}, with "
        f"{worst.show('lp_return_with_rewards', 'gain_percent')}, rewards included."
    )
    warnings = "".join(f'<p class="warning">{html.escape(text[0].upper() + text[1:])}.</p>' for text in found.warnings)
    numbers = table.figures([(row["run"], row, "") for row in heads], _KEY, "Key figures")
    return f'<p class="lede">{lede}</p>\n{warnings}<div class="block">{numbers}</div>'


def _differences(found: Comparison) -> str:
    if not found.differences:
        return "<p>The configurations are the same.</p>"
    rows = [(row.path, *(told(value) for value in row.values)) for row in found.differences]
    return table.plain(("Value", *found.runs), rows, "Differences of the configurations")


def _all_figures(subject: Subject) -> str:
    rows, changes = _by_run(subject, "figures"), _by_run(subject, "figure_changes")
    columns = [(rows[0]["run"], rows[0], "")]
    for row, change in zip(rows[1:], changes[1:], strict=True):
        columns += [(row["run"], row, ""), ("change", change, "gain_")]
    told = [table.Measure(name, name, KINDS[unit], meaning) for name, (unit, meaning) in FIGURES.items()]
    numbers = table.figures(columns, told, "All figures") + _other_figures(subject)
    return f'<div class="block">{numbers}</div>'


def _other_figures(subject: Subject) -> str:
    """Refused orders and utilisation, which not every run has all of."""
    rows = subject.answers.rows("other_figures")
    by_name: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_name.setdefault(row["figure"], {})[row["run"]] = row
    body = []
    for name, found in by_name.items():
        kind = "count" if name.startswith("rejected.") else "percent"
        cells = [f'<th scope="row">{html.escape(name)}</th>']
        for number, run in enumerate(subject.runs):
            cells.append(f'<td class="n">{found[run].show("value", kind) if run in found else ""}</td>')
            if number:
                change = found[run].show("change", f"gain_{kind}") if run in found else ""
                cells.append(f'<td class="n">{change}</td>')
        body.append(cells)
    heads = [("", "text"), (subject.runs[0], "number")]
    for run in subject.runs[1:]:
        heads += [(run, "number"), ("change", "number")]
    return table.grid(heads, body, "Refused orders and utilisation")


# --- pictures ---------------------------------------------------------------------------------------------------------


def _over_time(subject: Subject, query: str, series: str, kind: str) -> tuple[dict[str, object], str, str]:
    """One series of a query, a line per run: what plotly draws, a note, and the table behind."""
    frame = subject.answers.frame(query).filter(pl.col("series") == series).with_columns(series=pl.col("run"))
    styles = {run: Style(colours.series(number), 1.7) for number, run in enumerate(subject.runs)}
    spec, note = lines(frame, kind, styles)
    rows = [row for row in subject.answers.levels(query) if row["series"] == series]
    return spec, note, table.levels(rows, subject.runs, kind, series, subject.period, by="run")


def _indexed(subject: Subject) -> Figure:
    spec, note, numbers = _over_time(subject, "benchmark", "LP token", "dollar")
    reading = "What one dollar in each LP token became: " + "; ".join(
        f"{row.show('run', 'text')} {row.show('lp_return', 'gain_percent')}" for row in _by_run(subject, "headline")
    )
    extra = "Indexed to 1 at each run's first sample. Rewards that a venue pays beside the pool are not in the price."
    queries = ("benchmark", "benchmark.levels")
    return Figure("indexed", "LP price, indexed", f"{reading}.", spec, numbers, queries, (extra, note))


def _attribution(subject: Subject) -> Figure:
    rows = subject.answers.rows("waterfall")
    kept = list(dict.fromkeys(row["source"] for row in rows if abs(row["amount_usd"]) >= 1))
    amounts = {run: {row["source"]: row["amount_usd"] for row in rows if row["run"] == run} for run in subject.runs}
    reading = "Each source of the change of AUM. The sums: " + "; ".join(
        f"{row.show('run', 'text')} {row.show('change_usd', 'gain_usd')}" for row in _by_run(subject, "headline")
    )
    numbers = _run_table(subject, rows, "source", "amount_usd", "exact_usd", "Source")
    note = "From each run's first sample to its last; sources of less than a dollar in all runs are left out."
    return Figure(
        "waterfall",
        "The change of AUM, side by side",
        f"{reading}.",
        bars.side_by_side(amounts, kept),
        numbers,
        ("waterfall",),
        (note,),
    )


def _fees(subject: Subject) -> Figure:
    rows = subject.answers.rows("fees")
    if not rows:
        return Figure("fees", "Fees by source", "No run settled a fee.")
    amounts = {run: {row["source"]: row["all_usd"] for row in rows if row["run"] == run} for run in subject.runs}
    reading = "Fees settled, and of them the LPs' part: " + "; ".join(
        f"{row.show('run', 'text')} {row.show('fees_usd', 'usd')} ({row.show('fees_of_lps_usd', 'usd')})"
        for row in _by_run(subject, "headline")
    )
    sources = list(dict.fromkeys(row["source"] for row in rows))
    numbers = _run_table(subject, rows, "source", "all_usd", "cents", "Source")
    note = "Funding and confiscated margin are no fees, but go the same way."
    spec = bars.side_by_side(amounts, sources)
    return Figure("fee-sources", "Fees by source", f"{reading}.", spec, numbers, ("fees",), (note,))


def _run_table(subject: Subject, rows: list[Row], name: str, value: str, kind: str, head: str) -> str:
    """One line per name, one column per run."""
    body = []
    for label in dict.fromkeys(row[name] for row in rows):
        found = {row["run"]: row for row in rows if row[name] == label}
        cells = [f'<td class="n">{found[run].show(value, kind) if run in found else ""}</td>' for run in subject.runs]
        body.append([f'<th scope="row">{html.escape(label)}</th>', *cells])
    return table.grid([(head, "text"), *((run, "number") for run in subject.runs)], body, head)


def _traders(subject: Subject) -> Figure:
    spec, note, numbers = _over_time(subject, "traders", "After fees", "usd")
    reading = "Traders' result after everything they paid, open positions included. Settled: " + "; ".join(
        f"{row.show('run', 'text')} {row.show('trader_net_usd', 'gain_usd')}" for row in _by_run(subject, "headline")
    )
    return Figure(
        "traders-net", "Traders' result", f"{reading}.", spec, numbers, ("traders", "traders.levels"), (note,)
    )


def _liquidated(subject: Subject) -> Figure:
    spec, note, numbers = _over_time(subject, "toll", "Liquidations", "count")
    reading = "Positions liquidated since the start, and the bad debt of all: " + "; ".join(
        f"{row.show('run', 'text')} {row.show('liquidations', 'count')} ({row.show('bad_debt_usd', 'usd')})"
        for row in _by_run(subject, "headline")
    )
    return Figure("toll", "Liquidations", f"{reading}.", spec, numbers, ("toll", "toll.levels"), (note,))


def _used(subject: Subject) -> Figure:
    spec, note, numbers = _over_time(subject, "pool_use", "Utilisation", "percent")
    reading = "Of everything that a pool owns, in dollars, the part that is locked for open positions."
    return Figure("use", "Utilisation", reading, spec, numbers, ("pool_use", "pool_use.levels"), (note,))


def _drawdown(subject: Subject) -> Figure:
    spec, note, numbers = _over_time(subject, "drawdown", "Drawdown", "percent")
    reading = "The LP price below its highest so far. Deepest: " + "; ".join(
        f"{row.show('run', 'text')} {row.show('deepest_drawdown', 'percent')}" for row in _by_run(subject, "headline")
    )
    return Figure("drawdown", "Drawdown", f"{reading}.", spec, numbers, ("drawdown", "drawdown.levels"), (note,))
