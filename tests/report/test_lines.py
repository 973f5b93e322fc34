"""Lines and bars: the axes say what they show, colours tell things apart."""

from datetime import UTC, datetime
from decimal import Decimal as D

import polars as pl
import pytest

from backtest.report import bars, colours
from backtest.report.lines import Style, lines, plain

HOUR = 3_600_000_000


def frame(values, name="a"):
    at = pl.Series("timestamp", [number * HOUR for number in range(len(values))], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"series": [name] * len(values), "timestamp": at, "value": list(map(float, values))})


@pytest.mark.parametrize(
    ("kind", "values", "tickformat"),
    [
        ("usd", [-5, 400_000], "$~s"),
        ("usd", [0, 0.5], "$,.2~f"),  # in SI half a dollar would be $500m
        ("dollar", [1, 1.2], "$.2f"),
        ("dollar", [1, 1.02], "$.3f"),
        ("dollar", [1, 1.001], "$.4f"),
        ("dollar", [1, 1], "$.2f"),
        ("percent", [0, 0.1], "~%"),
    ],
)
def test_ticks_tell_values_apart(kind, values, tickformat):
    spec, _ = lines(frame(values), kind, {"a": Style("")})
    assert spec["layout"]["yaxis"]["tickformat"] == tickformat


def test_one_sample_is_a_point():
    spec, _ = lines(frame([1]), "usd", {"a": Style("")})
    assert spec["data"][0]["mode"] == "markers"


def test_series_without_rows_are_left_out():
    spec, _ = lines(frame([1, 2]), "usd", {"b": Style(""), "a": Style("")})
    assert [trace["name"] for trace in spec["data"]] == ["a"]


def test_both_sides_of_a_market_are_one_entry_of_the_legend():
    both = pl.concat([frame([1, 2], "BTC long"), frame([-1, -2], "BTC short"), frame([-1, -1], "XAU short")])
    styles = {name: Style("", group=name.split()[1]) for name in ("BTC long", "BTC short", "XAU short")}
    traces = lines(both, "usd", styles)[0]["data"]
    assert [(trace["name"], trace["stackgroup"], trace["showlegend"]) for trace in traces] == [
        ("BTC", "long", True),
        ("BTC", "short", False),
        ("XAU", "short", True),
    ]


def test_what_is_stacked_has_points_at_the_same_moments():
    """Where one had none, plotly would draw it as 0."""
    count = 10_000
    parts = [frame([number * factor % 97 for number in range(count)], name) for name, factor in (("a", 31), ("b", 57))]
    spec, said = lines(pl.concat(parts), "usd", {name: Style("", group="long") for name in ("a", "b")})
    one, other = (trace["x"] for trace in spec["data"])
    assert one == other and len(one) < count
    assert {max(trace["y"]) for trace in spec["data"]} == {96}
    assert f"{len(one):,} of {count:,}" in said


def test_one_asset_has_one_colour_everywhere():
    manifest = {
        "custodies": [
            {"symbol": "USDC", "stable": True},
            {"symbol": "jitoSOL", "stable": False},
            {"symbol": "WBTC", "stable": False},
        ],
        "markets": [
            {"symbol": "SOL", "long_custody": "jitoSOL"},
            {"symbol": "SOL2", "long_custody": "jitoSOL"},
            {"symbol": "WBTC", "long_custody": "WBTC"},
            {"symbol": "XAU", "long_custody": "USDC"},
        ],
        "symbols": {"WBTC": "BTC", "USDC": 1.0},
    }
    found = colours.assets(manifest)
    assert found["SOL"] == found["jitoSOL"] == "var(--series-1)"
    assert found["WBTC"] == found["BTC"] == "var(--series-2)"
    assert (found["SOL2"], found["XAU"]) == ("var(--series-3)", "var(--series-4)")  # their tokens' colours are taken
    assert found["USDC"] == "var(--stable-1)"
    dashes = {name: style.dash for name, style in plain(["jitoSOL", "SOL", "WBTC"], found).items()}
    assert dashes == {"jitoSOL": "solid", "SOL": "dash", "WBTC": "solid"}


def test_a_waterfall_ends_where_its_sources_lead():
    spec = bars.waterfall([("up", D(100)), ("dust", D("0.4")), ("down", D(-130))], "all")
    (bar,) = spec["data"]
    assert bar["y"] == ["up", "down", "all"]
    assert bar["base"] == [0, 100.4, 0]
    assert bar["x"] == [100, -130, -29.6]
    assert bar["text"] == ["+$100", "−$130", "−$30"]
    low, high = spec["layout"]["xaxis"]["range"]
    assert low < -29.6 and high > 100.4


def test_bars_over_time_are_as_wide_as_their_period_and_cover_the_run():
    at = datetime(2025, 1, 1, tzinfo=UTC)
    span = bars.Span(at, datetime(2025, 2, 1, tzinfo=UTC), "1 day")
    spec = bars.stacked([(at, "B", 2.0), (at, "A", 1.0)], {}, span, ",")
    assert [trace["name"] for trace in spec["data"]] == ["A", "B"]
    assert spec["data"][0]["width"] == pytest.approx(0.85 * 86_400_000)
    assert spec["layout"]["xaxis"]["range"] == [1_735_689_600_000, 1_738_368_000_000]
