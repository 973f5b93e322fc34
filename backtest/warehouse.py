"""DuckDB over run directories: the raw tables, the tables of the on-chain data vendors, and macros per period.

Every view and macro is one file in `sql/`. All of them carry a `run` column, for one run as for many, so a query
written for one run compares many without a change. Reading a run makes views over its Parquet files; exporting makes
tables of the same names, under the same views and macros.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from backtest import columns, render
from backtest.errors import PerpoolError
from backtest.rundir import load_manifest, rules_of
from backtest.snapshots import book_files

SQL = Path(__file__).parent / "sql"
# In order of dependence.
FIRST = ("period_start", "micro_usd", "closing_samples")
VIEWS = (
    "runs",
    "stages",
    "pool",
    "rejections",
    "pending",
    "trades",
    "fees",
    "rewards",
    "liquidations",
    "open_interest",
    "overview",
    "headlines",
)
# Over the macros: the figures of `perpool metrics`, and what they are made of.
FIGURES = ("daily_returns", "drawdowns", "metrics")
MAPS = ("liquidation_map",)  # per step of the price, not per period
MACROS = (
    "revenue",
    "exposure",
    "utilisation",
    "lp_returns",
    "attribution",
    "trader_pnl",
    "liquidations_by",
)
BASE = (
    "book",
    "events",
    "positions",
    "markets",
    "lp",
    "custodies",
    "market_custodies",
    "rules",
    "rules_custodies",
    "manifests",
)
# Mechanisms that decide how results are to be read, and what a run without the choice does.
_VARIANTS = {"fee_booking": "debt", "margin": "separate", "trade_price": "oracle", "valuation": "collective"}
# Files whose public view adds or hides something; the file itself is then raw.<name>.
_WRAPPED = {"pool", "rejections"}
# Types of columns.Column.kind as Parquet files bring them.
_SQL_TYPES = {"timestamp": "TIMESTAMPTZ", "usd": "DECIMAL(18, 6)", "price": "DECIMAL(18, 10)", "code": "VARCHAR"}


class Run(NamedTuple):
    """One run directory: the name that tells it apart, its path and its manifest."""

    name: str
    path: Path
    manifest: dict[str, Any]


def open_run(*paths: Path | str) -> duckdb.DuckDBPyConnection:
    """In-memory DuckDB with all views and macros over the given run directories.

    Raises PerpoolError when a path is no run directory or its files cannot be read.
    """
    runs = load_runs(paths)
    con = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    install(con, runs, copy=False)
    return con


def load_runs(paths: Sequence[Path | str]) -> list[Run]:
    """The manifests of the given directories, each under the shortest name that is unique among them."""
    resolved = [Path(path).resolve() for path in paths]
    if len(set(resolved)) < len(resolved):
        raise PerpoolError("the same run directory is given twice; give each run once")
    found = [(path, load_manifest(Path(given))) for path, given in zip(resolved, paths, strict=True)]
    return [Run(name, path, manifest) for name, (path, manifest) in zip(_unique_names(resolved), found, strict=True)]


def _unique_names(paths: Sequence[Path]) -> list[str]:
    return [_shortest(path, [other for other in paths if other != path]) for path in paths]


def _shortest(path: Path, others: Sequence[Path]) -> str:
    for depth in range(1, len(path.parts)):
        if all(other.parts[-depth:] != path.parts[-depth:] for other in others):
            return "/".join(path.parts[-depth:])
    return str(path)


def install(con: duckdb.DuckDBPyConnection, runs: Sequence[Run], *, copy: bool) -> None:
    """Create tables, views and macros for `runs`; `copy` puts the rows into the database, else views read the files."""
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA IF NOT EXISTS raw")
        for table in columns.TABLES:
            target = f"raw.{table}" if table in _WRAPPED else table
            con.execute(f"CREATE {'TABLE' if copy else 'VIEW'} {target} AS {_union(runs, table)}")
        con.execute(f"CREATE {'TABLE' if copy else 'VIEW'} book AS {_snapshots(runs)}")
        _describe(con, runs)
        _prices(con, runs, copy)
        for name in (*FIRST, *VIEWS, *MACROS, *MAPS, *FIGURES):
            con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    except duckdb.Error as error:
        raise PerpoolError(f"cannot open {_listed(runs)}: {one_line(error)}; run the backtest again") from error
    except KeyError as error:
        raise PerpoolError(f"cannot open {_listed(runs)}: manifest lacks {error}; run the backtest again") from error


def _listed(runs: Sequence[Run]) -> str:
    return ", ".join(str(run.path) for run in runs)


def _union(runs: Sequence[Run], table: str) -> str:
    parts = (f"SELECT {_text(run.name)} AS run, * FROM {_scan([run.path / f'{table}.parquet'])}" for run in runs)
    return " UNION ALL BY NAME ".join(parts)


def _snapshots(runs: Sequence[Run]) -> str:
    """Every snapshot of every run; no rows, but all columns, where there is none."""
    spec = columns.SPECS[columns.BOOK]
    none = ", ".join(f"CAST(NULL AS {_SQL_TYPES.get(column.kind, 'BIGINT')}) AS {column.name}" for column in spec)
    parts = [f"SELECT CAST(NULL AS VARCHAR) AS run, {none} WHERE false"]
    found = ((run.name, book_files(run.path)) for run in runs)
    parts += [f"SELECT {_text(name)} AS run, * FROM {_scan(files)}" for name, files in found if files]
    return " UNION ALL BY NAME ".join(parts)


def _scan(files: Sequence[Path]) -> str:
    """read_parquet over exactly these files: a `*` or `[` in a name is a character, not a pattern."""
    literal = (_text("".join(f"[{c}]" if c in "*?[" else c for c in str(file))) for file in files)
    return f"read_parquet([{', '.join(literal)}], union_by_name = true)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _describe(con: duckdb.DuckDBPyConnection, runs: Sequence[Run]) -> None:
    """What the manifests say, as tables: manifests, custodies, market_custodies, rules, rules_custodies."""
    con.execute("CREATE TABLE manifests (run VARCHAR, manifest JSON)")
    con.execute(
        "CREATE TABLE custodies (run VARCHAR, custody VARCHAR, price_symbol VARCHAR, decimals INTEGER, unit BIGINT, "
        "stable BOOLEAN, conf_bps INTEGER)"
    )
    con.execute(
        "CREATE TABLE market_custodies (run VARCHAR, market VARCHAR, price_symbol VARCHAR, long_custody VARCHAR, "
        "short_custody VARCHAR)"
    )
    for run in runs:
        m = run.manifest
        con.execute("INSERT INTO manifests VALUES (?, ?)", [run.name, json.dumps(m, ensure_ascii=False)])
        for c in m["custodies"]:
            row = [run.name, c["symbol"], c.get("price") or c["symbol"], c["decimals"], 10 ** c["decimals"]]
            row += [bool(c["stable"]), c.get("conf_bps", 0)]
            con.execute("INSERT INTO custodies VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        for k in m["markets"]:
            row = [run.name, k["symbol"], k.get("price") or k["symbol"], k["long_custody"], k["short_custody"]]
            con.execute("INSERT INTO market_custodies VALUES (?, ?, ?, ?, ?)", row)
    _rules(con, runs)


def _rules(con: duckdb.DuckDBPyConnection, runs: Sequence[Run]) -> None:
    """The variants and bands that the results are read by, as the run began (change 0) and after each dated change."""
    con.execute(
        "CREATE TABLE rules (run VARCHAR, change BIGINT, fee_booking VARCHAR, margin VARCHAR, trade_price VARCHAR, "
        "valuation VARCHAR, lp_share_joins BOOLEAN, unrealised_in_aum BOOLEAN)"
    )
    con.execute(
        "CREATE TABLE rules_custodies (run VARCHAR, change BIGINT, custody VARCHAR, conf_bps INTEGER, peg VARCHAR)"
    )
    for run in runs:
        for change, protocol in enumerate(rules_of(run.manifest)):
            found = [protocol.get(table) or {} for table in ("mechanisms", "fees", "pool")]
            row: list[Any] = [found[0].get(name, default) for name, default in _VARIANTS.items()]
            counted = found[0].get("valuation") != "collective_min_max" or bool(found[2].get("unrealised_in_aum"))
            row += [bool(found[1].get("lp_share_joins")), counted]
            con.execute("INSERT INTO rules VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [run.name, change, *row])
            for custody in protocol.get("custody") or run.manifest["custodies"]:
                values = [custody["symbol"], custody.get("conf_bps", 0), custody.get("peg", "none")]
                con.execute("INSERT INTO rules_custodies VALUES (?, ?, ?, ?, ?)", [run.name, change, *values])


def _prices(con: duckdb.DuckDBPyConnection, runs: Sequence[Run], copy: bool) -> None:
    """`prices` over the price files of the runs, when every one of them can still be read."""
    parts = []
    for run in runs:
        files = price_files(run)
        if not files:
            return
        parts.append(f"SELECT {_text(run.name)} AS run, * FROM {_scan(files)}")
    con.execute(f"CREATE {'TABLE' if copy else 'VIEW'} prices AS {' UNION ALL BY NAME '.join(parts)}")


def price_files(run: Run) -> list[Path]:
    """The Parquet files that the manifest names as prices, or none when one of them is gone."""
    found = []
    for entry in run.manifest.get("inputs", ()):
        if not isinstance(entry, Mapping) or entry.get("role") != "prices":
            continue
        path = Path(str(entry["path"]))
        places = [path] if path.is_absolute() else [path, run.path / path]
        present = next((place for place in places if place.is_file() and place.suffix == ".parquet"), None)
        if present is None:
            return []
        found.append(present)
    return found


def query(paths: Sequence[Path | str], sql: str, fmt: str = "table") -> Iterator[bytes]:
    """Run `sql` over the runs; yields the result as `table`, `csv`, `json` or `parquet`, piece by piece.

    Raises PerpoolError with DuckDB's message in one line and the names that could have been meant.
    """
    if fmt not in render.FORMATS:
        raise PerpoolError(f"unknown format {fmt!r}; choose one of {', '.join(render.FORMATS)}")
    con = open_run(*paths)
    try:
        relation = con.sql(sql)
        if relation is not None:
            yield from render.FORMATS[fmt](relation.to_arrow_reader(65_536))
    except duckdb.Error as error:
        raise PerpoolError(explain(con, error)) from error
    finally:
        con.close()


def explain(con: duckdb.DuckDBPyConnection, error: duckdb.Error) -> str:
    """One line for a failed query, with the tables and macros there are when a name was not found."""
    message = one_line(error).rstrip(".")
    if isinstance(error, duckdb.CatalogException):
        has_prices = con.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'prices'").fetchall()[0][0]
        tables = sorted((*BASE, *VIEWS, *FIGURES, *(("prices",) if has_prices else ())))
        message += "" if message[-1] in "?!" else "."
        message += f" Tables: {', '.join(tables)}. Per period, as in FROM revenue('1 day'): {', '.join(MACROS)}"
    elif isinstance(error, duckdb.BinderException):
        message += "; DESCRIBE <table> lists its columns"
    elif isinstance(error, duckdb.ConversionException) and re.search("interval|extract specifier", message):
        message += "; a period is an interval such as '1 hour', '1 day', '1 week' or '1 month'"
    return message


def one_line(error: Exception) -> str:
    """DuckDB's message without the echo of the query."""
    text = str(error).split("\n\nLINE ", 1)[0].split("\nLINE ", 1)[0]
    return " ".join(text.split())
