"""A file that is either whole or untouched: written beside its place, renamed when complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backtest.errors import PerpoolError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A hidden path beside `target` to write to: it takes the target's place when the block ends without an error."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(target)
    except OSError as error:
        raise PerpoolError(f"{target}: cannot be written ({error}); free space or write elsewhere") from None
    finally:
        part.unlink(missing_ok=True)
