"""The command line: help that runs, results on stdout, progress on stderr, exit codes, and how it stops."""

import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from backtest import __version__, cli
from tests.examples import build
from tests.shell import CLOSE, OPEN, command, environment, perpool, spawn, write_orders, write_world

HEAVY = ("numba", "llvmlite", "numpy", "polars", "pyarrow", "duckdb", "msgspec", "rich")
RUN = "run scenario.toml --out out"
SLOW = [("bench",)]  # commands whose examples take minutes, and say how far they are
ONLINE = [("prices", "fetch")]  # tests/fetching runs it against a server of its own
# What is not yet there when the examples of a command begin.
ABSENT = {
    (): "runs/sample",
    ("run",): "runs/sample",
    ("prices", "import"): "prices",
    ("prices", "derive"): "prices/jitoSOL.parquet",
}


def walk(node: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups before what they hold."""
    yield path, node
    if isinstance(node, click.Group):
        context = click.Context(node)
        for name in node.list_commands(context):
            child = node.get_command(context, name)
            assert child is not None
            yield from walk(child, (*path, name))


COMMANDS = dict(walk(cli.perpool))
WITH_EXAMPLE = [path for path, node in COMMANDS.items() if not isinstance(node, click.Group) or not path]


def examples(path: tuple[str, ...]) -> list[list[str]]:
    """The words of each example of a command, without `perpool`."""
    _, _, block = (COMMANDS[path].help or "").partition("Example:\n")
    lines = [shlex.split(line, comments=True) for line in block.replace("\\\n", "").splitlines()]
    return [words[1:] for words in lines if words and words[0] == "perpool"]


def files(root: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels_compiled: None) -> Path:
    """A small world in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, kernels_compiled: None) -> Path:
    """A folder with everything that examples name."""
    root = tmp_path_factory.mktemp("project")
    build(root)
    return root


# --- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    found = perpool(*path, "--help")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith(f"Usage: {' '.join(['perpool', *path])} ")
    options = [option for option in COMMANDS[path].params if isinstance(option, click.Option)]
    assert all(option.help for option in options)
    assert perpool(*path, "-h") == found


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow if path in SLOW else ()) for path in WITH_EXAMPLE],
    ids=" ".join,
)
def test_examples_run(path: tuple[str, ...], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = examples(path)
    assert given, f"perpool {' '.join(path)} has no example"
    if path in ONLINE:
        pytest.skip("needs an exchange")
    shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    if path in ABSENT:
        Path(ABSENT[path]).rename("elsewhere")
    for words in given:
        assert words[: len(path)] == list(path)
        found = perpool(*words)
        assert found.code == 0, words
        assert found.out.strip(), words
        assert found.err == "" or path in SLOW, words


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import json, sys
from backtest.cli import main
for words in {[list(path) for path in COMMANDS]!r}:
    sys.argv = ["perpool", *words, "--help"]
    try:
        main()
    except SystemExit as exit_:
        assert exit_.code == 0, words
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
"""
    found = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert json.loads(found.stderr) == []
    assert found.stdout.count("Usage: perpool") == len(COMMANDS)


def test_without_a_command_the_help_is_shown() -> None:
    found = perpool()
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("Usage: perpool ")
    assert perpool("--version") == (0, f"perpool, version {__version__}\n", "")


# --- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "key"),
    [
        ("run scenario.toml --out other --json", "result_hash"),
        ("audit out --json", "passed"),
        ("sql out 'SELECT count(*) AS n FROM events' --json", "n"),
        ("sql out 'SELECT count(*) AS n FROM events' --format json", "n"),
        ("flow generate flow.toml --prices prices.parquet --out made.parquet --json", "orders"),
        ("flow describe orders.parquet --json", "volume_usd"),
        ("flow schema --json", "column"),
        ("protocols list --json", "name"),
        ("protocols show tiny.toml --json", "mechanisms"),
    ],
)
def test_json_is_json_and_nothing_else(args: str, key: str, world: Path) -> None:
    assert perpool(RUN).code == 0
    found = perpool(args)
    assert (found.code, found.err) == (0, "")
    value = json.loads(found.out)
    assert key in (value[0] if isinstance(value, list) else value)


def test_the_run_prints_its_figures_and_what_to_ask_next(world: Path) -> None:
    found = perpool(RUN)
    assert (found.code, found.err) == (0, "")
    for words in ("AUM", "LP price", "APR from fees", "Liquidations", "Throughput", "The run is in out. Next:"):
        assert words in found.out
    for line in found.out.splitlines():  # each suggestion works as it stands
        if line.startswith("  perpool "):
            suggestion = line.split("   ")[0].strip().removeprefix("perpool ")
            assert perpool(suggestion).code == 0, suggestion


def test_an_audit_that_fails_exits_with_1(world: Path) -> None:
    assert perpool(RUN).code == 0
    assert perpool("audit out").code == 0
    manifest = Path("out/manifest.json")
    manifest.write_text(manifest.read_text().replace('"result_hash": "', '"result_hash": "0'))
    found = perpool("audit out")
    assert (found.code, found.err) == (1, "")
    assert "FAIL result_hash" in found.out


def test_progress_goes_to_the_terminal_and_the_result_to_stdout(world: Path) -> None:
    ours, theirs = pty.openpty()
    seen = []
    process = subprocess.Popen(
        command(*RUN.split(), "--json"),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment() | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen.append(piece)
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["run"] == "out"
    assert b"replaying" in b"".join(seen)


# --- stopping ---------------------------------------------------------------------------------------------------------


def pipe_into_head(*args: str, lines: int) -> subprocess.CompletedProcess[str]:
    script = f"{shlex.join(command(*args))} | head -n {lines}; echo code ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )


def test_a_reader_that_has_seen_enough_is_left_in_peace(world: Path) -> None:
    found = pipe_into_head(*RUN.split(), lines=0)
    assert found.stderr == ""
    assert Path("out/manifest.json").is_file()
    found = pipe_into_head("sql", "out", "FROM range(1000000)", "--format", "csv", lines=2)
    assert found.stderr == ""
    assert found.stdout == "range\n0\ncode 1\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_takes_nothing_is_one_line(world: Path) -> None:
    with Path("/dev/full").open("w") as full:
        found = spawn("protocols", "list", "--json", stdout=full, capture_output=False, stderr=subprocess.PIPE)
    message = "error: the output cannot be written: No space left on device; free space or write it elsewhere\n"
    assert (found.returncode, found.stderr) == (1, message)


def start_long_run(folder: Path) -> subprocess.Popen[str]:
    """A run of many seconds; SIGINT counts even where the tests themselves run in the background and ignore it."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from backtest.cli import main; main()"
    )
    words = [sys.executable, "-c", code, "run", "--positions", "2000000", "--out", "new/out"]
    return subprocess.Popen(
        words, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 60
    while not any(folder.glob(pattern)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"no {pattern}"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "times", "when"),
    [
        (signal.SIGINT, 1, "new/.out.partial-*"),
        (signal.SIGTERM, 1, "new/.out.partial-*/events.parquet"),
        (signal.SIGINT, 3, "new/.out.partial-*/events.parquet"),
    ],
)
def test_a_signal_leaves_nothing(
    number: signal.Signals, times: int, when: str, tmp_path: Path, kernels_compiled: None
) -> None:
    process = start_long_run(tmp_path)
    wait_for(process, tmp_path, when)
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.02)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (1, "", "interrupted; nothing half-written is left\n")
    assert list(tmp_path.iterdir()) == []


# --- the run directory ------------------------------------------------------------------------------------------------


def test_a_run_is_replaced_only_when_asked_and_only_by_a_whole_one(world: Path) -> None:
    assert perpool(RUN).code == 0
    first = files(world / "out")
    refused = perpool(RUN)
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert files(world / "out") == first
    good = (world / "orders.parquet").read_bytes()
    write_orders(world / "orders.parquet", [OPEN, CLOSE | {"order_id": 0}])
    before = files(world)
    assert perpool(f"{RUN} --overwrite").code == 1
    assert files(world) == before
    (world / "orders.parquet").write_bytes(good)
    replaced = perpool(f"{RUN} --overwrite --set market.SOL.close_bps=20 --json")
    assert replaced.code == 0
    manifest = json.loads((world / "out" / "manifest.json").read_text())
    assert manifest["result_hash"] == json.loads(replaced.out)["result_hash"]
    assert manifest["result_hash"] != json.loads(first[world / "out" / "manifest.json"] or b"")["result_hash"]
    assert [path.name for path in world.iterdir() if path.name.startswith(".")] == []
