"""The stationary block bootstrap of Politis and Romano (1994), of all symbols at once.

Blocks begin anywhere in the history with equal chance, have geometric lengths, and go on at the beginning where the
history ends. All symbols take the same rows, so what moved together still does.
"""

from collections.abc import Mapping

import numpy as np

from backtest.price_files import Ints, Places
from backtest.synthetic.tracks import Track


def draw(rng: np.random.Generator, rows: int, steps: int, mean_block: float) -> Places:
    """Which of 0 .. steps - 1 follow each other, (rows,): blocks of `mean_block` steps on average, 1 or more."""
    begins = rng.random(rows) < 1 / mean_block
    begins[:1] = True
    block = np.cumsum(begins) - 1
    starts = rng.integers(0, steps, size=int(begins.sum()))
    within = np.arange(rows) - np.flatnonzero(begins)[block]
    return np.asarray((starts[block] + within) % steps, np.intp)


def follow(history: Mapping[str, Track], times: Ints, steps: Places) -> dict[str, Track]:
    """The history's first row, then those at the end of `steps`, each scaled to go on where the one before ended.

    history: rows at common times; times: (T,) of the new rows; steps: (T - 1,), step k leads from row k to row k + 1

    A candle keeps its shape and its distance from the close before it: its four prices (and min, max, confidence) are
    multiplied by one number. The volume stays as it was.
    """
    rows = np.append(0, steps + 1)
    found: dict[str, Track] = {}
    for symbol, track in history.items():
        log_close = np.log(track.close)
        moves = np.append(0.0, np.diff(log_close)[steps])
        with np.errstate(over="ignore"):  # what grows beyond any price is refused where the path is checked
            scale = np.exp(np.cumsum(moves) + log_close[0] - log_close[rows])
            picked = track.rows(rows).columns
            columns = {name: values if name == "volume" else values * scale for name, values in picked.items()}
        found[symbol] = Track(times, columns, track.step_us)
    return found
