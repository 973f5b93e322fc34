"""The command line from a test: tiny inputs in the working folder, and `perpool` called as a shell would call it."""

import io
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from backtest import cli
from backtest.order_schema import BY_NAME

ROOT = Path(__file__).resolve().parents[1]
SECOND = 1_000_000
MINUTE = 60 * SECOND
T0 = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * SECOND

_ARROW = {"id": pa.int64(), "text": pa.string(), "number": pa.float64(), "flag": pa.bool_()}
_ARROW["time"] = pa.timestamp("us", "UTC")

# One volatile token, one stable, one market; round numbers, so that a result can be checked on paper.
PROTOCOL = """
name = "tiny"

[mechanisms]
borrow = "linear"
funding = "none"
close_fee = "fixed_at_open"
leftover = "trader"
swap = "none"

[fees]
lp_share_bps = 7000
lm_share_bps = 2000
protocol_share_bps = 1000

[[custody]]
symbol = "USDC"
decimals = 6
stable = true
max_borrow_per_hour = 0.0001

[[custody]]
symbol = "SOL"
decimals = 9
stable = false
max_borrow_per_hour = 0.0001

[[market]]
symbol = "SOL"
long_custody = "SOL"
short_custody = "USDC"
close_bps = 10
liquidation_bps = 10
max_initial_leverage = 50
max_leverage = 100
"""

SCENARIO = """
protocol = "tiny.toml"
prices = "prices.parquet"
orders = "orders.parquet"

[symbols]
USDC = 1.0

[liquidity]
USDC = 1_000_000
SOL = 1_000_000
"""

FLOW = """
seed = 3
positions = 20

[[markets]]
market = "SOL"
"""

OPEN = {"action": "open", "position_id": 7, "market": "SOL", "side": "long", "leverage": 5.0, "collateral_usd": 100.0}
CLOSE = {"action": "close", "position_id": 7}


class Outcome(NamedTuple):
    """What a command left behind: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


def perpool(*args: str | Path) -> Outcome:
    """Call the command line in this process; a single text is split as a shell splits it."""
    words = shlex.split(args[0]) if len(args) == 1 and isinstance(args[0], str) else [str(arg) for arg in args]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    code: object = None
    try:
        with mock.patch.multiple(sys, argv=["perpool", *words], stdout=out, stderr=err):
            cli.main()
    except SystemExit as exit_:
        code = exit_.code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    assert isinstance(code, int), f"exit code {code!r}"
    return Outcome(code, *texts)


def command(*args: str | Path) -> list[str]:
    """The words that run `perpool` in a process of its own."""
    return [sys.executable, "-m", "backtest.cli", *map(str, args)]


def environment() -> dict[str, str]:
    """The environment in which such a process finds the packages from any working folder."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def spawn(*args: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `perpool` in a process of its own, to the end."""
    given: dict[str, Any] = {"capture_output": True, "text": True, "check": False, "timeout": 120} | options
    return subprocess.run(command(*args), env=environment(), **given)


# --- inputs -----------------------------------------------------------------------------------------------------------


def stamps(times_us: Iterable[int | None], unit: str = "us", zone: str | None = "UTC") -> pl.Series:
    series = pl.Series("timestamp", list(times_us), dtype=pl.Int64)
    return series.cast(pl.Datetime("us", zone)).dt.cast_time_unit(unit)  # type: ignore[arg-type]


def write_prices(path: Path, prices: Iterable[float | None], symbol: str = "SOL", step_us: int = MINUTE) -> Path:
    """One price per `step_us` from T0."""
    values = pl.Series("price", list(prices), dtype=pl.Float64)
    times = stamps(T0 + number * step_us for number in range(len(values)))
    pl.DataFrame({"timestamp": times, "symbol": [symbol] * len(values), "price": values}).write_parquet(path)
    return path


def write_orders(path: Path, rows: list[dict[str, Any]], **types: pa.DataType) -> Path:
    """Rows as an order file: timestamps a second apart and ids 0, 1, ... unless given."""
    rows = [{"timestamp": T0 + number * SECOND, "order_id": number} | row for number, row in enumerate(rows)]
    names = ["timestamp", "order_id", "action"]
    names += [name for name in dict.fromkeys(key for row in rows for key in row) if name not in names]
    known = {name: _ARROW[BY_NAME[name].kind] for name in names if name in BY_NAME}
    columns = {name: pa.array([row.get(name) for row in rows], (known | types).get(name)) for name in names}
    pq.write_table(pa.table(columns), path)
    return path


def write_world(folder: Path) -> None:
    """A whole small run: tiny.toml, scenario.toml, flow.toml, prices.parquet (20 minutes), orders.parquet."""
    (folder / "tiny.toml").write_text(PROTOCOL)
    (folder / "scenario.toml").write_text(SCENARIO)
    (folder / "flow.toml").write_text(FLOW)
    write_prices(folder / "prices.parquet", [100.0 + number % 3 for number in range(20)])
    write_orders(folder / "orders.parquet", [OPEN, CLOSE | {"timestamp": T0 + 10 * MINUTE}])
