"""Backtests of peer-to-pool perpetual exchanges.

`run` replays a scenario and gives a `RunResult`, `load` the one of an earlier run; `compare` puts runs side by side,
`open_run` opens one or many for SQL.
"""

from typing import TYPE_CHECKING, Any

from backtest.errors import PerpoolError, UsageError

if TYPE_CHECKING:
    from backtest.comparison import Comparison, compare
    from backtest.results import RunResult, load
    from backtest.runner import run
    from backtest.warehouse import open_run

__all__ = ["Comparison", "PerpoolError", "RunResult", "UsageError", "compare", "load", "open_run", "run"]
__version__ = "0.1.0"

_LAZY = {
    "run": "backtest.runner",
    "RunResult": "backtest.results",
    "load": "backtest.results",
    "compare": "backtest.comparison",
    "Comparison": "backtest.comparison",
    "open_run": "backtest.warehouse",
}


def __getattr__(name: str) -> Any:
    """Import the heavy parts only when they are asked for, so that `perpool --help` stays quick."""
    if name not in _LAZY:
        raise AttributeError(f"module 'backtest' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
