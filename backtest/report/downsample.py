"""Fewer points for a picture, without losing what it is looked at for: the extremes stay."""

import numpy as np
import numpy.typing as npt

BUCKETS = 600  # stretches of time per picture: one or two pixels each


def extremes(times: npt.NDArray[np.int64], values: npt.NDArray[np.float64], buckets: int) -> npt.NDArray[np.intp]:
    """Which points to draw: the first, lowest, highest and last of each of `buckets` equal stretches of time.

    `times` rise; no value is NaN. Returns rising indices, all of them where there are no more than four per stretch.
    """
    if len(times) <= 4 * buckets:
        return np.arange(len(times))
    stretch = (times - times[0]) * buckets // (times[-1] - times[0] + 1)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    last = np.append(first[1:], len(times)) - 1
    by_value = np.lexsort((values, stretch))  # within each stretch from the lowest to the highest
    return np.unique(np.concatenate((first, by_value[first], by_value[last], last)))
