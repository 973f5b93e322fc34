"""Every number of Adrena's own tests (v1.3.7) that concerns trading, rates, liquidation, liquidity or AUM.

`SCENARIOS`: scripts of ticks and orders with the integers that must come out; `FORMULA_ONLY`: numbers that no
table shows, for the functions that compute them; `UNREACHABLE`: what this backtester does not model.

Harness facts that enter the inputs. Deposits of the setup carry 10 bps of fee and are followed by a payment of
fees. A price band is what the setup or a hand-set price says until a bundle with a newer timestamp is applied, then
25 bps for everything but USDC, which keeps its 10. So a change of the band in mid-run happens whenever a test
sets a price and acts within the same second. `conf_bps` is fixed for a run here; where a test sees another band, only
its low price (collateral in, sizes, AUM) or only its high price (tokens out) enters the printed number, and the
custody's symbol, which is not the traded one, is given the mid price that has that low or high price under 25 bps.
Upstream acts several times within one second, here ticks are at least a second apart: nothing printed depends on it,
or interest is switched off where it would. Keepers are not obliged upstream, liquidations are immediate here: where
a test lets a doomed position live, the maximum leverage is lifted, collateral is added first, or the market is
marked closed at that tick; each place says so.
"""

from tests.golden import (
    adrena_accounting,
    adrena_limits,
    adrena_orders,
    adrena_pool,
    adrena_positions,
    adrena_triggers,
    adrena_unit,
)
from tests.golden.formulas import FORMULA_ONLY
from tests.golden.script import Scenario

SCENARIOS: list[Scenario] = [
    *adrena_unit.SCENARIOS,
    *adrena_positions.SCENARIOS,
    *adrena_accounting.SCENARIOS,
    *adrena_orders.SCENARIOS,
    *adrena_limits.SCENARIOS,
    *adrena_triggers.SCENARIOS,
    *adrena_pool.SCENARIOS,
]

# (upstream, number, why no scenario can reach it)
UNREACHABLE = [
    ("src/state/pool.rs test_get_new_ratio", "5,238; 4,736; 0; 5,000 bps", "no weight limits: dead code since 1.3.2"),
    (
        "position_with_swap/open_close_position_with_swap.rs",
        "entry liquidation price 22,660.6354596168; 930 units out",
        "opening through a swap, with swap fees, is not modelled",
    ),
    (
        "basic_interactions.rs",
        "final AUM 3,290,795,308,731 and LP price 10,020,064,781",
        "after an opening through a swap with fees",
    ),
    ("swap/permissioned_swap.rs", "refusal of another swapper", "orders of a swap carry no swapper"),
    ("pool/aum_soft_cap_usd.rs", "deposit after the cap was raised", "the cap is fixed for a run"),
    (
        "custody/max_cumulative_short_position_size_usd.rs",
        "refusal under a cap set after the first short",
        "the cap is fixed for a run; max_cumulative_short covers the rule",
    ),
    (
        "position/limit_order_long.rs and _short.rs, second half",
        "a limit order on an open position increases it",
        "a limit order here opens a position of its own",
    ),
    (
        "position/deep_check_*.rs",
        "collected_fees.add_liquidity_usd 3,300,000,000 and the like",
        "fees of liquidity at the mid price; our events carry them at the low price, and the debt at the mid price",
    ),
    ("utils/test_setup.rs", "rent, lamports, automation fees", "costs of the chain are not modelled"),
]

__all__ = ["FORMULA_ONLY", "SCENARIOS", "UNREACHABLE"]
