"""Geometric Brownian motion: fitted numbers by hand, and paths that have them."""

import math

import numpy as np
import pytest

from backtest.synthetic import gbm
from backtest.synthetic.gbm import Motion
from backtest.synthetic.tracks import returns_of, walk
from tests.synthetic.histories import prices

COVARIANCE = np.array([[4e-4, 3e-4, 0.0], [3e-4, 9e-4, -1e-4], [0.0, -1e-4, 1e-4]])
MEAN = np.array([1e-3, -2e-3, 0.0])


def draw(motion: Motion, steps: int, seed: int = 4) -> np.ndarray:
    return gbm.simulate(np.random.default_rng(seed), motion, steps)


def test_fit_by_hand() -> None:
    """Log returns ln 2, -ln 2, ln 2 and 0, 0, ln 4: means ln(2)/3 and ln(4)/3, covariances with n - 1."""
    history = {"SOL": prices([1.0, 2.0, 1.0, 2.0]), "BTC": prices([5.0, 5.0, 5.0, 20.0])}
    motion = gbm.fit(returns_of(history))
    one = math.log(2)
    assert motion.mean == pytest.approx([one / 3, 2 * one / 3])
    variance = [(2 * (2 / 3) ** 2 + (4 / 3) ** 2) / 2, (2 * (2 / 3) ** 2 + (4 / 3) ** 2) / 2]
    shared = (2 / 3 * -2 / 3 + -4 / 3 * -2 / 3 + 2 / 3 * 4 / 3) / 2
    assert motion.covariance == pytest.approx(np.array([[variance[0], shared], [shared, variance[1]]]) * one**2)
    assert motion.drift == pytest.approx(motion.mean + np.diag(motion.covariance) / 2)


def test_paths_have_the_mean_and_the_covariance() -> None:
    steps = 400_000
    found = draw(Motion(MEAN, COVARIANCE), steps)
    variance = np.diag(COVARIANCE)
    assert (np.abs(found.mean(axis=0) - MEAN) < 4 * np.sqrt(variance / steps)).all()
    error = np.sqrt((np.outer(variance, variance) + COVARIANCE**2) / steps)
    assert (np.abs(np.cov(found, rowvar=False) - COVARIANCE) < 4 * error).all()
    scaled = (found - MEAN) / np.sqrt(variance)
    assert (np.abs((scaled**4).mean(axis=0) - 3) < 4 * math.sqrt(96 / steps)).all()
    assert (np.abs((scaled[1:] * scaled[:-1]).mean(axis=0)) < 4 / math.sqrt(steps)).all()


def test_drift_is_that_of_expected_prices() -> None:
    """Without drift tomorrow's price is today's on average; without Ito's term it would be up to 4.5 bps more."""
    steps = 400_000
    for drift in (0.0, 5e-4):
        motion = Motion(MEAN, COVARIANCE).with_drift(drift)
        assert motion.drift == pytest.approx([drift] * 3, abs=1e-18)
        growth = np.exp(draw(motion, steps)).mean(axis=0)
        assert (np.abs(growth - math.exp(drift)) < 4 * np.sqrt(np.diag(COVARIANCE) / steps)).all()
    assert Motion(MEAN, COVARIANCE).drift == pytest.approx([1.2e-3, -1.55e-3, 5e-5])


def test_fitting_what_was_drawn_gives_the_numbers_back() -> None:
    history = {symbol: prices([100.0, 101.0]) for symbol in ("A", "B", "C")}
    path = walk(history, np.arange(100_001), draw(Motion(MEAN, COVARIANCE), 100_000))
    again = gbm.fit(returns_of(path))
    variance = np.diag(COVARIANCE)
    assert (np.abs(again.mean - MEAN) < 4 * np.sqrt(variance / 100_000)).all()
    error = np.sqrt((np.outer(variance, variance) + COVARIANCE**2) / 100_000)
    assert (np.abs(again.covariance - COVARIANCE) < 4 * error).all()


def test_symbols_that_stand_still_or_follow_exactly_are_no_trouble() -> None:
    """Their covariance has no Cholesky root."""
    base = draw(Motion(MEAN[:1], COVARIANCE[:1, :1]), 1_000)[:, 0]
    motion = gbm.fit(np.column_stack([base, base, np.zeros(1_000)]))
    found = draw(motion, 500)
    assert found[:, 0] == pytest.approx(found[:, 1], rel=1e-6, abs=1e-9)
    assert np.abs(found[:, 2]).max() < 1e-9


def test_a_root_multiplied_by_itself_is_the_covariance() -> None:
    root = gbm.root_of(COVARIANCE)
    assert root @ root.T == pytest.approx(COVARIANCE, abs=1e-18)
