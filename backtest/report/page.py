"""A page from its parts: sections of figures and tables, what plotly draws, plotly itself and the style in one file."""

import html
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from backtest.errors import PerpoolError
from backtest.report.lines import Spec

_PARTS = Path(__file__).parent
GENERATOR = "perpool report"


class Figure(NamedTuple):
    """One picture: its name in the page, title, what to read in it (HTML), what plotly draws, and the table behind it.

    `queries` name what it was drawn from; `notes` are said under it. Without a spec there is nothing to draw, and
    `reading` says why.
    """

    name: str
    title: str
    reading: str
    spec: Spec | None = None
    table: str = ""
    queries: Sequence[str] = ()
    notes: Sequence[str] = ()


class Section(NamedTuple):
    """A chapter: its name in the page, title, and figures or finished HTML."""

    name: str
    title: str
    parts: Sequence[Figure | str]


class Page(NamedTuple):
    """A whole page: title, a line above it, the opening (HTML), sections, and the text of every query by name."""

    title: str
    kicker: str
    opening: str
    sections: Sequence[Section]
    queries: Mapping[str, str]


def render(page: Page) -> str:
    """The page as one HTML document that needs nothing else."""
    figures = [part for section in page.sections for part in section.parts if isinstance(part, Figure)]
    specs = {f"plot-{figure.name}": figure.spec for figure in figures if figure.spec is not None}
    body = "\n".join(_section(section) for section in page.sections)
    return Template(_text("page.html")).substitute(
        generator=GENERATOR,
        title=html.escape(page.title),
        kicker=html.escape(page.kicker),
        opening=page.opening,
        contents=_contents(page.sections),
        body=body,
        queries="\n".join(_query(name, sql) for name, sql in sorted(page.queries.items())),
        style=_text("page.css"),
        script=_text("page.js"),
        figures=_json(specs),
        plotly=plotly_script(),
    )


def picture_page(figure: Figure) -> str:
    """A page that holds nothing but one figure, without its table, in the light theme."""
    bare = figure._replace(table="", notes=())
    picture = Template(_text("picture.html"))
    specs = {f"plot-{figure.name}": figure.spec}
    return picture.substitute(
        style=_text("page.css"),
        script=_text("page.js"),
        body=figure_html(bare),
        figures=_json(specs),
        plotly=plotly_script(),
    )


def words(markup: str) -> str:
    """The text of a piece of HTML, for a label."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def figure_html(figure: Figure) -> str:
    """A figure with its heading, what to read in it, the place of the picture, notes, and the table behind."""
    parts = [f'<h3 id="plot-{figure.name}-title">{html.escape(figure.title)}</h3>', f"<p>{figure.reading}</p>"]
    if figure.spec is not None:
        label = html.escape(words(f"{figure.title}. {figure.reading}"))
        height = figure.spec["layout"].get("height", 360)
        parts.append(
            f'<div class="plot" id="plot-{figure.name}" role="img" aria-label="{label}" '
            f'style="min-height:{height}px"></div>'
        )
    parts += [f'<p class="note">{html.escape(note)}</p>' for note in figure.notes if note]
    if figure.table:
        links = ", ".join(f'<a href="#sql-{name}">{name}</a>' for name in figure.queries)
        parts.append(
            f"<details><summary>The numbers of this picture</summary>{figure.table}"
            f'<p class="note">SQL: {links}</p></details>'
        )
    return f'<figure role="figure" aria-labelledby="plot-{figure.name}-title">{"".join(parts)}</figure>'


def _section(section: Section) -> str:
    parts = "\n".join(figure_html(part) if isinstance(part, Figure) else part for part in section.parts)
    return (
        f'<section id="{section.name}" aria-labelledby="{section.name}-title">'
        f'<h2 id="{section.name}-title">{html.escape(section.title)}</h2>\n{parts}\n</section>'
    )


def _contents(sections: Sequence[Section]) -> str:
    return "".join(f'<a href="#{section.name}">{html.escape(section.title)}</a>' for section in sections)


def _query(name: str, sql: str) -> str:
    return (
        f'<details id="sql-{name}"><summary>{html.escape(name)}</summary>'
        f'<pre tabindex="0"><code>{html.escape(sql)}</code></pre></details>'
    )


def _text(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _json(specs: Mapping[str, Spec | None]) -> str:
    return json.dumps(specs, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def plotly_script() -> str:
    """Plotly's script; PerpoolError where plotly is not installed."""
    if importlib.util.find_spec("plotly") is None:
        raise PerpoolError("a page needs plotly; install it with: pip install 'perpool[report]'")
    from plotly.offline import get_plotlyjs

    script: Any = get_plotlyjs()
    return str(script)
