"""Bars: the waterfall of an attribution, amounts side by side, and counts over time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from backtest.report import colours, formats
from backtest.report.lines import Spec, money_ticks

_ROW = 30  # pixels per bar
_ROOM = 0.16  # of the axis
_HOUR_MS = 3_600_000
_HOURS = {"1 hour": 1, "1 day": 24, "1 week": 168, "1 month": 672}  # how wide a bar may be


class Span(NamedTuple):
    """What bars over time cover, and the period of each of them."""

    start: datetime
    end: datetime
    period: str


def waterfall(sources: Sequence[tuple[str, Decimal]], total: str) -> Spec:
    """Horizontal bars from source to source, each where the one before ended, and their sum as the last bar.

    `sources` are (name, exact dollars), those of less than a dollar without a bar; the last one is called `total`.
    """
    names, amounts, bases, so_far = [], [], [], Decimal(0)
    for name, amount in sources:
        if abs(amount) >= 1:
            names.append(name)
            amounts.append(amount)
            bases.append(so_far)
        so_far += amount
    fills = [colours.GAIN if amount > 0 else colours.LOSS for amount in amounts]
    reach = [*bases, *(base + amount for base, amount in zip(bases, amounts, strict=True)), so_far]
    names, amounts = [*names, total], [*amounts, so_far]
    trace = _row_bars(names, amounts, [*fills, colours.INK]) | {"base": [*map(float, bases), 0.0]}
    return {"data": [trace], "layout": _rows_layout(len(names), reach, bargap=0.35)}


def _row_bars(names: Sequence[str], amounts: Sequence[Any], fills: Any) -> Spec:
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(names),
        "x": [float(amount) for amount in amounts],
        "text": [formats.show("gain_usd", amount) if amount else "" for amount in amounts],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": fills},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }


def _rows_layout(count: int, reach: Sequence[Any], **more: Any) -> Spec:
    """Names run from the top; left of a bar below zero there is room for its text."""
    low, high = float(min(*reach, 0, 0)), float(max(*reach, 0, 0))
    room = _ROOM * (high - low or 1) if low < 0 else 0
    return {
        "xaxis": {
            "tickformat": money_ticks(high - low),
            "zeroline": True,
            "range": [low - room, high + 0.02 * (high - low or 1)],
        },
        "yaxis": {"autorange": "reversed", "ticks": "", "showgrid": False},
        "height": 60 + _ROW * count,
        "showlegend": False,
        "wide": True,
        **more,
    }


def parts(rows: Sequence[tuple[str, Sequence[Any]]], fills: Mapping[str, str]) -> Spec:
    """One horizontal bar per row, made of parts: for each name of `fills` an amount in exact dollars."""
    traces = []
    for number, (name, fill) in enumerate(fills.items()):
        amounts = [amounts[number] for _, amounts in rows]
        trace = _row_bars([source for source, _ in rows], amounts, fill)
        traces.append(trace | {"name": name, "textposition": "none", "hovertemplate": "%{text}"})
    reach = [sum(side) for _, amounts in rows for side in _sides(amounts)]
    layout = _rows_layout(len(rows) + 1, reach, barmode="relative", bargap=0.35, hovermode="y unified")
    return {"data": traces, "layout": layout | {"showlegend": True}}


def _sides(amounts: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    return [amount for amount in amounts if amount > 0], [amount for amount in amounts if amount < 0]


def side_by_side(amounts: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> Spec:
    """For each of `names` one bar per run: `amounts[run][name]` in exact dollars."""
    traces = []
    for number, (run, values) in enumerate(amounts.items()):
        trace = _row_bars(names, [values.get(name, 0) for name in names], colours.series(number))
        traces.append(trace | {"name": run, "hovertemplate": "%{text}"})
    reach = [values.get(name, 0) for values in amounts.values() for name in names]
    layout = _rows_layout(0, reach, barmode="group", bargap=0.25, hovermode="y unified")
    return {"data": traces, "layout": layout | {"height": 90 + 22 * len(names) * len(amounts), "showlegend": True}}


def stacked(rows: Sequence[tuple[Any, str, float]], palette: Mapping[str, str], span: Span, tickformat: str) -> Spec:
    """Bars over the whole `span` of time, one colour per name: rows of (start of the period, name, value)."""
    traces = []
    for number, name in enumerate(sorted({name for _, name, _ in rows})):
        mine = [(at, value) for at, other, value in rows if other == name]
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": [int(at.timestamp() * 1000) for at, _ in mine],
                "y": [value for _, value in mine],
                "width": 0.85 * _HOUR_MS * _HOURS[span.period],
                "offset": 0,
                "marker": {"color": palette.get(name, colours.series(number))},
                "hovertemplate": f"%{{y:{tickformat}}}",
            }
        )
    layout = {"barmode": "stack", "hovermode": "x unified"}
    xaxis = {"type": "date", "range": [int(moment.timestamp() * 1000) for moment in (span.start, span.end)]}
    return {
        "data": traces,
        "layout": layout | {"xaxis": xaxis, "yaxis": {"tickformat": tickformat}, "showlegend": True},
    }


def shares(names: Sequence[str], values: Sequence[float], texts: Sequence[str]) -> Spec:
    """One horizontal bar per name with its share and a text at its end."""
    trace = _row_bars(names, values, colours.GAIN) | {"text": list(texts)}
    return {"data": [trace], "layout": _rows_layout(len(names), values, bargap=0.35) | {"xaxis": {"tickformat": "~%"}}}
