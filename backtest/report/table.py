"""Answers as HTML tables: numbers to the right, every one of them marked with where it is from."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

from backtest.report.answers import Row

_WORDS = {"text", "moment", "day"}
# How a figure of a unit is written.
KINDS = {
    "USD": "cents",
    "USD per LP token": "price",
    "share": "percent",
    "share per year": "percent",
    "ratio": "ratio",
    "bps": "bps",
    "days": "days",
    "count": "count",
}


class Measure(NamedTuple):
    """One figure of a run: the answer's column, its name, how it is written, and what it means."""

    column: str
    name: str
    kind: str
    meaning: str = ""


class Column(NamedTuple):
    """One column of a table: the answer's column, its head, and how its values are written."""

    name: str
    head: str
    kind: str = "text"


def table(rows: Sequence[Row], columns: Sequence[Column], caption: str) -> str:
    """One line per row. `caption` is for those who do not see the table."""
    body = [[_cell(row.show(c.name, c.kind), c.kind) for c in columns] for row in rows]
    return grid([(column.head, column.kind) for column in columns], body, caption)


def levels(rows: Sequence[Row], names: Sequence[str], kind: str, caption: str, period: str, by: str = "series") -> str:
    """The answer of `Answers.levels`, a line per moment and a column per name in the column `by`."""
    by_time: dict[Any, dict[str, Row]] = {}
    for row in rows:
        by_time.setdefault(row["timestamp"], {})[row[by]] = row
    body = []
    for _, found in sorted(by_time.items()):
        cells = [_cell(next(iter(found.values())).show("timestamp", "moment"), "moment")]
        cells += [_cell(found[name].show("value", kind) if name in found else "", kind) for name in names]
        body.append(cells)
    head = f"Last sample of each {period.removeprefix('1 ')} (UTC)"
    return grid([(head, "moment"), *((name, kind) for name in names)], body, caption)


def figures(rows: Sequence[tuple[str, Row, str]], figures: Sequence[Measure], caption: str) -> str:
    """A line per figure, a column for each of `rows`: its head, the row, and what its kinds begin with (or nothing).

    The meaning stands under the name, or at the end of the line where there is room.
    """
    body, room = [], len(rows) == 1
    for figure in figures:
        meaning = f'<span class="meaning">{html.escape(figure.meaning)}</span>' if figure.meaning else ""
        cells = [_cell(row.show(figure.column, prefix + figure.kind), figure.kind) for _, row, prefix in rows]
        name = html.escape(figure.name)
        line = [f'<th scope="row">{name}</th>', *cells, _cell(meaning, "text")] if room else []
        body.append(line or [f'<th scope="row">{name}{meaning}</th>', *cells])
    heads = [("", "text"), *((head, "number") for head, _, _ in rows), *([("", "text")] if room else [])]
    return grid(heads, body, caption)


def plain(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table of words."""
    body = [[_cell(html.escape(value), "text") for value in row] for row in rows]
    return grid([(head, "text") for head in heads], body, caption, "table words")


def grid(heads: Sequence[tuple[str, str]], body: Sequence[Sequence[str]], caption: str, style: str = "table") -> str:
    """The table itself: heads with the kind of what is under them, and lines of finished cells."""
    head = "".join(f'<th scope="col"{_side(kind)}>{html.escape(text)}</th>' for text, kind in heads)
    top = f"<thead><tr>{head}</tr></thead>\n" if any(text for text, _ in heads) else ""
    lines = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in body)
    return (
        f'<div class="{style}" tabindex="0" role="group" aria-label="{html.escape(caption)}"><table>'
        f'<caption class="unseen">{html.escape(caption)}</caption>'
        f"{top}<tbody>\n{lines}\n</tbody></table></div>"
    )


def _cell(content: str, kind: str) -> str:
    return f"<td{_side(kind)}>{content}</td>"


def _side(kind: str) -> str:
    return "" if kind in _WORDS else ' class="n"'
