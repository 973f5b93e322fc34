"""Lines over time: a frame of series to what plotly draws."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from backtest.report import colours
from backtest.report.downsample import BUCKETS, extremes

Spec = dict[str, Any]
Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
_THIN = 1.3
# Kind of value: how the axis and the hover show it.
AXES = {
    "percent": ("~%", ".2%"),
    "usd": ("$~s", "$,.0f"),
    "dollar": ("$.2f", "$.4f"),
    "count": (",", ","),
}


class Style(NamedTuple):
    """How one series is drawn; `group` puts it on top of the others of that name."""

    colour: str
    width: float = 1.6
    dash: str = "solid"
    group: str = ""
    fill: bool = False


def lines(frame: pl.DataFrame, kind: str, styles: Mapping[str, Style]) -> tuple[Spec, str]:
    """What plotly draws, and a sentence on what was left out of it (empty where all samples are drawn).

    `frame` has series, timestamp (rising) and value; series are drawn in the order of `styles`.
    """
    parts = {str(key[0]): part for key, part in frame.partition_by("series", as_dict=True).items()}
    series = {
        name: (parts[name]["timestamp"].dt.epoch("us").to_numpy(), parts[name]["value"].to_numpy())
        for name in styles
        if name in parts
    }
    stacks = {name: _stack(name, list(series), styles) for name in series}
    stretches = BUCKETS // max(map(len, stacks.values()), default=1)
    traces: list[Spec] = []
    drawn, total = 0, 0
    for name, (times, values) in series.items():
        kept = _kept(times, [series[other] for other in stacks[name]], stretches)
        trace = _trace(name, times[kept] // 1_000, values[kept], kind, styles[name])
        trace["showlegend"] = all(trace["name"] != other["name"] for other in traces)
        traces.append(trace)
        drawn, total = max(drawn, len(kept)), max(total, len(times))
    shown = [value for trace in traces for value in trace["y"]]
    return {"data": traces, "layout": _over_time(_ticks(kind, shown))}, _left_out(drawn, total, stretches)


def _stack(name: str, names: Sequence[str], styles: Mapping[str, Style]) -> list[str]:
    """The series that are drawn on top of one another with this one, itself too."""
    group = styles[name].group
    return [other for other in names if styles[other].group == group] if group else [name]


def _kept(times: Times, stack: Sequence[tuple[Times, Values]], stretches: int) -> npt.NDArray[np.intp]:
    """Which points of a series are drawn: its extremes, and the moments of those of what it is stacked with.

    Plotly takes a series for 0 where it has no point and another of the stack has one.
    """
    moments = [found[extremes(found, values, stretches)] for found, values in stack]
    return np.flatnonzero(np.isin(times, np.concatenate(moments)))


def _left_out(drawn: int, total: int, stretches: int) -> str:
    if drawn == total:
        return ""
    return (
        f"Drawn from {drawn:,} of {total:,} samples per line: of each of {stretches} stretches of time the first, "
        "lowest, highest and last, so no extreme is lost."
    )


def _trace(name: str, times: Any, values: Any, kind: str, style: Style) -> Spec:
    trace: Spec = {
        "type": "scatter",
        "name": name,
        "x": times.tolist(),
        "y": [float(f"{value:.7g}") for value in values.tolist()],
        "mode": "lines" if len(times) > 1 else "markers",
        "line": {"color": style.colour, "width": style.width, "dash": style.dash},
        "hovertemplate": f"%{{y:{AXES[kind][1]}}}",
    }
    if style.group:
        trace |= _stacked(name, kind, style)
    if style.fill:
        trace |= {"fill": "tozeroy"}
    return trace


def _stacked(name: str, kind: str, style: Style) -> Spec:
    """On top of the others of the group; both sides of a market are one entry of the legend."""
    market = name.removesuffix(f" {style.group}")
    return {
        "name": market,
        "stackgroup": style.group,
        "legendgroup": market,
        "line": {"color": style.colour, "width": 0},
        "hovertemplate": f"{style.group} %{{y:{AXES[kind][1]}}}",
    }


def _over_time(tickformat: str) -> Spec:
    """The layout of a picture over time."""
    return {
        "xaxis": {"type": "date", "hoverformat": "%-d %b %Y, %H:%M"},
        "yaxis": {"tickformat": tickformat},
        "hovermode": "x unified",
    }


def _ticks(kind: str, values: Sequence[float]) -> str:
    """The format of the axis: of one dollar as many digits as tell its ticks apart."""
    if kind == "usd":
        return money_ticks(max(map(abs, values), default=0.0))
    spread = max(values, default=1.0) - min(values, default=0.0)
    if kind == "dollar" and 0 < spread < 0.05:
        return "$.3f" if spread >= 0.005 else "$.4f"
    return AXES[kind][0]


def money_ticks(largest: float) -> str:
    """Dollars of an axis: $1.5M where they are many; never $500m, which would be half a dollar."""
    return AXES["usd"][0] if largest >= 1_000 else "$,.2~f"


def steps(frame: pl.DataFrame, until: Any, styles: Mapping[str, Style]) -> list[Spec]:
    """Values that hold from a moment on, drawn dotted until `until`: series, timestamp and value."""
    traces = []
    for (name,), part in frame.partition_by("series", as_dict=True).items():
        times = [*part["timestamp"].dt.epoch("ms").to_list(), int(until.timestamp() * 1000)]
        values = part["value"].to_list()
        traces.append(
            {
                "type": "scatter",
                "name": f"{name} target",
                "x": times,
                "y": [*values, values[-1]],
                "mode": "lines",
                "line": {"color": styles[str(name)].colour, "width": 1, "dash": "dot", "shape": "hv"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return traces


def plain(names: Sequence[str], palette: Mapping[str, str]) -> dict[str, Style]:
    """A style for each name: its colour of `palette`, or the next of the series; dashed where another name has it."""
    found: dict[str, Style] = {}
    for number, name in enumerate(names):
        colour = palette.get(name, colours.series(number))
        taken = any(style.colour == colour for style in found.values())
        found[name] = Style(colour, _THIN, "dash" if taken else "solid")
    return found
