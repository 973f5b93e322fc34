"""Geometric Brownian motion of several symbols: drift and covariance from a history's log returns."""

from dataclasses import dataclass

import numpy as np

from backtest.price_files import Floats


@dataclass(frozen=True)
class Motion:
    """Joint normal log returns of one step: `mean` (S,) and `covariance` (S, S)."""

    mean: Floats
    covariance: Floats

    @property
    def drift(self) -> Floats:
        """How fast expected prices grow per step, (S,): after n steps they are exp(n drift) times the first."""
        return np.asarray(self.mean + np.diag(self.covariance) / 2)

    def with_drift(self, drift: float) -> "Motion":
        """The same covariance with expected prices that grow by `drift` per step."""
        return Motion(drift - np.diag(self.covariance) / 2, self.covariance)


def fit(log_returns: Floats) -> Motion:
    """Sample mean and unbiased covariance of (n, S) log returns."""
    covariance = np.atleast_2d(np.cov(log_returns, rowvar=False))
    return Motion(log_returns.mean(axis=0), covariance)


def simulate(rng: np.random.Generator, motion: Motion, steps: int) -> Floats:
    """Log returns (steps, S)."""
    normal = rng.standard_normal((steps, len(motion.mean)))
    return motion.mean + normal @ root_of(motion.covariance).T


def root_of(covariance: Floats) -> Floats:
    """A matrix A with A Aᵀ = covariance (S, S).

    From eigenvalues, because Cholesky's root does not exist where a price does not move or follows another exactly.
    """
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
