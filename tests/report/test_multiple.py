"""The page of several runs: what differs first, one line per run, and every number a cell of a query."""

import re
from decimal import Decimal as D

import pytest

from backtest.comparison import FIGURES, compare
from backtest.errors import PerpoolError, UsageError
from backtest.report.answers import marks
from backtest.report.multiple import MOST, comparison
from tests import handmade, handmade_reserve
from tests.report.checking import check_alone, check_markup, check_numbers, check_specs, specs_of
from tests.report.worlds import empty, insolvent


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Six runs: two venues, one price changed, one longer, one without trades, one insolvent."""
    folder = tmp_path_factory.mktemp("runs")
    rules = {"name": "by hand", "market": [{"symbol": "ETH", "close_bps": 16}]}
    span = handmade.MANIFEST["span"] | {"ticks": 9}
    return [
        handmade.write(folder / "hand", manifest=handmade.MANIFEST | {"protocol": rules}),
        handmade_reserve.write(folder / "reserve"),
        handmade.write(folder / "it's <dearer>", manifest=handmade.MANIFEST | {"protocol": rules | {"name": "<b>"}}),
        handmade.write(folder / "longer", manifest=handmade.MANIFEST | {"span": span}),
        empty(folder),
        insolvent(folder),
    ]


@pytest.fixture(scope="module")
def page(paths):
    return comparison(*paths)


def test_every_number_is_that_of_its_query(page, paths):
    assert check_numbers(page, paths) > 500


def test_the_page_is_whole_and_needs_nothing_else(page):
    check_alone(page)
    check_markup(page)
    check_specs(specs_of(page))


def test_what_differs_comes_first(page, paths):
    sections = re.findall(r'<section id="([^"]+)"', page)
    assert sections == ["differences", "return", "fees", "traders", "pool", "risk", "figures", "queries"]
    found = compare(*paths)
    for row in found.differences:
        assert f"<td>{row.path}</td>" in page
    assert f"differ in {len(found.differences)} values" in page
    assert page.index('class="warning"') < page.index('id="differences"')
    assert page.count('class="warning"') == len(found.warnings) == 1


def test_every_picture_has_a_line_or_bar_per_run(page, paths):
    names = [path.name for path in paths]
    specs = specs_of(page)
    drawn = ("indexed", "waterfall", "fee-sources", "traders-net", "toll", "use", "drawdown")
    assert set(specs) == {f"plot-{name}" for name in drawn}
    for name, spec in specs.items():
        assert [trace["name"] for trace in spec["data"]] == names, name


def test_all_figures_are_those_of_compare(page, paths):
    found = compare(*paths)
    shown = {(query, row, column): value for query, row, column, value, _, _ in marks(page)}
    order = sorted(range(len(paths)), key=lambda number: found.runs[number])  # queries sort by name
    for name in FIGURES:
        for row, number in enumerate(order):
            value, change = found[name].values[number], found[name].changes[number]
            assert _same(shown["figures", row, name], value), (name, number)
            assert number == 0 or _same(shown["figure_changes", row, name], change), (name, number)
    assert "rejected.min_collateral" in page


def _same(text, value):
    if isinstance(value, float):
        return float(text) == pytest.approx(value)
    return text == "null" if value is None else D(text) == value


def test_names_are_text_and_no_markup(page):
    assert "it&#x27;s &lt;dearer&gt;" in page
    assert "<dearer>" not in page
    assert "<td><b></td>" not in page


def test_the_same_configuration_is_said_to_be_the_same(tmp_path):
    twins = [handmade.write(tmp_path / name) for name in ("a", "b")]
    page = comparison(*twins)
    assert "Their configurations are the same." in page
    assert "<p>The configurations are the same.</p>" in page


def test_two_to_six_runs(tmp_path, paths):
    with pytest.raises(UsageError, match="two or more"):
        comparison(paths[0])
    with pytest.raises(UsageError, match=f"at most {MOST} runs, 7 were given"):
        comparison(*paths, handmade.write(tmp_path / "seventh"))
    with pytest.raises(PerpoolError, match="given twice"):
        comparison(paths[0], paths[0])
