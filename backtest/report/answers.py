"""What a page asks of its runs: every query once, by name, and every number of an answer marked with where it is from.

A query is a file of `sql/report/`; `{name}` in it stands for another one or for a parameter of the page.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl

from backtest import render, warehouse
from backtest.report import formats

SQL = warehouse.SQL / "report"
_LEVELS = """-- {name}.levels: the last value of every series of `{name}` in each period of {period}.
SELECT run, series, max(timestamp) AS timestamp, arg_max(value, timestamp) AS value
FROM (
{query}
)
WHERE value IS NOT NULL
GROUP BY run, series, period_start('{period}', timestamp - INTERVAL 1 MICROSECOND)
ORDER BY run, timestamp, series
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer: the query's name, the row's number in it, and its values by column."""

    query: str
    number: int
    values: dict[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    def show(self, column: str, kind: str) -> str:
        """The value as HTML, in the way of `formats.SHOW[kind]`, marked with the query, row and column it is from."""
        value = self.values[column]
        text = html.escape(formats.show(kind, value))
        source = f"{self.query}/{self.number}/{column}"
        exact = html.escape(render.as_json(value).strip('"'))
        return f'<span data-sql="{source}" data-value="{exact}" data-as="{kind}">{text}</span>'


@dataclass
class Answers:
    """The runs behind a page; `parameters` fill the queries, `asked` are those that the page has used."""

    con: duckdb.DuckDBPyConnection
    parameters: dict[str, str]
    asked: dict[str, str] = field(default_factory=dict)
    _known: dict[str, list[Row]] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def rows(self, name: str) -> list[Row]:
        """All rows of a query; what was asked before is not asked again."""
        if name not in self._known:
            self._known[name] = self._numbered(name, self.text(name), self._quick(name))
        return self._known[name]

    def row(self, name: str) -> Row:
        """The only row of a query."""
        (found,) = self.rows(name)
        return found

    def frame(self, name: str) -> pl.DataFrame:
        """A query of columns run, series, timestamp and value, as floats for a picture; without rows of no value."""
        self.asked[name] = self.text(name)
        found = pl.DataFrame(self.con.sql(self._from_table(name)).to_arrow_table())
        return found.with_columns(pl.col("value").cast(pl.Float64)).drop_nulls("value").sort("timestamp")

    def levels(self, name: str) -> list[Row]:
        """The last value of each series in every period, for the table behind a picture."""
        shown, run = (
            _LEVELS.format(name=name, period=self.parameters["period"], query=query)
            for query in (self.text(name), self._from_table(name))
        )
        return self._numbered(f"{name}.levels", shown, run)

    def text(self, name: str) -> str:
        """The whole text of a query, other queries and parameters put in."""
        return self._filled(name, self.text)

    def _quick(self, name: str) -> str:
        """The same query over tables of what it is made of."""
        return self._filled(name, self._from_table)

    def _filled(self, name: str, other: Callable[[str], str]) -> str:
        source = (SQL / f"{name}.sql").read_text(encoding="utf-8").strip()
        return re.sub(r"\{(\w+)\}", lambda found: self.parameters.get(found[1]) or other(found[1]), source)

    def _from_table(self, name: str) -> str:
        """A query's answer as a temporary table, filled once: several others are made of it."""
        if name not in self._kept:
            self.con.execute(f"CREATE TEMP TABLE answer_{name} AS {self._quick(name)}")
            self._kept.add(name)
        return f"SELECT * FROM answer_{name}"

    def _numbered(self, name: str, shown: str, run: str) -> list[Row]:
        self.asked[name] = shown
        found = self.con.sql(run).to_arrow_table().to_pylist()
        return [Row(name, number, values) for number, values in enumerate(found)]


def marks(page: str) -> Iterator[tuple[str, int, str, str, str, str]]:
    """Every marked number of a page: query, row, column, exact value, kind, and the text that is shown."""
    pattern = r'<span data-sql="([^"/]+)/(\d+)/([^"]+)" data-value="([^"]*)" data-as="(\w+)">(.*?)</span>'
    for query, row, column, value, kind, text in re.findall(pattern, page):
        yield query, int(row), column, html.unescape(value), kind, html.unescape(text)
