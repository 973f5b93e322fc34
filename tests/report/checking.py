"""What every page must satisfy: its numbers are those of its queries, and it needs nothing but itself."""

import html
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from backtest import render, warehouse
from backtest.report import formats
from backtest.report.answers import marks
from backtest.report.page import words

MOST_BYTES = 8_000_000
_SCRIPT = re.compile(r"<script.*?</script>", re.S)
_VOID = {"meta", "link", "br"}


def specs_of(page: str) -> dict[str, Any]:
    """What plotly draws, by the place in the page."""
    (figures,) = re.findall(r'id="specs-of-figures">(.*?)</script>', page, re.S)
    found: dict[str, Any] = json.loads(figures)
    return found


def queries_of(page: str) -> dict[str, str]:
    """The SQL of every query as the page shows it."""
    found = re.findall(r'<details id="sql-([^"]+)"><summary>.*?</summary><pre.*?><code>(.*?)</code></pre>', page, re.S)
    return {name: html.unescape(sql) for name, sql in found}


def check_numbers(page: str, runs: Sequence[Path]) -> int:
    """Ask every query of the page again, in another database, and compare every marked number; how many there are."""
    con = warehouse.open_run(*runs)
    answers = {name: con.sql(sql).to_arrow_table().to_pylist() for name, sql in queries_of(page).items()}
    count = 0
    for query, row, column, exact, kind, text in marks(page):
        value = answers[query][row][column]
        if isinstance(value, float) and exact != "null":
            assert float(exact) == pytest.approx(value, rel=1e-9, abs=1e-12), (query, row, column)
            value = float(exact)  # sums of floats may end in other digits; the text is that of the one on the page
        else:
            assert exact == render.as_json(value).strip('"'), (query, row, column)
        assert text == formats.show(kind, value), (query, row, column)
        count += 1
    assert count == page.count("data-sql="), "a mark that cannot be read"
    return count


def check_alone(page: str) -> None:
    """No address of another place, within a size that a mailbox takes."""
    assert len(page.encode()) <= MOST_BYTES
    rest = _SCRIPT.sub("", page)
    assert page.count("<script>") == 2  # plotly's, and the page's own
    assert not re.search(r"https?:|//[a-z]", re.sub(r"<pre.*?</pre>", "", rest, flags=re.S))
    linked = set(re.findall(r'(?:src|href)="([^"]*)"', rest))
    assert all(place.startswith("#") or place == "data:," for place in linked), linked


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]).removeprefix("#"))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def check_markup(page: str) -> None:
    """Well nested, no name given twice, every link leads somewhere, headings in order, a label for every picture."""
    reader = _Reader()
    reader.feed(_SCRIPT.sub("", page))
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert set(reader.links) - set(reader.ids) == set()
    assert reader.headings[0] == 1 and reader.headings.count(1) == 1
    assert all(now <= before + 1 for before, now in zip(reader.headings, reader.headings[1:], strict=False))
    plots = re.findall(r'<div class="plot" id="[^"]+" role="img" aria-label="([^"]+)"', page)
    assert len(plots) == page.count('class="plot"')
    assert all(len(label) > 20 and "<" not in label for label in plots)
    assert "nan" not in words(page).lower().split() and "None" not in words(page).split()


def check_specs(specs: dict[str, Any]) -> None:
    """Plotly knows every property of every picture."""
    for spec in specs.values():
        text = re.sub(r'"var\(--[\w-]+\)"', '"#000"', json.dumps(spec))
        layout = json.loads(text)["layout"]
        layout.pop("wide", None)
        go.Figure(data=json.loads(text)["data"], layout=layout)
