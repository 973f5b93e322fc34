"""Populations by shipped name or file, mixed, with a total of positions split over them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from backtest.assets import shipped
from backtest.errors import UsageError
from backtest.flows.config import FlowConfig, load_flow
from backtest.toml_files import hint

DEFAULT = "uniform"


def find_flow(name_or_path: str | Path) -> Path:
    """The file of a population, by the name of a shipped one or as a path; UsageError where there is none."""
    known = shipped("flows")
    path = known.get(str(name_or_path), Path(name_or_path))
    if path.is_file():
        return path
    if path.suffix == ".toml":
        raise UsageError(f"{path}: no such file; give a flow TOML, or one of: {', '.join(known)}")
    raise UsageError(f"no flow is called '{name_or_path}'; {hint(str(name_or_path), known)}, or give a TOML file")


def load_flows(
    names: Sequence[str | Path], *, positions: int | None = None, seed: int | None = None
) -> tuple[FlowConfig, ...]:
    """Read populations (none named: uniform); `positions` in total, in proportion to their own, `seed` for all.

    Raises UsageError for a file at fault, or for two populations of one name, which would draw the same.
    """
    configs = [load_flow(find_flow(name), seed=seed) for name in names or (DEFAULT,)]
    check_names(configs)
    return split(configs, positions)


def check_names(configs: Sequence[FlowConfig]) -> None:
    """UsageError where two populations have one name."""
    names = [config.name for config in configs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two populations are called {name}, and would draw the same; set name in one of them")


def split(configs: Sequence[FlowConfig], positions: int | None) -> tuple[FlowConfig, ...]:
    """The populations with `positions` in total, in proportion to their own, to within one each."""
    if positions is None:
        return tuple(configs)
    weights = [config.positions for config in configs]
    if not any(weights):
        weights = [1] * len(configs)
    ends = [positions * sum(weights[: k + 1]) // sum(weights) for k in range(len(weights))]
    counts = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    return tuple(
        msgspec.structs.replace(config, positions=count) for config, count in zip(configs, counts, strict=True)
    )
