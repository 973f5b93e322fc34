"""Jupiter's public numbers, through orders and ticks, for the slow reference and for the engine."""

import pytest

from tests.golden import jupiter, jupiter_trips
from tests.golden.checking import IMPLEMENTATIONS, Suite

SUITE = Suite(jupiter.SCENARIOS)
CENT = 10_000
# Prices on chain have more digits than the six that an entry price has: 0.2 and 10 parts in a million of a SOL.
FEE_SLACK, PAID_SLACK = 200, 10_000


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("scenario", SUITE.by_name)
def test_scenario(name: str, scenario: str) -> None:
    SUITE.check(name, scenario)


def cut(value: int) -> int:
    """Micro-dollars to cents, digits cut off as the events are printed."""
    return value // CENT if value >= 0 else -(-value // CENT)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("scenario", jupiter_trips.BY_SCENARIO)
def test_real_round_trip_to_the_cent(name: str, scenario: str) -> None:
    trip = jupiter_trips.BY_SCENARIO[scenario]
    opening, closing = SUITE.run(name, scenario).events[-2:]
    # Of a liquidation nothing is paid out: what would have been is the pool's.
    paid = closing["confiscated_usd"] if trip.is_liquidated else closing["payout_usd"]
    shown = {
        "collateral": opening["collateral_usd"] + opening["open_fee_usd"],
        "open_fee": opening["open_fee_usd"],
        "pnl": closing["pnl_usd"],
        "close_fee": closing["exit_fee_usd"] + closing["borrow_fee_usd"],
        "payout": paid,
    }
    assert {key: cut(value) for key, value in shown.items()} == trip.cents
    assert abs(opening["fee_units"] - trip.fee_units) <= FEE_SLACK
    assert opening["size_usd"] == -closing["size_usd"] == trip.size_cents * CENT
    assert closing["bad_debt_usd"] == 0
    if trip.is_liquidated:
        assert closing["payout_usd"] == closing["trader_out_units"] == 0
    if trip.out_units >= 0:
        assert abs(closing["trader_out_units"] - trip.out_units) <= PAID_SLACK


def test_names_are_unique_and_every_number_is_kept() -> None:
    assert len(SUITE.by_name) == len(jupiter.SCENARIOS)
    assert all(scenario.expects or scenario.refused for scenario in jupiter.SCENARIOS)
