"""The liquidity side of the slow reference against numbers published by the venues' own tests."""

import pytest

from kernels import codes
from tests import case as build
from tests.case import Case
from tests.reference import liquidity, lp_fees
from tests.reference.venue import Refused, Venue

DOLLAR = 10**6
TOKEN = 10**9
PRICE = 10**10
START_US = 1_700_000_000 * 10**6
RATIOS = {"ratio_target_bps": 5_000, "ratio_min_bps": 1_000, "ratio_max_bps": 9_000}


def two_tokens(aum_usd: int, lp_fee: int, **custody: int) -> Venue:
    """15 tokens at $25,000 beside as many dollars as make up the value."""
    token = build.custody(decimals=9, fee_mult_bps=20_000, **RATIOS, **custody)
    rules = build.pool(lp_fee=lp_fee, valuation=codes.VALUE_COLLECTIVE_MIN_MAX)
    ticks = [(START_US, (25_000 * PRICE, PRICE), (0, 0))]
    venue = Venue(Case([token, build.custody(stable=1, price_symbol=1)], [], rules, ticks))
    venue.set_tick(*ticks[0])
    venue.custodies[0].owned = 15 * TOKEN
    venue.custodies[1].owned = (aum_usd - 375_000) * DOLLAR
    return venue


def fee(venue: Venue, base_bps: int, tokens: int) -> int:
    add, remove = max(tokens, 0) * TOKEN, max(-tokens, 0) * TOKEN
    return lp_fees.fee_units(venue, 0, base_bps, add, remove, 25_000 * PRICE)


def test_flat_fee() -> None:
    assert fee(two_tokens(600_000, codes.LP_FEE_FLAT), 100, 20) == 200_000_000


@pytest.mark.parametrize(
    ("aum_usd", "tokens", "units"),
    [
        (600_000, 5, 97_000_000),
        (600_000, -2, 13_600_000),
        (600_000, -6, 60_000_000),
        (1_200_000, 5, 30_500_000),
        (1_200_000, -5, 116_500_000),
        (1_200_000, 18, 180_000_000),
    ],
)
def test_linear_fee(aum_usd: int, tokens: int, units: int) -> None:
    """Spec solana venues 7.3, test_get_fee of pool.rs."""
    assert fee(two_tokens(aum_usd, codes.LP_FEE_LINEAR), 100, tokens) == units


@pytest.mark.parametrize(
    ("tokens", "units"), [(18, 18_000_000), (180, 4_014_000_000), (-1, 13_100_000), (-10, 231_000_000)]
)
def test_optimal_fee(tokens: int, units: int) -> None:
    """Spec solana venues 7.3: 10 bps at the target, 250 at the edge, nothing beside."""
    venue = two_tokens(1_200_000, codes.LP_FEE_OPTIMAL, fee_optimal_bps=10, fee_max_bps=250)
    assert fee(venue, 0, tokens) == units


@pytest.mark.parametrize("tokens", [-15, 1_800])
def test_optimal_fee_has_no_value_outside_the_bounds(tokens: int) -> None:
    venue = two_tokens(1_200_000, codes.LP_FEE_OPTIMAL, fee_optimal_bps=10, fee_max_bps=250)
    with pytest.raises(Refused) as refusal:
        fee(venue, 0, tokens)
    assert refusal.value.reason == codes.RATIO_LIMIT


@pytest.mark.parametrize(
    ("held", "weights", "supply", "change", "base", "tax", "bps"),
    [
        (29_700, (1, 0), 29_700, 5_000, 100, 50, 104),
        (29_700, (1, 0), 29_700, 5_000, 50, 100, 58),
        (29_700, (1, 1), 29_700, 1_000, 100, 50, 150),
        (29_700, (1, 1), 29_700, -1_000, 100, 50, 50),
        (29_700, (1, 1), 29_700, -100_000, 100, 50, 150),
        (29_700, (3, 1), 49_700, 1_000, 100, 50, 90),
        (29_700, (3, 1), 49_700, -1_000, 100, 50, 110),
        (29_700, (3, 1), 49_700, -10_000, 100, 50, 116),
        (89_100, (36_366, 63_634), 100_000, -1_000, 100, 50, 28),
        (89_100, (36_366, 63_634), 100_000, -1_000, 50, 100, 0),
    ],
)
def test_tax_and_rebate(
    held: int, weights: tuple[int, int], supply: int, change: int, base: int, tax: int, bps: int
) -> None:
    """Spec solana venues 7.5, test/core/Vault/getFeeBasisPoints.js."""
    venue = two_tokens(600_000, codes.LP_FEE_TAX_REBATE)
    venue.params["dynamic_fees"] = 1
    for params, weight in zip(venue.custody_params, weights, strict=True):
        params["weight"] = weight
    venue.custodies[0].dollars_usd, venue.pool.dollar_supply_usd = held * DOLLAR, supply * DOLLAR
    assert lp_fees.tax_bps(venue, 0, change * DOLLAR, base, tax) == bps


def test_ratio_may_be_out_of_bounds_only_towards_them() -> None:
    """15 of 15 tokens' worth of the pool is 62.5 %: with a bound of 50 % more is refused, less is not."""
    venue = two_tokens(600_000, codes.LP_FEE_FLAT)
    venue.params["ratio_limit"] = codes.RATIO_BOUNDS
    venue.custody_params[0]["ratio_max_bps"] = 5_000
    lp_fees.require_ratio(venue, 0, 0, TOKEN, 25_000 * PRICE)
    with pytest.raises(Refused):
        lp_fees.require_ratio(venue, 0, TOKEN, 0, 25_000 * PRICE)


def test_refused_deposit_leaves_no_dollars() -> None:
    """The cap of a custody is seen after its dollars were issued."""
    venue = two_tokens(600_000, codes.LP_FEE_TAX_REBATE)
    venue.params["fee_booking"] = codes.BOOK_RESERVE
    venue.custody_params[0]["max_dollars_usd"] = 1_000 * DOLLAR
    before = [vars(venue.custodies[0]).copy(), vars(venue.pool).copy()]
    order = build.order(due_us=0, action=codes.ISSUE_DOLLARS, custody=0, amount_units=TOKEN)
    with pytest.raises(Refused) as refusal:
        liquidity.issue_dollars(venue, order)
    assert refusal.value.reason == codes.CUSTODY_CAP
    assert [vars(venue.custodies[0]), vars(venue.pool)] == before
