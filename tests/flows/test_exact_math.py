"""Elementary functions that have the same bits on every machine: near the C library's, and pinned."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from backtest.flows import exact_math

POINTS = np.random.default_rng(5)
EXP = [
    "0x1.01c2a61268987p+1",
    "0x1.0551439081d4ep+3",
    "0x1.08ec721396bdbp+5",
    "0x1.10493459db8eep+9",
    "0x1.000496723bcf8p+0",
]
LOG = [
    "-0x1.26bb1bbb55515p+1",
    "-0x1.34378fcbda721p+0",
    "-0x1.62e42fefa39efp-1",
    "-0x1.af8e8210a415cp-4",
    "-0x1.7069e2aa2aa5bp+3",
]
QUANTILE = [
    "-0x1.4813c36e26d33p+0",
    "-0x1.0c7e39582c5fap-1",
    "0x0.0p+0",
    "0x1.4813c36e26d33p+0",
    "-0x1.10f3f8843a3dap+2",
]


def ulps(found: np.ndarray, expected: list[float]) -> float:
    right = np.array(expected)
    return float(np.max(np.abs(found - right) / np.spacing(np.abs(right))))


@pytest.mark.parametrize("width", [1e-8, 1e-3, 1.0, 30.0, 700.0])
def test_exp_is_within_an_ulp(width: float) -> None:
    x = POINTS.uniform(-width, width, 20_000)
    assert ulps(exact_math.exp(x), [math.exp(value) for value in x]) <= 1.0


@pytest.mark.parametrize("width", [1e-9, 1e-3, 0.5, 30.0, 700.0])
def test_log_is_within_an_ulp(width: float) -> None:
    x = np.exp(POINTS.uniform(-width, width, 20_000))
    x = x[x != 1.0]
    assert ulps(exact_math.log(x), [math.log(value) for value in x]) <= 1.0


def test_power() -> None:
    x, y = POINTS.uniform(1e-3, 1e3, 5_000), -1.7
    assert exact_math.power(x, y) == pytest.approx([math.pow(value, y) for value in x], rel=1e-14)


def test_the_normal_quantile_and_its_inverse() -> None:
    p = np.concatenate([POINTS.random(20_000), 10.0 ** POINTS.uniform(-300, -1, 20_000), [2.0**-54, 1.0 - 2.0**-53]])
    found = exact_math.normal_quantile(p)
    normal = NormalDist()  # the same algorithm in the C library's arithmetic
    assert found == pytest.approx([normal.inv_cdf(value) for value in p], rel=1e-14, abs=1e-15)
    low = found < 0.0
    back = np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in found[low]])  # an independent one
    assert back == pytest.approx(p[low], rel=1e-12)


def test_ends() -> None:
    ends = np.array([0.0, 1.0, -np.inf, np.inf, 800.0, -800.0])
    assert exact_math.exp(ends).tolist() == [1.0, math.nextafter(math.e, 3.0), 0.0, np.inf, np.inf, 0.0]
    assert exact_math.log(np.array([0.0, 1.0, 5e-324])).tolist() == [-np.inf, 0.0, math.log(5e-324)]
    assert exact_math.normal_quantile(np.array([0.5])).tolist() == [0.0]
    assert exact_math.exp(np.empty((0, 3))).shape == (0, 3)


def test_chunks_do_not_show() -> None:
    x = POINTS.uniform(0.0, 1.0, 20_000)
    for function in (exact_math.exp, exact_math.log, exact_math.normal_quantile):
        one_by_one = np.concatenate([function(part) for part in np.array_split(x, 7)])
        assert np.array_equal(function(x.reshape(100, 200)).ravel(), one_by_one)


def test_bits_are_pinned() -> None:
    x = np.array([0.1, 0.3, 0.5, 0.9, 1e-5])
    assert [value.hex() for value in exact_math.exp(7.0 * x).tolist()] == EXP
    assert [value.hex() for value in exact_math.log(x).tolist()] == LOG
    assert [value.hex() for value in exact_math.normal_quantile(x).tolist()] == QUANTILE
