"""Fixtures of the whole suite."""

import pytest

from backtest.warmup import warm_up


@pytest.fixture(scope="session")
def kernels_compiled() -> None:
    """Compile once, so that no single test pays for it; instant where the cache is warm."""
    warm_up()
