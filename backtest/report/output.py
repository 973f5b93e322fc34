"""Where a page goes: whole or not at all, and never over a file that is no page."""

import os
from pathlib import Path

from backtest.errors import PerpoolError
from backtest.report.page import GENERATOR

_HEAD = 2_000  # characters in which a page says what made it


def write_page(out: Path, page: str) -> Path:
    """Write `page`, replacing an older page there; returns the path.

    Raises PerpoolError when something else is there or it cannot be written.
    """
    check_out(out)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8")
        partial.replace(out)
    except OSError as error:
        raise PerpoolError(f"cannot write {out}: {error.strerror}; free space or choose another -o") from error
    finally:
        partial.unlink(missing_ok=True)
    return out


def check_out(out: Path) -> None:
    """Refuse what must not be replaced, before any work is done."""
    if out.is_dir():
        raise PerpoolError(f"{out} is a directory; give the name of a page, for example -o {out.name}/report.html")
    if not out.exists():
        return
    with out.open(encoding="utf-8", errors="replace") as file:
        if f'content="{GENERATOR}"' not in file.read(_HEAD):
            raise PerpoolError(f"{out} is not a page of perpool and would be lost; choose another -o or remove it")
