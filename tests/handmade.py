"""A whole run small enough to work out by hand: two custodies, one LP, three openings, a win, a bad debt, two days.

ETH (8 decimals) backs longs, USDC (6, stable) backs shorts; oracle bounds are zero wide; LPs keep 70 % of fees.

    Jan 1 00:00  ETH 2,000  genesis: 100 ETH and 200,000 USDC                                     sample 0
          06:00             LP deposits 10 ETH: fee 0.02 ETH = $40, of it $12 to the protocol
          12:00             long #0: 1 ETH margin, 5 ETH size ($10,000); short #1: $1,000 margin, $10,000 size
          18:00             #1 adds $100 of margin; #0 sets triggers; #0 resolves $1 of borrow interest
    Jan 2 00:00      2,100                                                                        sample 1
          06:00      2,200  #0 closes: + $1,000 of price, exit fee $16, borrow $4 of which $1 was resolved
          09:00      2,300  #1 is liquidated: - $1,500 of price against $1,100 of margin: $400 bad debt;
                            long #2: 1 ETH margin, 2 ETH size ($4,600), under the position_id of #0
          12:00      2,400  LP withdraws 1,000 tokens in USDC; fees are paid out                  sample 2
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from backtest import columns
from backtest.columns import Labels
from backtest.rundir import RunWriter
from kernels import codes
from tests.case import Case, Result

Row = dict[str, int]
Tables = dict[str, list[Row]]

ETH, USDC = 0, 1
USD, TOKEN = 10**6, 10**8  # micro-dollars and USDC units; ETH units
PRICE = 10**10
LABELS = Labels(markets=("ETH",), custodies=("ETH", "USDC"))


def at(day: int, hour: int) -> int:
    """Microseconds of that hour of January 2024."""
    return int(datetime(2024, 1, day, hour, tzinfo=UTC).timestamp()) * 10**6


MANIFEST: dict[str, Any] = {
    "name": "handmade",
    "protocol": {"name": "by hand"},
    "inputs": [],
    "custodies": [
        {"symbol": "ETH", "decimals": 8, "stable": False, "conf_bps": 0, "price": "ETH"},
        {"symbol": "USDC", "decimals": 6, "stable": True, "conf_bps": 0, "price": "USDC"},
    ],
    "markets": [{"symbol": "ETH", "long_custody": "ETH", "short_custody": "USDC"}],
    "span": {"start": "2024-01-01T00:00:00Z", "end": "2024-01-02T12:00:01Z", "ticks": 8},
    "sample_interval_us": 86_400_000_000,
    "counts": {"orders_total": 12},
}

# AUM before the LP deposit is 400,000 = supply; the LP's share of the fee is added to it before LP tokens are priced:
# 19,960 * 400,000 / 400,028 = 19,958.602897 tokens.
MINTED = 19_960 * USD * 400_000 * USD // (400_028 * USD)
SUPPLY = 400_000 * USD + MINTED
# Closing #0 pays 2,000 + 1,000 - 16 - 4 = $2,980 = 1.35454545 ETH at 2,200; the pool adds .35454545 ETH to the margin:
# worth 779.99999, so the pool keeps 0.00001 of 780.
PAID_ETH = 2_980 * TOKEN // 2_200
ADDED_ETH = PAID_ETH - TOKEN
ADDED_ETH_USD = ADDED_ETH * 2_200 * USD // TOKEN
# Before the LP withdraws: 109.64545455 ETH at 2,400 + 201,100 USDC - 18 owed - 200 (#2's gain) + 7.36 (its exit fee)
# + 100 (its margin is worth 2,400, booked at 2,300) = 464,138.45092; 1,000 tokens of 419,958.602897 are $1,105.200...
OWNED_ETH = 110 * TOKEN - ADDED_ETH
AUM_BEFORE = OWNED_ETH * 2_400 * USD // TOKEN + (201_100 - 18 - 200 + 100) * USD + 7_360_000
BURNT = 1_000 * USD
BURNT_USD = AUM_BEFORE * BURNT // SUPPLY
LP_FEE = -(-BURNT_USD * 20 // 10_000)  # 0.2 %, rounded up: $2.21
LP_SHARE_OF_FEE = LP_FEE * 70 // 100
DEBT = 18 * USD + LP_FEE - LP_SHARE_OF_FEE
OUT_USDC = BURNT_USD - LP_FEE


def event(kind: int, timestamp: int, **fields: int) -> Row:
    """One event; what is not given is 0, or absent where the column can be."""
    absent = {c.field: c.absent or 0 for c in columns.TABLES["events"]}
    return absent | {"kind": kind, "timestamp": timestamp} | fields


def _events() -> list[Row]:
    eth = {"custody": ETH, "custody_price": 2_000 * PRICE}
    usdc = {"custody": USDC, "custody_price": PRICE}
    long0 = {"position_id": 7, "position_no": 0, "market": 0, "side": codes.LONG, **eth, "price": 2_000 * PRICE}
    short1 = {"position_id": 8, "position_no": 1, "market": 0, "side": codes.SHORT, **usdc, "price": 2_000 * PRICE}
    long2 = long0 | {"position_no": 2, "price": 2_300 * PRICE, "custody_price": 2_300 * PRICE}
    rows = [
        event(codes.K_GENESIS, at(1, 0), **eth, trader_in_units=100 * TOKEN, owned_units=100 * TOKEN, lp_account=0)
        | _flow(200_000 * USD, 200_000 * USD, 200_000 * USD),
        event(codes.K_GENESIS, at(1, 0), **usdc, trader_in_units=200_000 * USD, owned_units=200_000 * USD, lp_account=0)
        | _flow(200_000 * USD, 200_000 * USD, 200_000 * USD),
        event(codes.K_ADD_LIQUIDITY, at(1, 6), **eth, order_id=1, lp_account=3, trader_in_units=10 * TOKEN)
        | _flow(20_000 * USD, 19_960 * USD, MINTED)
        | {"owned_units": 10 * TOKEN}
        | {"lp_fee_usd": 40 * USD, "lp_share_usd": 28 * USD, "protocol_share_usd": 12 * USD},
        event(codes.K_OPEN, at(1, 12), **long0, order_id=2, size_usd=10_000 * USD, collateral_usd=2_000 * USD)
        | {"trader_in_units": TOKEN, "collateral_units": TOKEN, "locked_units": 5 * TOKEN},
        event(codes.K_OPEN, at(1, 12), **short1, order_id=3, size_usd=10_000 * USD, collateral_usd=1_000 * USD)
        | {"trader_in_units": 1_000 * USD, "collateral_units": 1_000 * USD, "locked_units": 10_000 * USD},
        event(codes.K_DEPOSIT_COLLATERAL, at(1, 18), **short1, order_id=4, collateral_usd=100 * USD)
        | {"trader_in_units": 100 * USD, "collateral_units": 100 * USD},
        event(codes.K_SET_TRIGGERS, at(1, 18), **long0, order_id=5),
        event(codes.K_RESOLVE_BORROW, at(1, 18), **long0, order_id=6, borrow_fee_usd=USD, prepaid_borrow_usd=-USD)
        | {"lp_share_usd": 700_000, "protocol_share_usd": 300_000},
        # fees split here: 16 + 3 = 19, of it 13.3 to the LPs, 5.7 to the protocol
        event(codes.K_CLOSE, at(2, 6), **long0 | _prices(2_200), order_id=7)
        | {"size_usd": -10_000 * USD, "collateral_usd": -2_000 * USD, "payout_usd": 2_980 * USD, "pnl_usd": 1_000 * USD}
        | {"exit_fee_usd": 16 * USD, "borrow_fee_usd": 3 * USD, "prepaid_borrow_usd": USD}
        | {"lp_share_usd": 13_300_000, "protocol_share_usd": 5_700_000}
        | {
            "trader_out_units": PAID_ETH,
            "owned_units": -ADDED_ETH,
            "collateral_units": -TOKEN,
            "locked_units": -5 * TOKEN,
        }
        | {"owned_value_usd": -ADDED_ETH_USD, "drift_usd": 200 * USD, "spread_usd": 780 * USD - ADDED_ETH_USD},
        # loss 1,500 + fee 16 + borrow 2 = 1,518 against 1,100: fees are not covered (18), the pool loses 400 more
        event(codes.K_LIQUIDATION, at(2, 9), **short1 | {"price": 2_300 * PRICE})
        | {"size_usd": -10_000 * USD, "collateral_usd": -1_100 * USD, "pnl_usd": -1_500 * USD}
        | {"bad_debt_usd": 400 * USD, "deficit_fee_usd": 18 * USD, "owned_value_usd": 1_100 * USD}
        | {"owned_units": 1_100 * USD, "collateral_units": -1_100 * USD, "locked_units": -10_000 * USD},
        event(codes.K_OPEN, at(2, 9), **long2, order_id=8, size_usd=4_600 * USD, collateral_usd=2_300 * USD)
        | {"trader_in_units": TOKEN, "collateral_units": TOKEN, "locked_units": 2 * TOKEN},
        event(codes.K_REMOVE_LIQUIDITY, at(2, 12), **usdc, order_id=9, lp_account=3, trader_out_units=OUT_USDC)
        | _flow(-OUT_USDC, -BURNT_USD, -BURNT)
        | {"owned_units": -OUT_USDC, "payout_usd": OUT_USDC, "lp_fee_usd": LP_FEE}
        | {"lp_share_usd": LP_SHARE_OF_FEE, "protocol_share_usd": LP_FEE - LP_SHARE_OF_FEE},
        event(codes.K_DISTRIBUTE_FEES, at(2, 12), **usdc, fees_out_units=DEBT, owned_units=-DEBT)
        | {"owned_value_usd": -DEBT, "debt_paid_usd": DEBT},
    ]
    return [row | {"seq": seq} for seq, row in enumerate(rows)]


def _flow(value: int, flow: int, lp_units: int) -> Row:
    return {"owned_value_usd": value, "lp_flow_usd": flow, "lp_units": lp_units}


def _prices(dollars: int) -> Row:
    return {"price": dollars * PRICE, "custody_price": dollars * PRICE}


def _positions() -> list[Row]:
    zero = {c.field: 0 for c in columns.TABLES["positions"]}
    long0 = {
        "position_no": 0,
        "position_id": 7,
        "market": 0,
        "side": codes.LONG,
        "custody": ETH,
        "open_order_id": 2,
        "opened_at": at(1, 12),
        "closed_at": at(2, 6),
        "outcome": codes.O_CLOSE,
        "open_price": 2_000 * PRICE,
        "entry_price": 2_000 * PRICE,
        "close_price": 2_200 * PRICE,
        "initial_leverage_bps": 50_000,
        "opened_size_usd": 10_000 * USD,
        "closed_size_usd": 10_000 * USD,
        "deposited_usd": 2_000 * USD,
        "payout_usd": 2_980 * USD,
        "pnl_usd": 1_000 * USD,
        "exit_fee_usd": 16 * USD,
        "borrow_fee_usd": 4 * USD,
        "max_locked_units": 5 * TOKEN,
    }
    short1 = long0 | {
        "position_no": 1,
        "position_id": 8,
        "side": codes.SHORT,
        "custody": USDC,
        "open_order_id": 3,
        "closed_at": at(2, 9),
        "outcome": codes.O_LIQUIDATION,
        "close_price": 2_300 * PRICE,
        "initial_leverage_bps": 100_000,
        "deposited_usd": 1_100 * USD,
        "payout_usd": 0,
        "pnl_usd": -1_500 * USD,
        "exit_fee_usd": 0,
        "borrow_fee_usd": 0,
        "bad_debt_usd": 400 * USD,
        "max_locked_units": 10_000 * USD,
    }
    long2 = {
        "position_no": 2,
        "position_id": 7,
        "market": 0,
        "side": codes.LONG,
        "custody": ETH,
        "open_order_id": 8,
        "opened_at": at(2, 9),
        "open_price": 2_300 * PRICE,
        "entry_price": 2_300 * PRICE,
        "initial_leverage_bps": 20_000,
        "opened_size_usd": 4_600 * USD,
        "size_usd": 4_600 * USD,
        "deposited_usd": 2_300 * USD,
        "collateral_usd": 2_300 * USD,
        "max_locked_units": 2 * TOKEN,
    }
    return [zero | long0, zero | short1, zero | long2]


SAMPLED_AT = (at(1, 0), at(2, 0), at(2, 12))
USDC_END = 201_100 * USD - OUT_USDC - DEBT
ETH_VALUE_END = OWNED_ETH * 2_400 * USD // TOKEN


def _pool() -> list[Row]:
    books = [  # price, owned, locked, collateral, value, rate and index of ETH; then of USDC
        (2_000 * PRICE, 100 * TOKEN, 0, 0, 200_000 * USD, 0, 0),
        (PRICE, 200_000 * USD, 0, 0, 200_000 * USD, 0, 0),
        (2_100 * PRICE, 110 * TOKEN, 5 * TOKEN, TOKEN, 231_000 * USD, 4_546, 54_552),
        (PRICE, 200_000 * USD, 10_000 * USD, 1_100 * USD, 200_000 * USD, 5_000, 60_000),
        (2_400 * PRICE, OWNED_ETH, 2 * TOKEN, TOKEN, ETH_VALUE_END, 1_825, 90_000),
        (PRICE, USDC_END, 0, 0, USDC_END, 0, 100_000),
    ]
    names = [c.field for c in columns.TABLES["pool"]][2:9]
    beside = {"fee_units": 0, "stranded_units": 0, "dollars_usd": 0}
    return [
        {"timestamp": SAMPLED_AT[i // 2], "custody": i % 2, "low_price": book[0]}
        | beside
        | dict(zip(names, book, strict=True))
        for i, book in enumerate(books)
    ]


def _markets() -> list[Row]:
    # longs gain 5 % at 2,100, shorts lose as much; #2 gains 100 / 2,300 of 4,600 = $200 at 2,400
    names = [c.field for c in columns.TABLES["markets"]][2:]
    sides = [
        (2_000 * PRICE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (2_100 * PRICE, 10_000 * USD, 10_000 * USD, 1, 1, 5 * TOKEN, 10_000 * USD, 500 * USD, -500 * USD, 0, 0),
        (2_400 * PRICE, 4_600 * USD, 0, 1, 0, 2 * TOKEN, 0, 200 * USD, 0, 0, 0),
    ]
    return [
        {"timestamp": SAMPLED_AT[i], "market": 0} | dict(zip(names, side, strict=True)) for i, side in enumerate(sides)
    ]


def _lp() -> list[Row]:
    zero = {c.field: 0 for c in columns.TABLES["lp"]}
    genesis = {"lp_flow_usd": 400_000 * USD, "assets_usd": 400_000 * USD, "aum_usd": 400_000 * USD}
    # assets 231,000 + 200,000; owed 12 + 0.3; interest 2 + 1; exit fees 16 + 16; PnL of traders 500 - 500 = 0;
    # the margin of #0 is worth 2,100, booked at 2,000; one micro-dollar is lost to rounding
    first = {
        "aum_usd": 431_122_699_999,
        "assets_usd": 431_000 * USD,
        "fees_debt_usd": 12_300_000,
        "accrued_borrow_usd": 3 * USD,
        "accrued_exit_fee_usd": 32 * USD,
        "collateral_drift_usd": 100 * USD,
        "lp_flow_usd": 419_960 * USD,
        "exit_fee_usd": 32 * USD,
        "borrow_fee_usd": 3 * USD,  # what #0 resolved is still in its accrued interest
        "lp_fee_usd": 40 * USD,
        "to_others_usd": 12_300_000,
        "asset_drift_usd": 11_100 * USD,  # 110 ETH by 100, and the margin's 100
        "rounding_usd": -1,
    }
    assets = ETH_VALUE_END + USDC_END
    owned_value = sum(row["owned_value_usd"] for row in _events())
    last = {
        "aum_usd": assets - 200 * USD + 7_360_000 + 100 * USD,
        "assets_usd": assets,
        "accrued_exit_fee_usd": 7_360_000,
        "unrealised_pnl_usd": 200 * USD,
        "collateral_drift_usd": 100 * USD,
        "lp_flow_usd": 419_960 * USD - BURNT_USD,
        "exit_fee_usd": 23_360_000,
        "borrow_fee_usd": 4 * USD,
        "lp_fee_usd": 40 * USD + LP_FEE,
        "to_others_usd": DEBT,
        "trader_pnl_usd": -300 * USD,  # + 1,000 - 1,500 + 200
        "asset_drift_usd": assets - owned_value + 200 * USD + 100 * USD,
        "bad_debt_usd": 400 * USD,
        "spread_usd": 780 * USD - ADDED_ETH_USD,
    }
    supplies = (400_000 * USD, SUPPLY, SUPPLY - BURNT)
    return [
        zero | sample | {"timestamp": when, "lp_supply": supply, "lp_price": sample["aum_usd"] * 10**10 // supply}
        for sample, when, supply in zip((genesis, first, last), SAMPLED_AT, supplies, strict=True)
    ]


def _rejections() -> list[Row]:
    refused = (at(1, 12), 10, 9, codes.OPEN, codes.MIN_COLLATERAL, 0)
    limit = (at(2, 12), 11, 10, codes.LIMIT_OPEN, codes.LIMIT_NOT_REACHED, 1)
    late = (at(2, 12), 12, -1, codes.SWAP, codes.NOT_DUE, 1)
    names = [c.field for c in columns.TABLES["rejections"]]
    return [dict(zip(names, row, strict=True)) for row in (refused, limit, late)]


def tables() -> Tables:
    """All six tables as rows of integers, fresh at every call."""
    return {
        "events": _events(),
        "positions": _positions(),
        "pool": _pool(),
        "markets": _markets(),
        "lp": _lp(),
        "rejections": _rejections(),
    }


def records(table: str, rows: list[Row]) -> np.ndarray:
    """Rows as an array of the table's record."""
    dtype = columns.RECORDS[table]
    return np.array([tuple(row[name] for name in dtype.names) for row in rows], dtype)


def write(
    out: Path, rows: Tables | None = None, manifest: dict[str, Any] | None = None, labels: Labels = LABELS
) -> Path:
    """Write a run directory from rows of integers; by default the handmade one."""
    with RunWriter(out, labels) as writer:
        for table, found in (rows or tables()).items():
            writer.append(table, records(table, found))
        return writer.finish(manifest or MANIFEST)


def write_result(out: Path, case: Case, result: Result) -> Path:
    """Write what the reference settled for a case, its custodies and markets named by number."""
    custodies = [
        {"symbol": f"C{i}", "decimals": c["decimals"], "stable": bool(c["stable"]), "conf_bps": c["conf_bps"]}
        | {"price": f"S{c['price_symbol']}", "peg": codes.PEG[c["peg"]]}
        for i, c in enumerate(case.custodies)
    ]
    markets = [
        {"symbol": f"M{i}", "long_custody": _backing(m["long_custody"]), "short_custody": _backing(m["short_custody"])}
        for i, m in enumerate(case.markets)
    ]
    labels = Labels(tuple(m["symbol"] for m in markets), tuple(str(c["symbol"]) for c in custodies))
    manifest = {"name": out.name, "custodies": custodies, "markets": markets, "protocol": _rules(case)}
    manifest |= {"counts": {"orders_total": len(case.orders)}, "span": {"ticks": len(case.ticks)}}
    rows = {
        "events": result.events,
        "positions": result.positions,
        "pool": result.pool_samples,
        "markets": result.market_samples,
        "lp": result.lp_samples,
        "rejections": result.rejections,
    }
    return write(out, rows, manifest, labels)


def _backing(custody: int) -> str:
    return f"C{custody}" if custody >= 0 else ""


def _rules(case: Case) -> dict[str, Any]:
    """What the audit reads of a protocol: the variants by name, and two flags."""
    tables = {
        "fee_booking": codes.FEE_BOOKING,
        "margin": codes.MARGIN,
        "trade_price": codes.TRADE_PRICE,
        "valuation": codes.VALUATION,
    }
    return {
        "mechanisms": {family: names[case.pool[family]] for family, names in tables.items()},
        "fees": {"lp_share_joins": bool(case.pool["lp_share_joins"])},
        "pool": {"unrealised_in_aum": bool(case.pool["unrealised_in_aum"])},
    }
