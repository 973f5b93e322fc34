"""The catalogue, trading side: interest, prices, size, margin and the fees of positions."""

from backtest.mechanism_entry import Family, Variant, custody, market, pool

ADRENA = "Adrena program 1.3.7"
LABS = "solana-labs/perpetuals"
JUPITER = "Jupiter Perps, example code of 2025"
GMX = "GMX v1"

_BORROW = Family(
    "What does borrowing a custody's tokens cost?",
    "fraction of the notional per hour, 1e9; U = locked / owned",
    {
        "linear": Variant(
            "rate = U * max_borrow_per_hour; index += rate * dt",
            "rate ceil, index ceil",
            f"{ADRENA}, custody update_borrow_rate",
            custody("max_borrow_per_hour"),
        ),
        "two_slope": Variant(
            "rate = mid * U / optimal up to the kink, then mid + (max - mid) * (U - optimal) / (1 - optimal)",
            "rate ceil, index ceil",
            "Adrena release 39, documentation 2026; the rate at the kink is not public",
            custody("max_borrow_per_hour"),
            custody("mid_borrow_per_hour", "optimal_utilisation_bps"),
        ),
        "kink": Variant(
            "rate = base + slope1 * U / optimal below the kink, else base + slope1 + slope2 * (U - optimal) / "
            "(1 - optimal); U may exceed 1",
            "rate floor, index ceil",
            f"{LABS}, custody update_borrow_rate",
            custody("base_borrow_per_hour", "slope1_borrow_per_hour", "slope2_borrow_per_hour"),
            custody("optimal_utilisation_bps"),
        ),
        "jump": Variant(
            "yearly = min + (target - min) * U / optimal up to the kink, then target + (max - target) * "
            "(U - optimal) / (1 - optimal); rate = yearly / 8760",
            "yearly ceil to whole basis points, rate floor, index ceil",
            f"{JUPITER}, borrow fee and funding rate",
            custody("min_borrow_per_year_bps", "target_borrow_per_year_bps", "max_borrow_per_year_bps"),
            custody("optimal_utilisation_bps"),
        ),
        "stepwise": Variant(
            "index += max_borrow_per_interval * U * n for n whole intervals since the last touch, all at the U of now",
            "index floor at 1e6, nothing between intervals",
            f"{GMX}, Vault updateCumulativeFundingRate",
            (*custody("max_borrow_per_interval"), *pool("borrow_interval_s")),
        ),
    },
)
_BORROW_BASE = Family(
    "What is interest charged on?",
    "dollars, 1e6",
    {
        "size": Variant("borrow size = notional at entry", "none", f"{ADRENA}; {GMX}; {JUPITER}"),
        "locked_value": Variant(
            "borrow size = notional at a payoff of 1x, else dollars of the locked tokens: at the entry price for "
            "longs, at the high price for shorts",
            "floor",
            f"{LABS}, open_position",
        ),
    },
)
_INTEREST = Family(
    "When is interest paid?",
    "dollars, 1e6",
    {
        "accrued": Variant(
            "a change of the position keeps what is owed beside it; paid at a close, pro rata",
            "as interest_rounding",
            f"{ADRENA}, increase_position and close_position",
        ),
        "charged": Variant(
            "every change of the position pays what is owed out of the collateral and starts anew",
            "as interest_rounding",
            f"{GMX}, Vault collectMarginFees; {JUPITER}",
        ),
    },
)
_ROUNDING = Family(
    "How is interest rounded?",
    "dollars, 1e6",
    {
        "floor": Variant("interest = (index - snapshot) * borrow size", "floor", f"{ADRENA}; {LABS}; {GMX}"),
        "ceil": Variant("interest = (index - snapshot) * borrow size", "ceil", f"{JUPITER}, borrow fee"),
    },
)
_FUNDING = Family(
    "Do the two sides of a market pay each other?",
    "fraction of the notional per hour, 1e9; L, S = open interest of longs and shorts",
    {
        "none": Variant("rate = 0", "none", f"{LABS}; {GMX}; {JUPITER}; {ADRENA}"),
        "imbalance": Variant(
            "rate = min(|L - S| / (L + S) * sensitivity * max, max), 0 below the least open interest; the larger side "
            "pays on its notional, the smaller receives on its own, the pool keeps the rest",
            "rate floor, index ceil, amount ceil",
            "Adrena release 38, off-chain port of release 39, virtual funding rate",
            reads=market("max_funding_per_hour", "funding_sensitivity_bps", "funding_min_oi_usd"),
        ),
    },
)
_TRADE_PRICE = Family(
    "At which price does a trade enter and exit?",
    "dollars per token, 1e10; buys: long entry, short exit; sells: the other two",
    {
        "oracle": Variant("buy = sell = price", "none", f"{ADRENA}; {JUPITER}"),
        "ema_spread": Variant(
            "buy = max(price, ema) * (1 + spread_long), sell = min(price, ema) * (1 - spread_short)",
            "spread ceil on buys, floor on sells, then down to whole micro-dollars",
            f"{LABS}, pool get_price",
            reads=market("spread_long_bps", "spread_short_bps"),
        ),
        "confidence": Variant(
            "buy = (price + conf) * (1 + spread_long), sell = (price - conf) * (1 - spread_short); conf is a column",
            "spread ceil on buys, floor on sells",
            "Pyth confidence intervals, as venues use them to widen a quote",
            reads=market("spread_long_bps", "spread_short_bps"),
        ),
        "min_max": Variant(
            "buy = max column * (1 + spread_long), sell = min column * (1 - spread_short)",
            "spread ceil on buys, floor on sells",
            f"{GMX}, VaultPriceFeed getPrice",
            reads=market("spread_long_bps", "spread_short_bps"),
        ),
    },
)
_SIZING = Family(
    "What fixes the size of a position, and how much is locked?",
    "notional in dollars, 1e6; locked = x * payoff in units of the collateral's custody",
    {
        "collateral_tokens": Variant(
            "x = collateral tokens * leverage; notional = dollars of x at the low price",
            "floor",
            f"{ADRENA}, open_position_long and open_position_short",
            reads=market("payoff_long_bps", "payoff_short_bps"),
        ),
        "dollars": Variant(
            "notional as asked, or collateral dollars * leverage; x = tokens of it at the low price",
            "floor",
            f"{GMX}, Vault increasePosition; {JUPITER}",
            reads=market("payoff_long_bps", "payoff_short_bps"),
        ),
        "tokens": Variant(
            "traded tokens as asked; notional = dollars of them at the entry price; x = the tokens for longs, tokens "
            "of the notional at the low price for shorts",
            "floor",
            f"{LABS}, open_position",
            reads=market("payoff_long_bps", "payoff_short_bps"),
        ),
    },
)
_MARGIN = Family(
    "Where is the collateral of longs?",
    "custody units",
    {
        "separate": Variant(
            "apart from the pool's own tokens, fixed in dollars at deposit", "floor", f"{ADRENA}; {LABS}"
        ),
        "pooled": Variant(
            "inside the pool's own tokens, fixed in dollars at deposit; that of shorts stays apart",
            "floor",
            f"{GMX}, Vault increasePosition; {JUPITER}",
        ),
    },
)
_AVERAGE_ENTRY = Family(
    "What is the entry price after an increase?",
    "dollars per token, 1e10",
    {
        "harmonic": Variant(
            "entry = (s0 + s1) / (s0 / p0 + s1 / p1): the tokens add up", "floor", f"{ADRENA}, increase_position"
        ),
        "pnl_preserving": Variant(
            "entry = p * (s0 + s1) / (s0 + s1 +- delta), delta = PnL of the old part at the exit price",
            "floor",
            f"{GMX}, Vault getNextAveragePrice",
        ),
    },
)
_PARTIAL_CLOSE = Family(
    "What does closing a part settle?",
    "dollars, 1e6",
    {
        "pro_rata": Variant("the part closes as a position of its own, collateral included", "floor", ADRENA),
        "realised": Variant(
            "PnL of the part is paid or taken from the collateral; collateral leaves only as asked",
            "floor",
            f"{GMX}, Vault decreasePosition",
        ),
    },
)
_IMPACT = (
    "fee = size * (bps + size / impact_scalar + impact_factor * (net / impact_threshold)^exponent), net = |change of "
    "open interest within 60 s|, the last term above the threshold only, the sum at most impact_max_bps"
)
_IMPACT_KEYS = market("impact_scalar_usd", "impact_threshold_usd", "impact_exponent", "impact_factor_bps")
_IMPACT_SOURCE = f"{JUPITER}, price impact fee"
_OPEN_FEE = Family(
    "What does opening cost?",
    "dollars, 1e6",
    {
        "none": Variant("fee = 0", "none", ADRENA),
        "flat": Variant("fee = size * open_bps", "ceil", f"{GMX}, Vault getPositionFee", market("open_bps")),
        "utilisation": Variant(
            "fee = tokens * open_bps * (1 + mult * (U - optimal) / (1 - optimal)) above the kink, U with the new "
            "position; dollars at the average price",
            "fee ceil, multiplied floor",
            f"{LABS}, pool get_entry_fee",
            market("open_bps", "utilisation_mult_bps"),
            custody("optimal_utilisation_bps"),
        ),
        "impact": Variant(
            _IMPACT, "linear bps ceil, added bps ceil, fee ceil", _IMPACT_SOURCE,
            (*market("open_bps"), *_IMPACT_KEYS), market("impact_max_bps"),
        ),
    },
)  # fmt: skip
_CLOSE_FEE = Family(
    "What does closing cost?",
    "dollars, 1e6",
    {
        "fixed_at_open": Variant(
            "fee = size * close_bps, in dollars of the open",
            "ceil",
            f"{ADRENA}, open_position",
            market("liquidation_bps"),
        ),
        "age_tiers": Variant(
            "fee = size * close_bps * multiplier of the position's age",
            "ceil",
            "Adrena release 38, default configuration",
            market("liquidation_bps"),
            ("fees.close_fee_tiers",),
        ),
        "flat": Variant("fee = size * close_bps, liquidations too", "ceil", f"{GMX}, Vault getPositionFee"),
        "ema_tokens": Variant(
            "fee = tokens of the size at the average price * close_bps, back to dollars at the average price",
            "fee ceil, conversions floor",
            f"{LABS}, pool get_pnl_usd",
            market("liquidation_bps"),
        ),
        "impact": Variant(
            _IMPACT, "linear bps ceil, added bps ceil, fee ceil", _IMPACT_SOURCE,
            _IMPACT_KEYS, market("impact_max_bps"),
        ),
    },
)  # fmt: skip

TRADING = {
    "borrow": _BORROW,
    "borrow_base": _BORROW_BASE,
    "interest": _INTEREST,
    "interest_rounding": _ROUNDING,
    "funding": _FUNDING,
    "trade_price": _TRADE_PRICE,
    "sizing": _SIZING,
    "margin": _MARGIN,
    "average_entry": _AVERAGE_ENTRY,
    "partial_close": _PARTIAL_CLOSE,
    "open_fee": _OPEN_FEE,
    "close_fee": _CLOSE_FEE,
}
