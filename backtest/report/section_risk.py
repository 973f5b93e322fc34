"""How it felt: drawdowns of the LP price, the worst days with what made them, and the figures of risk and return."""

from collections.abc import Sequence

from backtest.metrics_text import METRICS
from backtest.report import colours, table
from backtest.report.lines import Style, lines
from backtest.report.page import Figure, Section
from backtest.report.subject import Subject
from backtest.report.table import KINDS, Column

_DRAWDOWNS = (
    Column("depth", "Depth", "percent"),
    Column("peak_at", "From", "moment"),
    Column("trough_at", "Lowest", "moment"),
    Column("recovered_at", "Recovered", "moment"),
)
_DAYS = (
    Column("day", "Day (UTC)"),
    Column("day_return", "LP return", "gain_percent"),
    Column("change_usd", "Change", "gain_usd"),
    Column("asset_drift_usd", "Assets", "gain_usd"),
    Column("fees_kept_usd", "Fees kept", "gain_usd"),
    Column("from_traders_usd", "From traders", "gain_usd"),
    Column("bad_debt_usd", "Bad debt", "gain_usd"),
)


def risk(subject: Subject) -> Section:
    """The underwater picture and three tables."""
    return Section("risk", "How it felt", [_drawdown(subject), _worst_days(subject), metrics(subject)])


def _drawdown(subject: Subject) -> Figure:
    answers = subject.answers
    rows = answers.rows("drawdowns")
    if not rows:
        return Figure("drawdown", "Drawdowns", "The LP price never fell below an earlier price.")
    spec, note = lines(answers.frame("drawdown"), "percent", {"Drawdown": Style(colours.LOSS, 1.4, fill=True)})
    spec["layout"] |= {"showlegend": False}
    worst = rows[0]
    end = (
        f"it was back at its old price on {worst.show('recovered_at', 'moment')}"
        if worst["recovered_at"]
        else "it has not recovered"
    )
    reading = (
        f"The deepest fall below an earlier high was {worst.show('depth', 'percent')}, from "
        f"{worst.show('peak_at', 'moment')} to {worst.show('trough_at', 'moment')}; {end}."
    )
    numbers = table.table(rows, _DRAWDOWNS, "The five deepest drawdowns")
    extra = "Of the LP price at the samples; rewards paid beside the pool are not in it."
    return Figure("drawdown", "Drawdowns", reading, spec, numbers, ("drawdowns", "drawdown"), (extra, note))


def _worst_days(subject: Subject) -> str:
    rows = subject.answers.rows("worst_days")
    if not rows:
        return "<h3>Worst days</h3><p>No day ended lower than it began.</p>"
    worst = rows[0]
    reading = (
        f"The worst day was {worst.show('day', 'day')}: {worst.show('day_return', 'percent')}, of which prices of the "
        f"pool's assets made {worst.show('asset_drift_usd', 'gain_usd')} and traders "
        f"{worst.show('from_traders_usd', 'gain_usd')}."
    )
    numbers = table.table(rows, _DAYS, "The worst days")
    return f'<div class="block"><h3>Worst days</h3><p>{reading}</p>{numbers}</div>'


def metrics(subject: Subject) -> str:
    """The figures of `perpool metrics`, a column per run, each with what it means."""
    rows = {row["run"]: row for row in subject.answers.rows("metrics")}
    told = [
        table.Measure(name, name.replace("_", " "), KINDS[metric.unit], metric.meaning)
        for name, metric in METRICS.items()
        if all(name in row.values for row in rows.values())
    ]
    heads: Sequence[str] = subject.runs if len(subject.runs) > 1 else ("",)
    columns = [(head, rows[run], "") for head, run in zip(heads, subject.runs, strict=True)]
    numbers = table.figures(columns, told, "Figures of risk and return")
    text = "Days are UTC days, a year has 365 of them; <code>perpool metrics --explain</code> has every formula."
    return f'<div class="block"><h3>Figures of risk and return</h3><p>{text}</p>{numbers}</div>'
