"""Where the shipped files lie: inside an installed package, or in the checkout beside it."""

from pathlib import Path
from typing import Literal

from backtest.errors import PerpoolError

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE / "_assets", _PACKAGE.parent)


def assets(kind: Literal["configs", "data"]) -> Path:
    """Folder of the shipped `configs` or `data`; a `PerpoolError` when this installation has none."""
    for root in _ROOTS:
        if (root / kind).is_dir():
            return root / kind
    raise PerpoolError(
        f"the shipped folder '{kind}' is neither in {_ROOTS[0]} nor in {_ROOTS[1]}; install perpool again"
    )


def shipped(folder: str) -> dict[str, Path]:
    """Shipped TOML files of `configs/<folder>` by name (file name without .toml), sorted."""
    return {path.stem: path for path in sorted((assets("configs") / folder).glob("*.toml"))}
