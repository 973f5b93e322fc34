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
    assert found.custody_params[1] == {
        "decimals": 9, "unit": 10**9, "stable": 0, "price_symbol": 1, "conf_bps": 25, "add_bps": 0, "remove_bps": 0,
        "minimum_units": 0, "max_position_locked_usd": 0, "borrow_max": 100_000, "borrow_mid": 0,
        "borrow_optimal_bps": 10_000, "interest_in_pnl": 1,
    }  # fmt: skip
    assert found.custody_params[0]["borrow_max"] == 80_000
    assert found.custody_params[0]["interest_in_pnl"] == 0
    assert found.market_params == [{
        "price_symbol": 2, "long_custody": 1, "short_custody": 0, "close_bps": 16, "liquidation_bps": 16,
        "min_initial_leverage_bps": 10_000, "max_initial_leverage_bps": 1_000_000, "max_leverage_bps": 2_005_000,
        "max_cumulative_long_usd": 0, "max_cumulative_short_usd": 0, "funding_max": 0, "funding_sensitivity_bps": 0,
        "funding_min_oi_usd": 0,
    }]  # fmt: skip
    pool = found.pool_params
    assert (pool["min_collateral_usd"], pool["fee_custody"], pool["sample_interval_us"]) == (
        9_500_000,
        0,
        3_600_000_000,
    )
    assert tuple(pool) == state.POOL_PARAMS.names
    assert tuple(found.market_params[0]) == state.MARKET_PARAMS.names


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
