"""The built wheel works outside the checkout: configurations and the sample prices travel inside it."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from backtest import __version__
from tests.shell import ROOT

pytestmark = pytest.mark.slow


def call(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [*map(str, words)], cwd=cwd, env=clean | variables, capture_output=True, text=True, check=False, timeout=300
    )


def pip(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return call(sys.executable, "-m", "pip", "--disable-pip-version-check", *words, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as pip builds it; that needs the build backend from a package index."""
    folder = tmp_path_factory.mktemp("wheel")
    built = pip("wheel", ROOT, "--no-deps", "--wheel-dir", folder, cwd=folder)
    if built.returncode:
        if "hatchling" in built.stderr:
            pytest.skip("the build backend cannot be installed here")
        pytest.fail(built.stderr)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are those of the tests, without the checkout."""
    root = tmp_path_factory.mktemp("venv")
    made = call(sys.executable, "-m", "venv", "--without-pip", root, cwd=root)
    assert made.returncode == 0, made.stderr
    (site,) = root.glob("lib/python*/site-packages")
    # A line of a .pth file adds a folder but not the .pth files in it, so an editable checkout stays out of sight.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = root / "bin" / "python"
    installed = pip("--python", python, "install", "--no-index", "--no-deps", "--force-reinstall", wheel, cwd=root)
    assert installed.returncode == 0, installed.stderr
    return root


def test_the_wheel_holds_what_a_run_needs_and_no_more(wheel: Path) -> None:
    assert wheel.name == f"perpool-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder, home in (("configs", "configs"), ("data/sample", "data/sample")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"backtest/_assets/{home}/{path.relative_to(ROOT / folder).as_posix()}" in names
    for package in ("backtest", "kernels"):
        for path in (ROOT / package).rglob("*"):
            if path.suffix in (".py", ".sql"):
                assert path.relative_to(ROOT).as_posix() in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"backtest", "kernels", f"perpool-{__version__}.dist-info"}
    assert not [name for name in names if name.endswith(".pyc") or "test" in Path(name).name.split("_")]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_command_runs_elsewhere(venv: Path, tmp_path: Path) -> None:
    perpool = venv / "bin" / "perpool"
    cache = {"PERPOOL_CACHE_DIR": str(tmp_path / "cache")}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = call(venv / "bin" / "python", "-c", "import backtest; print(backtest.__file__)", cwd=elsewhere)
    assert Path(where.stdout.strip()).is_relative_to(venv), where

    listed = call(perpool, "protocols", "list", "--json", cwd=elsewhere, **cache)
    assert listed.returncode == 0, listed.stderr
    assert {row["name"] for row in json.loads(listed.stdout)} >= {"adrena-alp", "adrena-alp-2024"}

    ran = call(perpool, "run", "--out", "run", "--json", cwd=elsewhere, **cache)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.startswith("compiling kernels, once per version and machine")
    assert json.loads(ran.stdout)["summary"]["opened"] > 10_000
    again = call(perpool, "run", "--out", "again", "--json", cwd=elsewhere, **cache)
    assert again.stderr == ""
    assert json.loads(again.stdout)["result_hash"] == json.loads(ran.stdout)["result_hash"]

    for words in (("audit", "run"), ("sql", "run", "FROM overview"), ("export", "run", "run.duckdb"), ("--help",)):
        found = call(perpool, *words, cwd=elsewhere, **cache)
        assert (found.returncode, found.stderr) == (0, ""), words
    assert sorted(path.name for path in elsewhere.iterdir()) == ["again", "run", "run.duckdb"]
