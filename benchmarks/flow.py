"""Order flow: five million orders of four shipped populations from a year of 5-minute candles, to a Parquet file.

Two figures: the whole command (prices read and checked, orders drawn, sorted, written) against what pyarrow alone needs
to write the same table in the same encoding; and the peak memory of a fresh process that does it.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import worlds
from .timing import Say, fresh_process, interleaved

POPULATIONS = ("retail", "degens", "whales", "carry")
POSITIONS = 2_600_000
_TICKS = 105_120  # a year
_SYMBOLS = {"SOL": (100.0, 0.0025), "BTC": (42_000.0, 0.0015), "BONK": (1.2e-5, 0.004)}  # first price, sigma per tick
_REPEATS = 3
_PROCESS = """
import json, sys, time
from importlib import import_module
from backtest.flows.generate import generate, open_flow_prices, write_orders
from backtest.flows.populations import load_flows
started = time.perf_counter()
configs = load_flows(sys.argv[5:], positions=int(sys.argv[3]))
write_orders(generate(configs, open_flow_prices(configs, sys.argv[1])), sys.argv[2])
print(json.dumps([time.perf_counter() - started, import_module(sys.argv[4]).peak_bytes()]))
"""


def run(full: bool, say: Say) -> dict[str, Any]:
    """Seconds of a fresh process and of pyarrow alone, in turn, and the most memory of the process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prices, orders, copy = (folder / f"{what}.parquet" for what in ("prices", "orders", "copy"))
        _write_prices(prices)
        say(f"flow: {POSITIONS:,} positions of {', '.join(POPULATIONS)}")
        figures: list[tuple[float, int]] = []

        def generated() -> None:
            arguments = [str(prices), str(orders), str(POSITIONS), f"{__package__}.timing", *POPULATIONS]
            seconds, peak = json.loads(fresh_process(["-c", _PROCESS, *arguments]).splitlines()[-1])
            figures.append((seconds, peak))

        generated()
        table = pq.read_table(orders, read_dictionary=["action", "market", "side", "custody"])
        taken = interleaved({"process": generated, "pyarrow": lambda: _write(table, copy)}, _REPEATS)
        seconds = float(np.median([found for found, _ in figures]))
        return {
            "orders": table.num_rows,
            "positions": POSITIONS,
            "seconds": seconds,
            "pyarrow_seconds": taken["pyarrow"],
            "ratio_to_pyarrow": seconds / taken["pyarrow"],
            "orders_per_s": table.num_rows / seconds,
            "peak_bytes": max(peak for _, peak in figures),
            "bytes_written": orders.stat().st_size,
            "note": "process: without imports, prices from Parquet to the order file on disk; pyarrow: the table in "
            "memory, written with the same encoding",
        }


def _write_prices(target: Path) -> None:
    """A year of 5-minute candles of random walks."""
    tables = []
    for number, (symbol, (first, sigma)) in enumerate(_SYMBOLS.items()):
        ticks = worlds.walk(_TICKS, seed=number, sigma=sigma, first=first, step_s=300)
        close = ticks.price[:, 0] / worlds.PRICE_SCALE
        begin = np.concatenate([close[:1], close[:-1]])
        columns = {"open": begin, "high": np.maximum(begin, close), "low": np.minimum(begin, close), "close": close}
        times = pa.array(ticks.time_us).cast(pa.timestamp("us", "UTC"))
        tables.append(pa.table({"timestamp": times, "symbol": [symbol] * len(close)} | columns))
    pq.write_table(pa.concat_tables(tables), target)


def _write(table: pa.Table, target: Path) -> None:
    """Write as `backtest.flows.generate.write_orders` does."""
    pq.write_table(table, target, compression="zstd", store_decimal_as_integer=True, row_group_size=262_144)
