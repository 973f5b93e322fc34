"""The handmade run's other half: pooled margin, fees in a reserve that pay LPs beside the pool, a change of parameters.

ETH (8 decimals) backs longs, USDC (6, stable) shorts; the pool counts what longs guarantee; fees of 10 bps on opening
and closing, 25 bps on deposits; LPs get 70 % of every fee, paid out of the reserve and never into the pool.

    Jan 1 00:00  ETH 2,000  genesis: 100 ETH and 200,000 USDC                                     sample 0
          06:00             LP deposits 10,000 USDC: fee $25, 9,975 LP tokens at $1
          12:00             long #0: 1 ETH less $10 fee = $1,990 margin, $10,000 size;
                            short #1: $1,000 less $5 fee, $5,000 size
          18:00             #0 adds 0.1 ETH = $200, of which $4 are borrow interest; ETH's interest is accrued
    Jan 2 00:00      2,100                                                                        sample 1
          06:00      2,200  a change: USDC's band is 100 bps, but it counts for a dollar at least;
                            #0 takes half off: + $500 of price, exit fee $5, borrow $3
          09:00      2,450  #1 is liquidated: - $1,125 of price and $7 of fees against $995: $137 bad debt; $5 reward
          12:00      2,400  the reserve is paid out; 100 USDC are donated                         sample 2
"""

from pathlib import Path
from typing import Any

from backtest import columns
from kernels import codes
from tests import handmade
from tests.handmade import ETH, PRICE, TOKEN, USD, USDC, Row, Tables, at, event

LABELS = handmade.LABELS
_RULES = {"mechanisms": {"fee_booking": "reserve", "margin": "pooled", "valuation": "guaranteed"}, "name": "reserve"}
_LATER = [
    {"symbol": "ETH", "conf_bps": 0, "peg": "none"},
    {"symbol": "USDC", "conf_bps": 100, "peg": "floored"},
]
MANIFEST: dict[str, Any] = handmade.MANIFEST | {
    "name": "reserve",
    "protocol": _RULES,
    "changes": [{"number": 1, "time": "2024-01-02T06:00:00Z", "values": [], "protocol": _RULES | {"custody": _LATER}}],
    "counts": {"orders_total": 10},
}
SUPPLY = 409_975 * USD
CHANGE = 7  # number of the event that changes the parameters
# Half of #0: 500 dollars leave the pool at 2,200, of them 492 to the trader and 8 to the reserve.
OUT, PAID, FEE = (dollars * TOKEN // 2_200 for dollars in (500, 492, 8))
OUT_USD = OUT * 2_200 * USD // TOKEN
OWNED_ETH = 100 * TOKEN + 99_500_000 + 9_800_000 - OUT
ETH_FEES = 500_000 + 200_000 + FEE


def _fees(dollars: float, **parts: int) -> Row:
    """Fees of a row, all of them put into the reserve; 70 % of them are the LPs'."""
    micro = round(dollars * USD)
    assert micro == sum(parts.values())
    lp = micro * 7 // 10
    return {"reserved_fee_usd": micro, "lp_share_usd": lp, "protocol_share_usd": micro - lp} | parts


def _events() -> list[Row]:
    eth = {"custody": ETH, "custody_price": 2_000 * PRICE}
    usdc = {"custody": USDC, "custody_price": PRICE}
    long0 = {"position_id": 7, "position_no": 0, "market": 0, "side": codes.LONG, **eth, "price": 2_000 * PRICE}
    short1 = {"position_id": 8, "position_no": 1, "market": 0, "side": codes.SHORT, **usdc, "price": 2_000 * PRICE}
    given = {"owned_value_usd": 200_000 * USD, "lp_flow_usd": 200_000 * USD, "lp_units": 200_000 * USD, "lp_account": 0}
    rows = [
        event(codes.K_GENESIS, at(1, 0), **eth, trader_in_units=100 * TOKEN, owned_units=100 * TOKEN) | given,
        event(codes.K_GENESIS, at(1, 0), **usdc, trader_in_units=200_000 * USD, owned_units=200_000 * USD) | given,
        event(codes.K_ADD_LIQUIDITY, at(1, 6), **usdc, order_id=1, lp_account=3, lp_units=9_975 * USD)
        | {"trader_in_units": 10_000 * USD, "owned_units": 9_975 * USD, "fee_units": 25 * USD}
        | {"owned_value_usd": 9_975 * USD, "lp_flow_usd": 9_975 * USD}
        | _fees(25, lp_fee_usd=25 * USD),
        event(codes.K_OPEN, at(1, 12), **long0, order_id=2, size_usd=10_000 * USD, collateral_usd=1_990 * USD)
        | {"trader_in_units": TOKEN, "owned_units": 99_500_000, "fee_units": 500_000, "locked_units": 5 * TOKEN}
        | {"owned_value_usd": 1_990 * USD, "margin_usd": 1_990 * USD}
        | _fees(10, open_fee_usd=10 * USD),
        event(codes.K_OPEN, at(1, 12), **short1, order_id=3, size_usd=5_000 * USD, collateral_usd=995 * USD)
        | {"trader_in_units": 1_000 * USD, "collateral_units": 995 * USD, "fee_units": 5 * USD}
        | {"locked_units": 5_000 * USD}
        | _fees(5, open_fee_usd=5 * USD),
        event(codes.K_DEPOSIT_COLLATERAL, at(1, 18), **long0, order_id=4, collateral_usd=196 * USD)
        | {"trader_in_units": 10_000_000, "owned_units": 9_800_000, "fee_units": 200_000}
        | {"owned_value_usd": 196 * USD, "margin_usd": 196 * USD}
        | _fees(4, borrow_fee_usd=4 * USD),
        event(codes.K_ACCRUE, at(1, 18), **eth, order_id=5),
        event(codes.K_PARAMETERS, at(2, 6), change=1),
        event(codes.K_DECREASE, at(2, 6), **long0 | _prices(2_200), order_id=6, size_usd=-5_000 * USD)
        | {"payout_usd": 492 * USD, "pnl_usd": 500 * USD, "trader_out_units": PAID, "owned_units": -OUT}
        | {"fee_units": FEE, "stranded_units": OUT - PAID - FEE, "locked_units": -250_000_000}
        | {"owned_value_usd": -OUT_USD, "spread_usd": 500 * USD - OUT_USD}
        | _fees(8, exit_fee_usd=5 * USD, borrow_fee_usd=3 * USD),
        event(codes.K_LIQUIDATION, at(2, 9), **short1 | {"price": 2_450 * PRICE}, size_usd=-5_000 * USD)
        | {"collateral_usd": -995 * USD, "pnl_usd": -1_125 * USD, "bad_debt_usd": 137 * USD}
        | {"owned_units": 983 * USD, "collateral_units": -995 * USD, "locked_units": -5_000 * USD}
        | {"fee_units": 7 * USD, "fees_out_units": 5 * USD, "liquidator_usd": 5 * USD, "owned_value_usd": 983 * USD}
        | _fees(7, exit_fee_usd=5 * USD, borrow_fee_usd=2 * USD),
        event(codes.K_DISTRIBUTE_FEES, at(2, 12), **eth | {"custody_price": 2_400 * PRICE}, order_id=7)
        | {"fees_out_units": ETH_FEES, "fee_units": -ETH_FEES},
        event(codes.K_DISTRIBUTE_FEES, at(2, 12), **usdc, order_id=7, fees_out_units=37 * USD, fee_units=-37 * USD),
        event(codes.K_DONATE, at(2, 12), **usdc, order_id=8, trader_in_units=100 * USD, owned_units=100 * USD)
        | {"owned_value_usd": 100 * USD, "lp_flow_usd": 100 * USD},
    ]
    return [row | {"seq": seq} for seq, row in enumerate(rows)]


def _prices(dollars: int) -> Row:
    return {"price": dollars * PRICE, "custody_price": dollars * PRICE}


def _positions() -> list[Row]:
    zero = {c.field: 0 for c in columns.TABLES["positions"]}
    both = {"market": 0, "opened_at": at(1, 12), "open_price": 2_000 * PRICE, "entry_price": 2_000 * PRICE}
    long0 = both | {
        "position_no": 0,
        "position_id": 7,
        "side": codes.LONG,
        "custody": ETH,
        "open_order_id": 2,
        "initial_leverage_bps": 50_251,
        "opened_size_usd": 10_000 * USD,
        "closed_size_usd": 5_000 * USD,
        "size_usd": 5_000 * USD,
        "deposited_usd": 2_200 * USD,
        "collateral_usd": 2_186 * USD,
        "payout_usd": 492 * USD,
        "pnl_usd": 500 * USD,
        "open_fee_usd": 10 * USD,
        "exit_fee_usd": 5 * USD,
        "borrow_fee_usd": 7 * USD,
        "max_locked_units": 5 * TOKEN,
    }
    short1 = both | {
        "position_no": 1,
        "position_id": 8,
        "side": codes.SHORT,
        "custody": USDC,
        "open_order_id": 3,
        "closed_at": at(2, 9),
        "outcome": codes.O_LIQUIDATION,
        "close_price": 2_450 * PRICE,
        "initial_leverage_bps": 50_251,
        "opened_size_usd": 5_000 * USD,
        "closed_size_usd": 5_000 * USD,
        "deposited_usd": 1_000 * USD,
        "pnl_usd": -1_125 * USD,
        "open_fee_usd": 5 * USD,
        "exit_fee_usd": 5 * USD,
        "borrow_fee_usd": 2 * USD,
        "bad_debt_usd": 137 * USD,
        "max_locked_units": 5_000 * USD,
    }
    return [zero | short1, zero | long0]


ETH_VALUE_END = OWNED_ETH * 2_400 * USD // TOKEN


def _pool() -> list[Row]:
    names = ("price", "owned_units", "locked_units", "collateral_units", "value_usd", "fee_units", "dollars_usd")
    books = [
        (2_000 * PRICE, 100 * TOKEN, 0, 0, 200_000 * USD, 0, 0),
        (PRICE, 200_000 * USD, 0, 0, 200_000 * USD, 0, 0),
        (2_100 * PRICE, 10_109_300_000, 5 * TOKEN, 0, 212_295_300_000, 700_000, 0),
        (PRICE, 209_975 * USD, 5_000 * USD, 995 * USD, 209_975 * USD, 30 * USD, 9_975 * USD),
        (2_400 * PRICE, OWNED_ETH, 250_000_000, 0, ETH_VALUE_END, 0, 0),
        (PRICE, 211_058 * USD, 0, 0, 211_058 * USD, 0, 9_975 * USD),
    ]
    beside = {"borrow_rate": 0, "borrow_index": 0, "stranded_units": 0}
    return [
        {"timestamp": handmade.SAMPLED_AT[i // 2], "custody": i % 2, "low_price": book[0]}
        | beside
        | dict(zip(names, book, strict=True))
        for i, book in enumerate(books)
    ]


def _markets() -> list[Row]:
    # what longs gain is what their locked tokens are worth beyond their size; the short's average is 2,000
    names = [c.field for c in columns.TABLES["markets"]][2:]
    sides = [
        (2_000 * PRICE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (2_100 * PRICE, 10_000 * USD, 5_000 * USD, 1, 1, 5 * TOKEN, 5_000 * USD, 500 * USD, -250 * USD, 0, 0),
        (2_400 * PRICE, 5_000 * USD, 0, 1, 0, 250_000_000, 0, 1_000 * USD, 0, 0, 0),
    ]
    return [
        {"timestamp": handmade.SAMPLED_AT[i], "market": 0} | dict(zip(names, side, strict=True))
        for i, side in enumerate(sides)
    ]


def _lp() -> list[Row]:
    zero = {c.field: 0 for c in columns.TABLES["lp"]}
    genesis = {"lp_flow_usd": 400_000 * USD, "assets_usd": 400_000 * USD, "aum_usd": 400_000 * USD}
    # 7,814 guaranteed by the long + 96.093 free ETH + 209,975 USDC + 250 lost by the short
    first = {
        "aum_usd": 419_834_300_000,
        "assets_usd": 422_270_300_000,
        "margin_usd": 2_186 * USD,
        "unrealised_pnl_usd": 250 * USD,
        "lp_flow_usd": 409_975 * USD,
        "open_fee_usd": 15 * USD,
        "borrow_fee_usd": 4 * USD,
        "lp_fee_usd": 25 * USD,
        "to_others_usd": 44 * USD,
        "trader_pnl_usd": 250 * USD,
        "asset_drift_usd": 10_109_300_000,  # 101.093 ETH by 100
    }
    assets = ETH_VALUE_END + 211_058 * USD
    last = {
        "aum_usd": assets - 2_186 * USD - 1_000 * USD,
        "assets_usd": assets,
        "margin_usd": 2_186 * USD,
        "unrealised_pnl_usd": 1_000 * USD,
        "lp_flow_usd": 410_075 * USD,
        "open_fee_usd": 15 * USD,
        "exit_fee_usd": 10 * USD,
        "borrow_fee_usd": 9 * USD,
        "lp_fee_usd": 25 * USD,
        "to_others_usd": 59 * USD,
        "trader_pnl_usd": 375 * USD,  # + 500 - 1,125 + 1,000
        "asset_drift_usd": assets - sum(row["owned_value_usd"] for row in _events()),
        "bad_debt_usd": 137 * USD,
        "liquidator_usd": 5 * USD,
        "spread_usd": 500 * USD - OUT_USD,
    }
    supplies = (400_000 * USD, SUPPLY, SUPPLY)
    return [
        zero | sample | {"timestamp": when, "lp_supply": supply, "lp_price": sample["aum_usd"] * 10**10 // supply}
        for sample, when, supply in zip((genesis, first, last), handmade.SAMPLED_AT, supplies, strict=True)
    ]


def _rejections() -> list[Row]:
    refused = (at(1, 12), 9, 9, codes.OPEN, codes.MAX_UTILISATION, 0)
    late = (at(2, 12), 10, -1, codes.REDEEM_DOLLARS, codes.NOT_DUE, 1)
    names = [c.field for c in columns.TABLES["rejections"]]
    return [dict(zip(names, row, strict=True)) for row in (refused, late)]


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


def write(out: Path, rows: Tables | None = None, manifest: dict[str, Any] | None = None) -> Path:
    """Write this run's directory, or the given rows in its place."""
    return handmade.write(out, rows or tables(), manifest or MANIFEST, LABELS)
