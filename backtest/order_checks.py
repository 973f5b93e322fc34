"""A batch of rows under inspection: which values are there, and the first row at fault.

The checks here need no values, only whether a field is there: required, of no use, exclusive, unreadable.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from backtest.order_schema import BY_NAME, CHOICES, COLUMNS, Choice, Column, Names
from backtest.price_files import PER_SECOND, iso
from kernels import codes

Int = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class Batch:
    """Rows of one file, read column by column, and the first fault found in them so far.

    `cells` holds only columns with at least one value, so a column that is missing and one that is null
    throughout are the same thing.
    """

    cells: dict[str, pa.Array]
    n_rows: int
    names: Names
    fault_row: int = -1
    fault: tuple[str, str] = ("", "")
    action: Int = field(default_factory=lambda: np.empty(0, np.int64))
    _present: dict[str, Mask] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pa.RecordBatch, names: Names) -> "Batch":
        """Wrap a record batch whose schema has been checked."""
        pairs = zip(rows.schema.names, rows.columns, strict=True)
        return cls({name: cells for name, cells in pairs if cells.null_count < rows.num_rows}, rows.num_rows, names)

    def flag(self, bad: Mask, column: str, problem: str | Callable[[int], str]) -> None:
        """Remember the first row of `bad` unless an earlier or equal row is already at fault."""
        row = int(bad.argmax()) if bad.size else 0
        if bad.size and bad[row] and (self.fault_row < 0 or row < self.fault_row):
            self.fault_row = row
            self.fault = (column, problem if isinstance(problem, str) else problem(row))

    def present(self, column: str) -> Mask:
        """Rows with a value, shape (n,)."""
        if column not in self._present:
            cells = self.cells.get(column)
            if cells is None:
                mask = np.zeros(self.n_rows, np.bool_)
            elif cells.null_count == 0:
                mask = np.ones(self.n_rows, np.bool_)
            else:
                mask = np.asarray(cells.is_valid().to_numpy(zero_copy_only=False))
            self._present[column] = mask
        return self._present[column]

    def shown(self, column: str, row: int) -> str:
        """The value as the file has it, with its unit."""
        unit, cell = BY_NAME[column].unit, self.cells[column][row]
        if BY_NAME[column].kind == "time":  # as_py cannot show every instant
            return iso(cell.cast(pa.int64()).as_py() * 1_000_000 // PER_SECOND[cell.type.unit])
        value = cell.as_py()
        text = repr(value) if isinstance(value, str) else str(value)
        return f"{text} {unit}" if unit else text

    def action_name(self, row: int) -> str:
        return codes.ACTIONS[self.action[row]]


def mandatory(batch: Batch) -> None:
    for name in ("timestamp", "order_id", "action"):
        batch.flag(~batch.present(name), name, "is null; every order needs one")


def actions_mask(actions: frozenset[str] | tuple[str, ...]) -> Mask:
    return np.array([name in actions for name in codes.ACTIONS])


def usage(batch: Batch) -> None:
    """Fields that an action needs and lacks, has no use for, or that cannot be read without another."""
    for column in COLUMNS:
        _required(batch, column)
        if column.name in batch.cells:
            _useful(batch, column)
            for other in column.needs:
                _readable(batch, column, other)


def _required(batch: Batch, column: Column) -> None:
    batch.flag(
        actions_mask(column.required)[batch.action] & ~batch.present(column.name),
        column.name,
        lambda row: f"is null, but action '{batch.action_name(row)}' needs it; fill it in",
    )


def _useful(batch: Batch, column: Column) -> None:
    def problem(row: int) -> str:
        shown = batch.shown(column.name, row)
        return f"{shown} is given, but action '{batch.action_name(row)}' has no use for it; leave it null"

    useless = batch.present(column.name) & ~actions_mask(column.used_by)[batch.action]
    batch.flag(useless, column.name, problem)


def _readable(batch: Batch, column: Column, other: str) -> None:
    def problem(row: int) -> str:
        shown = batch.shown(column.name, row)
        return f"{shown} cannot be read without '{other}', which is null; {_needs_hint(column.name)}"

    batch.flag(batch.present(column.name) & ~batch.present(other), column.name, problem)


def _needs_hint(column: str) -> str:
    if column == "collateral":
        return "give market and side (they decide the token), or collateral_usd instead"
    if column == "collateral_custody":
        return "give market and side, or leave it null"
    return "fill it in"


def choices(batch: Batch) -> None:
    """Fields of which an action takes exactly one, or at least one."""
    for choice in CHOICES:
        _choice(batch, choice)


def _choice(batch: Batch, choice: Choice) -> None:
    first = choice.columns[0]
    given = np.array([batch.present(name) for name in choice.columns])
    concerned = actions_mask(choice.actions)[batch.action]

    def none(row: int) -> str:
        others = choice.others(first)
        names = " and ".join(f"'{name}'" for name in others)
        also = "is" if len(others) == 1 else "are"
        return f"is null and so {also} {names}; action '{batch.action_name(row)}' needs {choice.text}"

    def beside(name: str, row: int) -> str:
        other = next(other for other in choice.others(name) if batch.present(other)[row])
        return (
            f"{batch.shown(name, row)} is given beside {other} {batch.shown(other, row)}; "
            f"action '{batch.action_name(row)}' takes {choice.text}: set the other to null"
        )

    batch.flag(concerned & ~given.any(axis=0), first, none)
    if not choice.several:
        for name, present in zip(choice.columns[:-1], given[:-1], strict=True):
            batch.flag(concerned & present & (given.sum(axis=0) > 1), name, partial(beside, name))
