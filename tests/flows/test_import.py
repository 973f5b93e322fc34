"""Importing a position history: the orders by hand, what is left to the engine, and a run that ends as the log did."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from backtest.errors import PerpoolError
from backtest.flows.history_columns import Source
from backtest.history.store import PROVENANCE, provenance_of
from backtest.orders import Names, OrderSource
from tests.flows.histories import HEAD, ROW, imported, orders_of, write
from tests.shell import MINUTE, T0, perpool, write_world

NAMES = Names(("USDC", "SOL", "BTC"), (6, 9, 8), ("SOL", "BTC"), (1, 2), (0, 0))
LOG = (
    '8,2025-01-01T03:00:00Z,2025-01-01 06:30:00.5+01:00,BTC,SHORT,"$1,234.50",$617.25,Liquidated',
    "3,2025-01-01T01:00:00Z,2025-01-01T03:00:00Z,SOL,Buy,500,100,closed",
    "5,2025/01/01 02:00,,SOL,sell,90.000001,30,open",
)


def us(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_orders_by_hand(tmp_path: Path) -> None:
    done = imported(write(tmp_path / "log.csv", *LOG))
    orders = orders_of(tmp_path)
    assert orders.columns == [
        *("timestamp", "order_id", "action", "position_id", "market", "side", "size_usd", "collateral_usd"),
    ]
    assert orders.rows() == [
        (us("2025-01-01T01:00:00"), 0, "open", 3, "SOL", "long", 500.0, 100.0),
        (us("2025-01-01T02:00:00"), 1, "open", 5, "SOL", "short", 90.000001, 30.0),
        (us("2025-01-01T03:00:00"), 2, "open", 8, "BTC", "short", 1234.5, 617.25),
        (us("2025-01-01T03:00:00"), 3, "close", 3, None, None, None, None),
    ]
    assert (done.positions, done.orders, done.skipped) == (3, 4, {})
    assert done.endings == [
        {"ending": "closed", "fate": "closes at its time", "positions": 1},
        {"ending": "liquidated", "fate": "left to the engine's liquidation", "positions": 1},
        {"ending": "open", "fate": "stays open", "positions": 1},
    ]
    assert done.notes == ["Times without a zone are read as UTC."]
    source = OrderSource(tmp_path / "orders.parquet", NAMES)
    assert [part.size_usd.tolist() for part in source.remaining()] == [[500_000_000, 90_000_001, 1_234_500_000, -1]]


def test_as_closes_ends_every_position_at_its_time(tmp_path: Path) -> None:
    rows = ("1,2025-01-01,2025-01-02,SOL,long,500,100,stop loss,90", "2,2025-01-01,2025-01-03,SOL,long,5,1,liquidated,")
    path = write(tmp_path / "log.csv", *rows, head=HEAD + ",stop_loss")
    done = imported(path, as_closes=True)
    orders = orders_of(tmp_path)
    assert orders["action"].to_list() == ["open", "open", "close", "close"]
    assert orders["timestamp"].dt.day().to_list() == [1, 1, 2, 3]
    assert "stop_loss" not in orders.columns
    assert {row["fate"] for row in done.endings} == {"closes at its time"}


@pytest.mark.parametrize(
    ("reason", "stop", "take", "closes"),
    [
        ("stop loss", "90", "", False),
        ("stop loss", "", "120", True),  # the trigger that ended it is not known
        ("take_profit", "", "120", False),
        ("take_profit", "90", "0", True),  # 0 is no trigger
        ("closed_by_sl_tp", "90", "", False),
        ("closed_by_sl_tp", "", "", True),
        ("closed", "90", "120", True),
        ("", "90", "120", True),
        ("liquidate", "90", "", False),
    ],
)
def test_triggers(reason: str, stop: str, take: str, closes: bool, tmp_path: Path) -> None:
    line = f"1,2025-01-01,2025-01-02,SOL,long,500,100,{reason},{stop},{take}"
    imported(write(tmp_path / "log.csv", line, head=HEAD + ",stop_loss,tp"))
    orders = orders_of(tmp_path)
    assert orders["action"].to_list() == (["open", "close"] if closes else ["open"])
    for name, text in (("stop_loss", stop), ("take_profit", take)):
        expected = float(text) if text and text != "0" else None
        assert (orders[name][0] if name in orders.columns else None) == expected


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.json", "log.jsonl", "log.parquet"])
def test_every_format_gives_the_same_orders(name: str, tmp_path: Path) -> None:
    rows = [dict(zip(HEAD.split(","), line.split(","), strict=True)) for line in (ROW, ROW.replace("1,", "2,", 1))]
    typed = [row | {"id": int(row["id"]), "size": float(row["size"]), "collateral": 100.0} for row in rows]
    path = tmp_path / name
    match path.suffix:
        case ".csv":
            path.write_bytes(("\ufeff" + "\r\n".join([HEAD, *(",".join(row.values()) for row in rows)])).encode())
        case ".tsv":
            path.write_text("\n".join(["\t".join(rows[0]), *("\t".join(row.values()) for row in rows), ""]))
        case ".json":
            path.write_text(json.dumps({"success": True, "data": {"limit": 2, "positions": typed}}))
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in typed))
        case ".parquet":
            times = pl.col("opened", "closed").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ns")
            pl.DataFrame(typed).with_columns(times).write_parquet(path)
    imported(path)
    assert orders_of(tmp_path).rows() == [
        (us("2025-01-01T00:00:00"), 0, "open", 1, "SOL", "long", 500.0, 100.0),
        (us("2025-01-01T00:00:00"), 1, "open", 2, "SOL", "long", 500.0, 100.0),
        (us("2025-01-01T02:00:00"), 2, "close", 1, None, None, None, None),
        (us("2025-01-01T02:00:00"), 3, "close", 2, None, None, None, None),
    ]


def test_semicolons_blank_lines_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b'\xef\xbb\xbf id ; "opened";market;side;size;leverage\r\n\r\n1;2025-01-01;"SOL";long;7.5;2,\r\n')
    with pytest.raises(PerpoolError, match=r"line 3, column 'leverage': '2,' is no number"):
        imported(path)
    path.write_bytes(path.read_bytes().replace(b"2,", b"2.5x"))
    imported(path)
    assert orders_of(tmp_path)["collateral_usd"].to_list() == [3.0]


def test_dollars_from_any_two(tmp_path: Path) -> None:
    head = "opened,market,side,size,collateral,leverage,qty,entry_price"
    rows = ("2025-01-01,SOL,long,500,100,,,", "2025-01-01,SOL,long,500,,5x,,", "2025-01-01,SOL,long,,100,5,,")
    rows = (*rows, "2025-01-01,SOL,short,,,,-2.5,200")  # signed by the side, as dYdX does
    path = write(tmp_path / "log.csv", *rows, head=head)
    done = imported(path, mapping="size=size,quantity=qty", leverage=10.0)
    assert orders_of(tmp_path).select("size_usd", "collateral_usd").rows() == [(500.0, 100.0)] * 3 + [(500.0, 50.0)]
    assert done.notes[-1] == "10x is taken for 1 of 4 positions, which have no collateral."


def test_fees_in_the_leverage_are_no_contradiction(tmp_path: Path) -> None:
    """A row of Adrena's API: its leverage is that of the collateral less 0.14 % of the size."""
    head = "entry_date,symbol,side,entry_size,entry_collateral_amount,entry_leverage"
    imported(write(tmp_path / "a.csv", "2026-03-04T14:15:19Z,SOL,long,198.517164,19.851716,10.143", head=head))
    assert orders_of(tmp_path).select("size_usd", "collateral_usd").rows() == [(198.517164, 19.851716)]


def test_names_divisors_and_fields_left_out(tmp_path: Path) -> None:
    head = "Pubkey,t,sizeUsd,collateralUsd,leverage,what,dir"
    path = write(tmp_path / "j.csv", "abc,1735689600,500000000,100000000,9,SOL-PERP,long", head=head)
    mapping = "open_time=t,size=sizeUsd/1e6,collateral=collateralUsd/1e6,leverage=,market=what,side=dir"
    done = imported(path, mapping=mapping, market_map="SOL-PERP=SOL")
    row = orders_of(tmp_path).row(0, named=True)
    assert (row["timestamp"], row["market"], row["size_usd"]) == (us("2025-01-01"), "SOL", 500.0)
    assert done.columns == {
        str(path): {
            "open_time": "t",
            "market": "what",
            "side": "dir",
            "size": "sizeUsd/1e6",
            "collateral": "collateralUsd/1e6",
        }
    }
    assert Source("a/b").text == "a/b"


@pytest.mark.parametrize(
    ("ids", "expected", "numbered"),
    [(("7", "9"), [7, 9], False), (("a", "b"), [0, 1], True), (("7", ""), [0, 1], True), (("-7", "3"), [0, 1], True)],
)
def test_position_ids(ids: tuple[str, str], expected: list[int], numbered: bool, tmp_path: Path) -> None:
    done = imported(write(tmp_path / "log.csv", *(ROW.replace("1,", f"{name},", 1) for name in ids)))
    assert orders_of(tmp_path).filter(pl.col("action") == "open")["position_id"].to_list() == expected
    assert (
        "Position ids are not all integers: positions are numbered by their opening time." in done.notes
    ) == numbered


def test_a_position_opened_and_closed_at_once_is_opened_first(tmp_path: Path) -> None:
    line = "2025-01-01T00:00:00Z,2025-01-01T00:00:00Z,SOL,long,500,100,closed"
    imported(write(tmp_path / "log.csv", f"9,{line}", f"4,{line}"))
    assert orders_of(tmp_path).select("action", "position_id").rows() == [
        *(("open", 4), ("open", 9), ("close", 4), ("close", 9)),
    ]


def test_without_close_times_positions_stay_open(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "2025-01-01,SOL,long,500,100", head="opened,market,side,size,collateral")
    done = imported(path)
    assert done.endings == [{"ending": "open", "fate": "stays open", "positions": 1}]
    assert f"No close_time in {path}: what the engine does not end there stays open." in done.notes


def test_several_files_are_one_flow(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    write(tmp_path / "logs" / "b.csv", ROW)
    line = "2,1735693200000,SOL,long,500,100"
    write(tmp_path / "logs" / "a.csv", line, head="id,opened,market,side,size,collateral")
    imported(tmp_path / "logs")
    assert orders_of(tmp_path)["position_id"].to_list() == [1, 2, 1]


def test_provenance(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", ROW, ROW.replace("1,", "2,", 1).replace("long", "up"))
    imported(path, market_map="SOL=SOL", skip_bad=True)
    (entry,) = provenance_of(tmp_path / "orders.parquet")
    assert PROVENANCE == "perpool.provenance"
    assert (entry["step"], entry["rows"], entry["skipped"]) == ("flow import", 2, {"unknown side": 1})
    assert entry["market_map"] == {"SOL": "SOL"}
    (file,) = entry["files"]
    assert (file["path"], file["rows"], len(file["sha256"])) == ("log.csv", 2, 64)
    assert file["columns"]["open_time"] == "opened"


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command(tmp_path: Path) -> None:
    path, out = write(tmp_path / "log.csv", *LOG), tmp_path / "orders.parquet"
    done = perpool("flow", "import", path, "--out", out)
    assert done.code == 0, done.err
    for text in (
        "orders    4 in",
        "closed                 1   closes at its time",
        "liquidated             1   left to the engine's liquidation",
        "Times without a zone are read as UTC.",
        f"perpool run --prices PRICES --orders {out}",
    ):
        assert text in done.out
    assert done.err == ""
    found = json.loads(perpool("flow", "import", path, "--out", out, "--json").out)
    assert (found["orders"], found["summary"]["opens"], found["skipped"]) == (4, 3, {})
    assert "\n    perpool flow import" not in perpool("flow", "import", "--help").err


def test_skipped_rows_are_counted(tmp_path: Path) -> None:
    bad = [ROW.replace("1,", f"{number},", 1).replace("SOL", "DOGE") for number in range(2, 4)]
    path = write(tmp_path / "log.csv", ROW, *bad, ROW.replace("500", "-5"))
    out = tmp_path / "orders.parquet"
    refused = perpool("flow", "import", path, "--out", out, "--protocol", "adrena-alp")
    assert (refused.code, out.exists()) == (1, False)
    done = perpool("flow", "import", path, "--out", out, "--protocol", "adrena-alp", "--skip-bad")
    assert "2 left out: unknown market\n1 left out: size not positive\n" in done.out
    assert orders_of(tmp_path)["action"].to_list() == ["open", "close"]


@pytest.mark.usefixtures("kernels_compiled")
def test_a_run_closes_what_the_log_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_world(tmp_path)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = []
    for number in range(8):
        opened = start + timedelta(minutes=number)
        closed = opened + timedelta(minutes=5 + number)
        status = ("Closed", "Liquidated", "Open")[number % 3]
        rows.append(f"{number + 10},{opened:%Y-%m-%d %H:%M},{closed:%Y-%m-%d %H:%M},SOLUSDT,Short,300,100,{status}")
    path = write(tmp_path / "log.csv", *rows)
    assert perpool("flow", "import", path, "--out", "orders.parquet", "--market-map", "SOLUSDT=SOL").code == 0
    done = perpool("run", "scenario.toml", "--out", "r")
    assert done.code == 0, done.err
    positions = pl.read_parquet("r/positions.parquet").sort("position_id")
    assert positions["position_id"].to_list() == list(range(10, 18))
    closed = positions.filter(pl.col("closed_at").is_not_null())
    assert closed["position_id"].to_list() == [10, 13, 16]  # at 3x nothing is liquidated, and the rest stays open
    opened = [T0 + (number - 10) * MINUTE for number in closed["position_id"]]
    ended = [time + (5 + number - 10) * MINUTE for time, number in zip(opened, closed["position_id"], strict=True)]
    assert closed["opened_at"].to_physical().to_list() == opened
    assert closed["closed_at"].to_physical().to_list() == ended
    assert (pl.read_parquet("r/rejections.parquet").height, positions["opened_size_usd"].sum()) == (0, 8 * 300)
