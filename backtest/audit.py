"""Proof of a run from its files alone: every identity of the books, in SQL, on every event and at every sample.

One file of `sql/audit/` is one check: its first comment line says what holds, its query returns the rows where it does
not. The last check reads the files back to the integers that the engine wrote and hashes them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from backtest import warehouse
from backtest.errors import PerpoolError
from backtest.rundir import labels_of, result_hash
from backtest.tablefile import read_digests

SQL = warehouse.SQL / "audit"
SAMPLE = 5  # offending rows shown per check
_COUNTED = 1_000  # offending rows counted per check

# First what one event must satisfy, then what sums of events must, then what follows for the LPs.
CHECKS = (
    "event_order",
    "token_flow",
    "fee_split",
    "fee_reserve",
    "pooled_margin",
    "paid_in",
    "exit_payout",
    "owned_value",
    "quiet_events",
    "custody_books",
    "solvency",
    "asset_values",
    "lp_supply",
    "lp_accounts",
    "fee_debt",
    "positions",
    "position_lives",
    "open_locks",
    "open_interest",
    "unrealised",
    "guaranteed_longs",
    "orders",
    "attribution_sum",
    "attribution_sources",
    "rounding",
)


class Check(NamedTuple):
    """One check: what holds, whether it does, and up to SAMPLE rows where it does not."""

    name: str
    passed: bool
    detail: str
    rows: list[dict[str, Any]]


def audit(path: Path | str) -> list[Check]:
    """All checks of one run directory. Raises PerpoolError when it cannot be read at all."""
    runs = warehouse.load_runs([path])
    con = warehouse.open_run(path)
    try:
        con.execute((SQL / "prepare.sql").read_text(encoding="utf-8"))
        checks = [_check(con, name) for name in CHECKS]
    except duckdb.Error as error:
        raise PerpoolError(f"{path}: the audit cannot read the tables: {warehouse.one_line(error)}") from error
    finally:
        con.close()
    return [*checks, _files(runs[0])]


def _check(con: duckdb.DuckDBPyConnection, name: str) -> Check:
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    holds = text.split("\n", 1)[0].removeprefix("-- ")
    found = con.sql(f"SELECT * FROM (\n{text}) LIMIT {_COUNTED}").to_arrow_table()
    if found.num_rows == 0:
        return Check(name, True, holds, [])
    count = f"{found.num_rows}{'+' if found.num_rows == _COUNTED else ''}"
    return Check(
        name, False, f"{holds}: not so in {count} row{'' if count == '1' else 's'}", found[:SAMPLE].to_pylist()
    )


def _files(run: warehouse.Run) -> Check:
    """The files hold the very integers that were hashed when the run was written."""
    holds = "the files hash to the result_hash of the manifest"
    manifest = run.manifest
    rows = []
    try:
        digests = read_digests(run.path, labels_of(manifest))
        for table, digest in digests.items():
            if manifest["tables"][table]["sha256"] != digest:
                rows.append({"table": table, "manifest": manifest["tables"][table]["sha256"], "file": digest})
        if not rows and result_hash(digests) != manifest["result_hash"]:
            rows.append({"table": "all", "manifest": manifest["result_hash"], "file": result_hash(digests)})
    except (PerpoolError, KeyError, OSError) as error:
        rows.append({"table": "unreadable", "manifest": None, "file": str(error)})
    detail = holds if not rows else f"{holds}: not so, {', '.join(row['table'] for row in rows)} changed since"
    return Check("result_hash", not rows, detail, rows)


def report(checks: list[Check]) -> Iterator[str]:
    """The checks as lines of text, with the offending rows under what failed."""
    width = max(len(check.name) for check in checks)
    for check in checks:
        yield f"{'ok  ' if check.passed else 'FAIL'} {check.name:<{width}}  {check.detail}"
        for row in check.rows:
            yield f"     {', '.join(f'{name}={value}' for name, value in row.items() if value is not None)}"
    failed = sum(not check.passed for check in checks)
    yield f"{len(checks) - failed} of {len(checks)} checks passed"
