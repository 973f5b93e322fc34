"""GARCH(1,1) of several symbols, joined by a constant correlation of what the variances do not explain.

Per symbol: return = mean + sqrt(h) z, and next h = omega + (alpha z² + beta) h. Each is fitted by quasi-maximum
likelihood (Bollerslev and Wooldridge 1992), which holds whatever the innovations z are; z is then joint normal, or a
multivariate Student t whose one number of degrees of freedom is fitted to the standardised residuals of all symbols,
so that extremes come together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.errors import PerpoolError, UsageError
from backtest.price_files import Floats
from backtest.synthetic.gbm import root_of

LEAST_RETURNS = 500
LARGEST_RATIO = 2.0  # of the fit's lasting volatility to the history's; more, and the fit is nearly not stationary
INNOVATIONS = ("t", "normal")
_DOF = (2.1, 200.0)


@dataclass(frozen=True)
class Garch:
    """Fitted numbers, per step: mean, omega, alpha, beta (S,), correlation of z (S, S), dof of z (None: normal)."""

    mean: Floats
    omega: Floats
    alpha: Floats
    beta: Floats
    correlation: Floats
    dof: float | None

    @property
    def variance(self) -> Floats:
        """Unconditional variance of the returns, (S,): omega / (1 - alpha - beta)."""
        return np.asarray(self.omega / (1 - self.alpha - self.beta))


def fit(symbols: Sequence[str], log_returns: Floats, innovations: str) -> Garch:
    """Fit to (n, S) log returns; PerpoolError where a symbol allows no stationary fit."""
    if len(log_returns) < LEAST_RETURNS:
        raise PerpoolError(
            f"the history has {len(log_returns):,} steps, too few for a GARCH fit, which needs {LEAST_RETURNS}; "
            "give a longer history, a smaller --every, or --method bootstrap"
        )
    numbers, residuals = zip(*(_fit_one(symbol, log_returns[:, at]) for at, symbol in enumerate(symbols)), strict=True)
    z = np.column_stack(residuals)
    correlation = np.atleast_2d(np.corrcoef(z, rowvar=False))
    dof = _dof(z, correlation) if innovations == "t" else None
    mean, omega, alpha, beta = np.array(numbers).T
    return Garch(mean, omega, alpha, beta, correlation, dof)


def _fit_one(symbol: str, returns: Floats) -> tuple[tuple[float, float, float, float], Floats]:
    """mean, omega, alpha, beta, and the standardised residuals (n,), of one symbol."""
    try:
        from arch.univariate import GARCH, ConstantMean
    except ImportError:
        raise UsageError("--method garch needs the package arch; install it: pip install 'perpool[garch]'") from None
    scale = float(returns.std())
    if scale == 0:
        raise PerpoolError(
            f"{symbol} does not move; leave it out with --symbols, or hold it with --keep {symbol}=PRICE"
        )
    # returns of variance one: the optimiser's steps suit numbers near one, not the 1e-6 of minutes
    model = ConstantMean(returns / scale, volatility=GARCH(p=1, o=0, q=1), rescale=False)
    result = model.fit(disp="off", show_warning=False)
    mean, omega, alpha, beta = (float(number) for number in result.params)
    if result.convergence_flag != 0:
        raise PerpoolError(
            f"the GARCH fit of {symbol} did not converge (code {result.convergence_flag} of the optimiser); "
            "give a longer history, a larger --every, or --method bootstrap"
        )
    left = 1 - alpha - beta
    ratio = math.sqrt(omega / left) if left > 0 else math.inf
    if ratio > LARGEST_RATIO:
        lasting = (
            f"a lasting volatility {ratio:,.1f} times that of the history" if left > 0 else "no lasting volatility"
        )
        raise PerpoolError(
            f"the GARCH fit of {symbol} is not stationary enough: alpha {alpha:.4f} + beta {beta:.4f} = "
            f"{alpha + beta:.6f}, {lasting}; give a larger --every, such as 1h, a calmer history, or --method bootstrap"
        )
    return (mean * scale, omega * scale**2, alpha, beta), np.asarray(result.std_resid, np.float64)


def _dof(z: Floats, correlation: Floats) -> float:
    """Degrees of freedom at which a multivariate t of this correlation and unit variances is most likely, given (n, S).

    Symbols that follow each other exactly count once (the directions without variance are left out).
    """
    from scipy.optimize import minimize_scalar  # type: ignore[import-untyped,unused-ignore]
    from scipy.special import gammaln  # type: ignore[import-untyped,unused-ignore]

    values, vectors = np.linalg.eigh(correlation)
    kept = values > 1e-9
    distance = ((z @ vectors[:, kept]) ** 2 / values[kept]).sum(axis=1)
    size = int(kept.sum())

    def unlikeliness(dof: float) -> float:
        constant = gammaln(dof / 2) - gammaln((dof + size) / 2) + size / 2 * math.log(dof - 2)
        return float(constant + (dof + size) / 2 * np.log1p(distance / (dof - 2)).mean())

    return float(minimize_scalar(unlikeliness, bounds=_DOF, method="bounded").x)


def simulate(rng: np.random.Generator, model: Garch, steps: int) -> Floats:
    """Log returns (steps, S), from the unconditional variances on."""
    z = rng.standard_normal((steps, len(model.mean))) @ root_of(model.correlation).T
    if model.dof is not None:
        z *= np.sqrt((model.dof - 2) / rng.chisquare(model.dof, steps))[:, None]
    h = np.empty_like(z)
    for at, variance in enumerate(model.variance.tolist()):
        omega, alpha, beta = (float(numbers[at]) for numbers in (model.omega, model.alpha, model.beta))
        path = []
        for growth in (alpha * z[:, at] ** 2 + beta).tolist():
            path.append(variance)
            variance = omega + growth * variance
        h[:, at] = path
    return np.asarray(model.mean + np.sqrt(h) * z)
