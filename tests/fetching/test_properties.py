"""Whatever the exchange lacks and however often it fails or is interrupted, the dataset is what the exchange has."""

import tempfile
from contextlib import suppress
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.errors import PerpoolError
from backtest.fetching.pages import FOLDER
from tests.fetching.exchange_server import Server, cut_body, cut_json, instead, refusal, reset, series
from tests.fetching.fetches import T0_MS, assert_holds, bring, minute

ROWS = 120
BAD_DAYS = (refusal(429), refusal(502, ""), cut_json, cut_body, reset, instead(lambda rows: rows[::-1]))


@st.composite
def markets(draw):
    """Candles with some missing, but the first and the last."""
    missing = draw(st.sets(st.integers(1, ROWS - 2), max_size=ROWS // 2))
    return [row for number, row in enumerate(series(T0_MS, ROWS)) if number not in missing]


calls = st.tuples(st.integers(0, ROWS - 1), st.integers(1, ROWS), st.integers(0, 3)).filter(
    lambda call: call[0] < call[1]
)


@settings(max_examples=30, deadline=None)
@given(
    rows=markets(),
    windowed=st.booleans(),
    page=st.integers(7, 50),
    bad_days=st.dictionaries(st.integers(0, 20), st.sampled_from(BAD_DAYS), max_size=6),
    interrupted=st.lists(calls, max_size=3),
)
def test_the_dataset_is_what_the_exchange_has(rows, windowed, page, bad_days, interrupted):
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(rows, page=page, now_ms=minute(ROWS), windowed=windowed) as server,
        mock.patch("tests.fetching.fetches.PAGE", 25),
    ):
        out = Path(folder)
        server.bad_days = dict(bad_days)
        for first, after, retries in interrupted:  # without enough patience, or for another span
            with suppress(PerpoolError):
                bring(server, out, first, after, retries=retries)
        result = bring(server, out, 0, ROWS)
        assert_holds(out, rows)
        assert not (out / FOLDER).exists()
        assert (result.rows, result.missing) == (len(rows), ROWS - len(rows))
