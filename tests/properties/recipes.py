"""Pools with the mechanisms of one protocol each, and numbers of all kinds. Sources: spec solana_venues 1-3, gmx A."""

from hypothesis import strategies as st

from kernels import codes
from tests import case as build
from tests.properties import variants

Fields = dict[str, int]

GMX = {
    "borrow": codes.BORROW_STEPWISE,
    "interest": codes.INTEREST_CHARGED,
    "trade_price": codes.PRICE_MIN_MAX,
    "sizing": codes.SIZE_DOLLARS,
    "margin": codes.MARGIN_POOLED,
    "average_entry": codes.AVERAGE_PNL_PRESERVING,
    "partial_close": codes.PARTIAL_REALISED,
    "open_fee": codes.OPEN_FEE_FLAT,
    "close_fee": codes.CLOSE_FEE_FLAT,
    "fee_booking": codes.BOOK_RESERVE,
    "profit": codes.PROFIT_UNCAPPED,
    "liquidation": codes.LIQUIDATE_TWO_STATES,
    "shortfall": codes.SHORTFALL_REFUSED,
    "oi_cap": codes.CAP_GUARANTEED,
    "valuation": codes.VALUE_GUARANTEED,
    "lp_fee": codes.LP_FEE_TAX_REBATE,
    "swap_mode": codes.SWAP_TAX_REBATE,
    "lp_share_joins": 0,
    "redeem_at_high": 1,
}
JUPITER = {
    "borrow": codes.BORROW_JUMP,
    "interest": codes.INTEREST_CHARGED,
    "interest_rounding": codes.ROUND_CEIL,
    "sizing": codes.SIZE_DOLLARS,
    "margin": codes.MARGIN_POOLED,
    "partial_close": codes.PARTIAL_PRO_RATA,
    "open_fee": codes.OPEN_FEE_IMPACT,
    "close_fee": codes.CLOSE_FEE_IMPACT,
    "fee_booking": codes.BOOK_RESERVE,
    "profit": codes.PROFIT_UNCAPPED,
    "liquidation": codes.LIQUIDATE_MIN_MARGIN,
    "leftover": codes.LEFTOVER_POOL,
    "oi_cap": codes.CAP_SIZE,
    "valuation": codes.VALUE_GUARANTEED,
    "lp_fee": codes.LP_FEE_TAX_REBATE,
    "ratio_limit": codes.RATIO_BOUNDS,
    "swap_mode": codes.SWAP_TAX_REBATE,
    "lp_share_joins": 1,
    "tracker_on": 0,
}
SOLANA_LABS = {
    "borrow": codes.BORROW_KINK,
    "borrow_base": codes.BASE_LOCKED_VALUE,
    "trade_price": codes.PRICE_EMA_SPREAD,
    "sizing": codes.SIZE_TOKENS,
    "open_fee": codes.OPEN_FEE_UTILISATION,
    "close_fee": codes.CLOSE_FEE_EMA_TOKENS,
    "fee_booking": codes.BOOK_PROTOCOL_RESERVE,
    "valuation": codes.VALUE_COLLECTIVE_MIN_MAX,
    "lp_fee": codes.LP_FEE_LINEAR,
    "ratio_limit": codes.RATIO_BOUNDS,
    "swap_mode": codes.SWAP_SPREAD,
    "mint_counts_fee": 0,
    "redeem_at_high": 1,
}
RWALP = {
    "borrow": codes.BORROW_TWO_SLOPE,
    "funding": codes.FUNDING_IMBALANCE,
    "trade_price": codes.PRICE_ORACLE,
    "leftover": codes.LEFTOVER_POOL,
    "mint_counts_fee": 1,
}
RECIPES: dict[str, Fields] = {
    "gmx-like": GMX,
    "jupiter-like": JUPITER,
    "solana-labs-like": SOLANA_LABS,
    "rwalp-like": RWALP,
}
# How the world of a recipe is drawn (arguments of `variants.drawn_worlds`).
WORLDS: dict[str, dict[str, bool]] = {
    "gmx-like": {"own_token": True},
    "jupiter-like": {"own_token": True},
    "solana-labs-like": {"own_token": True},
    "rwalp-like": {"synthetic": True},
}
FAMILIES = [name for name in build.pool() if hasattr(codes, name.upper())]


@st.composite
def pools(draw: st.DrawFn, name: str) -> Fields:
    """The recipe's variants, the first of every family it does not name, and drawn numbers it does not fix."""
    chosen = dict.fromkeys(FAMILIES, 0) | {"interest_rounding": 0} | RECIPES[name]
    if name == "solana-labs-like":
        chosen["lp_fee"] = draw(st.sampled_from((codes.LP_FEE_LINEAR, codes.LP_FEE_OPTIMAL, codes.LP_FEE_FLAT)))
    return build.pool(**draw(variants.numbers(chosen)) | chosen)
