"""What shocks do to prices: factors on paper, candles that stay candles, and rows that an outage leaves out."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import UsageError
from backtest.synthetic.shock_spec import Shock, parse
from backtest.synthetic.shocks import factor, lay, shaken
from backtest.synthetic.tracks import Track
from tests.shell import MINUTE, T0
from tests.synthetic.histories import candles, prices, random_candles

HOUR = 60 * MINUTE
FLAT = (100.0, 101.0, 99.0, 100.0, 5.0)


def at(minutes: float) -> str:
    return f"@{datetime.fromtimestamp(T0 / 1e6 + 60 * minutes, UTC).isoformat()}"


@pytest.mark.parametrize(
    ("spec", "minutes", "expected"),
    [
        # a ramp of 30 minutes to 40 %: start, a third, half, end, after
        ("-60%:30m", [-1, 0, 10, 15, 30, 31, 1_000], [1, 1, 0.8, 0.7, 0.4, 0.4, 0.4]),
        ("+50%:20m", [0, 5, 20, 21], [1, 1.125, 1.5, 1.5]),
        ("-60%:gap", [-1, 0, 1], [1, 0.4, 0.4]),
        # back to the path within 6 hours of the end of the ramp: after 3 hours half of the fall is left
        ("-60%:30m:recover=6h", [30, 30 + 60, 30 + 180, 30 + 360, 1_000], [0.4, 0.5, 0.7, 1, 1]),
        ("-60%:gap:recover=6h", [-1, 0, 180, 360], [1, 0.4, 0.7, 1]),
        ("-60%:30m:recover=50%/6h", [15, 30, 30 + 180, 30 + 360, 1_000], [0.7, 0.4, 0.55, 0.7, 0.7]),
        ("depeg:-12%:3h:recover=2d", [0, 90, 180, 180 + 1_440, 180 + 2_880], [1, 0.94, 0.88, 0.94, 1]),
    ],
)
def test_factor(spec: str, minutes: list[float], expected: list[float]) -> None:
    times = np.array([T0 + round(minute * MINUTE) for minute in minutes])
    assert factor([parse(f"SOL:{spec}{at(0)}")], times) == pytest.approx(expected, rel=1e-12)


def test_factors_multiply_in_any_order() -> None:
    one, other = parse(f"SOL:-50%:10m{at(0)}"), parse(f"SOL:+20%:gap{at(5)}")
    times = T0 + np.array([0, 4, 5, 10]) * MINUTE
    expected = [1, 0.8, 0.75 * 1.2, 0.6]
    assert factor([one, other], times) == pytest.approx(expected, rel=1e-12)
    assert factor([other, one], times) == pytest.approx(expected, rel=1e-12)


def test_a_gap_is_not_there_just_before() -> None:
    gap = parse(f"SOL:-60%:gap:recover=6h{at(0)}")
    assert factor([gap], np.array([T0]), just_before=True)[0] == 1.0
    assert factor([gap], np.array([T0 + 3 * HOUR]), just_before=True)[0] == pytest.approx(0.7)


def test_prices_and_what_lies_beside_them() -> None:
    track = prices([100.0, 100.0, 100.0])
    track = Track(
        track.times, track.columns | {"min": np.array([99.0, np.nan, 99.0]), "confidence": np.ones(3)}, MINUTE
    )
    found = shaken(track, [parse(f"SOL:-50%:2m{at(0)}")]).columns
    assert found["price"] == pytest.approx([100, 75, 50])
    assert found["min"] == pytest.approx([99, np.nan, 49.5], nan_ok=True)
    assert found["confidence"] == pytest.approx([1, 0.75, 0.5])


@pytest.mark.parametrize(
    ("spec", "start", "expected"),
    [
        # within the second of three candles of a minute: open, high, low, close of all three
        ("-60%:gap", 1, [(100, 101, 99, 100), (40, 40.4, 39.6, 40), (40, 40.4, 39.6, 40)]),
        ("-60%:gap", 1.5, [(100, 101, 99, 100), (100, 101, 39.6, 40), (40, 40.4, 39.6, 40)]),
        ("-60%:1m", 1, [(100, 101, 99, 100), (100, 101, 39.6, 40), (40, 40.4, 39.6, 40)]),
        ("+50%:2m", 0, [(100, 126.25, 99, 125), (125, 151.5, 123.75, 150), (150, 151.5, 148.5, 150)]),
        # down and up again inside one candle: only its low tells
        ("-60%:gap:recover=15s", 1.5, [(100, 101, 99, 100), (100, 101, 39.6, 100), (100, 101, 99, 100)]),
        ("+50%:15s:recover=15s", 1.5, [(100, 101, 99, 100), (100, 151.5, 99, 100), (100, 101, 99, 100)]),
        ("-50%:30s:recover=1m", 1, [(100, 101, 99, 100), (100, 101, 49.5, 75), (75, 101, 74.25, 100)]),
    ],
)
def test_candles_by_hand(spec: str, start: float, expected: list[tuple[float, ...]]) -> None:
    found = shaken(candles([FLAT] * 3), [parse(f"SOL:{spec}{at(start)}")]).columns
    rows = list(zip(*(found[name].tolist() for name in ("open", "high", "low", "close")), strict=True))
    assert [pytest.approx(row, rel=1e-12) for row in expected] == rows
    assert found["volume"].tolist() == [5.0] * 3


changes = st.builds(
    lambda start, ramp, change, recovered, back: Shock(
        "", ("*",), T0 + start, False, ramp, False, change, recovered if back else 0.0, back
    ),
    st.integers(0, 50 * MINUTE),
    st.sampled_from([0, 1, MINUTE // 3, MINUTE, 7 * MINUTE]),
    st.floats(-0.99, 3.0),
    st.floats(0.01, 1.0),
    st.sampled_from([0, 1, MINUTE // 4, 5 * MINUTE]),
)


@given(st.lists(changes, min_size=1, max_size=4), st.integers(0, 1_000))
def test_shaken_candles_are_candles_within_what_price_and_shock_could_reach(shocks: list[Shock], seed: int) -> None:
    track = random_candles(50, seed)["SOL"]
    found = shaken(track, shocks).columns
    bodies = [found["open"], found["close"]]
    assert (found["high"] >= np.maximum(*bodies)).all() and (found["low"] <= np.minimum(*bodies)).all()
    assert (found["low"] > 0).all()
    bends = np.array([knot for shock in shocks for knot in shock.knots] + [T0])
    for row, time in enumerate(track.times.tolist()):
        inside = bends[(bends >= time) & (bends < time + MINUTE)]
        reached = [
            *factor(shocks, np.append(inside, time)),
            *factor(shocks, np.append(inside[inside > time], time + MINUTE), just_before=True),
        ]
        assert found["high"][row] == pytest.approx(track.columns["high"][row] * max(reached), rel=1e-12)
        assert found["low"][row] == pytest.approx(track.columns["low"][row] * min(reached), rel=1e-12)


def test_an_outage_leaves_rows_out_of_its_symbols_only() -> None:
    tracks = {"SOL": prices([1.0] * 10), "BTC": prices([2.0] * 10)}
    found = lay(tracks, [parse(f"SOL:outage:3m{at(4)}")], [])
    assert ((found["SOL"].times - T0) // MINUTE).tolist() == [0, 1, 2, 3, 7, 8, 9]
    assert np.array_equal(found["BTC"].times, tracks["BTC"].times)
    assert len(lay(tracks, [parse(f"SOL:outage:1d{at(4)}")], [])["SOL"].times) == 4  # to the end and beyond


def test_all_means_the_history_and_not_what_is_kept() -> None:
    tracks = {"SOL": prices([100.0] * 3), "USDC": prices([1.0] * 3)}
    found = lay(tracks, [parse(f"*:-50%:gap{at(1)}")], ["USDC"])
    assert found["SOL"].close.tolist() == [100.0, 50.0, 50.0]
    assert found["USDC"].close.tolist() == [1.0] * 3
    assert lay(tracks, [parse(f"USDC:-50%:gap{at(1)}")], ["USDC"])["USDC"].close.tolist() == [1.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            f"SOL:-10%:gap{at(-1)}",
            "from 2024-12-31T23:59:00Z to 2024-12-31T23:59:00Z is not within the span of SOL, 2025-01-01T00:00:00Z to "
            "2025-01-01T00:09:00Z; move it, or make the history longer",
        ),
        (
            f"SOL:outage:1m{at(10)}",
            "from 2025-01-01T00:10:00Z to 2025-01-01T00:11:00Z is not within the span of SOL, 2025-01-01T00:00:00Z to "
            "2025-01-01T00:09:00Z; move it, or make the history longer",
        ),
        (
            f"SOL:-10%:6m{at(5)}",
            "from 2025-01-01T00:05:00Z to 2025-01-01T00:11:00Z is not within the span of SOL, 2025-01-01T00:00:00Z to "
            "2025-01-01T00:09:00Z; move it, or make the history longer",
        ),
        (f"SOL:outage:20s{at(0.5)}", "no row of SOL lies in it; make it longer than the time between rows"),
        (f"SOL:outage:9m{at(0)}", "leaves fewer than two rows of SOL; make it shorter"),
        (f"ETH:-10%:gap{at(0)}", "'ETH' is not among the symbols; known: SOL, USDC"),
    ],
)
def test_faults(spec: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        lay({"SOL": prices([1.0] * 10), "USDC": prices([1.0] * 10)}, [parse(spec)], ["USDC"])
    assert str(caught.value) == f"--shock {spec}: {problem}"
