"""What every open position is worth at the last tick, to the micro-dollar that a close at that tick would settle."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backtest.columns import BOOK, Labels, to_table
from backtest.engine import Engine
from backtest.snapshots import in_order
from kernels import state, worth


def marks(engine: Engine) -> npt.NDArray[Any]:
    """One record (kernels.state.MARK) per open position, book by book, within a book in no order."""
    found = np.empty(int(engine.venue.side["open_positions"].sum()), state.MARK)
    worth.mark_open(engine.venue, engine.books, found)
    return found


def mark_book(engine: Engine, labels: Labels) -> pa.Table:
    """One row per open position, by market, side and position_no, as of the last tick that the engine has run.

    The columns are those of the table `book` in backtest.columns. Reads the engine, changes nothing.
    """
    return to_table(BOOK, in_order(marks(engine)), labels)
