"""Fees of liquidity and swaps against the venues' own numbers, and against their rules written out at length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import codes, lp_fees, state, swaps
from kernels.fees import fee_ceil

GIGA = 10**9
PRICE = 25_000 * 10**10  # of the solana-labs fixture, nine decimals
MANY = settings(max_examples=500, deadline=None)


def _custody(**fields: int) -> np.void:
    custody = np.zeros(1, state.CUSTODY_RECORD)
    given = {
        "owned": 15 * GIGA,
        "scale": 10**13,
        "ratio_target_bps": 5_000,
        "ratio_min_bps": 1_000,
        "ratio_max_bps": 9_000,
        "fee_mult_bps": 20_000,
        "fee_max_bps": 250,
        "fee_optimal_bps": 10,
        **fields,
    }
    for name, value in given.items():
        custody[0][name] = value
    return custody[0]


def _fee(variant: int, base: int, tokens: float, pool_usd: int, custody: np.void | None = None) -> int:
    """Fee in tokens of moving whole `tokens`, or the reason why there is none, negative."""
    units = round(tokens * GIGA)
    bps = lp_fees.ratio_fee_bps(
        variant, base, custody if custody is not None else _custody(), units, PRICE, pool_usd * 10**6
    )
    return int(bps) if bps < 0 else int(fee_ceil(bps, abs(units)))


@pytest.mark.parametrize(
    ("pool_usd", "tokens", "fee"),
    [
        (600_000, 5, 97_000_000),  # above the target, farther from it
        (600_000, -2, 13_600_000),  # towards it
        (600_000, -6, 60_000_000),  # beyond it, no nearer
        (1_200_000, 5, 30_500_000),  # below the target, towards it
        (1_200_000, -5, 116_500_000),
        (1_200_000, 18, 180_000_000),  # onto it
    ],
)
def test_linear_fee_of_solana_labs(pool_usd: int, tokens: int, fee: int) -> None:
    """solana-labs pool.rs test_get_fee (spec 7.3): base 100 bps, multiplier 2x."""
    assert _fee(codes.LP_FEE_LINEAR, 100, tokens, pool_usd) == fee


def test_flat_fee_of_solana_labs() -> None:
    assert _fee(codes.LP_FEE_FLAT, 100, 20, 600_000) == 200_000_000


@pytest.mark.parametrize(
    ("tokens", "fee"),
    [
        (18, 18_000_000),
        (180, 4_014_000_000),
        (-1, 13_100_000),
        (-10, 231_000_000),
        (-15, -codes.RATIO_LIMIT),
        (1_800, -codes.RATIO_LIMIT),
    ],
)
def test_optimal_fee_of_solana_labs(tokens: int, fee: int) -> None:
    """solana-labs pool.rs get_fee in optimal mode (spec 7.3): at most 250 bps, 10 at the target, pool of $1.2M."""
    assert _fee(codes.LP_FEE_OPTIMAL, 0, tokens, 1_200_000) == fee


# GMX v1 Vault test getFeeBasisPoints: (dollars issued, weight, dollars in all, weights in all) -> (base, tax) ->
# {change: bps}. All 39 checks.
GMX_FEES = {
    (29_700, 10_000, 29_700, 10_000): {
        (100, 50): {1_000: 100, 5_000: 104, -1_000: 100, -5_000: 104},
        (50, 100): {1_000: 51, 5_000: 58, -1_000: 51, -5_000: 58},
    },
    (29_700, 10_000, 29_700, 20_000): {
        (100, 50): dict.fromkeys((1_000, 5_000, 10_000, 20_000), 150)
        | dict.fromkeys((-1_000, -5_000, -10_000, -20_000, -25_000), 50)
        | {-100_000: 150},
    },
    (29_700, 30_000, 49_700, 40_000): {
        (100, 50): {1_000: 90, 5_000: 90, 10_000: 90, -1_000: 110, -5_000: 113, -10_000: 116},
    },
    (89_100, 5_000, 109_100, 15_000): {
        (100, 50): dict.fromkeys((1_000, 5_000, 10_000), 150)
        | dict.fromkeys((-1_000, -5_000, -20_000, -50_000, -80_000), 28),
        (50, 100): dict.fromkeys((1_000, 5_000, 10_000), 150) | dict.fromkeys((-1_000, -5_000, -20_000, -50_000), 0),
    },
}


def test_tax_and_rebate_of_gmx() -> None:
    found, expected = [], []
    for (dollars, weight, supply, weights), by_rates in GMX_FEES.items():
        for (base, tax), by_change in by_rates.items():
            for change, bps in by_change.items():
                target = weight * supply // weights
                found.append(int(lp_fees.tax_rebate_bps(base, tax, dollars, target, change)))
                expected.append(bps)
    assert len(found) == 39
    assert found == expected


def test_no_target_no_tax() -> None:
    assert lp_fees.tax_rebate_bps(20, 50, 1_000, 0, 5_000) == 20


SHARE = st.integers(min_value=0, max_value=10_000)
MOVE = st.integers(min_value=-20 * GIGA, max_value=200 * GIGA).filter(bool)
POOL = st.integers(min_value=0, max_value=2_000_000 * 10**6)


def _share(owned: int, units: int, pool_usd: int) -> int:
    """The venue's get_current_ratio and get_new_ratio, case by case."""
    moved = abs(units) * PRICE // 10**13
    if units < 0:
        if moved >= pool_usd or -units >= owned:
            return 0
        whole = pool_usd - moved
    else:
        whole = pool_usd + moved
    part = (owned + units) * PRICE // 10**13
    return 0 if part == 0 or whole == 0 else min(part * 10_000 // whole, 10_000)


def _linear(base: int, now: int, new: int, least: int, target: int, most: int) -> int:
    """The venue's three cases of an improvement, as it writes them."""
    if new < target:
        improved = new > now or (now > target and now - target > target - new)
    elif new > target:
        improved = new < now or (now < target and target - now > new - target)
    else:
        improved = now != target
    width = target - least if new <= target else most - target
    factor = 10_000 if width == 0 else 10_000 + 20_000 * abs(new - target) // width
    return base * 10_000 // factor if improved else base * factor // 10_000


@MANY
@given(st.tuples(SHARE, SHARE, SHARE).map(sorted), MOVE, POOL, st.integers(min_value=0, max_value=500))
def test_linear_fee_by_the_venues_cases(bounds: list[int], units: int, pool_usd: int, base: int) -> None:
    least, target, most = bounds
    custody = _custody(ratio_min_bps=least, ratio_target_bps=target, ratio_max_bps=most)
    now, new = _share(15 * GIGA, 0, pool_usd), _share(15 * GIGA, units, pool_usd)
    assert lp_fees.share_bps(custody, units, PRICE, pool_usd) == new
    found = lp_fees.ratio_fee_bps(codes.LP_FEE_LINEAR, base, custody, units, PRICE, pool_usd)
    assert found == _linear(base, now, new, least, target, most)
    allowed = new >= now if new < least else new <= most or new <= now
    assert lp_fees.share_allowed(custody, units, PRICE, pool_usd) == allowed


@MANY
@given(st.tuples(SHARE, SHARE, SHARE).map(sorted), MOVE, POOL, st.integers(min_value=0, max_value=500))
def test_optimal_fee_by_the_venues_line(bounds: list[int], units: int, pool_usd: int, base: int) -> None:
    least, target, most = bounds
    custody = _custody(ratio_min_bps=least, ratio_target_bps=target, ratio_max_bps=most)
    new = _share(15 * GIGA, units, pool_usd)
    found = lp_fees.ratio_fee_bps(codes.LP_FEE_OPTIMAL, base, custody, units, PRICE, pool_usd)
    rise = 240 if units > 0 else -240
    width = most - target if new > target else target - least
    if new > most if units > 0 else new < least:
        assert found == -codes.RATIO_LIMIT
    elif width == 0:
        assert found == base + 10
    else:
        line = rise * new + (10 * width - target * rise)
        bps = base + (abs(line) // width if line >= 0 else -(abs(line) // width))
        assert found == (bps if bps >= 0 else -codes.INVALID_ORDER)


@MANY
@given(
    st.integers(min_value=1, max_value=2**50),
    st.integers(min_value=1, max_value=2**45),
    st.integers(min_value=1, max_value=2**45),
    st.integers(min_value=2, max_value=9),
    st.integers(min_value=2, max_value=9),
)
def test_exact_swap_is_one_floor(amount: int, price_in: int, price_out: int, into: int, out: int) -> None:
    found = int(swaps.exact_swap_floor(amount, price_in, price_out, into, out))
    exact = amount * price_in * 10**out // (price_out * 10**into)
    assert found == exact or (found >= 2**62 and amount * price_in * 10 ** max(out - into, 0) >= 2**62 * price_out)


def test_swap_with_spread() -> None:
    """A hundredth off the ratio of two short prices: one token of 1,500 dollars for dollars of six decimals."""
    prices = 1_500 * 10**10, 10**10
    assert swaps.short_swap_floor(GIGA, *prices, 9, 6, 0) == 1_500_000_000
    assert swaps.short_swap_floor(GIGA, *prices, 9, 6, 100) == 1_485_000_000
    # The ratio has nine digits after the point: a dollar is 0.000666666 tokens, a hundredth less 0.000660000.
    assert swaps.short_swap_floor(10**6, *prices[::-1], 6, 9, 0) == 666_666
    assert swaps.short_swap_floor(10**6, *prices[::-1], 6, 9, 100) == 660_000
