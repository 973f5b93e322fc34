"""What a user waits for: compiling once, a warm run of the bundled sample, and the help."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from backtest.errors import PerpoolError

from .timing import Say, fresh_process, median

_HEAVY = ("numba", "polars", "duckdb", "pyarrow", "numpy")
_LOADED = f"""
import json, sys
from backtest.cli import perpool
try:
    perpool(["--help"])
except SystemExit:
    pass
print(json.dumps([name for name in {_HEAVY} if name in sys.modules]))
"""
_COMPILE = "from backtest.warmup import warm_up; print(warm_up())"


def run(full: bool, say: Say) -> dict[str, Any]:
    """Fresh processes only; the same with and without `full`. Raises if the help imports what it must not."""
    loaded = json.loads(fresh_process(["-c", _LOADED]).splitlines()[-1])
    if loaded:
        raise PerpoolError(f"`perpool --help` imports {', '.join(loaded)}: it is not measured; please report it")
    say("cold start: compiling into an empty cache")
    with tempfile.TemporaryDirectory() as folder:
        cache = {"PERPOOL_CACHE_DIR": str(Path(folder) / "cache")}
        compile_seconds = float(fresh_process(["-c", _COMPILE], cache))
        say("cold start: warm runs of the bundled sample, and the help")
        job = ["-m", "backtest.cli", "run", "--out", str(Path(folder) / "run"), "--overwrite"]
        warm = median(lambda: fresh_process(job, cache), 3)
    return {
        "compile_seconds": compile_seconds,
        "warm_run_seconds": warm,
        "help_seconds": median(lambda: fresh_process(["-m", "backtest.cli", "--help"]), 9),
        "interpreter_seconds": median(lambda: fresh_process(["-c", "pass"]), 9),
        "help_imports": loaded,
        "load_after": round(os.getloadavg()[0], 2),
        "note": "whole processes, interpreter start included; the warm run is what `make run` starts",
    }
