"""Every number of solana-labs/perpetuals' own tests (state of October 2023) that concerns trading, rates or liquidity.

`SCENARIOS`: scripts of ticks and orders with the integers that must come out; `UNREACHABLE`: the rest, with the reason.
"""

from tests.golden import solana_labs_actions, solana_labs_pool, solana_labs_rules, solana_labs_unit
from tests.golden.script import Scenario

SCENARIOS: list[Scenario] = [
    *solana_labs_unit.SCENARIOS,
    *solana_labs_pool.SCENARIOS,
    *solana_labs_actions.SCENARIOS,
    *solana_labs_rules.SCENARIOS,
]

# (upstream, number, why no scenario can reach it)
UNREACHABLE = [
    ("pool.rs test_get_leverage", "40,000 bps at an entry price of 0", "no tick can have a price of 0"),
    ("pool.rs test_get_liquidation_price", "0 at an entry price of 0", "the same"),
    ("pool.rs test_get_new_ratio", "5,000 bps for no change, errors for two at once", "no order changes nothing"),
    ("pool.rs test_get_entry_fee", "0 for a size of 0", "such an order is refused"),
    ("tests_suite/swap/insuffisient_fund.rs", "5,000 dollars that the trader does not have", "wallets are not kept"),
]

__all__ = ["SCENARIOS", "UNREACHABLE"]
