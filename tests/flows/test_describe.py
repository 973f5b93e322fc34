"""The summary of a flow by hand, and flows side by side."""

import json
from pathlib import Path

import polars as pl
import pytest

from backtest.flows.summary import describe
from tests.shell import MINUTE, T0, perpool, write_orders

HOUR = 60 * MINUTE
DAY = 24 * HOUR
SOL = {"action": "open", "position_id": 1, "market": "SOL", "side": "long"}
BTC = {"action": "open", "position_id": 2, "market": "BTC", "side": "short", "size_usd": 300.0}
ROWS = [
    {"timestamp": T0} | SOL | {"leverage": 5.0, "collateral_usd": 100.0, "stop_loss": 9.0},
    {"timestamp": T0 + HOUR} | BTC | {"collateral_usd": 100.0},
    {"timestamp": T0 + 2 * HOUR, "action": "close", "position_id": 1},
    {"timestamp": T0 + 3 * HOUR} | SOL | {"leverage": 2.0, "collateral": 1.0},
    {"timestamp": T0 + 4 * HOUR, "action": "increase", "position_id": 2, "size_usd": 50.0, "collateral_usd": 10.0},
    {"timestamp": T0 + 9 * HOUR, "action": "close", "position_id": 2},
]


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    return write_orders(tmp_path / "real.parquet", ROWS)


def test_by_hand(flow: Path) -> None:
    summary = describe(flow)
    assert summary.orders == 6
    assert (summary.first, summary.last, summary.days) == ("2025-01-01T00:00:00Z", "2025-01-01T09:00:00Z", 0.375)
    assert list(summary.actions.items()) == [("open", 3), ("close", 2), ("increase", 1)]
    assert (summary.opens, summary.closed, summary.unclosed, summary.unsized) == (3, 2, 1, 1)
    assert summary.opens_per_day == 8.0
    assert summary.long_share == pytest.approx(2 / 3)
    assert (summary.stop_loss_share, summary.take_profit_share) == (pytest.approx(1 / 3), 0.0)
    assert (summary.volume_usd, summary.volume_per_day_usd) == (850.0, pytest.approx(850 / 0.375))
    assert (summary.busiest_hour, summary.busiest_hour_share) == (0, pytest.approx(1 / 3))  # of three, the earliest
    assert summary.weekend_share == 0.0  # a Wednesday
    assert summary.top_1pct_share == summary.top_10pct_share == 500 / 800  # of opens, increases left out
    assert summary.markets == {
        "SOL": {
            "orders": 2,
            "volume_usd": 500.0,
            "opens": 2,
            "opens_share": 2 / 3,
            "volume_share": 500 / 850,
            "long_share": 1.0,
        },
        "BTC": {
            "orders": 1,
            "volume_usd": 300.0,
            "opens": 1,
            "opens_share": 1 / 3,
            "volume_share": 300 / 850,
            "long_share": 0.0,
        },
    }
    assert summary.spread["leverage"]["median"] == 4.0  # 5, 3, 2 and 5
    assert summary.spread["holding_hours"]["mean"] == 5.0  # 2 and 8
    assert summary.spread["holding_hours"]["max"] == 8.0


def test_when_and_how_concentrated(tmp_path: Path) -> None:
    friday, saturday = T0 + 2 * DAY + 14 * HOUR, T0 + 3 * DAY
    opens = [
        SOL | {"timestamp": friday + number * MINUTE, "position_id": number, "size_usd": 10.0, "collateral_usd": 1.0}
        for number in range(19)
    ]
    opens.append(BTC | {"timestamp": saturday, "position_id": 99, "size_usd": 810.0, "collateral_usd": 1.0})
    summary = describe(write_orders(tmp_path / "o.parquet", opens))
    assert (summary.busiest_hour, summary.busiest_hour_share, summary.weekend_share) == (14, 0.95, 0.05)
    assert (summary.top_1pct_share, summary.top_10pct_share) == (0.81, 0.82)
    assert (summary.closed, summary.unclosed) == (0, 20)


def test_no_orders(tmp_path: Path) -> None:
    write_orders(tmp_path / "o.parquet", ROWS)
    empty = tmp_path / "empty.parquet"
    pl.read_parquet(tmp_path / "o.parquet").clear().write_parquet(empty)
    summary = describe(empty)
    assert (summary.orders, summary.opens, summary.long_share, summary.opens_per_day) == (0, 0, None, None)
    assert (summary.busiest_hour, summary.top_1pct_share, summary.markets) == (None, None, {})
    for arguments in ((empty,), (empty, tmp_path / "o.parquet")):
        done = perpool("flow", "describe", *arguments)
        assert (done.code, done.err) == (0, "")


def test_the_page(flow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(flow.parent)
    done = perpool("flow", "describe", flow.name)
    assert (done.code, done.err) == (0, "")
    for line in (
        f"orders    6 in {flow.name}",
        "span      2025-01-01 00:00 to 2025-01-01 09:00 UTC, 0.4 days",
        "actions   open 3, close 2, increase 1",
        "opens     3, 8.00 a day; 2 with a close, 1 without",
        "sides     long 66.7%, short 33.3%",
        "triggers  stop-loss 33.3%, take-profit 0.0%",
        "volume    $850.00 opened or increased, $2,267 a day",
        "largest   top 1% of opens 62.5%, top 10% 62.5% of the volume opened",
        "when      busiest hour 00:00 UTC, 33.3% of opens; weekends 0.0%",
        "          orders whose margin is in tokens, not counted in dollars: 1",
        " SOL          2      66.7%   100.0%   $500.00       58.8%",
        " p95              5.00       480.00             100.00          7.70",
    ):
        assert line in done.out
    assert json.loads(perpool("flow", "describe", flow, "--json").out)["opens"] == 3


def test_side_by_side(flow: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    later = {"timestamp": T0 + DAY, "order_id": 7} | BTC | {"collateral_usd": 30.0}
    write_orders(tmp_path / "made" / "b.parquet", [later])
    write_orders(tmp_path / "made" / "a.parquet", ROWS[:1])
    done = perpool("flow", "describe", flow, tmp_path / "made")
    assert (done.code, done.err) == (0, "")
    cells = {}
    for line in done.out.splitlines():
        words = line.rsplit(maxsplit=2)
        if len(words) == 3:
            cells.setdefault(words[0].strip(), tuple(words[1:]))
    assert cells["orders"] == ("6", "2")
    assert cells["open"] == ("3", "2")
    assert cells["increase"] == ("1", "0")
    assert cells["days"] == ("0.38", "1.00")
    assert cells["opens without a close"] == ("1", "2")
    assert cells["volume"] == ("$850.00", "$800.00")
    assert cells["long"] == ("66.7%", "50.0%")
    assert cells["of volume"] == ("58.8%", "62.5%")  # of the first market, SOL
    assert cells["median"] == ("4.00", "7.50")  # of the first quantity, the leverage
    assert "real" in done.out.splitlines()[1] and "made" in done.out.splitlines()[1]
    both = json.loads(perpool("flow", "describe", flow, tmp_path / "made", "--json").out)
    assert [item["orders"] for item in both] == [6, 2]
    again = perpool("flow", "describe", flow, flow)
    assert again.out.splitlines()[1].split() == ["1", "real", "2", "real"]  # two columns of one name would be none
    wide = max(map(len, done.out.splitlines()))
    assert wide <= 80
