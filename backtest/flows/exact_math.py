"""exp, log, powers and normal quantiles with the same bits on every machine.

NumPy leaves these to the C library and the processor, which differ in the last bit. Here they are made of + - * / and
sqrt, exact scaling by powers of two, and comparisons, all of which IEEE 754 fixes. Every operation is a NumPy call of
its own, so that no compiler fuses two of them. exp and log follow fdlibm, the quantile Wichura's AS241 (PPND16).
"""

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

_CHUNK = 8_192  # doubles at a time: the temporaries stay in the cache
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_HALF_SQRT2 = 0.7071067811865476
_EXP = (
    *(4.13813679705723846039e-08, -1.65339022054652515390e-06, 6.61375632143793436117e-05),
    *(-2.77777777770155933842e-03, 1.66666666666666019037e-01),
)
_LOG = (
    *(1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01),
    *(2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01),
)

# AS241: numerators and denominators, highest power first, for the middle, the shoulders and the tails.
_MIDDLE = (
    (
        *(2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4),
        *(1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    ),
    (
        *(5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4),
        *(5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
    ),
)
_SHOULDER = (
    (
        *(7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0),
        *(3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    ),
    (
        *(1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1),
        *(6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
    ),
)
_TAIL = (
    (
        *(2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2),
        *(2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    ),
    (
        *(2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4),
        *(1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
    ),
)


def _in_chunks(function: Callable[[Float], Float]) -> Callable[[Float], Float]:
    @wraps(function)
    def chunked(x: Float) -> Float:
        flat = np.asarray(x, np.float64).ravel()
        found = np.empty_like(flat)
        for first in range(0, flat.size, _CHUNK):
            found[first : first + _CHUNK] = function(flat[first : first + _CHUNK])
        return found.reshape(np.shape(x))

    return chunked


@_in_chunks
def exp(x: Float) -> Float:
    """e**x to 1 ulp; infinity above 709.8, 0 far below -745. Shape as given."""
    x = np.minimum(np.maximum(x, -2_000.0), 2_000.0)
    power = np.rint(x * 1.44269504088896338700)
    high = x - power * _LN2_HIGH
    low = power * _LN2_LOW
    rest = high - low
    square = rest * rest
    c = rest - square * _horner(square, _EXP)
    mantissa = 1.0 - ((low - (rest * c) / (2.0 - c)) - high)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(mantissa, power.astype(np.int32))


@_in_chunks
def log(x: Float) -> Float:
    """Natural logarithm of x > 0 to 1 ulp; -infinity at 0. Shape as given."""
    mantissa, power = np.frexp(x)
    small = mantissa < _HALF_SQRT2
    f = np.where(small, mantissa + mantissa, mantissa) - 1.0
    k = (power - small).astype(np.float64)
    s = f / (2.0 + f)
    square = s * s
    half = 0.5 * f * f
    found = k * _LN2_HIGH - ((half - (s * (half + square * _horner(square, _LOG)) + k * _LN2_LOW)) - f)
    return np.where(x > 0.0, found, -np.inf)


def power(x: Float, exponent: float) -> Float:
    """x**exponent of x > 0, to some 1e-15 times the size of exponent * log(x). Shape as given."""
    return exp(exponent * log(x))


@_in_chunks
def normal_quantile(p: Float) -> Float:
    """The standard normal's quantile at p in (0, 1), relative error about 1e-16. Shape as given."""
    q = p - 0.5
    r = 0.180625 - q * q
    found = q * _ratio(r, _MIDDLE)
    outer = np.flatnonzero(r < 0.0)
    if outer.size:
        side = q[outer]
        depth = np.sqrt(-log(np.where(side < 0.0, p[outer], 1.0 - p[outer])))
        value = np.where(depth <= 5.0, _ratio(depth - 1.6, _SHOULDER), _ratio(depth - 5.0, _TAIL))
        found[outer] = np.where(side < 0.0, -value, value)
    return found


def _horner(x: Float, coefficients: tuple[float, ...]) -> Float:
    found = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        found *= x
        found += coefficient
    return found


def _ratio(x: Float, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> Float:
    return _horner(x, coefficients[0]) / _horner(x, coefficients[1])
