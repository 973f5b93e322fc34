"""The catalogue, pool side: who gets a fee, what ends a position, limits, the pool's value, LP tokens and swaps."""

from backtest.mechanism_entry import Family, Variant, custody, market, pool
from backtest.mechanisms_trading import ADRENA, GMX, JUPITER, LABS

_FEE_BOOKING = Family(
    "Where is a fee until its owners are paid?",
    "dollars, 1e6, or custody units",
    {
        "debt": Variant(
            "all of it in the pool's own tokens, the part of others as a debt in dollars",
            "LP share floor",
            f"{ADRENA}, pool fee debt",
            reads=("fees.distribution_custody", "fees.depeg_floor_usd"),
        ),
        "reserve": Variant(
            "all of it in a reserve of tokens outside the pool, until it is distributed",
            "tokens floor",
            f"{GMX}, Vault feeReserves; {JUPITER}, feesReserves",
            reads=("fees.lp_share_joins",),
        ),
        "protocol_reserve": Variant(
            "the part of others in a reserve of tokens; the LP part of an open fee is left outside every book",
            "tokens ceil",
            f"{LABS}, open_position and close_position",
        ),
    },
)
_PROFIT = Family(
    "How much can a position win?",
    "dollars, 1e6",
    {
        "locked_value": Variant(
            "profit <= dollars of the locked tokens at the low price; none within the second of the open",
            "profit floor, loss ceil",
            f"{ADRENA} and {LABS}, pool get_pnl_usd",
        ),
        "uncapped": Variant(
            "profit = size * move / entry; a small one counts as none within the window",
            "floor",
            f"{GMX}, Vault getDelta; {JUPITER}",
        ),
    },
)
_LIQUIDATION = Family(
    "When is a position liquidated?",
    "leverage, 1e4; margin = collateral + PnL - fees - interest",
    {
        "max_leverage": Variant(
            "size / margin > max_leverage",
            "leverage floor",
            f"{ADRENA} and {LABS}, pool check_leverage",
            market("max_initial_leverage"),
            market("min_initial_leverage"),
        ),
        "min_margin": Variant(
            "margin < size / max_leverage",
            "floor",
            f"{JUPITER}, liquidation price",
            market("max_initial_leverage"),
            market("min_initial_leverage"),
        ),
        "two_states": Variant(
            "1: loss > collateral, or what remains < fees, or < fees + liquidation fee: taken; "
            "2: what remains * max_leverage < size: closed and paid",
            "floor",
            f"{GMX}, VaultUtils validateLiquidation",
            market("liquidation_fee_usd"),
        ),
    },
)
_LEFTOVER = Family(
    "Who gets what a liquidation leaves of the collateral?",
    "dollars, 1e6",
    {
        "trader": Variant("paid out as a close would", "as a close", f"{ADRENA}; {LABS}, less the liquidator's reward"),
        "pool": Variant("kept by the pool", "exact", f"{JUPITER}; {GMX}; Adrena release 39 (inferred)"),
    },
)
_SHORTFALL = Family(
    "What if collateral and profit do not cover loss and fees at a close?",
    "dollars, 1e6",
    {
        "absorbed": Variant(
            "the payout is 0, fees are cut first, the rest is bad debt of the pool",
            "exact",
            f"{ADRENA}, pool get_exit_position_numbers; {LABS}; {JUPITER}",
        ),
        "refused": Variant(
            "the close is refused; only a liquidation ends it", "exact", f"{GMX}, Vault reduceCollateral"
        ),
    },
)
_CAPS = market("max_cumulative_long_usd", "max_cumulative_short_usd")
_OI_CAP = Family(
    "What do a market's caps on longs and shorts count?",
    "dollars, 1e6",
    {
        "locked_stables": Variant("the locked tokens, a stable token as a dollar", "none", ADRENA, reads=_CAPS),
        "size": Variant("the notional of the side", "none", JUPITER, reads=_CAPS),
        "guaranteed": Variant(
            "longs: notional less collateral; shorts: notional",
            "none",
            f"{GMX}, PositionRouter maximum global sizes",
            reads=_CAPS,
        ),
    },
)
_VALUATION = Family(
    "What is the pool worth to its LPs?",
    "dollars, 1e6",
    {
        "collective": Variant(
            "owned at the low price + interest and exit fees owed - PnL of each side's collective position + drift of "
            "the collateral - fee debt",
            "floor",
            f"{ADRENA}, pool get_assets_under_management_usd",
            reads=pool("funding_in_aum"),
        ),
        "collective_min_max": Variant(
            "owned at the high price to mint, the low one to redeem, and PnL and interest of the collective positions "
            "if unrealised_in_aum",
            "floor",
            f"{LABS}, pool get_assets_under_management_usd",
            pool("unrealised_in_aum"),
        ),
        "guaranteed": Variant(
            "stables owned + (owned - locked) of the rest + sum of (size - collateral) of longs +- PnL of each "
            "market's average short",
            "floor per term",
            f"{GMX}, GlpManager getAum; {JUPITER}, pool AUM",
            reads=pool("shorts_tracker", "shorts_tracker_weight_bps"),
        ),
    },
)
_RATIOS = custody("ratio_min_bps", "ratio_max_bps")  # ratio_target_bps splits a scenario's deposits whatever the fee
_LP_FEE = Family(
    "What does it cost to add or remove liquidity?",
    "basis points of the amount",
    {
        "flat": Variant("add_bps, remove_bps", "fee ceil", ADRENA, reads=custody("add_bps", "remove_bps")),
        "linear": Variant(
            "base * (1 + mult * distance) away from the target ratio, base / (1 + mult * distance) towards it",
            "bps floor, fee ceil",
            f"{LABS}, pool get_fee_linear",
            custody("fee_mult_bps"),
            (*custody("add_bps", "remove_bps"), *_RATIOS),
        ),
        "optimal": Variant(
            "base + a line from fee_optimal_bps at the target ratio to fee_max_bps at the edge of its range",
            "bps floor, fee ceil",
            f"{LABS}, pool get_fee_optimal",
            custody("fee_optimal_bps", "fee_max_bps"),
            (*custody("add_bps", "remove_bps"), *_RATIOS),
        ),
        "tax_rebate": Variant(
            "base - tax * d0 / target (at least 0) towards the target, base + tax * min((d0 + d1) / 2, target) / "
            "target away from it; d0, d1: distance of the issued dollars before and after",
            "bps floor, amount after the fee floor",
            f"{GMX}, VaultUtils getFeeBasisPoints",
            (*pool("mint_bps", "tax_bps", "dynamic_fees"), *custody("weight")),
            custody("max_dollars_usd"),
        ),
    },
)
_RATIO_LIMIT = Family(
    "Does a custody's share of the pool limit deposits and withdrawals?",
    "basis points of the AUM",
    {
        "none": Variant("no", "none", f"{ADRENA}, since 1.3.2; {GMX}"),
        "bounds": Variant(
            "below ratio_min_bps only upwards, above ratio_max_bps only downwards",
            "ratio floor",
            f"{LABS}, pool check_token_ratio; {JUPITER}, target +- 20 %",
            reads=custody("ratio_min_bps", "ratio_max_bps"),
        ),
    },
)
_SWAP = Family(
    "Can tokens be swapped against the pool, and at what cost?",
    "custody units",
    {
        "none": Variant("refused", "none", "Adrena RWALP, documentation 2026"),
        "whitelisted": Variant("at the mid prices, free, by the pool's own keeper", "floor", f"{ADRENA}, swap"),
        "spread": Variant(
            "amount * low_in / high_out * (1 - swap_spread), less the fee of the token out",
            "floor, fees ceil",
            f"{LABS}, pool get_swap_price and swap",
            (*pool("swap_spread_bps"), *custody("swap_in_bps", "swap_out_bps")),
        ),
        "tax_rebate": Variant(
            "amount * low_in / high_out, less the larger of the two tokens' fees with tax and rebate",
            "floor",
            f"{GMX}, Vault swap",
            pool("swap_bps", "stable_swap_bps", "tax_bps", "stable_tax_bps"),
            custody("buffer_tokens", "max_dollars_usd"),
        ),
    },
)

POOL_SIDE = {
    "fee_booking": _FEE_BOOKING,
    "profit": _PROFIT,
    "liquidation": _LIQUIDATION,
    "leftover": _LEFTOVER,
    "shortfall": _SHORTFALL,
    "oi_cap": _OI_CAP,
    "valuation": _VALUATION,
    "lp_fee": _LP_FEE,
    "ratio_limit": _RATIO_LIMIT,
    "swap": _SWAP,
}
