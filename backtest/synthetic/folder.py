"""A whole price dataset in one step: written beside its place, renamed when complete."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backtest.errors import PerpoolError, UsageError


def check_target(out: Path, sources: Sequence[Path], overwrite: bool) -> None:
    """Refuse a folder that holds something, unless it is a price dataset that `overwrite` replaces."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder; choose another --out")
    inside = sorted(out.iterdir())
    if not inside:
        return
    if not overwrite:
        raise UsageError(f"{out} is not empty; choose another --out or pass --overwrite to replace the dataset there")
    for item in inside:
        if item.suffix != ".parquet" or not item.is_file():
            raise UsageError(f"{out} holds {item.name}, which is no price file; choose another --out")
    for source in sources:
        if out.resolve() in source.resolve().parents:
            raise UsageError(f"{out} holds the history itself, {source.name}; choose another --out")


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write to: it takes the place of `out` when the block ends without an error."""
    out = Path(os.path.abspath(out))
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        part.mkdir(parents=True)
        yield part
        if out.exists():
            out.rename(old)
        try:
            part.rename(out)
        except BaseException:
            if old.exists():
                old.rename(out)
            raise
    except OSError as error:
        raise PerpoolError(f"{out}: cannot be written ({error}); free space or write elsewhere") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
