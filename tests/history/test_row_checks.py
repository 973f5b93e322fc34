"""An import refuses exactly what a run refuses in a price file, whatever the values."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest.errors import PerpoolError
from backtest.history.row_checks import Fault, first_fault
from backtest.price_quotes import Quotes
from backtest.prices import SymbolSource, open_prices
from tests.history.imports import bars, minute

NAN, INF = float("nan"), float("inf")
VALUES = st.sampled_from([None, NAN, INF, -INF, -1.0, 0.0, 1e-10, 1e-9, 0.5, 1.0, 1.0, 1.0, 2.0, 8.9e7, 9e7])
QUOTES = {
    "confidence": Quotes("confidence", averaged=True, ema_us=60_000_000),
    "min": Quotes("min_max", averaged=True, ema_us=60_000_000),
}


def a_run_takes(file: Path, quotes: Quotes | None) -> bool:
    part = "ema" if quotes else "price"
    try:
        open_prices(file, [SymbolSource("SOL", "SOL", 2**60, part)], quotes=quotes, interval_us=60_000_000)
    except PerpoolError:
        return False
    return True


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([("price",), ("open", "high", "low", "close")]),
    st.sampled_from([(), ("confidence",), ("confidence", "ema"), ("min", "max"), ("min", "max", "ema")]),
    st.data(),
)
def test_the_same_rows_as_in_a_run(tmp_path, shape, beside, data):
    rows = data.draw(st.lists(st.tuples(*[VALUES] * len((*shape, *beside))), min_size=1, max_size=3))
    frame = pl.DataFrame(rows, schema=dict.fromkeys((*shape, *beside), pl.Float64), orient="row")
    times = pl.Series("timestamp", [minute(at) for at in range(len(rows))], pl.Datetime("us", "UTC"))
    frame = frame.insert_column(0, times)
    frame.with_columns(symbol=pl.lit("SOL")).write_parquet(tmp_path / "p.parquet")
    quotes = QUOTES[beside[0]] if beside else None
    assert (first_fault(frame) is None) == a_run_takes(tmp_path / "p.parquet", quotes)


def test_the_earliest_row_is_named_and_missing_values_before_contradictions():
    frame = bars(3).with_columns(
        high=pl.Series([101.5, 50.0, None]), close=pl.Series([101.0, NAN, 99.0]), volume=pl.Series([1.0, 1.0, -1.0])
    )
    assert first_fault(frame) == Fault(
        1, "close", "nan is not a price; fill it in, or let --repair drop-incomplete drop the row"
    )
    assert first_fault(bars(3)) is None and first_fault(bars(0)) is None


@pytest.mark.parametrize("year", [1969, 2200])
def test_years(year):
    frame = bars(1).with_columns(pl.col("timestamp").dt.replace(year=year))
    assert first_fault(frame) == Fault(
        0, "timestamp", f"{year}-01-01T00:00:00Z is not between 1970 and 2200; check its unit"
    )
