"""Which of our reasons an upstream refusal of GMX v1 becomes.

Facts: the require messages of Vault, VaultUtils and GlpManager. Where two of our rules can hold at once, or where one
upstream message covers two of ours, every acceptable reason is listed. A token, a market or a collateral that the
scenario has not configured exists in no configuration of ours, so no order on it can reach the engine: the runner
refuses it as `side_not_offered` (a position) or `invalid_order` (liquidity, swaps, donations), as the order file does.
"""

NOT_OFFERED = "side_not_offered"
INVALID = "invalid_order"
BOUND = "price_limit"  # what a sender's own least amount is called; orders of liquidity carry none, the runner tests it
NO_TRIGGER = "nothing_to_do"  # a keeper's call that finds nothing to liquidate
ANY = "*"  # a message that is not in the table: refused for whatever reason

REASONS: dict[str, tuple[str, ...]] = {
    # positions: what is offered
    "mismatched tokens": (NOT_OFFERED,),
    "_collateralToken not whitelisted": (NOT_OFFERED,),
    "_collateralToken must not be a stableToken": (NOT_OFFERED,),
    "_collateralToken must be a stableToken": (NOT_OFFERED,),
    "_indexToken must not be a stableToken": (NOT_OFFERED,),
    "_indexToken not shortable": (NOT_OFFERED,),
    # positions: sizes and margin
    "insufficient collateral for fees": ("insufficient_collateral", INVALID),
    "invalid position.size": (INVALID,),
    "_size must be more than _collateral": ("min_leverage",),
    "collateral should be withdrawn": ("min_leverage", INVALID),
    "losses exceed collateral": ("losses_exceed_collateral",),
    "fees exceed collateral": ("fees_exceed_collateral",),
    "liquidation fees exceed collateral": ("liquidation_fee_exceeds_collateral",),
    "maxLeverage exceeded": ("max_leverage",),
    "reserve exceeds pool": ("insufficient_liquidity",),
    "insufficient reserve": ("insufficient_liquidity",),
    "max shorts exceeded": ("max_cumulative_short",),
    "max longs exceeded": ("max_cumulative_long",),
    "empty position": ("position_not_found", NO_TRIGGER),
    "position size exceeded": ("size_exceeds_position",),
    "position collateral exceeded": ("insufficient_collateral",),
    "position cannot be liquidated": (NO_TRIGGER,),
    "subtraction overflow": (
        "insufficient_collateral",
        "losses_exceed_collateral",
        "insufficient_liquidity",
        "lp_balance",
    ),
    # router
    "mark price higher than limit": ("price_limit",),
    "mark price lower than limit": ("price_limit",),
    # liquidity and swaps
    "_token not whitelisted": (INVALID,),
    "_tokenIn not whitelisted": (INVALID,),
    "_tokenOut not whitelisted": (INVALID,),
    "invalid tokens": (INVALID,),
    "invalid tokenAmount": (INVALID,),
    "invalid usdgAmount": (INVALID,),
    "invalid redemptionAmount": (INVALID,),
    "invalid amountIn": (INVALID,),
    "invalid amountOut": (INVALID,),
    "invalid _amount": (INVALID,),
    "invalid _glpAmount": (INVALID,),
    "swaps not enabled": ("swaps_disabled",),
    "max USDG exceeded": ("custody_cap",),
    # More dollars than the pool holds are mostly more than have been issued, which is tested first here.
    "poolAmount exceeded": ("insufficient_liquidity", "lp_balance"),
    "poolAmount < buffer": ("buffer",),
    "insufficient USDG output": (BOUND,),
    "insufficient GLP output": (BOUND,),
    "insufficient output": (BOUND,),
    "insufficient amountOut": (BOUND,),
    "cooldown duration not yet passed": ("cooldown",),
    "burn amount exceeds balance": ("lp_balance",),
    "transfer amount exceeds balance": ("lp_balance",),
}


def reasons(message: str) -> str:
    """Our reasons for an upstream message, joined by `|`; ANY for a message that is not in the table."""
    text = message.split(":", 1)[-1].strip()
    for known in sorted(REASONS, key=len, reverse=True):
        if known in text:
            return "|".join(REASONS[known])
    return ANY


def agrees(reason: str, expected: str) -> bool:
    """The reason ('' when executed) is one of those expected."""
    return bool(reason) if expected == ANY else reason in expected.split("|")
