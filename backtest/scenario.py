"""What a scenario file says: a protocol on prices, with orders or a flow, a span, and the pool's first liquidity.

Durations are text such as "15m"; dates are UTC. Paths are relative to the file.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from backtest.assets import shipped
from backtest.errors import UsageError
from backtest.flows.config import utc_us
from backtest.toml_files import build, hint, read_toml, show

_UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_DURATION = re.compile(r"(\d+)(us|ms|s|m|h|d)")
_LONGEST_US = 100 * 365 * _UNITS_US["d"]
_PARQUET = "a Parquet file, a folder or a glob"

Paths = Annotated[str | tuple[str, ...], Meta(extra={"what": "a path in quotes or an array of paths"})]
Amount = Annotated[float, Meta(ge=0, le=1e11, extra={"unit": "dollars", "scale": 10**6})]
Moments = Annotated[str | tuple[str, ...], Meta(extra={"what": "a duration in quotes or an array of times"})]
Quote = Annotated[float, Meta(ge=0, le=1e8, extra={"unit": "dollars per token"})]


class Scenario(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A scenario as written; `backtest.setup` turns it into what a run needs.

    prices: Parquet file, folder or glob, or several; "sample" is the bundled history; empty: given on the command line
    orders, flow: an order file, or else a flow (TOML file or the name of a shipped one, or several: populations that
        trade side by side) with `positions` in total and `seed`
    symbols: price symbol of the protocol -> symbol in the price files, or a constant price in dollars
    liquidity: dollars at the start, by custody, or `total_usd` split by ratio_target_bps
    markets: the markets to trade; empty: all of the protocol
    snapshot: when the whole book is written: a duration, such as "1d", or an array of times; empty: never
    rules_at: a date whose rules hold for the whole run; empty: rules change when the venue changed them
    set: overrides of the protocol, by dotted path
    """

    protocol: str
    name: str = ""
    title: str = ""
    prices: Paths = ()
    orders: Paths = ()
    flow: Paths = ()
    positions: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    start: str = ""
    end: str = ""
    path: Literal["close", "ohlc"] = "close"
    max_staleness: str = "1h"
    execution_delay: str = "0s"
    sample_interval: str = "1h"
    snapshot: Moments = ""
    symbols: dict[str, str | Quote] = {}
    liquidity: dict[str, Amount] = {}
    markets: tuple[str, ...] = ()
    rules_at: str = ""
    set: dict[str, Any] = {}


def duration_us(text: str) -> int:
    """Microseconds of `90s`, `5m`, `1h30m`, `1d` (units us, ms, s, m, h, d); `UsageError` for anything else."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f'"{text}" is not a duration; write a whole number and a unit (s, m, h, d), such as "15m"')
    total = sum(int(number) * _UNITS_US[unit] for number, unit in parts)
    if total > _LONGEST_US:
        raise UsageError(f'"{text}" is longer than 100 years; give a shorter duration')
    return total


def known_scenarios() -> dict[str, Path]:
    """Shipped scenario files by name."""
    return shipped("scenarios")


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read and check a scenario by shipped name or path; its paths are made relative to the working folder.

    Raises UsageError naming file, key, value and what is allowed.
    """
    path = _find(name_or_path)
    scenario = build(read_toml(path), Scenario, str(path))
    check_scenario(scenario, str(path))
    return msgspec.structs.replace(
        scenario,
        name=scenario.name or path.stem,
        protocol=_beside(scenario.protocol, path),
        prices=tuple(_beside(item, path, always="sample") for item in listed(scenario.prices)),
        orders=tuple(_beside(item, path, always="") for item in listed(scenario.orders)),
        flow=tuple(_beside(item, path) for item in listed(scenario.flow)),
    )


def check_scenario(scenario: Scenario, where: str) -> None:
    """Raise a `UsageError` for the first value that cannot be served."""
    for key in ("max_staleness", "execution_delay", "sample_interval"):
        _try(where, key, duration_us, getattr(scenario, key))
    if duration_us(scenario.sample_interval) == 0:
        raise UsageError(f'{where}: sample_interval = "{scenario.sample_interval}" is not possible; give more than 0')
    _check_snapshot(scenario.snapshot, where)
    ends = [_try(where, key, utc_us, getattr(scenario, key)) for key in ("start", "end") if getattr(scenario, key)]
    if len(ends) == 2 and ends[0] >= ends[1]:
        raise UsageError(f'{where}: start = "{scenario.start}" is not before end = "{scenario.end}" (exclusive)')
    if scenario.rules_at:
        _try(where, "rules_at", utc_us, scenario.rules_at)
    for symbol in scenario.markets:
        if scenario.markets.count(symbol) > 1:
            raise UsageError(f"{where}: markets names {symbol} twice; name each market once")
    if scenario.orders and scenario.flow:
        raise UsageError(f"{where}: orders and flow are both given; keep one")
    for key in ("positions", "seed"):
        if getattr(scenario, key) is not None and not scenario.flow:
            raise UsageError(f'{where}: {key} = {getattr(scenario, key)} needs a flow; add flow = "uniform"')
    for key, wanted in (("prices", _PARQUET), ("orders", _PARQUET), ("flow", "a TOML file or the name of a flow")):
        paths = getattr(scenario, key)
        if isinstance(paths, tuple) and "" in paths:
            raise UsageError(f"{where}: {key} names an empty path; give {wanted}")
    for symbol, source in scenario.symbols.items():
        if source == "":
            raise UsageError(f"{where}: symbols.{symbol} is empty; give a symbol of the price files or a constant")
        if not isinstance(source, str) and source <= 0:
            raise UsageError(f"{where}: symbols.{symbol} = {show(source)} is not a price; give more than 0 dollars")
    if "total_usd" in scenario.liquidity and len(scenario.liquidity) > 1:
        others = ", ".join(key for key in scenario.liquidity if key != "total_usd")
        raise UsageError(f"{where}: liquidity gives both total_usd and {others}; keep the total or the custodies")


def _check_snapshot(snapshot: str | tuple[str, ...], where: str) -> None:
    if isinstance(snapshot, tuple):
        for time in snapshot:
            _try(where, "snapshot", utc_us, time)
    elif snapshot and _try(where, "snapshot", duration_us, snapshot) == 0:
        raise UsageError(f'{where}: snapshot = "{snapshot}" is not possible; give more than 0')


def listed(paths: str | tuple[str, ...]) -> tuple[str, ...]:
    """Paths as a tuple; an empty text is none."""
    if isinstance(paths, str):
        return (paths,) if paths else ()
    return tuple(paths)


def _find(name_or_path: str | Path) -> Path:
    known = known_scenarios()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    path = Path(name_or_path)
    if not path.is_file():
        near = hint(str(name_or_path), known)
        raise UsageError(f"no scenario is called '{name_or_path}'; {near}, or give a TOML file")
    return path


def _beside(entry: str, file: Path, always: str | None = None) -> str:
    """`entry` as seen from the working folder. Names (no such file beside `file`) stay, unless paths are meant."""
    if not entry or entry == always or Path(entry).is_absolute():
        return entry
    beside = file.parent / entry
    return str(beside) if always is not None or beside.is_file() else entry


def _try(where: str, key: str, parse: Any, text: str) -> int:
    try:
        return int(parse(text))
    except UsageError as error:
        raise UsageError(f"{where}: {key}: {error}") from None
