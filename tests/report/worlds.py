"""Small runs for pages: the handmade ones, one of every action, and the odd ones out."""

from collections.abc import Callable
from pathlib import Path

from tests import handmade, handmade_reserve
from tests.busy_case import busy_case
from tests.reference import run


def hand(folder: Path) -> Path:
    """Two custodies, three positions, two days: tests/handmade.py works it out."""
    return handmade.write(folder / "hand")


def reserve(folder: Path) -> Path:
    """Fees in a reserve, rewards paid beside the pool."""
    return handmade_reserve.write(folder / "reserve")


def busy(folder: Path, seed: int = 7) -> Path:
    """Every action, three markets, closed and stale prices."""
    case = busy_case(seed)
    return handmade.write_result(folder / f"busy-{seed}", case, run(case))


def _without_trades(rows: handmade.Tables) -> handmade.Tables:
    """The genesis alone, with the samples of then repeated."""
    first = rows["lp"][0]
    return {
        "events": rows["events"][:2],
        "positions": [],
        "pool": [row | {"timestamp": at} for at in handmade.SAMPLED_AT for row in rows["pool"][:2]],
        "markets": [rows["markets"][0] | {"timestamp": at} for at in handmade.SAMPLED_AT],
        "lp": [first | {"timestamp": at} for at in handmade.SAMPLED_AT],
        "rejections": [],
    }


def empty(folder: Path) -> Path:
    """A run in which nobody trades and no price moves."""
    return handmade.write(folder / "empty", _without_trades(handmade.tables()))


def single(folder: Path) -> Path:
    """A run of one sample."""
    rows = _without_trades(handmade.tables())
    kept = {name: [row for row in found if row["timestamp"] == handmade.SAMPLED_AT[0]] for name, found in rows.items()}
    return handmade.write(folder / "single", kept)


def insolvent(folder: Path) -> Path:
    """The handmade run, but at the end all that it owned is gone and its value is cut off at zero."""
    rows = handmade.tables()
    last = rows["lp"][-1]
    last |= {"rounding_usd": -last["aum_usd"], "aum_usd": 0, "lp_price": 0}
    for row in rows["pool"][-2:]:
        row |= {"owned_units": 0, "locked_units": 0, "value_usd": 0}
    return handmade.write(folder / "insolvent", rows)


WORLDS: dict[str, Callable[[Path], Path]] = {
    "hand": hand,
    "reserve": reserve,
    "busy": busy,
    "empty": empty,
    "single": single,
    "insolvent": insolvent,
}
