"""Rules of the tree that no type checker sees: who may import what, how long a file is, and what lies where."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.protocols import known_protocols
from tests.shell import FLOW, ROOT, environment, write_world

MAX_LINES = 320
KERNELS = sorted((ROOT / "kernels").rglob("*.py"))
SHELL = sorted((ROOT / "backtest").rglob("*.py"))
# What a kernel may import: no files, no names, no clocks.
LIGHT = {"collections", "typing", "math", "functools", "itertools", "enum", "dataclasses", "numpy", "kernels"}
ALLOWED_IN_JIT = LIGHT | {"numba", "hashlib", "os", "tempfile", "pathlib"}
TOP_LEVEL = {
    *("pyproject.toml", "constraints.txt", "Makefile", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE"),
    *(".gitignore", ".ci", "backtest", "kernels", "data", "configs", "tests", "benchmarks"),
}
ENGINE = ["kernels/loop.py", "kernels/settle.py", "backtest/engine.py", "backtest/replay.py"]
VENUES = ("adrena", "jupiter", "gmx", "alp", "jlp", "glp", "rwalp", "bonk", "solana")
PLACES = re.compile(r"(?<![\w./$~-])/(work|tmp|root|home|Users|mnt|opt|var)/")
REGISTRIES = re.compile(
    r"https?://\S*(pyp[i]|python[h]osted|index|simple|proxy|artifact|nexus)\S*|--(extra-)?index-url", re.I
)


def imports(path: Path) -> set[str]:
    """Top-level modules that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


def tracked() -> list[Path]:
    """Files under version control, or what stands for them where there is none (a source archive)."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here")
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_kernels_import_numpy_numba_and_themselves(path: Path) -> None:
    assert imports(path) <= (ALLOWED_IN_JIT if path.name == "_jit.py" else LIGHT)


@pytest.mark.parametrize("path", [*KERNELS, *SHELL], ids=name)
def test_numba_is_configured_in_one_place(path: Path) -> None:
    if path != ROOT / "kernels" / "_jit.py":
        assert "numba" not in imports(path)
        assert not re.search(r"\bn?jit\(|@n?jit\b|numba\.", path.read_text())


@pytest.mark.parametrize("path", [*KERNELS, *SHELL], ids=name)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", ENGINE)
def test_the_engine_names_no_protocol(path: str) -> None:
    words = set(re.findall(r"[a-z]+", (ROOT / path).read_text().lower()))
    shipped = {word for protocol in known_protocols() for word in re.findall(r"[a-z]+", protocol)}
    assert words & ({*VENUES} | shipped) == set()


def test_no_file_names_a_place_of_one_machine() -> None:
    found = []
    for path in tracked():
        if path.suffix in {".parquet", ".png"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if PLACES.search(line) or REGISTRIES.search(line):
                found.append(f"{name(path)}:{number}: {line.strip()}")
    assert found == []


def test_the_top_level_is_what_it_should_be() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert found == TOP_LEVEL


def test_every_package_is_imported_by_its_own_name() -> None:
    """No folder of the checkout hides a module that Python or a dependency brings."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert folders & sys.stdlib_module_names == set()


def kernels() -> list[str]:
    """`module.function` of everything that Python may call: what is decorated with `kernel()`."""
    return [
        f"{path.stem}.{node.name}"
        for path in KERNELS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(mark, ast.Call) and ast.unparse(mark.func) == "kernel" for mark in node.decorator_list)
    ]


SIGNATURES = """
import importlib, json, sys
from backtest.runner import run
for number, given in enumerate(({}, {"scan": True, "buffer_rows": 33}, {"flow": "flow.toml", "ticks_per_chunk": 7})):
    run("scenario.toml", out=str(number), **given)
found = {}
for name in sys.argv[1:]:
    module, function = name.split(".")
    found[name] = len(getattr(importlib.import_module(f"kernels.{module}"), function).signatures)
print(json.dumps(found))
"""


@pytest.mark.usefixtures("kernels_compiled")
def test_each_kernel_is_compiled_for_one_signature(tmp_path: Path) -> None:
    """Scan and tree, small and large buffers, given and generated orders: one version of the machine code."""
    write_world(tmp_path)
    (tmp_path / "flow.toml").write_text(FLOW.replace("20", "400"))
    words = [sys.executable, "-c", SIGNATURES, *kernels()]
    found = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    signatures = json.loads(found.stdout)
    assert signatures["loop.run_chunk"] == signatures["loop.start_pool"] == signatures["loop.write_open"] == 1
    assert max(signatures.values()) == 1
