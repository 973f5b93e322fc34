"""The pool's value and its token's price against a day of GLP on Avalanche, 2024-10-15, as its contracts gave them.

Recorded per minute: tokens, reserves, guaranteed dollars, short averages, prices, and the AUM and GLP price of that
state. The data are not part of the project: $PERPOOL_REAL_DATA/gmx_v1_glp_minutes.
"""

import csv
from decimal import Decimal

import numba
import numpy as np
import pytest

from backtest.engine import make_venue
from kernels import codes, state
from kernels.valuation import AT_HIGH, AT_LOW, lp_price_floor, value_pool
from tests import case
from tests.real import real_data

# Decimals of the recorded integers; 18 are more than a book holds, so such tokens are booked at 9.
DECIMALS = {"btc.b": 8, "weth": 18, "wbtc": 8, "wavax": 18, "mim": 18, "usdc": 6, "usdc.e": 6}
VOLATILE = ("btc.b", "weth", "wbtc", "wavax")
MOST_DECIMALS = 9
Minute = dict[str, str]


@numba.njit(error_model="numpy")
def measure(venue, mode):
    """AUM in micro-dollars and the LP price at 1e10."""
    value = value_pool(venue, mode)
    return value.aum, lp_price_floor(value.aum, venue.pool[0].lp_supply)


def minutes() -> list[Minute]:
    folder = real_data() / "gmx_v1_glp_minutes"
    if not folder.is_dir():
        pytest.skip(f"no recorded minutes in {folder}; set PERPOOL_REAL_DATA to the folder that holds them")
    rows: list[Minute] = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            rows += csv.DictReader(file)
    return rows


def number(row: Minute, name: str, digits: int) -> int:
    """A recorded integer (some are written as floats) with its last `digits` decimals cut off."""
    return int(Decimal(row[name])) // 10**digits


def new_venue() -> state.Venue:
    """A custody per token in the order of DECIMALS; a market per volatile one, its shorts backed by USDC."""
    names = list(DECIMALS)
    custodies = [
        case.custody(decimals=min(decimals, MOST_DECIMALS), stable=int(name not in VOLATILE))
        for name, decimals in DECIMALS.items()
    ]
    markets = [case.market(long_custody=names.index(name), short_custody=names.index("usdc")) for name in VOLATILE]
    pool = case.pool(margin=codes.MARGIN_POOLED, valuation=codes.VALUE_GUARANTEED, fee_booking=codes.BOOK_RESERVE)
    return make_venue(custodies, markets, pool)


def record(venue: state.Venue, row: Minute) -> None:
    """Put the state of a minute into the books: prices at 1e10, dollars at 1e6, tokens at their booked decimals."""
    for custody, (name, decimals) in zip(venue.custody, DECIMALS.items(), strict=True):
        cut = max(decimals - MOST_DECIMALS, 0)
        custody["owned"] = number(row, f"{name}_pool", cut)
        custody["locked"] = number(row, f"{name}_reserved", cut)
        for quote in ("price", "low", "high"):
            custody[quote] = number(row, f"{name}_price", 20)
    for m, name in enumerate(VOLATILE):
        venue.side[2 * m + codes.LONG]["size_usd"] = number(row, f"{name}_guaranteed", 24)
        venue.side[2 * m + codes.SHORT]["size_usd"] = number(row, f"{name}_size", 24)
        venue.side[2 * m + codes.SHORT]["average_price"] = number(row, f"{name}_average", 20)
        for quote in ("price", "low", "high"):
            venue.market[m][quote] = number(row, f"{name}_price", 20)
    venue.pool["lp_supply"] = number(row, "glp", 12)


def test_value_and_price_of_every_minute() -> None:
    """Of 22 million dollars, cutting 30 decimals to the engine's loses a few millionths of one."""
    venue, found = new_venue(), []
    rows = minutes()
    for row in rows:
        record(venue, row)
        found.append(measure(venue, AT_LOW))
        assert found[-1] == measure(venue, AT_HIGH)  # recorded with one price per token
    aum = np.array([number(row, "aum", 24) for row in rows])
    price = np.array([float(row["glp_price"]) for row in rows])
    values = np.array(found, np.int64)
    assert len(rows) == 1_440
    assert len(set(aum.tolist())) > 700  # the pool lives
    assert np.abs(values[:, 0] - aum).max() <= 20
    assert np.abs(values[:, 1] / 1e10 / price - 1).max() < 1e-9


def test_the_comparison_notices_a_wrong_rule() -> None:
    """Without what shorts have won, or with reserved tokens counted twice, the recorded value is missed by far."""
    venue = new_venue()
    row = minutes()[0]
    record(venue, row)
    aum = number(row, "aum", 24)
    venue.side["average_price"] = 0
    assert abs(measure(venue, AT_LOW)[0] / aum - 1) > 1e-6
    record(venue, row)
    venue.custody["locked"] = 0
    assert abs(measure(venue, AT_LOW)[0] / aum - 1) > 1e-3
