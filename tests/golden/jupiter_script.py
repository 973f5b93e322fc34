"""Scripts for Jupiter: one price each, margin in the pool's own tokens, fees into a reserve, interest charged.

Variants as in spec 3; which of them a number needs besides is given by each scenario.
"""

from kernels import codes
from tests.golden.script import P
from tests.golden.solana_labs_script import Desk

JUPITER = {
    "borrow": codes.BORROW_JUMP,
    "interest": codes.INTEREST_CHARGED,
    "interest_rounding": codes.ROUND_CEIL,
    "sizing": codes.SIZE_DOLLARS,
    "margin": codes.MARGIN_POOLED,
    "average_entry": codes.AVERAGE_HARMONIC,
    "open_fee": codes.OPEN_FEE_FLAT,
    "close_fee": codes.CLOSE_FEE_FLAT,
    "fee_booking": codes.BOOK_RESERVE,
    "profit": codes.PROFIT_UNCAPPED,
    "liquidation": codes.LIQUIDATE_MIN_MARGIN,
    "leftover": codes.LEFTOVER_POOL,
    "valuation": codes.VALUE_GUARANTEED,
    "oi_cap": codes.CAP_SIZE,
    "lp_share_bps": 7_500,
    "referrer_share_bps": 0,
    "mint_counts_fee": 0,
    "min_collateral_usd": 0,
}
STABLE = {"decimals": 6, "stable": 1, "peg": codes.PEG_FLOORED, "borrow_mid": 0, "borrow_max": 0}
# 500 times on chain: liquidated below 0.2 % of the size.
MARKET = {
    "open_bps": 6,
    "close_bps": 6,
    "min_initial_leverage_bps": 1,
    "max_initial_leverage_bps": 5_000_000,
    "max_leverage_bps": 5_000_000,
}


class Pool(Desk):
    """Markets are traded against the custody of their name, shorts against USDC."""

    def __init__(
        self,
        custodies: dict[str, dict[str, int]],
        markets: dict[str, dict[str, int]],
        genesis: dict[str, int],
        **pool: int,
    ) -> None:
        names = list(custodies)
        full = {
            name: MARKET | {"long_custody": names.index(name), "short_custody": names.index("USDC")} | values
            for name, values in markets.items()
        }
        super().__init__(custodies, full, genesis, **(JUPITER | pool))

    def enter_dollars(self, name: str, units: int, size_usd: int, side: int = codes.LONG, **more: int) -> int:
        """Open a position of so many micro-dollars on `units` of its collateral."""
        return self.order(
            codes.OPEN,
            market=self.market_of[name],
            side=side,
            collateral_units=units,
            size_usd=size_usd,
            **({"position_id": 1} | more),
        )


def sol_pool(sol: int, price: int = 100 * P, market: dict[str, int] | None = None, **pool: int) -> Pool:
    """A million dollars and `sol` lamports, SOL at `price`, no borrow fee unless `pool` names a rate."""
    rates = {name: pool.pop(name, 0) for name in ("borrow_min", "borrow_mid", "borrow_max")}
    token = {"decimals": 9, "borrow_optimal_bps": 8_000} | rates
    made = Pool({"USDC": STABLE, "SOL": token}, {"SOL": market or {}}, {"USDC": 10**12, "SOL": sol}, **pool)
    made.quote("SOL", price)
    return made
