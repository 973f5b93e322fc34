"""How values are read, and that whatever is written comes back: random positions to a file and through an import."""

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.flows.history_files import NULLS
from backtest.flows.history_values import clean, endings, is_naive, numbers, sides, times
from tests.flows.histories import imported, orders_of, write

T0 = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-01T00:00:00Z", 0.0),
        ("2025-01-01 00:00:00.250", 0.25),
        ("2025-01-01T02:00+02:00", 0.0),
        ("2024-12-31 18:30:00-0530", 0.0),
        ("2025/01/01 00:01 UTC", 60.0),
        ("2025-01-01", 0.0),
        (" 2025-01-01T00:00:00.123456789Z ", 0.123456),
        ("1735689600", 0.0),
        ("1735689600.5", 0.5),
        ("1735689600001", 0.001),
        ("1735689600000002", 0.000002),
        ("1735689600000003000", 0.000003),
        ("01/02/2025", None),
        ("2025-13-01", None),
        ("2025-01-01T25:00:00Z", None),
        ("2025-01-01T00:00:00+1", None),
        ("0", None),
        ("-", None),
        ("then", None),
    ],
)
def test_times(text: str, expected: float | None) -> None:
    moment = None if expected is None else T0 + timedelta(microseconds=round(expected * 1e6))
    assert times(clean(pl.Series([text]))).to_list() == [moment]


def test_times_that_are_typed() -> None:
    naive = pl.Series([T0.replace(hour=1, tzinfo=None)])
    assert times(naive).to_list() == [T0 + timedelta(hours=1)]
    assert is_naive(naive)
    zoned = naive.dt.replace_time_zone("Asia/Tokyo").dt.cast_time_unit("ns")
    assert times(zoned).to_list() == [T0 - timedelta(hours=8)]
    assert not is_naive(zoned)
    assert times(naive.dt.date()).to_list() == [T0]
    floats = pl.Series([1735689600.5, float("nan"), 0.0])
    assert times(clean(floats)).to_list() == [T0 + timedelta(seconds=0.5), None, None]
    assert [is_naive(pl.Series([text])) for text in ("2025-01-01", "2025-01-01T00:00Z", "1735689600")] == [
        *(True, False, False),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,234.50", 1234.5),
        ("-$5", -5.0),
        ("+7", 7.0),
        ("1,234,567", 1234567.0),
        ("10x", 10.0),
        ("2.5 X", 2.5),
        ("12.5 USDC", 12.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1,23", None),
        ("1.234,5", None),
        ("12,34,567", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("five", None),
    ],
)
def test_numbers(text: str, expected: float | None) -> None:
    assert numbers(pl.Series([text])).to_list() == [expected]


def test_numbers_where_a_comma_may_be_decimal() -> None:
    assert numbers(pl.Series(["1,234", "1.5", "$7"]), decimal_comma=True).to_list() == [None, 1.5, 7.0]


def test_sides() -> None:
    words = ["long", "BUY", "L", "true", "Short", "sell", "s", "FALSE", "up", "1", None]
    assert sides(pl.Series(words)).to_list() == ["long"] * 4 + ["short"] * 4 + [None] * 3
    assert sides(pl.Series([True, False])).to_list() == ["long", "short"]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("liquidated", "liquidate LIQUIDATED Liquidation liq BustTrade true"),
        ("open", "open OPEN opened Active partially_closed"),
        ("stop-loss", "stop_loss StopLoss SL stop-loss"),
        ("take-profit", "take_profit TP TakeProfit"),
        ("trigger", "closed_by_sl_tp SL/TP trigger"),
        ("code", "0 3 3.0"),
        ("closed", "close CLOSED closed_by_user manual ADL slippage false settled"),
    ],
)
def test_endings(ending: str, words: str) -> None:
    assert endings(pl.Series(words.split())).to_list() == [ending] * len(words.split())
    assert endings(pl.Series([None], dtype=pl.String)).to_list() == [None]


# --- there and back ---------------------------------------------------------------------------------------------------


class Position(NamedTuple):
    """One drawn position: milliseconds from T0, cents, hundredths of x."""

    opened: int
    held: int | None
    market: str
    side: str
    size: int
    leverage: int
    liquidated: bool


POSITIONS = st.lists(
    st.builds(
        Position,
        opened=st.integers(0, 10**9),
        held=st.none() | st.integers(0, 10**8),
        market=st.text(string.ascii_uppercase, min_size=1, max_size=5).filter(lambda name: name not in NULLS),
        side=st.sampled_from(["long", "short"]),
        size=st.integers(100, 10**11),
        leverage=st.integers(100, 10_000),
        liquidated=st.booleans(),
    ),
    min_size=1,
    max_size=30,
)
STYLES = {
    "iso": lambda ms: (T0 + timedelta(milliseconds=ms)).isoformat(),
    "zulu": lambda ms: f"{T0 + timedelta(milliseconds=ms):%Y-%m-%d %H:%M:%S.%f}Z",
    "elsewhere": lambda ms: f"{T0 + timedelta(milliseconds=ms, hours=-3, minutes=-30):%Y-%m-%dT%H:%M:%S.%f}-03:30",
    "s": lambda ms: f"{1735689600 + ms / 1000:.3f}",
    "ms": lambda ms: str(1735689600_000 + ms),
    "ns": lambda ms: str((1735689600_000 + ms) * 1_000_000),
}
MONEY = {
    "plain": lambda cents: f"{cents / 100:.2f}",
    "dollars": lambda cents: f'"${cents / 100:,.2f}"',
    "micro": lambda cents: str(cents * 10_000),
}


@settings(max_examples=60, deadline=None)
@given(positions=POSITIONS, style=st.sampled_from(sorted(STYLES)), money=st.sampled_from(sorted(MONEY)))
def test_whatever_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, positions: list[Position], style: str, money: str
) -> None:
    folder: Path = tmp_path_factory.mktemp("log")
    at, dollars = STYLES[style], MONEY[money]
    rows, expected = [], []
    for number, item in enumerate(positions):
        closed = None if item.held is None else item.opened + item.held
        reason = "open" if closed is None else "liquidate" if item.liquidated else "close"
        rows.append(
            f"{number},{at(item.opened)},{'' if closed is None else at(closed)},{item.market},{item.side},"
            f"{dollars(item.size)},{item.leverage / 100}x,{reason}"
        )
        collateral = round(item.size / item.leverage, 8)
        expected.append((item.opened, 0, number, item.market, item.side, item.size / 100, collateral * 1.0))
        if reason == "close" and closed is not None:
            expected.append((closed, 1, number, None, None, None, None))
    head = "position_id,opened_at,closed_at,coin,direction,sizeUsd,leverage,status"
    imported(write(folder / "log.csv", *rows, head=head), mapping="size=sizeUsd/1e6" if money == "micro" else "")
    orders = orders_of(folder)
    expected.sort(key=lambda row: row[:3])
    assert orders["order_id"].to_list() == list(range(len(expected)))
    assert orders["timestamp"].to_list() == [T0 + timedelta(milliseconds=row[0]) for row in expected]
    assert orders["action"].to_list() == [("open", "close")[row[1]] for row in expected]
    assert orders.select("position_id", "market", "side").rows() == [row[2:5] for row in expected]
    assert orders["size_usd"].to_list() == [row[5] for row in expected]
    for found, row in zip(orders["collateral_usd"], expected, strict=True):
        assert found == (None if row[6] is None else pytest.approx(row[6], abs=1e-6))
