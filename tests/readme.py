"""The console blocks of README.md as commands with expected output, so that a test can hold the page to what is true.

A block is a fence without a language that has a line starting with `$ `. What follows a command is its output: a line
`...` stands for any lines, `...` at the end of a line for the rest of it. `$ cat FILE` shows a reader's file.
"""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
_FENCE = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPEED = re.compile(r"│ Throughput .*")  # says how fast the machine is


class Step(NamedTuple):
    """A command as typed, and the lines that it is said to print (none: nothing is said)."""

    command: str
    expected: tuple[str, ...]


def blocks() -> dict[str, list[list[Step]]]:
    """The console blocks under each heading, in order."""
    parts = re.split(r"^#+ (.*)\n", README.read_text(), flags=re.MULTILINE)
    return {
        heading: [steps(block) for block in _FENCE.findall(text) if re.search(r"^\$ ", block, re.MULTILINE)]
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def steps(block: str) -> list[Step]:
    """The commands of a block; one may go on over lines as long as a quote is open."""
    found: list[Step] = []
    lines = block.splitlines()
    while lines:
        command = lines.pop(0)
        assert command.startswith("$ "), command
        while not _is_whole(command[2:]):
            command += "\n" + lines.pop(0)
        output = []
        while lines and not lines[0].startswith("$ "):
            output.append(lines.pop(0).rstrip())
        found.append(Step(command[2:], tuple(output)))
    return found


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def matches(expected: tuple[str, ...], printed: str) -> bool:
    """Whether `printed` is what is expected; neither blanks and rules nor how fast the machine is count."""
    text = "".join(_plain(line) + "\n" for line in printed.splitlines())
    return re.fullmatch("".join(map(_pattern, expected)), text.strip("\n") + "\n") is not None


def _plain(line: str) -> str:
    """A line without what the width of other lines decides."""
    return " ".join(re.sub("─+", "─", _SPEED.sub("│ Throughput", line)).split())


def _pattern(line: str) -> str:
    if line == "...":
        return r"(?:.*\n)*?"
    if line.endswith("..."):
        return re.escape(_plain(line[:-3])) + r".*\n"
    return re.escape(_plain(line)) + r"\n"


def table(heading: str) -> list[list[str]]:
    """The first Markdown table under a heading of level two: its rows of cells, without the rule."""
    section = README.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows if not set(row[0].strip()) <= set("-:")]
