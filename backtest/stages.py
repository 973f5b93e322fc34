"""The rules of a run over time: what is in force at its start, and what every dated change within it puts in place."""

from dataclasses import dataclass

from backtest.changes import Edit, in_force, steps
from backtest.config import Protocol
from backtest.resolve import HOUR_US, Resolved, resolve

__all__ = ["Stage", "stages"]


@dataclass(frozen=True)
class Stage:
    """Parameters from a time on.

    at_us: microseconds UTC; of the first stage, the start of the run
    number: 0 for the rules at the start, then 1, 2, ... in order of time
    resolved: every parameter then in force, changed or not
    changes: what became different, none for stage 0
    """

    at_us: int
    number: int
    resolved: Resolved
    changes: tuple[Edit, ...]


def stages(
    protocol: Protocol, start_us: int, end_us: int | None = None, *, sample_interval_us: int = HOUR_US
) -> list[Stage]:
    """The stages of a run over [start_us, end_us], end None: for ever.

    Changes dated at or before the start are in stage 0. All stages share names and price symbols.
    """
    first = in_force(protocol, start_us)
    found = [Stage(start_us, 0, resolve(first, sample_interval_us=sample_interval_us), ())]
    for step in steps(first, protocol.name):
        if end_us is None or step.at_us <= end_us:
            resolved = resolve(step.protocol, sample_interval_us=sample_interval_us)
            assert (resolved.names, resolved.symbols) == (found[0].resolved.names, found[0].resolved.symbols)
            found.append(Stage(step.at_us, len(found), resolved, step.edits))
    return found
