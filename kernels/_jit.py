"""The one place where numba is configured.

`error_model="numpy"` keeps divisions vectorisable, `nogil` lets the writer thread run beside the loop, and no
fast-math: results must not depend on the vector width. The cache directory carries a fingerprint of every
file in this package, because numba itself does not notice that a helper in another file has changed.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Another implementation of exp and pow would change the last digit from machine to machine.
os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

import numba
import numpy

_CODEGEN_VARIABLES = ("NUMBA_OPT", "NUMBA_BOUNDSCHECK", "NUMBA_LOOP_VECTORIZE", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")


def fingerprint(root: Path = Path(__file__).parent) -> str:
    """Hash of all that can change the machine code: numba, its code generation switches, every source file here.

    And of where they lie: numba keeps code per source path, so another checkout starts cold.
    """
    digest = hashlib.sha256(f"{numba.__version__};{root}".encode())
    for name in _CODEGEN_VARIABLES:
        digest.update(f"{name}={os.environ.get(name, '')};".encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _writable(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        return False
    return True


def _cache_dir() -> Path | None:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "perpool"
    roots = [Path(given) for given in [os.environ.get("PERPOOL_CACHE_DIR")] if given] + [home]
    return next((d for d in (root / "kernels" / fingerprint() for root in roots) if _writable(d)), None)


CACHE_DIR = _cache_dir()
if CACHE_DIR is not None:
    # Both: the variable survives numba's reload of its configuration, the attribute an earlier `import numba`.
    os.environ["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR = str(CACHE_DIR)


def is_cached(kernel_name: str) -> bool:
    """True when the kernel `module.function` has been compiled for this version of the kernels on this machine."""
    return CACHE_DIR is not None and next(CACHE_DIR.rglob(f"{kernel_name}-*.nbi"), None) is not None


# `_nrt`: kernels allocate nothing, so arrays need no reference counts; the atomics were half the run time.
_flags: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": False, "_nrt": False}
# A rule that Python calls too, one by one, in tests: scalars or records in, scalars out.
formula: Callable[..., Any] = partial(numba.njit, **_flags, no_cfunc_wrapper=True)
# What only jitted code calls. No wrapper to call it from Python, which for arguments as wide as ours takes longer to
# compile than the function itself (and calling it from Python crashes).
inner: Callable[..., Any] = partial(numba.njit, **_flags, no_cpython_wrapper=True, no_cfunc_wrapper=True)
# An inner function pasted into its one caller before compilation. Numba optimises every function together with all
# that it calls, so each level of a deep call tree costs the whole tree again: thin levels are pasted.
step: Callable[..., Any] = partial(inner, inline="always")
# Flags to pass on: a literal would compile the callee once more for each value.
YES, NO = numpy.bool_(True), numpy.bool_(False)
# Columns in, columns out; what Python calls.
kernel: Callable[..., Any] = partial(numba.njit, **_flags, cache=CACHE_DIR is not None)
