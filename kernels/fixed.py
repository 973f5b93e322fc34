"""Exact integer arithmetic: products of two int64 divided by a third, with the rounding in the name.

Every quantity that is booked goes through these. Arguments are not negative. A quotient that does not fit is
`SATURATED`, far above any legal amount, and the callers that book refuse it: nothing ever wraps.
"""

import numpy as np

from kernels._jit import formula, inner

SATURATED = np.int64(1 << 62)
# Largest single amount that may enter a book (9 billion dollars, or 9e15 token units).
MAX_AMOUNT = np.int64(1 << 53)
# To pass on: a literal would compile the callee once more.
ZERO = np.int64(0)
_LOW_32 = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


@inner()
def multiply_wide(a, b):
    """a * b as 128 bits, (high, low) uint64, by 32-bit limbs."""
    a0, a1 = a & _LOW_32, a >> _SHIFT
    b0, b1 = b & _LOW_32, b >> _SHIFT
    low = a0 * b0
    middle = a1 * b0 + (low >> _SHIFT)
    cross = a0 * b1 + (middle & _LOW_32)
    high = a1 * b1 + (middle >> _SHIFT) + (cross >> _SHIFT)
    return high, (cross << _SHIFT) | (low & _LOW_32)


@inner()
def _quotient_digit(high, next_digit, d1, d0):
    """One 32-bit digit of a schoolbook division by the normalised divisor d1:d0."""
    digit = high // d1
    rest = high - digit * d1
    while digit > _LOW_32 or digit * d0 > ((rest << _SHIFT) | next_digit):
        digit -= _ONE
        rest += d1
        if rest > _LOW_32:
            break
    return digit


@inner()
def divide_wide(high, low, divisor):
    """floor((high, low) / divisor) for uint64, requires high < divisor; returns (quotient, remainder)."""
    shift = _ZERO
    while (divisor << shift) >> np.uint64(63) == _ZERO:
        shift += _ONE
    d = divisor << shift
    d1, d0 = d >> _SHIFT, d & _LOW_32
    if shift > _ZERO:
        high = (high << shift) | (low >> (np.uint64(64) - shift))
    shifted = low << shift
    first = _quotient_digit(high, shifted >> _SHIFT, d1, d0)
    middle = ((high << _SHIFT) | (shifted >> _SHIFT)) - first * d
    second = _quotient_digit(middle, shifted & _LOW_32, d1, d0)
    quotient = (first << _SHIFT) | second
    return quotient, low - quotient * divisor


@inner()
def _mul_div_wide(a, b, c):
    high, low = multiply_wide(np.uint64(a), np.uint64(b))
    if high >= np.uint64(c):
        return SATURATED
    quotient, _ = divide_wide(high, low, np.uint64(c))
    return np.int64(quotient) if quotient < np.uint64(SATURATED) else SATURATED


@formula()
def mul_div_floor(a, b, c):
    """floor(a * b / c), exact, for 0 <= a, b < 2**63 and 0 < c; at least SATURATED if it does not fit.

    Three ways, cheapest first: the product fits; the quotient fits a double; 128 bits.
    """
    product = np.float64(a) * np.float64(b)
    if product < 9.0e18:
        return a * b // c
    if product < 2.0e15 * np.float64(c) and c < (1 << 60):
        # The estimate is off by at most one or two; the remainder, though computed modulo 2**64, is small and exact.
        q = np.int64(product / np.float64(c))
        r = a * b - q * c
        while r < 0:
            q -= 1
            r += c
        while r >= c:
            q += 1
            r -= c
        return q
    return _mul_div_wide(a, b, c)


@formula()
def mul_div_ceil(a, b, c):
    """ceil(a * b / c), exact, same domain as `mul_div_floor`."""
    q = mul_div_floor(a, b, c)
    # The remainder is below c, so its 64 bits say whether there is one although the products do not fit.
    return q + 1 if a * b - q * c != 0 and q < SATURATED else q


@formula()
def add_wide(high, low, a, b):
    """(high, low) + a * b where the pair is one 128-bit number kept as two int64."""
    add_high, add_low = multiply_wide(np.uint64(a), np.uint64(b))
    total = np.uint64(low) + add_low
    carry = _ONE if total < add_low else _ZERO
    return np.int64(np.uint64(high) + add_high + carry), np.int64(total)


@formula()
def subtract_wide(high, low, a, b):
    """(high, low) - a * b, the inverse of `add_wide`."""
    sub_high, sub_low = multiply_wide(np.uint64(a), np.uint64(b))
    borrow = _ONE if np.uint64(low) < sub_low else _ZERO
    return np.int64(np.uint64(high) - sub_high - borrow), np.int64(np.uint64(low) - sub_low)


@formula()
def divide_pair_floor(high, low, divisor):
    """floor((high, low) / divisor) of a 128-bit pair; SATURATED if it does not fit."""
    if np.uint64(high) >= np.uint64(divisor):
        return np.int64(SATURATED)
    quotient, _ = divide_wide(np.uint64(high), np.uint64(low), np.uint64(divisor))
    return np.int64(quotient) if quotient < np.uint64(SATURATED) else np.int64(SATURATED)
