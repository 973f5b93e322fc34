"""`perpool report` and `perpool compare -o` as a shell calls them, and what they refuse."""

import shutil

import pytest

from backtest.report import browser, page
from tests import handmade
from tests.shell import perpool


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return handmade.write(tmp_path / "hand").relative_to(tmp_path)


def test_a_page_appears_and_is_replaced(run, tmp_path):
    first = perpool("report", run)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("report.html  ") and first.out.endswith(" MB; open it in a browser\n")
    again = perpool("report", run, "-o", "report.html", "--hedge-cost", "25", "--hedge-every", "12 hours")
    assert again.code == 0
    assert "every dollar traded costs 25 bps" in (tmp_path / "report.html").read_text()
    assert "every period of 12 hours" in (tmp_path / "report.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hand", "report.html"]


def test_runs_side_by_side(run, tmp_path):
    handmade.write(tmp_path / "other")
    done = perpool("compare", run, "other", "-o", "deep/page.html")
    assert (done.code, done.err) == (0, "")
    assert "2 runs side by side" in (tmp_path / "deep/page.html").read_text()


REFUSED = {
    "no run": ("report nothing", 1, "nothing does not exist; give the run directory that `perpool run --out` wrote"),
    "a directory": ("report hand -o hand", 1, "hand is a directory; give the name of a page, for example -o hand/rep"),
    "another file": ("report hand -o notes.md", 1, "notes.md is not a page of perpool and would be lost; choose anot"),
    "a period": ("report hand --hedge-every often", 2, "'often' is no period to hedge by; write '6 hours', '1 day' or"),
    "no period": ("report hand --hedge-every '0 days'", 2, "'0 days' is no period to hedge by; write '6 hours', '1 d"),
    "a quote": ('report hand --hedge-every "1 day\'"', 2, "'1 day'' is no period to hedge by; write '6 hours', '1 da"),
    "a cost": ("report hand --hedge-cost -1", 2, "Invalid value for '--hedge-cost': -1.0 is not in the range 0<=x<="),
    "one run": ("compare hand -o page.html", 2, "compare takes two or more run directories; the others are compared"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(run, tmp_path, name):
    (tmp_path / "notes.md").write_text("mine")
    words, code, said = REFUSED[name]
    found = perpool(words)
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith(f"error: {said}")
    assert found.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hand", "notes.md"]
    assert (tmp_path / "notes.md").read_text() == "mine"


def test_without_plotly_or_chromium_there_is_one_line(run, monkeypatch):
    monkeypatch.setattr(page.importlib.util, "find_spec", lambda name: None)
    found = perpool("report", run)
    assert (found.code, found.err) == (
        1,
        "error: a page needs plotly; install it with: pip install 'perpool[report]'\n",
    )
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    found = perpool("report", run, "--png", "pictures")
    said = "error: pictures need Chromium or Chrome; install one, or open the page that -o writes\n"
    assert (found.code, found.err) == (1, said)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here: no picture can be taken")
def test_two_small_pictures(run, tmp_path):
    done = perpool("report", run, "--png", "pictures")
    assert done.code == 0
    for name in ("lp_price", "attribution"):
        picture = (tmp_path / f"pictures/{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert 10_000 < len(picture) <= 120_000


@pytest.mark.parametrize("command", ["report", "compare"])
def test_help_has_an_example(command):
    assert "Example:" in perpool(command, "--help").out
