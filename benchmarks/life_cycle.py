"""The main job: a million positions opened, charged, and closed or liquidated over 72,000 five-minute ticks.

Three figures: settled events per second in the loop alone; the whole run against what pyarrow alone needs to read
the same inputs and write the same outputs; and the peak memory of a fresh process that does it.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from backtest import columns, tablefile
from backtest.engine import Engine, make_venue
from backtest.errors import PerpoolError
from backtest.flows.generate import generate, open_flow_prices, write_orders
from backtest.orders import OrderSource
from backtest.prices import open_prices
from backtest.replay import TICKS_PER_CHUNK
from backtest.runner import run as run_backtest
from backtest.setup import Setup, open_setup
from kernels.state import Orders

from . import worlds
from .timing import Say, fresh_process, interleaved, median

SCENARIO = "real-2024"
_SYMBOLS = {"SOL": (100.0, 0.0025), "BTC": (42_000.0, 0.0015), "BONK": (1.2e-5, 0.004)}  # first price, sigma per tick
_TICKS = 72_000
_REPEATS = 3
_PROCESS = """
import json, sys, time
from importlib import import_module
from backtest.runner import run
started = time.perf_counter()
run(sys.argv[1], prices=[sys.argv[2]], orders=[sys.argv[3]], path="close", out=sys.argv[4], overwrite=True)
print(json.dumps([time.perf_counter() - started, import_module(sys.argv[5]).peak_bytes()]))
"""


def run(full: bool, say: Say) -> dict[str, Any]:
    """Parity of tree and brute force on a small flow, then the job at 1,000,000 positions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prices, source = _prices(folder)
        say("life cycle: parity of engine and brute-force twin")
        _check_parity(folder, prices)
        n = 1_000_000
        say(f"life cycle: {n:,} positions, {source}")
        orders = folder / "orders.parquet"
        setup = open_setup(SCENARIO, prices=[str(prices)], path="close", positions=n)
        write_orders(generate(setup.flows, open_flow_prices(setup.flows, setup.prices)), orders)
        found = {"positions": n, "prices": source, **_loop(setup, orders)}
        say("life cycle: whole runs, and pyarrow alone")
        return found | _whole(folder, prices, orders)


# --- inputs ---------------------------------------------------------------------------------------------------------


def _prices(folder: Path) -> tuple[Path, str]:
    """A price file with 5-minute candles of the three markets, and where they come from: real or synthetic."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("PERPOOL_REAL_DATA", default)) / "binance_5m_2024"
    target = folder / "prices.parquet"
    if data.is_dir():
        tables = [_real(data / f"{symbol}_USDT-5m.feather", symbol) for symbol in _SYMBOLS]
        source = "real prices (Binance, 2024)"
    else:
        tables = [_synthetic(k, symbol) for k, symbol in enumerate(_SYMBOLS)]
        source = "synthetic prices (no real ones found; set PERPOOL_REAL_DATA)"
    table = pa.concat_tables(tables).sort_by([("timestamp", "ascending"), ("symbol", "ascending")])
    pq.write_table(table, target)
    return target, source


def _real(path: Path, symbol: str) -> pa.Table:
    candles = feather.read_table(path, columns=["date", "open", "high", "low", "close", "volume"])
    candles = candles.rename_columns(["timestamp", *candles.column_names[1:]])
    candles = candles.set_column(0, "timestamp", candles["timestamp"].cast(pa.timestamp("us", "UTC")))
    return candles.append_column("symbol", pa.array([symbol] * len(candles)))


def _synthetic(number: int, symbol: str) -> pa.Table:
    first, sigma = _SYMBOLS[symbol]
    ticks = worlds.walk(_TICKS, seed=number, sigma=sigma, first=first, step_s=300)
    close = ticks.price[:, 0] / worlds.PRICE_SCALE
    begin = np.concatenate([close[:1], close[:-1]])
    return pa.table(
        {
            "timestamp": pa.array(ticks.time_us).cast(pa.timestamp("us", "UTC")),
            "open": begin,
            "high": np.maximum(begin, close),
            "low": np.minimum(begin, close),
            "close": close,
            "volume": np.ones(len(close)),
            "symbol": [symbol] * len(close),
        }
    )


def _check_parity(folder: Path, prices: Path, positions: int = 3_000) -> None:
    """The same result hash with the bound tree and with the scan of every position; raises if not."""
    hashes = [
        run_backtest(
            SCENARIO,
            prices=[str(prices)],
            path="close",
            positions=positions,
            end="2024-03-01",
            scan=scan,
            out=folder / f"parity-{scan}",
        ).manifest["result_hash"]
        for scan in (False, True)
    ]
    if hashes[0] != hashes[1]:
        raise PerpoolError(
            "the engine and its brute-force twin disagree: the life cycle is not measured; please report it"
        )


# --- the loop alone -------------------------------------------------------------------------------------------------


def _loop(setup: Setup, orders: Path) -> dict[str, Any]:
    """Seconds in the chunk loop with orders and ticks in memory and a sink that keeps nothing."""
    source = OrderSource([orders], setup.resolved.names, execution_delay_us=setup.execution_delay_us)
    batches = list(source.remaining())
    held = worlds.frozen(Orders(*(np.concatenate(column) for column in zip(*batches, strict=True))))
    prices = open_prices(list(setup.prices), setup.sources, path=setup.path)
    ticks = list(prices.chunks(TICKS_PER_CHUNK))
    ends = np.searchsorted(held.due_us, [int(part.time_us[-1]) for part in ticks], side="right")
    parts = [Orders(*(c[first:last] for c in held)) for first, last in zip([0, *ends[:-1]], ends, strict=True)]
    engines: list[Engine] = []

    def go() -> None:
        engine = engines.pop()
        for chunk, due in zip(ticks, parts, strict=True):
            engine.run(chunk, due, is_last=chunk is ticks[-1])

    def engine_at_start() -> Engine:
        resolved = setup.resolved
        engine = Engine(
            make_venue(resolved.custody_params, resolved.market_params, resolved.pool_params), worlds.discard
        )
        engine.start(ticks[0], setup.genesis_units([int(price) for price in ticks[0].price[0]]))
        return engine

    engine = engine_at_start()
    engines = [engine, *(engine_at_start() for _ in range(_REPEATS))][::-1]
    taken = median(go, _REPEATS)
    return {
        "ticks": prices.span.n_ticks,
        "orders": len(held.due_us),
        "events": engine.n_events,
        **{name: int(engine.venue.pool[name][0]) for name in ("n_open", "n_closed", "n_liquidated")},
        "most_open_slots": int(engine.books.book["capacity"].sum()),
        "loop_seconds": taken,
        "events_per_s": engine.n_events / taken,
        "nanoseconds_per_event": taken / engine.n_events * 1e9,
    }


# --- the whole run --------------------------------------------------------------------------------------------------


def _whole(folder: Path, prices: Path, orders: Path) -> dict[str, Any]:
    """Wall time of the run against reading and writing alone, and the memory of a fresh process."""
    import json

    out = folder / "run"

    def whole() -> None:
        run_backtest(SCENARIO, prices=[str(prices)], orders=[str(orders)], path="close", out=out, overwrite=True)

    whole()
    tables = {name: pq.read_table(out / f"{name}.parquet") for name in columns.TABLES}

    def read_and_write() -> None:
        pq.read_table(prices)
        pq.read_table(orders)
        for name, table in tables.items():
            _write(folder / f"{name}.parquet", name, table)

    taken = interleaved({"run": whole, "io": read_and_write}, _REPEATS)
    sizes = {name: (out / f"{name}.parquet").stat().st_size for name in tables}
    package = f"{__package__}.timing"
    arguments = [SCENARIO, str(prices), str(orders), str(out), package]
    process_seconds, peak = json.loads(fresh_process(["-c", _PROCESS, *arguments]).splitlines()[-1])
    return {
        "ratio_to_io": taken["run"] / taken["io"],
        "run_seconds": taken["run"],
        "io_seconds": taken["io"],
        "fresh_process_run_seconds": process_seconds,
        "peak_bytes": peak,
        "bytes_read": prices.stat().st_size + orders.stat().st_size,
        "bytes_written": sum(sizes.values()),
        "note": "loop: orders and ticks in memory, output discarded; run: prices and orders from Parquet to the run "
        "directory, hashed and on disk; io: pyarrow reads the same files and writes the same tables with the same "
        "encoding, nothing between",
    }


def _write(path: Path, name: str, table: pa.Table) -> None:
    """Write a table of a run with the settings of `backtest.tablefile`."""
    spec = columns.TABLES[name]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=[column.name for column in spec if column.kind == "code"],
        column_encoding={column.name: "DELTA_BINARY_PACKED" for column in spec if column.kind != "code"},
        write_statistics=[column.name for column in spec if column.kind == "timestamp"],
        store_decimal_as_integer=True,
        row_group_size=tablefile.ROW_GROUP,
    )
