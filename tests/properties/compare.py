"""Two results must agree on everything, to the unit."""

from collections.abc import Callable
from typing import Any

from tests.case import Result

Row = dict[str, int]


def _by_order(row: Row) -> tuple[int, ...]:
    return (row["order_id"], row["action"], row["reason"])


# Rows that have no order of their own are compared sorted.
_KEYS: dict[str, Callable[[Row], Any]] = {"rejections": _by_order}


def assert_same(left: Result, right: Result) -> None:
    """Every event, row, sample and final state equal; the first difference is shown with its neighbours."""
    for table in ("events", "rejections", "positions", "pool_samples", "market_samples", "lp_samples"):
        a, b = getattr(left, table), getattr(right, table)
        if table in _KEYS:
            a, b = sorted(a, key=_KEYS[table]), sorted(b, key=_KEYS[table])
        for i, (x, y) in enumerate(zip(a, b, strict=False)):
            assert x == y, f"{table}[{i}] differs: {_difference(x, y)} in {x}"
        assert len(a) == len(b), f"{table}: {len(a)} against {len(b)} rows; next {(a[len(b) :] or b[len(a) :])[0]}"
    for table in ("custodies", "interest", "sides", "funding"):
        for i, (x, y) in enumerate(zip(getattr(left, table), getattr(right, table), strict=True)):
            assert x == y, f"{table}[{i}] differs: {_difference(x, y)}"
    assert left.pool == right.pool, _difference(left.pool, right.pool)
    assert len(left.book) == len(right.book)
    by_id = [sorted(book, key=lambda row: row["position_id"]) for book in (left.book, right.book)]
    for x, y in zip(*by_id, strict=True):
        assert not (d := _difference(x, y)), f"open row differs: {d}"


def _difference(x: Row, y: Row) -> dict[str, tuple[int, int]]:
    return {name: (x[name], y[name]) for name in x if name in y and x[name] != y[name]}
