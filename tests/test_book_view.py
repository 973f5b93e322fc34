"""The book at a snapshot: totals, distributions and the liquidation map of a book that fits on paper."""

import json
from pathlib import Path

import numpy as np
import pytest

from backtest.book_view import Book, describe, load_book
from backtest.columns import Labels
from backtest.errors import PerpoolError, UsageError
from backtest.liquidation_map import Level, liquidation_map, through_time
from backtest.runner import run
from kernels import codes, state
from tests.shell import MINUTE, OPEN, T0, perpool, write_orders, write_prices, write_world

USD, PRICE = 10**6, 10**10
LABELS = Labels(("SOL", "BTC"), ("USDC", "SOL"))
# market, side, size, collateral, pnl, equity, leverage (-1: none), price, liquidation price (0: none)
ROWS = (
    (0, codes.LONG, 1_000, 100, -20, 80, 12.5, 100, 99),
    (0, codes.LONG, 3_000, 1_000, 0, 1_000, 3.0, 100, 75),
    (0, codes.LONG, 90, 100, 0, 100, 0.9, 100, 0),
    (0, codes.SHORT, 2_000, 400, 100, 500, 4.0, 100, 120),
    (1, codes.SHORT, 500, 10, -11, -1, -1, 50_000, 49_000),
)


def book_of(rows: tuple[tuple[float, ...], ...] = ROWS) -> Book:
    marks = np.zeros(len(rows), state.MARK)
    for mark, (market, side, size, collateral, pnl, equity, leverage, price, limit) in zip(marks, rows, strict=True):
        mark["market"], mark["side"] = market, side
        for name, value in (("size", size), ("collateral", collateral), ("pnl", pnl), ("equity", equity)):
            mark[f"{name}_usd"] = value * USD
        mark["leverage_bps"] = -1 if leverage < 0 else round(leverage * 10**4)
        mark["price"], mark["liquidation_price"] = price * PRICE, limit * PRICE
    return Book("runs/x", T0, 3, LABELS, marks)


def test_totals_worked_out_on_paper() -> None:
    found = describe(book_of())
    assert (found["snapshot_at"], found["snapshots"]) == ("2025-01-01T00:00:00Z", 3)
    total = found["total"]
    assert (total["positions"], total["size_usd"], total["collateral_usd"]) == (5, 6_590.0, 1_610.0)
    assert (total["pnl_usd"], total["equity_usd"]) == (69.0, 1_679.0)
    assert total["leverage"] == pytest.approx(6_590 / 1_679)
    assert total["mean_leverage"] == pytest.approx((12.5 + 3 + 0.9 + 4) / 4)  # of those that have equity
    # 1 % away: the first, and the last, which is past its price
    assert total["near"]["1"] == {"positions": 2, "size_usd": 1_500.0}
    assert total["near"]["10"] == {"positions": 2, "size_usd": 1_500.0}
    assert [(row["market"], row["side"], row["positions"]) for row in found["sides"]] == [
        ("SOL", "long", 3),
        ("SOL", "short", 1),
        ("BTC", "short", 1),
    ]
    assert found["sides"][2]["leverage"] is found["sides"][2]["mean_leverage"] is None


def test_distributions_hold_every_position_once() -> None:
    found = describe(book_of())
    levers = {row["from"]: (row["positions"], row["size_usd"]) for row in found["leverage"] if row["positions"]}
    # 3.0x belongs to the bucket that begins there; what has no equity is in the last
    assert levers == {0: (1, 90.0), 3.0: (2, 5_000.0), 10.0: (1, 1_000.0), 100.0: (1, 500.0)}
    sizes = {row["from"]: row["positions"] for row in found["size_usd"] if row["positions"]}
    assert sizes == {0: 1, 100: 1, 1_000: 3}


def test_an_empty_book_has_no_figures() -> None:
    found = describe(book_of(()))
    assert found["sides"] == []
    assert (found["total"]["positions"], found["total"]["leverage"], found["total"]["mean_leverage"]) == (0, None, None)
    assert [level.cumulative_usd for level in liquidation_map(book_of(()), "SOL", steps=2)] == [0.0, 0.0]


def test_the_map_worked_out_on_paper() -> None:
    """SOL at $100 in steps of 12.5 %: the short at 120 is reached at +25 %, the longs at -12.5 % and -25 %."""
    levels = liquidation_map(book_of(), "SOL", steps=4, range_percent=25)
    assert levels == [
        Level("short", 25.0, 125.0, 1, 2_000.0, 2_000.0),
        Level("short", 12.5, 112.5, 0, 0.0, 0.0),
        Level("long", -12.5, 87.5, 1, 1_000.0, 1_000.0),
        Level("long", -25.0, 75.0, 1, 3_000.0, 4_000.0),
    ]


def test_the_map_of_all_markets_has_moves_and_no_prices() -> None:
    """The short of BTC is past its price: it lies at 0, and in every sum above."""
    levels = liquidation_map(book_of(), steps=2, range_percent=20)
    assert levels == [
        Level("short", 20.0, None, 1, 2_000.0, 2_500.0),
        Level("short", 0.0, None, 1, 500.0, 500.0),
        Level("long", -20.0, None, 1, 1_000.0, 1_000.0),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 3}, "--steps 3 is not an even number from 2 on; half of the levels lie above the price"),
        ({"range_percent": 0.0}, "--range 0 is not above 0 and at most 100 percent of the price"),
        ({"range_percent": 101.0}, "--range 101 is not above 0 and at most 100 percent of the price"),
        ({"market": "SQL"}, r"runs/x: SQL is not a market of the run; did you mean .*SOL"),
    ],
)
def test_maps_that_cannot_be(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        liquidation_map(book_of(), **given)  # type: ignore[arg-type]


# --- runs -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two longs on a falling price, snapshots every five minutes; the 45x is liquidated in between."""
    target = tmp_path_factory.mktemp("book")
    write_world(target)
    write_prices(target / "prices.parquet", [100.0 - 0.2 * number for number in range(20)])
    orders = [OPEN, OPEN | {"position_id": 8, "leverage": 45.0}]
    write_orders(target / "orders.parquet", orders)
    run(target / "scenario.toml", out=target / "run", snapshot="5m")
    run(target / "scenario.toml", out=target / "plain")
    return target


def test_the_snapshot_at_or_before_a_time(folder: Path) -> None:
    assert load_book(folder / "run").at_us == T0 + 19 * MINUTE
    assert load_book(folder / "run", "2025-01-01T00:10").at_us == T0 + 10 * MINUTE
    assert load_book(folder / "run", "2025-01-01T00:09:59").at_us == T0 + 5 * MINUTE
    with pytest.raises(UsageError, match=r"no snapshot at or before 2024-12-31; the first is of 2025-01-01T00:00:00Z"):
        load_book(folder / "run", "2024-12-31")


def test_through_time(folder: Path) -> None:
    rows = through_time(folder / "run")
    assert [row["snapshot_at"][11:16] for row in rows] == ["00:00", "00:05", "00:10", "00:15", "00:19"]
    assert [row["positions"] for row in rows] == [1, 2, 1, 1, 1]
    assert (rows[1]["long_within_5_usd"], rows[1]["short_within_20_usd"]) == (pytest.approx(4_500, rel=0.1), 0.0)
    assert rows[1]["long_usd"] == rows[1]["long_within_20_usd"] == pytest.approx(5_000, rel=0.1)
    assert through_time(folder / "run", "SOL") == rows


def test_the_command(folder: Path) -> None:
    page = perpool("book", folder / "run", "--at", "2025-01-01T00:05")
    assert (page.code, page.err) == (0, "")
    assert "2025-01-01 00:05 UTC, one of 5 snapshots" in page.out
    assert "liquidated by a move of" in page.out
    found = json.loads(perpool("book", folder / "run", "--at", "2025-01-01T00:05", "--json").out)
    assert found["total"]["positions"] == 2
    ladder = perpool("book", folder / "run", "--map", "--market", "SOL", "--at", "2025-01-01T00:05")
    assert "-5 %" in ladder.out
    assert "█" in ladder.out
    levels = json.loads(perpool("book", folder / "run", "--map", "--json").out)["levels"]
    assert len(levels) == 20
    series = perpool("book", folder / "run", "--map", "--through-time")
    assert series.out.count("2025-01-01 00:") == 5
    assert len(json.loads(perpool("book", folder / "run", "--map", "--through-time", "--json").out)["snapshots"]) == 5


def test_what_the_command_refuses(folder: Path) -> None:
    found = perpool("book", folder / "plain")
    assert (found.code, found.out) == (1, "")
    assert found.err.endswith("plain: the run has no snapshots of its book; run it again with --snapshot 1d\n")
    found = perpool("book", folder / "run", "--market", "SOL")
    assert (found.code, found.err) == (2, "error: --market belongs to --map; add --map\n")
    found = perpool("book", folder / "run", "--at", "noon")
    assert (found.code, found.err) == (
        2,
        "error: 'noon' is not a date; write 2025-01-31 or 2025-01-31T12:00:00 (UTC)\n",
    )


def test_a_damaged_snapshot_is_one_clear_error(folder: Path, tmp_path: Path) -> None:
    run(folder / "scenario.toml", out=tmp_path / "run", snapshot="10m")
    (tmp_path / "run" / "book" / "2025-01-01T001900Z.parquet").write_bytes(b"none")
    with pytest.raises(PerpoolError, match=r"001900Z\.parquet: cannot be read as Parquet \(.*\); run the backtest"):
        load_book(tmp_path / "run")
    (tmp_path / "run" / "book" / "2025-01-01T001000Z.parquet").unlink()
    with pytest.raises(PerpoolError, match=r"001000Z\.parquet is missing; the run directory is damaged"):
        load_book(tmp_path / "run")
