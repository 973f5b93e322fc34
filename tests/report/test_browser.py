"""Pages in a real browser: no complaint, no request, every picture drawn, light and dark, on a desk and on a phone."""

import subprocess

import pytest

from backtest.report.multiple import comparison
from backtest.report.single import report
from tests import handmade
from tests.report.checking import specs_of
from tests.report.chromium import BROWSER, needs_browser, tab
from tests.report.worlds import busy, empty, insolvent, single

pytestmark = [needs_browser, pytest.mark.slow]
PHONE, DESK = 390, 1440
_DRAWN = "[...document.querySelectorAll('.plot')].map(p => [p.id, p.querySelectorAll('svg.main-svg').length])"
_TRACES = "Object.fromEntries([...document.querySelectorAll('.plot')].map(p => [p.id, p._fullData.length]))"


def check_drawn(page, path, folder, width, dark=False):
    """Everything that must hold of a page that a browser has drawn."""
    path.write_text(page)
    specs = specs_of(page)
    with tab(folder / "profile", width, dark=dark) as shown:
        shown.load(path)
        assert shown.complaints() == []
        assert shown.requests() == []
        drawn = dict(shown.value(_DRAWN))
        assert set(drawn) == set(specs)
        assert all(count >= 1 for count in drawn.values())
        assert shown.value(_TRACES) == {name: len(spec["data"]) for name, spec in specs.items()}
        assert shown.value("document.documentElement.scrollWidth") <= width
        paint = shown.value("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        assert paint > 0
        ground = "getComputedStyle(document.body).backgroundColor"
        before = shown.value(ground)
        assert (sum(map(int, before[4:-1].split(","))) < 300) is dark
        shown.value("document.getElementById('theme').click()")
        assert shown.value(ground) != before
        assert shown.complaints() == []


def test_one_run_of_every_action(tmp_path):
    check_drawn(report(busy(tmp_path)), tmp_path / "page.html", tmp_path, DESK)


@pytest.mark.parametrize("world", [empty, single, insolvent], ids=lambda world: world.__name__)
def test_odd_runs(tmp_path, world):
    check_drawn(report(world(tmp_path)), tmp_path / "page.html", tmp_path, DESK)


def test_a_phone_in_the_dark(tmp_path):
    check_drawn(report(busy(tmp_path)), tmp_path / "page.html", tmp_path, PHONE, dark=True)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_six_runs(tmp_path, width):
    runs = [handmade.write(tmp_path / f"run-{number}") for number in range(4)]
    page = comparison(*runs, busy(tmp_path), insolvent(tmp_path))
    check_drawn(page, tmp_path / "page.html", tmp_path, width)


def test_what_is_taken_at_load_is_whole(tmp_path):
    """Printers and headless screenshots do not wait for anything after the page has loaded."""
    page = tmp_path / "page.html"
    page.write_text(report(busy(tmp_path)))
    words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run([*words, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True).stdout
    assert 'data-ready="yes"' in shown
    assert shown.count('data-drawn="yes"') == len(specs_of(page.read_text()))
