"""From protocol files to the integers of the kernels."""

from pathlib import Path

import msgspec
import pytest

from backtest.config import Protocol, leaves
from backtest.protocols import load_protocol
from backtest.resolve import Resolved, resolve
from backtest.toml_files import exact
from kernels import state
from tests.protocol_files import SMALL, changed, write


def resolved(folder: Path, *changes: tuple[str, str]) -> Resolved:
    return resolve(load_protocol(write(folder, changed(*changes))))


def test_resolve_gives_every_field_of_the_records_exactly(tmp_path: Path) -> None:
    found = resolved(tmp_path, ('name = "small"', 'name = "small"\n[pool]\nmin_collateral_usd = 9.5'))
    assert found.symbols == ("USDC", "jitoSOL", "SOL")
    assert found.names.long_custody == (1,)
    assert found.names.custody_decimals == (6, 9)
    assert found.custody_params[1] == dict.fromkeys(state.CUSTODY_PARAMS.names, 0) | {
        "decimals": 9, "unit": 10**9, "price_symbol": 1, "low_symbol": 1, "high_symbol": 1, "ema_symbol": 1,
        "conf_bps": 25, "borrow_max": 100_000, "borrow_optimal_bps": 10_000, "interest_in_pnl": 1,
        "ratio_max_bps": 10_000,
    }  # fmt: skip
    assert found.custody_params[0]["borrow_max"] == 80_000
    assert found.custody_params[0]["interest_in_pnl"] == 0
    assert found.market_params == [dict.fromkeys(state.MARKET_PARAMS.names, 0) | {
        "price_symbol": 2, "low_symbol": 2, "high_symbol": 2, "ema_symbol": 2, "long_custody": 1, "close_bps": 16,
        "liquidation_bps": 16, "payoff_long_bps": 10_000, "payoff_short_bps": 10_000, "impact_exponent_e6": 10**6,
        "min_initial_leverage_bps": 10_000, "max_initial_leverage_bps": 1_000_000, "max_leverage_bps": 2_005_000,
    }]  # fmt: skip
    pool = found.pool_params
    assert (pool["min_collateral_usd"], pool["fee_custody"], pool["sample_interval_us"]) == (
        9_500_000,
        0,
        3_600_000_000,
    )
    assert all(pool[field] == 0 for field in state.POOL_PARAMS.names[: state.POOL_PARAMS.names.index("swap_mode") + 1])
    assert (pool["mint_counts_fee"], pool["lp_share_joins"], pool["redeem_at_high"]) == (1, 0, 0)
    assert tuple(pool) == state.POOL_PARAMS.names
    assert tuple(found.market_params[0]) == state.MARKET_PARAMS.names


QUOTES = ("price_symbol", "low_symbol", "high_symbol", "ema_symbol")


@pytest.mark.parametrize(
    ("variant", "per_price"), [("oracle", 1), ("ema_spread", 4), ("confidence", 3), ("min_max", 3)]
)
def test_bounds_and_averages_are_columns_only_where_they_are_read(tmp_path: Path, variant: str, per_price: int) -> None:
    found = resolved(tmp_path, ('swap = "none"', f'swap = "none"\ntrade_price = "{variant}"'))
    assert found.symbols[:3] == ("USDC", "jitoSOL", "SOL")
    assert len(found.symbols) == len(set(found.symbols)) == 3 * per_price
    for row, price in zip((*found.custody_params, *found.market_params), found.symbols, strict=False):
        named = [found.symbols[row[field]] for field in QUOTES]
        sides = [price] * 2 if variant == "oracle" else [f"{price}.low", f"{price}.high"]
        assert named == [price, *sides, f"{price}.ema" if variant == "ema_spread" else price]


@pytest.mark.parametrize(
    ("variant", "lines", "wanted"),
    [
        ("two_slope", "max_borrow_per_hour = 0.0002\nmid_borrow_per_hour = 0.0001\noptimal_utilisation_bps = 8000",
         (0, 100_000, 200_000, 8_000)),
        ("kink", "base_borrow_per_hour = 0.00001\nslope1_borrow_per_hour = 0.00008\nslope2_borrow_per_hour = 0.00012",
         (10_000, 80_000, 120_000, 10_000)),
        ("jump", "min_borrow_per_year_bps = 300\ntarget_borrow_per_year_bps = 2500\nmax_borrow_per_year_bps = 20_000",
         (300, 2_500, 20_000, 10_000)),
        ("stepwise", "max_borrow_per_interval = 0.0001", (0, 0, 100, 10_000)),
    ],
)  # fmt: skip
def test_each_borrow_curve_is_booked_at_its_own_scale(
    tmp_path: Path, variant: str, lines: str, wanted: tuple[int, ...]
) -> None:
    text = changed(
        ('borrow = "linear"', f'borrow = "{variant}"'), ("[fees]", "[pool]\nborrow_interval_s = 3600\n[fees]")
    )
    text = text.replace("max_borrow_per_hour = 0.00008", lines).replace("max_borrow_per_hour = 0.0001", lines)
    row = resolve(load_protocol(write(tmp_path, text))).custody_params[1]
    assert tuple(row[field] for field in ("borrow_min", "borrow_mid", "borrow_max", "borrow_optimal_bps")) == wanted


def test_a_side_without_custody_is_not_offered(tmp_path: Path) -> None:
    found = resolved(tmp_path, ('short_custody = "USDC"', 'short_custody = ""'))
    assert (found.market_params[0]["long_custody"], found.market_params[0]["short_custody"]) == (1, -1)
    assert found.names.short_custody == (-1,)


def test_two_markets_on_one_custody_keep_their_interest_out_of_pnl(tmp_path: Path) -> None:
    second = SMALL[SMALL.index("[[market]]") :].replace('symbol = "SOL"', 'symbol = "SOL2"\nprice = "SOL"')
    found = resolve(load_protocol(write(tmp_path, SMALL + second)))
    assert [row["interest_in_pnl"] for row in found.custody_params] == [0, 0]
    assert [row["price_symbol"] for row in found.market_params] == [2, 2]


def test_a_synthetic_market_has_stable_on_both_sides_and_its_own_price(tmp_path: Path) -> None:
    found = resolved(tmp_path, ('long_custody = "jitoSOL"', 'long_custody = "USDC"\nprice = "XAU"'))
    assert (found.market_params[0]["long_custody"], found.market_params[0]["short_custody"]) == (0, 0)
    assert [row["interest_in_pnl"] for row in found.custody_params] == [0, 0]
    assert found.symbols == ("USDC", "jitoSOL", "XAU")


def test_the_fee_custody_is_the_first_stable_unless_named(tmp_path: Path) -> None:
    second = changed(("[[market]]", SMALL[SMALL.index("[[custody]]") : SMALL.index("[[market]]")].split("\n\n")[0]))
    text = second.replace(
        "max_borrow_per_hour = 0.00008\nsymbol", "max_borrow_per_hour = 0.00008\n\n[[market]]\nsymbol"
    )
    text = text[::-1].replace('symbol = "USDC"'[::-1], 'symbol = "USDT"'[::-1], 1)[::-1]
    assert resolve(load_protocol(write(tmp_path, text))).pool_params["fee_custody"] == 0
    named = text.replace("referrer_share_bps = 1000", 'distribution_custody = "USDT"')
    assert resolve(load_protocol(write(tmp_path, named))).pool_params["fee_custody"] == 2


def test_exact_takes_numbers_as_they_are_written() -> None:
    assert exact(0.00008, 10**9) == 80_000
    assert exact(0.000091895, 10**9) == 91_895
    assert exact(1.1, 10**4) == 11_000
    assert exact(10_000_000, 10**6) == 10**13
    with pytest.raises(ValueError, match="finer"):
        exact(0.00001, 10**4)


def test_a_resolved_protocol_survives_json(tmp_path: Path) -> None:
    protocol = load_protocol(write(tmp_path), ("pool.min_age_s=9",))
    assert msgspec.json.decode(msgspec.json.encode(protocol), type=Protocol) == protocol
    assert leaves(protocol)["pool.min_age_s"] == 9
