"""Fixtures of the whole suite."""

import os

import pytest
from hypothesis import settings

from backtest.warmup import warm_up

# Locally every run looks at new cases; where a machine judges a change, the same code gives the same verdict.
settings.register_profile("steady", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("steady")


@pytest.fixture(scope="session")
def kernels_compiled() -> None:
    """Compile once, so that no single test pays for it; instant where the cache is warm."""
    warm_up()
