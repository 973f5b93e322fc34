"""Markouts: how the price moved after traders opened, in their favour, at the prices that the run's ticks had."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from backtest.config import Protocol
from backtest.errors import PerpoolError
from backtest.flows.config import utc_us
from backtest.prices import SymbolSource, fingerprint, open_prices
from backtest.scenario import duration_us
from backtest.warehouse import Run, price_files

HORIZONS_MIN = (1, 5, 10)
_MINUTE_US = 60_000_000
_TICKS_PER_CHUNK = 262_144
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Markout(NamedTuple):
    """Of one market after `minutes`: dollars opened that have a price then, and the mean move per dollar of them.

    bps: None where no open has a price that much later.
    """

    market: str
    minutes: int
    opened_usd: float
    bps: float | None


class Opens(NamedTuple):
    """Notional opened or added in one market: ticks (µs), dollars, and +1 for longs, -1 for shorts; each (n,)."""

    time_us: Ints
    size_usd: Floats
    side: Floats


class MarketTicks(NamedTuple):
    """Ticks of one market: times (µs), prices, and whether each is fresh: not old, the market not closed; each (T,)."""

    time_us: Ints
    price: Floats
    fresh: npt.NDArray[np.bool_]


def markouts(con: duckdb.DuckDBPyConnection, run: Run) -> tuple[Markout, ...]:
    """Per market and horizon, markets in the order of the run. `con` has the run's tables.

    Raises PerpoolError where the price files of the run are gone or do not give its ticks any more.
    """
    ticks = _ticks(run)
    found = []
    for market in run.manifest["markets"]:
        opens = _opens(con, run.name, market["symbol"])
        its = ticks[market.get("price") or market["symbol"]]
        found += [markout(market["symbol"], minutes, opens, its) for minutes in HORIZONS_MIN]
    return tuple(found)


def markout(market: str, minutes: int, opens: Opens, ticks: MarketTicks) -> Markout:
    """The markout of one market at one horizon.

    An open counts where a tick with a fresh price comes at or after its horizon, and within as long again.
    """
    times, price, fresh = ticks
    horizon_us = minutes * _MINUTE_US
    at = np.searchsorted(times, opens.time_us)
    later = np.searchsorted(times, opens.time_us + horizon_us)
    known = later < len(times)
    known[known] = fresh[later[known]] & (times[later[known]] <= opens.time_us[known] + 2 * horizon_us)
    size = opens.size_usd[known]
    move = price[later[known]] / price[at[known]] - 1.0
    total = float(size.sum())
    bps = float((size * opens.side[known] * move).sum()) / total * 1e4 if total else None
    return Markout(market, minutes, total, bps)


def overall(found: Sequence[Markout], minutes: int) -> float | None:
    """The markout of all markets together, bps: each dollar counts the same."""
    told = [(item.opened_usd, item.bps) for item in found if item.minutes == minutes and item.bps is not None]
    opened = sum(usd for usd, _ in told)
    return sum(usd * bps for usd, bps in told) / opened if opened else None


def _opens(con: duckdb.DuckDBPyConnection, run: str, market: str) -> Opens:
    rows = con.execute(
        "SELECT epoch_us(timestamp) AS time_us, CAST(size_usd AS DOUBLE) AS size_usd, "
        "CASE side WHEN 'long' THEN 1.0::DOUBLE ELSE -1.0::DOUBLE END AS side FROM trades "
        "WHERE run = ? AND market_symbol = ? AND action = 'increase' AND size_usd > 0 ORDER BY seq",
        [run, market],
    ).fetchnumpy()
    return Opens(*(np.asarray(rows[name]) for name in Opens._fields))


def _ticks(run: Run) -> dict[str, MarketTicks]:
    """The run's ticks by price symbol of its markets."""
    manifest = run.manifest
    files = price_files(run)
    if not files:
        raise PerpoolError(f"{run.path}: the price files of the run are gone")
    known = [entry["sha256"] for entry in manifest["inputs"] if entry["role"] == "prices"]
    for file, sha256 in zip(files, known, strict=True):
        if fingerprint([file])[0]["sha256"] != sha256:
            raise PerpoolError(f"{file} has changed since the run")
    start_us, end_us = (utc_us(manifest["span"][name]) for name in ("start", "end"))
    source = open_prices(
        files, _sources(manifest), path=manifest["scenario"]["path"], start_us=start_us, end_us=end_us + 1
    )
    wanted = {market.get("price") or market["symbol"] for market in manifest["markets"]}
    columns = [column for column, symbol in enumerate(source.symbols) if symbol in wanted]
    pieces = [
        (chunk.time_us, chunk.price[:, columns], chunk.flags[:, columns]) for chunk in source.chunks(_TICKS_PER_CHUNK)
    ]
    times, prices, flags = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return {
        source.symbols[column]: MarketTicks(times, prices[:, row].astype(np.float64), flags[:, row] == 0)
        for row, column in enumerate(columns)
    }


def _sources(manifest: Mapping[str, Any]) -> list[SymbolSource]:
    """What the run's ticks were made of; market hours add ticks, and what is closed or old is not a price of now."""
    stale_us = duration_us(manifest["scenario"]["max_staleness"])
    protocol = msgspec.convert(manifest["protocol"], Protocol)
    hours = {row.price or row.symbol: protocol.calendar[row.calendar] for row in protocol.market if row.calendar}
    return [
        SymbolSource(symbol, source, stale_us, calendar=hours.get(symbol))
        for symbol, source in manifest["symbols"].items()
    ]
