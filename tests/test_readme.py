"""README.md is true: its commands print what it says, its table of venues is that of the recipes; and so is the map."""

import re
from pathlib import Path

import pytest

from backtest.mechanisms import FAMILIES
from backtest.protocols import load_protocol
from tests import readme, shell

# Commands whose result is not here: they need the real price files, or files of the reader.
ABSENT = ("runs/2025",)


@pytest.mark.usefixtures("kernels_compiled")
def test_commands_print_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compared = 0
    for step in [step for block in readme.blocks() for step in block]:
        program, _, arguments = step.command.partition(" ")
        if program == "cat":
            Path(arguments).write_text("".join(line + "\n" for line in step.expected))
        elif step.command == "make run" or (program == "perpool" and not any(word in arguments for word in ABSENT)):
            words = "run --out runs/sample" if program == "make" else arguments
            found = shell.perpool(words)
            printed = (found.err + found.out).replace(f"{readme.ROOT}/", "")
            assert found.code == (2 if step.expected and step.expected[0].startswith("error:") else 0), printed
            if step.expected:
                assert readme.matches(step.expected, printed), f"{step.command}\nprints\n{printed}"
                compared += 1
    assert compared >= 8


def test_table_of_venues_is_that_of_the_recipes() -> None:
    (_, *venues), (_, *recipes), *rows = readme.table("Venues")
    assert len(venues) == len(set(venues)) == len(recipes) == 5
    protocols = [load_protocol(name) for name in recipes]
    assert rows == [[family, *(getattr(item.mechanisms, family) for item in protocols)] for family in FAMILIES]


@pytest.mark.parametrize("folder", ["kernels", "backtest"])
def test_the_map_names_every_module(folder: str) -> None:
    """ARCHITECTURE.md lists the modules of a folder in a block that starts with its name."""
    text = (readme.ROOT / "ARCHITECTURE.md").read_text()
    block = text.split(f"\n{folder}/ ")[1].split("\n```")[0]
    listed = set(re.split(r"\W+", re.split(r"\n(?=\w+/)", block)[0]))
    modules = {path.stem for path in (readme.ROOT / folder).glob("*.py")} - {"__init__"}
    assert modules - listed == set()


def test_a_wrong_line_is_noticed() -> None:
    said = ("one", "...", "three...")
    assert readme.matches(said, "one\ntwo\ntwo\nthree and more\n")
    assert readme.matches(said, "one  \nthree\n")
    assert not readme.matches(said, "one\ntwo\n")
    assert not readme.matches(said, "one\nthree\nfour\n")
    assert readme.steps('$ perpool sql "FROM\n  lp"\nx\n$ cat y\n') == [
        readme.Step('perpool sql "FROM\n  lp"', ("x",)),
        readme.Step("cat y", ()),
    ]
