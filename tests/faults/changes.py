"""A fault, and the changes to the files of `tests.shell.write_world` that bring faults about.

Changes act on the working folder. `...` in a message stands for words of a library.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from tests.shell import MINUTE, perpool, write_orders, write_prices

RUN = "run scenario.toml --out out"
FLOW = "run scenario.toml --flow flow.toml --out out"
NAN, INF = float("nan"), float("inf")

Prepare = Callable[[], object]


class Fault(NamedTuple):
    """A message without its `error: `, the change that brings it about, the command, the exit code."""

    message: str
    prepare: Prepare = lambda: None
    args: str = RUN
    code: int = 1


def prices(*values: float | None, step_us: int = MINUTE) -> Prepare:
    return lambda: write_prices(Path("prices.parquet"), values, step_us=step_us)


def changed(*columns: pl.Expr) -> Prepare:
    return lambda: pl.read_parquet("prices.parquet").with_columns(*columns).write_parquet("prices.parquet")


def candles(start: float, high: float, low: float, end: float, file: str = "prices.parquet") -> Prepare:
    def write() -> None:
        values = {"open": start, "high": high, "low": low, "close": end}
        frame = pl.read_parquet("prices.parquet").drop("price")
        frame.with_columns(pl.lit(value).alias(name) for name, value in values.items()).write_parquet(file)

    return write


def orders(*rows: dict[str, Any], **types: pa.DataType) -> Prepare:
    return lambda: write_orders(Path("orders.parquet"), list(rows), **types)


def text(file: str, old: str, new: str) -> Prepare:
    def replace() -> None:
        path = Path(file)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return replace


def written(file: str, content: str | bytes) -> Prepare:
    return lambda: Path(file).write_bytes(content.encode() if isinstance(content, str) else content)


def folder(name: str, *files: str) -> Prepare:
    def make() -> None:
        Path(name).mkdir()
        for file in files:
            (Path(name) / file).touch()

    return make


def copied(source: str, target: str) -> Prepare:
    return lambda: shutil.copy(source, target)


def cut(file: str) -> Prepare:
    return lambda: Path(file).write_bytes(Path(file).read_bytes()[:-100])


def scrambled(file: str) -> Prepare:
    """The pages are overwritten, the footer stays."""

    def overwrite() -> None:
        data = bytearray(Path(file).read_bytes())
        data[4:200] = b"\xff" * 196
        Path(file).write_bytes(data)

    return overwrite


def both(*steps: Prepare) -> Prepare:
    return lambda: [step() for step in steps]


def ran() -> None:
    assert perpool(RUN).code == 0


def protocol(old: str, new: str) -> Prepare:
    return text("tiny.toml", old, new)


def scenario(old: str, new: str) -> Prepare:
    return text("scenario.toml", old, new)


def flow(new: str) -> Prepare:
    return text("flow.toml", "seed = 3", new)


def with_key(line: str) -> Prepare:
    return scenario('prices = "prices.parquet"', f'prices = "prices.parquet"\n{line}')
