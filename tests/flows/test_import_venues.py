"""The columns of each venue's export are recognised; exports that are no histories of positions are refused."""

from pathlib import Path

import pytest

from backtest.errors import UsageError
from backtest.flows.history_columns import FIELDS, parse_map, parse_names, recognise
from tests.flows.histories import imported, orders_of, write

PATH = Path("log.csv")
ADRENA = (
    "position_id,pool_id,user_id,symbol,token_account_mint,side,status,pubkey,entry_price,exit_price,entry_size,"
    "increase_size,decrease_size,close_size,exit_size,pnl,entry_leverage,lowest_leverage,entry_date,exit_date,fees,"
    "borrow_fees,exit_fees,entry_collateral_amount,entry_collateral_amount_native,collateral_amount,closed_by_sl_tp,"
    "volume,duration,created_at,updated_at"
)
BINANCE = (
    "Symbol,Margin Mode,Position Side,Entry Price,Avg. Close Price,Max Open Interest,Closed Vol.,Closing PNL,Opened,"
    "Closed,Status"
)
VENUES = {
    "adrena": (
        ADRENA,
        "open_time=entry_date,close_time=exit_date,market=symbol,side=side,size=entry_size,"
        "collateral=entry_collateral_amount,leverage=entry_leverage,entry_price=entry_price,exit_reason=status,"
        "position_id=position_id",
    ),
    "adrena, as clients rename it": (
        "positionId,entryDate,exitDate,symbol,side,entryLeverage,entryCollateralAmount,entryPrice,status,volume",
        "open_time=entryDate,close_time=exitDate,market=symbol,side=side,size=volume,collateral=entryCollateralAmount,"
        "leverage=entryLeverage,entry_price=entryPrice,exit_reason=status,position_id=positionId",
    ),
    "jupiter": (
        "positionPubkey,openTime,closeTime,market,side,sizeUsd,collateralUsd,leverage,entryPrice",
        "open_time=openTime,close_time=closeTime,market=market,side=side,size=sizeUsd,collateral=collateralUsd,"
        "leverage=leverage,entry_price=entryPrice",
    ),
    "gmx v1 stats": (
        "id,account,timestamp,settledTimestamp,indexToken,collateralToken,isLong,size,collateral,sizeDelta,"
        "averagePrice,status,realisedPnl",
        "open_time=timestamp,close_time=settledTimestamp,market=indexToken,side=isLong,size=size,"
        "collateral=collateral,entry_price=averagePrice,exit_reason=status,position_id=id",
    ),
    "gmx v2 indexer": (
        "openTimestamp,settledTimestamp,market,isLong,sizeInTokens,maxSizeInUsd,maxCollateralInUsd,avgEntryPrice",
        "",  # both sizes say what they are: asked for
    ),
    "synthetix": (
        "id,account,isLiquidated,asset,openTimestamp,closeTimestamp,initialMargin,entryPrice,exitPrice,leverage,size,"
        "long,pnl",
        "open_time=openTimestamp,close_time=closeTimestamp,market=asset,side=long,size=size,"
        "collateral=initialMargin,leverage=leverage,entry_price=entryPrice,exit_reason=isLiquidated,position_id=id",
    ),
    "dydx": (
        "market,status,side,size,maxSize,entryPrice,exitPrice,realizedPnl,createdAt,createdAtHeight,closedAt,leverage",
        "open_time=createdAt,close_time=closedAt,market=market,side=side,quantity=maxSize,leverage=leverage,"
        "entry_price=entryPrice,exit_reason=status",
    ),
    "hyperliquid views": (
        "user,coin,side,entry_px,exit_px,szi,leverage_value,opened_at,closed_at",
        "open_time=opened_at,close_time=closed_at,market=coin,side=side,quantity=szi,leverage=leverage_value,"
        "entry_price=entry_px",
    ),
    "binance": (
        BINANCE + ",Leverage",
        "open_time=Opened,close_time=Closed,market=Symbol,side=Position Side,quantity=Max Open Interest,"
        "leverage=Leverage,entry_price=Entry Price,exit_reason=Status",
    ),
    "okx": (
        "instId,direction,openMaxPos,closeTotalPos,openAvgPx,closeAvgPx,lever,cTime,uTime,posId",
        "open_time=cTime,market=instId,side=direction,quantity=openMaxPos,leverage=lever,entry_price=openAvgPx,"
        "position_id=posId",
    ),
    "ccxt": (
        "id,symbol,timestamp,side,notional,contracts,leverage,initialMargin,entryPrice,stopLossPrice,takeProfitPrice",
        "open_time=timestamp,market=symbol,side=side,size=notional,collateral=initialMargin,leverage=leverage,"
        "entry_price=entryPrice,stop_loss=stopLossPrice,take_profit=takeProfitPrice,position_id=id",
    ),
    "by hand": (
        "Open Time,Close-Time,ASSET,Direction,Notional,Margin,Exit Reason,SL,TP",
        "open_time=Open Time,close_time=Close-Time,market=ASSET,side=Direction,size=Notional,collateral=Margin,"
        "stop_loss=SL,take_profit=TP,exit_reason=Exit Reason",
    ),
}


def recognised(columns: str, mapping: str = "") -> dict[str, str]:
    found = recognise(PATH, columns.split(","), parse_map(mapping))
    return {name: source.text for name, source in found.items()}


@pytest.mark.parametrize("venue", [name for name, (_, expected) in VENUES.items() if expected])
def test_aliases(venue: str) -> None:
    columns, expected = VENUES[venue]
    assert recognised(columns) == dict(pair.split("=") for pair in expected.split(","))


def test_no_name_means_two_things() -> None:
    for names_of in ("exact", "vague"):
        names = [name.replace("_", "") for field in FIELDS for name in getattr(field, names_of).split()]
        assert len(set(names)) == len(names)


def test_a_binance_export_needs_a_leverage(tmp_path: Path) -> None:
    row = "SOLUSDT,Cross,Long,65.31,64.49,2.76,2.76,-2.2632,2026-06-10 02:05:10,2026-06-10 07:43:52,Closed"
    path = write(tmp_path / "p.csv", row, head=BINANCE)
    with pytest.raises(UsageError, match="or give --leverage where the venue keeps none"):
        imported(path)
    imported(path, leverage=5.0, market_map="SOLUSDT=SOL")
    orders = orders_of(tmp_path)
    assert orders["size_usd"][0] == pytest.approx(65.31 * 2.76)
    assert orders["collateral_usd"][0] == pytest.approx(65.31 * 2.76 / 5)
    assert orders["action"].to_list() == ["open", "close"]


def test_gmx_sizes_of_thirty_decimals(tmp_path: Path) -> None:
    row = f"0xab,1735689600,0,SOL,true,{500 * 10**30},{100 * 10**30},open"
    path = write(tmp_path / "g.csv", row, head="id,timestamp,settledTimestamp,indexToken,isLong,size,collateral,status")
    imported(path, mapping="size=size/1e30,collateral=collateral/1e30")
    assert orders_of(tmp_path).select("action", "side", "size_usd", "collateral_usd").rows() == [
        *(("open", "long", 500.0, 100.0),),
    ]


LISTED = "there are: a, b; say which: --map"
NO_DOLLARS = (
    "an order needs two of size, collateral and leverage; there are: opened, market, side, {}; say which: --map "
    "size=COLUMN,collateral=COLUMN, or give --leverage where the venue keeps none"
)


@pytest.mark.parametrize(
    ("columns", "mapping", "message"),
    [
        ("a,b", "", f"no column for open_time (when it was opened); {LISTED} open_time=COLUMN"),
        ("a,b", "open_time=a", f"no column for market (what was traded); {LISTED} market=COLUMN"),
        ("a,b", "open_time=a,market=b", f"no column for side (long or short); {LISTED} side=COLUMN"),
        ("a,b", "open_time=a/1e3", "--map open_time=a/1e3: no such column; there are: a, b"),
        ("a,b", "size=c/1e6", "--map size=c/1e6: no such column; there are: a, b"),
        (
            "opened,open_time,b",
            "",
            "columns opened, open_time could each be the open_time; choose: --map open_time=opened or --map "
            "open_time=open_time",
        ),
        ("opened,market,side,size", "", NO_DOLLARS.format("size")),
        ("opened,market,side,size,leverage", "size=", NO_DOLLARS.format("size, leverage")),
        (
            "opened,market,side,qty,leverage",
            "",
            "column 'qty' is a size in tokens and needs an entry price; there are: opened, market, side, qty, "
            "leverage; say which: --map entry_price=COLUMN, or --map size=COLUMN in dollars",
        ),
        (
            VENUES["gmx v2 indexer"][0],
            "",
            "columns sizeInTokens, maxSizeInUsd could each be the size; choose: --map quantity=sizeInTokens or --map "
            "size=maxSizeInUsd",
        ),
        (
            "symbol,side,qty,closedSize,cumEntryValue,avgEntryPrice,closedPnl,leverage,createdTime,updatedTime",
            "",
            "is Bybit's closed PnL, whose times and side are those of the closing order, not of the position; join the "
            "opening times, turn the sides round, and name both columns: --map open_time=COLUMN,side=COLUMN",
        ),
        (
            "coin,px,sz,side,time,startPosition,dir,closedPnl,hash",
            "",
            "has a row for each fill, not for each position; a history has one row per position",
        ),
        (
            "eventName,timestamp,sizeDeltaUsd,isLong",
            "",
            "has a row for each trade, not for each position; a history has one row per position",
        ),
    ],
)
def test_columns_that_cannot_be_told(columns: str, mapping: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        recognised(columns, mapping)
    assert str(caught.value) == f"log.csv: {message}"


def test_a_prepared_bybit_file_is_taken() -> None:
    columns = "symbol,side,closedSize,cumEntryValue,closedPnl,leverage,createdTime,began,held"
    found = recognised(columns, "open_time=began,side=held,size=cumEntryValue")
    assert found == {
        "open_time": "began",
        "side": "held",
        "size": "cumEntryValue",
        "market": "symbol",
        "leverage": "leverage",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size", "--map size: no '='; write field=column, and field= to leave a field out"),
        ("sise=a", "--map sise=a: 'sise' is not a field; did you mean 'size'?"),
    ],
)
def test_faults_of_the_map(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_map(text)
    assert str(caught.value) == message


def test_market_names() -> None:
    assert parse_names("SOL-PERP=SOL, A=B=C,") == {"SOL-PERP": "SOL", "A=B": "C"}
    with pytest.raises(UsageError, match=r"^--market-map SOL: write X=Y, the name in the file and the name at the"):
        parse_names("SOL")
