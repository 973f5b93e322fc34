"""Run a Case through the engine: the fast twin of tests.reference.run."""

from itertools import pairwise

import numpy as np

from backtest.engine import Engine, make_venue
from kernels import codes, state
from tests.case import Case, Result


def to_ticks(case: Case) -> state.Ticks:
    return state.Ticks(
        np.array([t for t, _, _ in case.ticks], np.int64),
        np.array([p for _, p, _ in case.ticks], np.int64),
        np.array([f for _, _, f in case.ticks], np.uint8),
    )


def to_orders(rows: list[dict[str, int]]) -> state.Orders:
    columns = [np.array([row[name] for row in rows], np.int64) for name in state.Orders._fields]
    for column in columns:
        column.flags.writeable = False
    return state.Orders(*columns)


def to_dicts(records: np.ndarray) -> list[dict[str, int]]:
    return [{name: int(record[name]) for name in records.dtype.names} for record in records]


def only(records: np.ndarray, dtype: np.dtype) -> list[dict[str, int]]:
    return [{name: int(record[name]) for name in dtype.names} for record in records]


def run_case(
    case: Case,
    *,
    scan: bool = False,
    chunk: int | None = None,
    buffer_rows: int = 4096,
    capacity: int = 32,
) -> Result:
    """`chunk` splits the ticks; tiny buffers and capacities force the loop to leave and resume."""
    tables: dict[str, list[dict[str, int]]] = {
        name: [] for name in ("events", "positions", "rejections", "pool", "markets", "lp")
    }
    venue = make_venue(case.custodies, case.markets, case.pool)
    engine = Engine(
        venue,
        lambda table, records: tables[table].extend(to_dicts(records)),
        scan=scan,
        buffer_rows=buffer_rows,
        capacity=capacity,
    )
    ticks = to_ticks(case)
    engine.start(ticks, case.genesis)
    n, done = len(case.ticks), 0
    changes = {change.tick: (number, change) for number, change in enumerate(case.changes, 1)}
    cuts = sorted({*range(0, n, chunk or n), *changes, n})
    for first, after in pairwise(cuts):
        if first in changes:
            number, change = changes[first]
            time_us = int(ticks.time_us[first])
            engine.apply(change.custodies, change.markets, change.pool, time_us=time_us, number=number)
        part = state.Ticks(*(np.ascontiguousarray(column[first:after]) for column in ticks))
        rows = [o for o in case.orders[done:] if o["due_us"] <= int(part.time_us[-1])]
        assert engine.run(part, to_orders(rows), is_last=after == n) == len(rows)
        done += len(rows)
    engine.finish()
    for order in case.orders[done:]:
        tables["rejections"].append(
            {
                "timestamp": case.ticks[-1][0],
                "order_id": order["order_id"],
                "position_id": order["position_id"],
                "action": order["action"],
                "reason": codes.NOT_DUE,
                "outcome": 1,
            }
        )
    used = engine.books.row[engine.books.row["status"] != codes.FREE]
    used = used[np.lexsort((used["position_no"], used["book"]))]
    return Result(
        events=tables["events"],
        positions=tables["positions"],
        rejections=tables["rejections"],
        pool_samples=tables["pool"],
        market_samples=tables["markets"],
        lp_samples=tables["lp"],
        custodies=only(venue.custody, state.CUSTODY),
        interest=only(venue.interest, state.INTEREST),
        sides=only(venue.side, state.SIDE),
        funding=only(venue.market, state.FUNDING_STATE),
        pool=only(venue.pool, state.POOL)[0],
        book=only(used, state.ROW),
    )
