"""Exact arithmetic against Python integers, over the whole domain and at its edges."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import fixed
from kernels.fixed import SATURATED

MANY = settings(max_examples=2_000, deadline=None)
ANY = st.integers(min_value=0, max_value=2**63 - 1) | st.integers(min_value=0, max_value=63).map(
    lambda bits: 2**bits - 1
)
DIVISOR = st.integers(min_value=1, max_value=2**63 - 1) | st.integers(min_value=0, max_value=62).map(
    lambda bits: 2**bits
)


def _expect(found: int, exact: int) -> None:
    if exact >= SATURATED:
        assert found >= SATURATED
    else:
        assert found == exact


@MANY
@given(ANY, ANY, DIVISOR)
def test_mul_div_rounds_as_named(a: int, b: int, c: int) -> None:
    _expect(fixed.mul_div_floor(a, b, c), a * b // c)
    _expect(fixed.mul_div_ceil(a, b, c), -(-a * b // c))


@MANY
@given(ANY, ANY, st.integers(min_value=1, max_value=2**40), st.integers(min_value=-2, max_value=2))
def test_mul_div_beside_exact_multiples(a: int, q: int, c: int, nudge: int) -> None:
    """Products that lie within two units of a multiple of the divisor, where an estimate goes wrong."""
    product = (a % 2**20 + 1) * c * (q % 2**20 + 1) + nudge
    b = a % 2**20 + 1
    factor = max(product, 0) // b
    _expect(fixed.mul_div_floor(b, factor, c), b * factor // c)


@MANY
@given(st.lists(st.tuples(ANY, ANY), min_size=1, max_size=20), DIVISOR)
def test_wide_sums_add_subtract_and_divide(pairs: list[tuple[int, int]], divisor: int) -> None:
    high = low = total = 0
    for a, b in pairs:
        if total + a * b >= 2**126:
            continue
        high, low = fixed.add_wide(high, low, a, b)
        total += a * b
        assert (int(high) << 64) + int(np.uint64(np.int64(low))) == total
        _expect(fixed.divide_pair_floor(high, low, divisor), total // divisor)
        taken_high, taken_low = fixed.subtract_wide(high, low, a, b)
        assert (int(taken_high) << 64) + int(np.uint64(np.int64(taken_low))) == total - a * b
