"""A coarser clock: candles merged, or the last price of every interval."""

import numpy as np

from backtest.errors import UsageError
from backtest.synthetic.tracks import Track, told


def resampled(symbol: str, track: Track, every_us: int) -> Track:
    """`track` with one row per interval of `every_us`, counted from 1970 in UTC; intervals without rows have none.

    Candles: those that open in [t, t + every) become the candle at t: first open, highest high, lowest low, last
    close, sum of volumes. Prices: the last of (t - every, t] becomes the price at t, which so knows nothing of the
    future. What a row has beside its price is that of the last row. Raises UsageError for a finer clock.
    """
    if every_us < track.step_us or (track.candles and every_us % track.step_us):
        raise UsageError(
            f"--every {told(every_us)} is not possible: {symbol} has a row every {told(track.step_us)}; "
            "give a whole multiple of that"
        )
    interval = track.times // every_us if track.candles else -(-track.times // every_us)
    begins = np.flatnonzero(np.diff(interval, prepend=interval[0] - 1))
    ends = np.append(begins[1:], len(interval)) - 1
    columns = {name: values[ends] for name, values in track.columns.items()}
    if track.candles:
        columns["open"] = track.columns["open"][begins]
        columns["high"] = np.maximum.reduceat(track.columns["high"], begins)
        columns["low"] = np.minimum.reduceat(track.columns["low"], begins)
    if "volume" in columns:
        columns["volume"] = np.add.reduceat(track.columns["volume"], begins)
    return Track(interval[ends] * every_us, columns, every_us)
