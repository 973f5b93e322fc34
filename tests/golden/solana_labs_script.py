"""Scripts for venues whose custodies and markets have four prices each: spot, low, high and average.

`Desk` takes the parameters of custodies and markets as they are in kernels.state, by name. A market called like a
custody is quoted with it by `quote`; low and high are the smaller and the larger of spot and average, as the tick
builder of the ema_spread variant makes them.
"""

from kernels import codes
from tests import case
from tests.golden.script import M, P, Script

LABS = {
    "borrow": codes.BORROW_KINK,
    "borrow_base": codes.BASE_LOCKED_VALUE,
    "trade_price": codes.PRICE_EMA_SPREAD,
    "sizing": codes.SIZE_TOKENS,
    "open_fee": codes.OPEN_FEE_UTILISATION,
    "close_fee": codes.CLOSE_FEE_EMA_TOKENS,
    "fee_booking": codes.BOOK_PROTOCOL_RESERVE,
    "oi_cap": codes.CAP_SIZE,
    "valuation": codes.VALUE_COLLECTIVE_MIN_MAX,
    "lp_fee": codes.LP_FEE_LINEAR,
    "ratio_limit": codes.RATIO_BOUNDS,
    "swap_mode": codes.SWAP_SPREAD,
    "lp_share_bps": 9_975,
    "referrer_share_bps": 0,
    "mint_counts_fee": 0,
    "redeem_at_high": 1,
    "unrealised_in_aum": 1,
    "deposit_initial": 1,
    "swap_spread_bps": 300,
    "min_collateral_usd": 0,
}
# Custody of tests/native/utils/fixtures.rs: linear fees, kink at 80 %.
LABS_CUSTODY = {
    "borrow_mid": 80_000,
    "borrow_max": 120_000,
    "borrow_optimal_bps": 8_000,
    "add_bps": 200,
    "remove_bps": 300,
    "swap_in_bps": 100,
    "swap_out_bps": 100,
    "fee_mult_bps": 20_000,
    "ratio_target_bps": 5_000,
    "ratio_max_bps": 10_000,
    "interest_in_pnl": 1,
}
LABS_STABLE = LABS_CUSTODY | {"decimals": 6, "stable": 1, "interest_in_pnl": 0, "peg": codes.PEG_CAPPED}
# Market of the same fixtures; the bps of a liquidation are used twice, as a fee and as the liquidator's reward.
LABS_MARKET = {
    "open_bps": 100,
    "close_bps": 100,
    "liquidation_bps": 50,
    "liquidator_bps": 50,
    "spread_long_bps": 100,
    "spread_short_bps": 100,
    "utilisation_mult_bps": 20_000,
    "min_initial_leverage_bps": 10_000,
    "max_initial_leverage_bps": 100_000,
    "max_leverage_bps": 100_000,
}
ANY_LEVERAGE = {
    "min_initial_leverage_bps": 1,
    "max_initial_leverage_bps": 1 << 40,
    "max_leverage_bps": 1 << 40,
}


def _symbols(first: int) -> dict[str, int]:
    names = ("price_symbol", "low_symbol", "high_symbol", "ema_symbol")
    return {name: first + number for number, name in enumerate(names)}


class Desk(Script):
    """A script with any parameters. `genesis`: token units that custodies start with, by name."""

    def __init__(
        self,
        custodies: dict[str, dict[str, int]],
        markets: dict[str, dict[str, int]],
        genesis: dict[str, int] | None = None,
        **pool: int,
    ) -> None:
        self.custody_of = {name: number for number, name in enumerate(custodies)}
        self.market_of = {name: number for number, name in enumerate(markets)}
        first = 4 * len(custodies)
        self.custodies = [case.custody(**_symbols(4 * n), **values) for n, values in enumerate(custodies.values())]
        self.markets = [case.market(**_symbols(first + 4 * n), **values) for n, values in enumerate(markets.values())]
        self.prices = [P] * (first + 4 * len(markets))
        self.pool = case.pool(**({"sample_interval_us": M} | pool))
        self.genesis = [(genesis or {}).get(name, 0) for name in custodies]
        self.second = 0
        self.ticks, self.orders, self.expects = [], [], []
        self.refused: dict[int, int] = {}
        self.liquidations = 0

    def _quote(self, first: int, spot: int, ema: int) -> None:
        average = ema if ema > 0 else spot
        self.prices[first : first + 4] = [spot, min(spot, average), max(spot, average), average]

    def quote_custody(self, name: str, spot: int, ema: int = 0) -> None:
        """Price of a token; `ema` 0: the same."""
        self._quote(4 * self.custody_of[name], spot, ema)

    def quote_market(self, name: str, spot: int, ema: int = 0) -> None:
        """Price of what a market trades."""
        self._quote(4 * (len(self.custodies) + self.market_of[name]), spot, ema)

    def quote(self, name: str, spot: int, ema: int = 0) -> None:
        """Price of a token and of the market of the same name."""
        self.quote_custody(name, spot, ema)
        self.quote_market(name, spot, ema)

    def enter_size(self, name: str, units: int, size_units: int, side: int = codes.LONG, **more: int) -> int:
        """Open a position of so many traded tokens."""
        return self.order(
            codes.OPEN,
            market=self.market_of[name],
            side=side,
            collateral_units=units,
            amount_units=size_units,
            **({"position_id": 1} | more),
        )

    def add(self, name: str, units: int) -> int:
        return self.order(codes.ADD_LIQUIDITY, custody=self.custody_of[name], amount_units=units)

    def remove(self, name: str, lp_units: int) -> int:
        return self.order(codes.REMOVE_LIQUIDITY, custody=self.custody_of[name], amount_units=lp_units)

    def accrue(self, name: str) -> int:
        return self.order(codes.ACCRUE, custody=self.custody_of[name])

    def donate(self, name: str, units: int) -> int:
        return self.order(codes.DONATE, custody=self.custody_of[name], amount_units=units)

    def swap(self, name: str, name_out: str, units: int) -> int:
        return self.order(
            codes.SWAP,
            custody=self.custody_of[name],
            custody_out=self.custody_of[name_out],
            amount_units=units,
        )


def labs(
    token: dict[str, int], market: dict[str, int], amount: int, dollars: int = 0, name: str = "BTC", **pool: int
) -> Desk:
    """solana-labs' fixture: a dollar token, a volatile one with `amount` owned, and the market traded against it."""
    custodies = {"USDC": LABS_STABLE, name: LABS_CUSTODY | {"decimals": 9} | token}
    markets = {name: LABS_MARKET | {"long_custody": 1, "short_custody": 0} | market}
    return Desk(custodies, markets, {"USDC": dollars, name: amount}, **(LABS | pool))
