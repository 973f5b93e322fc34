"""Clocks, machine facts and fresh processes for the benchmarks."""

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Say = Callable[[str], None]  # where progress goes

# Beside the benchmark's own process; more than this is noise in every number.
_QUIET_LOAD = 0.5


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def median(function: Callable[[], Any], repeats: int) -> float:
    """Median wall time of `repeats` calls, after one that is not counted."""
    function()
    return statistics.median(seconds(function) for _ in range(repeats))


def interleaved(functions: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median wall time of each, called in turn, so that a disturbance of the machine meets all of them."""
    for function in functions.values():
        function()
    rounds = [{name: seconds(function) for name, function in functions.items()} for _ in range(repeats)]
    return {name: statistics.median(found[name] for found in rounds) for name in functions}


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and whether something else was running when they began."""
    import duckdb
    import numba
    import numpy
    import polars
    import pyarrow

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        **{package.__name__: package.__version__ for package in (numba, numpy, polars, duckdb, pyarrow)},
        "load_before": round(load, 2),
        "loaded": load > _QUIET_LOAD,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def fresh_process(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Run a new interpreter that finds the same modules; its standard output. Raises with its errors if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a benchmark process failed:\n{done.stderr}")
    return done.stdout


def peak_bytes() -> int:
    """Largest resident memory of this process so far."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    # Not getrusage here: on Linux its maximum begins with that of the process that started this one.
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
