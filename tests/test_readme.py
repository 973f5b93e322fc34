"""README.md is true: its commands print what it says, its table of venues is that of the recipes; and so is the map."""

import re
from pathlib import Path

import pytest

from backtest.mechanisms import FAMILIES
from backtest.protocols import load_protocol
from backtest.recipes import recipes
from tests import readme, shell
from tests.real import real_data

# Sections whose commands read real price files, and what the files are called there.
REAL = {
    "From files to a run: the crash of October 2025": {
        f"{symbol}_USDT-5m.feather": f"binance_5m_2025/{symbol}_USDT-5m.feather" for symbol in ("BTC", "SOL")
    },
    "When the stable falls: March 2023": {
        f"{symbol}-1m.csv": f"usdc_depeg_1m/binance_{symbol}_1m_20230301_20230321.csv"
        for symbol in ("BTCUSD", "BTCUSDC")
    },
}
ABSENT = "The same traders in three pools: 2025"  # minutes long: `make compare`


def follow(blocks: list[list[readme.Step]]) -> int:
    """Type the commands of a section; return how many of them print something that is said."""
    compared = 0
    for step in [step for block in blocks for step in block]:
        program, _, arguments = step.command.partition(" ")
        if program == "cat":
            Path(arguments).write_text("".join(line + "\n" for line in step.expected))
        elif step.command == "make run" or program == "perpool":
            words = "run --out runs/sample" if program == "make" else arguments
            found = shell.perpool(words)
            printed = (found.err + found.out).replace(f"{readme.ROOT}/", "")
            assert found.code == (2 if step.expected and step.expected[0].startswith("error:") else 0), printed
            if step.expected:
                assert readme.matches(step.expected, printed), f"{step.command}\nprints\n{printed}"
                compared += 1
    return compared


@pytest.mark.usefixtures("kernels_compiled")
def test_commands_print_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").symlink_to(readme.ROOT / "data")
    sections = readme.blocks()
    assert {*REAL, ABSENT} <= sections.keys()
    assert sum(follow(blocks) for name, blocks in sections.items() if name not in {*REAL, ABSENT}) >= 12


@pytest.mark.usefixtures("kernels_compiled")
@pytest.mark.parametrize("section", REAL)
def test_commands_on_real_prices_print_what_is_said(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, file in REAL[section].items():
        if not (real_data() / file).is_file():
            pytest.skip(f"no {file} in {real_data()}; set PERPOOL_REAL_DATA to the folder that holds it")
        Path(name).symlink_to((real_data() / file).resolve())
    assert follow(readme.blocks()[section]) >= 5


def test_table_of_venues_is_that_of_the_recipes() -> None:
    (_, *venues), (_, *recipes), *rows = readme.table("Venues")
    assert len(venues) == len(set(venues)) == len(recipes) == 5
    protocols = [load_protocol(name) for name in recipes]
    assert rows == [[family, *(getattr(item.mechanisms, family) for item in protocols)] for family in FAMILIES]


def test_table_of_recipes_is_that_of_the_folder() -> None:
    text = readme.README.read_text()
    listed = re.findall(r"^\| \[`@(\w+)`\]\(backtest/sql/recipes/(\w+)\.sql\) \| (.*) \|$", text, re.MULTILINE)
    assert listed == [(name, name, recipe.question) for name, recipe in recipes().items()]


@pytest.mark.parametrize("folder", ["kernels", "backtest"])
def test_the_map_names_every_module(folder: str) -> None:
    """ARCHITECTURE.md lists the modules of a folder in a block that starts with its name."""
    text = (readme.ROOT / "ARCHITECTURE.md").read_text()
    block = text.split(f"\n{folder}/ ")[1].split("\n```")[0]
    listed = set(re.split(r"\W+", re.split(r"\n(?=\w+/)", block)[0]))
    files = [path for path in (readme.ROOT / folder).rglob("*.py") if "cli" not in path.parts]
    modules = {path.stem for path in files} - {"__init__"}
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
