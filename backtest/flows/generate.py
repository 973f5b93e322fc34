"""Synthetic order flow: from populations and prices to an order file, the same bytes for the same inputs anywhere.

What a trader or an LP does at a moment depends on prices up to it (`foresight`: on those so many seconds later too),
so prices after it change no order up to it.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from backtest.errors import UsageError
from backtest.flows.changes import added_collateral, partial_closes
from backtest.flows.config import FlowConfig
from backtest.flows.liquidity import provide
from backtest.flows.order_table import Drawn, order_table
from backtest.flows.populations import check_names
from backtest.flows.prices_seen import Prices, Seen, load, traded
from backtest.flows.traders import trade
from backtest.prices import SymbolSource, TickSource, open_prices
from backtest.whole_file import replacing

_EVER_US = 2**62  # no price is too old to look at


def open_flow_prices(
    configs: Sequence[FlowConfig],
    paths: str | Path | Sequence[str | Path],
    start_us: int | None = None,
    end_us: int | None = None,
    path: str = "close",
) -> TickSource:
    """The prices of the populations' markets, one column per market, in [start, end) us; `path` as a run's."""
    symbols = [SymbolSource(market, symbol, _EVER_US) for market, symbol in traded(configs).items()]
    return open_prices(paths, symbols, path=path, start_us=start_us, end_us=end_us)


def generate(configs: Sequence[FlowConfig], prices: Prices) -> pa.Table:
    """Orders of the populations over the span of the prices, sorted by (timestamp, order_id), ids from 0.

    Raises UsageError where two populations have one name, or one cannot trade on these prices.
    """
    check_names(configs)
    seen = load(prices)
    populations = [_draw(config, seen, prices.symbols) for config in configs]
    return order_table(populations, prices.symbols, seen.end_us)


def _draw(config: FlowConfig, seen: Seen, columns: Sequence[str]) -> Drawn:
    own = Seen(seen.times, seen.price[[columns.index(item.market) for item in config.markets]])
    positions = trade(config, own)
    return Drawn(
        config,
        positions,
        partial_closes(config, own, positions),
        added_collateral(config, own, positions),
        provide(config, own, positions),
    )


def write_orders(orders: pa.Table, out: str | Path) -> None:
    """Write an order file so that `out` is either whole or untouched."""
    target = Path(out)
    if not target.parent.is_dir():
        raise UsageError(f"{target}: the folder {target.parent} does not exist; make it, or write elsewhere")
    if target.is_dir():
        raise UsageError(f"{target}: is a folder; name the file to write, such as {target / 'orders.parquet'}")
    with replacing(target) as part:
        pq.write_table(orders, part, compression="zstd", store_decimal_as_integer=True, row_group_size=262_144)
