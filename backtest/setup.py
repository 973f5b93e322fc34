"""What a run needs, from a scenario or a protocol and what the command line says: resolved, checked, ready to open."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from backtest.assets import assets
from backtest.config import ROWS, TABLES, Protocol
from backtest.errors import UsageError
from backtest.flows.config import FlowConfig, utc_us
from backtest.flows.populations import find_flow, load_flows
from backtest.flows.sections import MarketShare
from backtest.price_quotes import Quotes
from backtest.prices import SymbolSource
from backtest.protocols import Sets, find_protocol, flatten, known_protocols, lineage, load_protocol, pin
from backtest.resolve import PRICE, USD, Resolved, resolve
from backtest.scenario import Scenario, check_scenario, duration_us, known_scenarios, listed, load_scenario
from backtest.sources import price_symbols, quotes, restrict, symbol_sources
from backtest.toml_files import build, exact, hint, read_toml, show

DEFAULT_SCENARIO = "sample"
_MOST_UNITS = 2**61  # half of what the kernels take for out of range


@dataclass(frozen=True)
class Setup:
    """A scenario made concrete.

    prices, orders: paths as seen from the working folder; with no orders, `flows` are to be generated (none: no trades)
    start_us, end_us: µs UTC, end exclusive; None: as far as the prices reach
    sources: what each column of the ticks reads, in the order of `resolved.symbols`
    quotes: how low, high and average prices come about; None: the protocol trades at the price itself
    """

    scenario: Scenario
    resolved: Resolved
    prices: tuple[str, ...]
    orders: tuple[str, ...]
    flows: tuple[FlowConfig, ...]
    path: str
    start_us: int | None
    end_us: int | None
    execution_delay_us: int
    sample_interval_us: int
    sources: tuple[SymbolSource, ...]
    quotes: Quotes | None

    @property
    def liquidity_usd(self) -> tuple[int, ...]:
        """Micro-dollars at the start, per custody; a total is split by the weights that `resolved` has in force."""
        return _liquidity(self.scenario.liquidity, self.resolved, self.scenario.name)

    def genesis_units(self, prices: Sequence[int]) -> list[int]:
        """Tokens per custody, in book units, that `liquidity_usd` buys (floored) at the first tick's prices (1e10)."""
        units = []
        for number, (usd, custody) in enumerate(zip(self.liquidity_usd, self.resolved.custody_params, strict=True)):
            price = int(prices[custody["price_symbol"]])
            units.append(usd * custody["unit"] * 10**4 // price)
            if units[-1] > _MOST_UNITS:
                raise UsageError(
                    f"liquidity: {usd / USD:,.2f} dollars of "
                    f"{self.resolved.names.custodies[number]} at its first price of {price / PRICE:.10f} dollars are "
                    f"more than a book holds ({_MOST_UNITS / custody['unit']:,.0f} tokens); lower it, or the decimals"
                )
        return units


def open_setup(target: str | Path | None = None, sets: Sets = (), **given: Any) -> Setup:
    """Resolve a run from `target` and what is given beside it.

    target: a scenario (shipped name or TOML file), a protocol (name or file; the rest is that of the scenario named
        like it or like the nearest protocol it extends, else of "sample"), or None for "sample"
    sets: overrides of the protocol, over those of the scenario
    given: keys of a scenario (prices, orders, flow, positions, seed, start, end, ...) that replace the file's;
        None means not given. Paths are relative to the working folder.

    Raises UsageError naming file or key, value and what is allowed.
    """
    base, any_protocol = _scenario(target)
    changes = {key: _plain(value) for key, value in given.items() if value is not None}
    unknown = [key for key in changes if key not in Scenario.__struct_fields__]
    if unknown:
        raise UsageError(f"{unknown[0]} is not part of a scenario; {hint(unknown[0], Scenario.__struct_fields__)}")
    if changes.get("orders"):  # an order file takes the place of a flow, and the other way round
        base = replace(base, flow=(), positions=None, seed=None)
    elif changes.get("flow"):  # and another flow comes with its own positions and seed
        base = replace(base, orders=(), positions=None, seed=None)
    scenario = build(msgspec.to_builtins(base) | changes, Scenario, "arguments")
    check_scenario(scenario, "arguments")  # the file itself has been checked
    where = str(target or DEFAULT_SCENARIO)
    protocol = load_protocol(_protocol(scenario, where), [*flatten(scenario.set), *sets])
    if scenario.rules_at:
        protocol = pin(protocol, scenario.rules_at)
    whole, protocol = protocol, restrict(protocol, scenario.markets, "arguments" if "markets" in changes else where)
    resolved = resolve(protocol, sample_interval_us=duration_us(scenario.sample_interval))
    return _setup(
        scenario,
        resolved,
        price_symbols(whole),
        where,
        prices=_prices(scenario, where),
        orders=listed(scenario.orders),
        flows=_flows(
            scenario,
            resolved,
            "arguments" if "flow" in changes else where,
            any_protocol and "flow" not in changes,
            left_out={row.symbol for row in whole.market if row not in protocol.market},
        ),
    )


def recorded_setup(
    scenario: Scenario, protocol: Protocol, prices: Sequence[str], orders: Sequence[str], where: str
) -> Setup:
    """The setup of a run that has been: scenario and rules as its manifest tells them, files as given."""
    resolved = resolve(protocol, sample_interval_us=duration_us(scenario.sample_interval))
    mapped = (*price_symbols(protocol), *scenario.symbols)
    return _setup(scenario, resolved, mapped, where, prices=tuple(prices), orders=tuple(orders), flows=())


def _setup(scenario: Scenario, resolved: Resolved, mapped: Sequence[str], where: str, **inputs: Any) -> Setup:
    """inputs: prices, orders, flows. mapped: what a scenario may name under [symbols]."""
    _liquidity(scenario.liquidity, resolved, where)
    return Setup(
        scenario=scenario,
        resolved=resolved,
        path=scenario.path,
        start_us=utc_us(scenario.start) if scenario.start else None,
        end_us=utc_us(scenario.end) if scenario.end else None,
        execution_delay_us=duration_us(scenario.execution_delay),
        sample_interval_us=duration_us(scenario.sample_interval),
        sources=symbol_sources(scenario, resolved, mapped, where),
        quotes=quotes(resolved),
        **inputs,
    )


def _scenario(target: str | Path | None) -> tuple[Scenario, bool]:
    """The scenario that `target` names; for a protocol that none is named like, another's with it (and True)."""
    if target is None:
        return load_scenario(DEFAULT_SCENARIO), False
    text = str(target)
    if text in known_scenarios():
        return load_scenario(text), False
    if text in known_protocols():
        return _with_protocol(text, text)
    if not Path(text).is_file():
        names = {**known_scenarios(), **known_protocols()}
        if Path(text).suffix == ".toml":
            raise UsageError(f"{text}: no such file; give a scenario or protocol TOML, or one of: {', '.join(names)}")
        raise UsageError(f"'{text}' is neither a scenario nor a protocol; {hint(text, names)}, or give a TOML file")
    keys = read_toml(Path(text))
    is_protocol = "protocol" not in keys and bool(keys.keys() & {"extends", *TABLES, *ROWS})
    return _with_protocol(text, Path(text).stem) if is_protocol else (load_scenario(text), False)


def _protocol(scenario: Scenario, where: str) -> str:
    try:
        find_protocol(scenario.protocol)
    except UsageError as error:
        raise UsageError(f"{where}: protocol: {error}") from None
    return scenario.protocol


def _with_protocol(protocol: str, name: str) -> tuple[Scenario, bool]:
    """The scenario of the nearest kin, with this protocol, less the price symbols that it has no use for."""
    used = price_symbols(load_protocol(protocol))
    kin = load_scenario(_kin(protocol))
    symbols = {symbol: source for symbol, source in kin.symbols.items() if symbol in used}
    return replace(kin, protocol=protocol, name=name, title="", symbols=symbols, set={}), True


def _kin(protocol: str) -> str:
    """The shipped scenario named like this protocol or the nearest that it extends; without one, the sample's."""
    named = [path.stem for path in lineage(protocol) if path == known_protocols().get(path.stem)]
    return next((name for name in named if name in known_scenarios()), DEFAULT_SCENARIO)


def _plain(value: Any) -> Any:
    """Paths as text, one or several."""
    if isinstance(value, Path):
        return str(value)
    return [str(item) for item in value] if isinstance(value, list | tuple) else value


def _prices(scenario: Scenario, where: str) -> tuple[str, ...]:
    paths = listed(scenario.prices)
    if not any(paths):
        raise UsageError(f'{where}: no prices; give --prices PATH, or prices = "sample" for the bundled history')
    return tuple(str(assets("data") / "sample" / "prices.parquet") if path == "sample" else path for path in paths)


def _liquidity(given: Mapping[str, float], resolved: Resolved, where: str) -> tuple[int, ...]:
    custodies = resolved.protocol.custody
    if "total_usd" in given:
        total = exact(given["total_usd"], USD)
        if not any(row.ratio_target_bps for row in custodies):
            raise UsageError(
                f"{where}: liquidity.total_usd is split by ratio_target_bps, which {resolved.protocol.name} does not "
                "give; in a scenario file, write dollars per custody under [liquidity], such as "
                f"{custodies[0].symbol} = 1_000_000"
            )
        return tuple(total * row.ratio_target_bps // 10_000 for row in custodies)
    for symbol in given:
        if symbol not in resolved.names.custodies:
            known = ("total_usd", *resolved.names.custodies)
            raise UsageError(
                f"{where}: liquidity.{symbol} is not a custody of {resolved.protocol.name}; {hint(symbol, known)}"
            )
    return tuple(exact(given.get(row.symbol, 0.0), USD) for row in custodies)


def _flows(
    scenario: Scenario, resolved: Resolved, where: str, drop_unknown: bool, left_out: Set[str]
) -> tuple[FlowConfig, ...]:
    """The populations, the price source of each market filled in from the scenario, unless they name their own.

    `drop_unknown` leaves out markets that the protocol does not have, and trades all of its markets alike where that
    leaves none: a bare protocol was asked for, with no flow.
    `left_out`: markets of the protocol that the scenario does not want; a flow does without them.
    """
    names = listed(scenario.flow)
    if not names:
        return ()
    try:
        paths = [find_flow(name) for name in names]
    except UsageError as error:
        raise UsageError(f"{where}: flow: {error}") from None
    prices = {row.symbol: row.price or row.symbol for row in resolved.protocol.market}
    found = []
    for path, flow in zip(paths, load_flows(paths, positions=scenario.positions, seed=scenario.seed), strict=True):
        custody = flow.liquidity.custody
        if flow.liquidity.deposits and custody not in resolved.names.custodies:
            near = hint(custody, resolved.names.custodies)
            name = resolved.protocol.name
            raise UsageError(f"{path}: liquidity.custody: {custody} is not a custody of {name}; {near}")
        wanted = flow.markets
        if drop_unknown and not any(item.market in prices for item in wanted):
            wanted = tuple(MarketShare(market=symbol) for symbol in prices)
        may_go = set(left_out) | ({item.market for item in wanted} - prices.keys() if drop_unknown else set())
        may_go -= {flow.liquidity.watch}
        markets = _markets(wanted, prices, may_go, f"{path}: markets", resolved.protocol.name)
        found.append(replace(flow, markets=tuple(_sourced(item, scenario, prices, where) for item in markets)))
    return tuple(found)


def _markets(
    wanted: Sequence[MarketShare], prices: Mapping[str, str], may_go: Set[str], where: str, protocol: str
) -> list[MarketShare]:
    """The wanted markets that the protocol has; another is an error, unless it may go and one of them stays."""
    there = [item for item in wanted if item.market in prices]
    for item in wanted:
        if item.market not in prices and not (item.market in may_go and there):
            raise UsageError(f"{where}: {item.market} is not a market of {protocol}; {hint(item.market, prices)}")
    return there


def _sourced(item: MarketShare, scenario: Scenario, prices: Mapping[str, str], where: str) -> MarketShare:
    """The market with the symbol of the price files that it reads."""
    source = item.source or scenario.symbols.get(prices[item.market], prices[item.market])
    if not isinstance(source, str):
        raise UsageError(
            f"{where}: symbols.{prices[item.market]} is the constant {show(source)}, but the flow trades "
            f"{item.market}; give a symbol of the price files"
        )
    return replace(item, source=source)
