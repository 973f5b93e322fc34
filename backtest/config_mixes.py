"""Which mechanisms go together: each mix that makes no sense, with the reason.

A designer may combine what no venue combines; refused is only what would book the same dollars twice, read books that
nothing keeps, or charge nothing although it was chosen.
"""

from collections.abc import Iterator

from backtest.config import Market, Mechanisms, Protocol

# (family, variant) -> (other family, variants that it goes with, why), read as "needs".
_NEEDS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("valuation", "guaranteed", "margin", ("pooled",),
     "it takes the collateral of longs for a part of the pool's own tokens"),
    ("margin", "pooled", "valuation", ("guaranteed",),
     "any other value would count the collateral of longs as the LPs' own"),
    ("lp_fee", "tax_rebate", "fee_booking", ("reserve",),
     "its fees leave the pool's own tokens at once, and the targets count what is left"),
    ("swap", "tax_rebate", "fee_booking", ("reserve",),
     "its fees leave the pool's own tokens at once, and the targets count what is left"),
    ("swap", "tax_rebate", "lp_fee", ("tax_rebate",),
     "the dollars issued per custody that steer the fee are booked by deposits with that fee only"),
    ("lp_fee", "tax_rebate", "swap", ("none", "tax_rebate"),
     "another swap would move tokens without the dollars issued against them"),
    ("open_fee", "utilisation", "margin", ("separate",),
     "it is paid in tokens on top of the collateral, which a pooled margin takes out of the collateral"),
    ("close_fee", "ema_tokens", "margin", ("separate",),
     "it is counted in tokens at the average price, which only a separate margin settles"),
    ("average_entry", "pnl_preserving", "margin", ("pooled",),
     "a separate margin adds up the tokens of both parts"),
    ("partial_close", "realised", "margin", ("pooled",),
     "a separate margin pays a part out together with its collateral"),
    ("partial_close", "realised", "shortfall", ("refused",),
     "a partial close whose loss and fees exceed the collateral is refused there, so a full one must be too"),
    ("partial_close", "realised", "interest", ("charged",),
     "every change of the position pays what it owes out of the collateral, so nothing is left to accrue beside it"),
    ("shortfall", "refused", "partial_close", ("realised",),
     "a full close that is refused while a part of it settles pro rata could be cut into parts"),
    ("interest", "charged", "margin", ("pooled",),
     "a separate margin keeps what is owed beside the position until it closes"),
    ("liquidation", "two_states", "margin", ("pooled",),
     "its fees and what it leaves are taken from collateral inside the pool"),
    ("shortfall", "refused", "margin", ("pooled",),
     "a position with separate margin could then neither close nor pay"),
    ("oi_cap", "guaranteed", "margin", ("pooled",),
     "it caps the notional less collateral, which is what a pooled margin guarantees"),
    ("fee_booking", "protocol_reserve", "margin", ("separate",),
     "it leaves part of an open fee outside every book, which a fee out of the collateral cannot"),
    ("liquidation", "two_states", "leftover", ("pool",),
     "whoever is taken in the first state gets nothing, and the second state is an ordinary close"),
    ("borrow_base", "locked_value", "funding", ("none",),
     "a position accrues on one base, and funding is charged on the notional"),
)  # fmt: skip


def mixes(protocol: Protocol) -> Iterator[str]:
    """Every senseless combination, as `key: what is wrong; what to do`."""
    yield from _mechanisms(protocol.mechanisms)
    yield from _pool(protocol)
    yield from _fees(protocol)
    for market in protocol.market:
        yield from _market(market, protocol)


def _mechanisms(chosen: Mechanisms) -> Iterator[str]:
    for family, variant, other, allowed, why in _NEEDS:
        if getattr(chosen, family) == variant and getattr(chosen, other) not in allowed:
            wanted = " or ".join(f'"{name}"' for name in allowed)
            yield (
                f'mechanisms.{family} = "{variant}" does not go with {other} = "{getattr(chosen, other)}": {why}; '
                f"set {other} = {wanted}, or another {family}"
            )


def _pool(protocol: Protocol) -> Iterator[str]:
    chosen, pool = protocol.mechanisms, protocol.pool
    if chosen.borrow == "stepwise" and pool.borrow_interval_s == 0:
        yield (
            'pool.borrow_interval_s = 0 but mechanisms.borrow = "stepwise" charges once per interval; '
            "give seconds, such as 3600"
        )
    if pool.shorts_tracker and chosen.valuation != "guaranteed":
        yield (
            f'pool.shorts_tracker = true is read by mechanisms.valuation = "guaranteed" only, not '
            f'"{chosen.valuation}"; set it to false'
        )
    if pool.shorts_tracker and pool.shorts_tracker_weight_bps is None:
        yield "pool.shorts_tracker_weight_bps is missing; shorts_tracker = true reads it; add basis points"
    if pool.dynamic_fees and chosen.lp_fee != "tax_rebate":
        yield (
            f'pool.dynamic_fees = true is read by mechanisms.lp_fee = "tax_rebate" only, not "{chosen.lp_fee}"; '
            "set it to false"
        )
    if chosen.lp_fee == "tax_rebate" and not any(row.weight for row in protocol.custody):
        yield 'custody.*.weight is 0 everywhere, but mechanisms.lp_fee = "tax_rebate" steers towards weights; set them'
    if chosen.lp_fee in ("linear", "optimal") and not any(row.ratio_target_bps for row in protocol.custody):
        yield (
            f'custody.*.ratio_target_bps is 0 everywhere, but mechanisms.lp_fee = "{chosen.lp_fee}" steers towards '
            "targets; set them"
        )


def _fees(protocol: Protocol) -> Iterator[str]:
    chosen, fees = protocol.mechanisms, protocol.fees
    if fees.lp_share_joins and chosen.fee_booking != "reserve":
        yield (
            f'fees.lp_share_joins = true needs mechanisms.fee_booking = "reserve", not "{chosen.fee_booking}", which '
            "holds no LP part outside the pool; set it to false"
        )
    if fees.referrer_share_bps and chosen.fee_booking != "debt":
        yield (
            f"fees.referrer_share_bps = {fees.referrer_share_bps} is paid out of the fee debt, which "
            f'mechanisms.fee_booking = "{chosen.fee_booking}" does not keep; set it to 0'
        )


def _market(row: Market, protocol: Protocol) -> Iterator[str]:
    chosen, at = protocol.mechanisms, f"market.{row.symbol}"
    stables = {custody.symbol for custody in protocol.custody if custody.stable}
    if row.min_profit_bps and not protocol.pool.min_profit_window_s:
        yield (
            f"{at}.min_profit_bps = {row.min_profit_bps} holds within pool.min_profit_window_s, which is 0; "
            "give the window, or 0 for both"
        )
    if chosen.trade_price == "oracle" and (row.spread_long_bps or row.spread_short_bps):
        yield (
            f'{at}: spread_long_bps or spread_short_bps is set, but mechanisms.trade_price = "oracle" trades at the '
            'price itself; set them to 0, or choose "ema_spread", "confidence" or "min_max"'
        )
    yield from _impact(row, chosen, at)
    if row.liquidator_bps and (chosen.leftover == "pool" or chosen.margin == "pooled"):
        key = "leftover" if chosen.leftover == "pool" else "margin"
        yield (
            f"{at}.liquidator_bps = {row.liquidator_bps} is a share of what the trader is paid at a liquidation; "
            f'with mechanisms.{key} = "{getattr(chosen, key)}" there is none; set it to 0'
        )
    if row.long_custody in stables and (chosen.sizing == "tokens" or chosen.margin == "pooled"):
        key = "sizing" if chosen.sizing == "tokens" else "margin"
        yield (
            f'{at}.long_custody = "{row.long_custody}" is stable, but mechanisms.{key} = "{getattr(chosen, key)}" '
            "locks the traded token for a long; name a volatile custody"
        )
    if chosen.valuation == "guaranteed" and (row.payoff_long_bps, row.payoff_short_bps) != (10_000, 10_000):
        yield (
            f"{at}: payoff_long_bps and payoff_short_bps must be 10000 with mechanisms.valuation = "
            '"guaranteed", which takes the locked tokens for the positions themselves'
        )


def _impact(row: Market, chosen: Mechanisms, at: str) -> Iterator[str]:
    if "impact" not in (chosen.open_fee, chosen.close_fee):
        return
    if row.impact_factor_bps and not row.impact_threshold_usd:
        yield (
            f"{at}.impact_factor_bps is set but impact_threshold_usd is 0, from which it would count; "
            "give dollars, or set the factor to 0"
        )
    if row.impact_exponent == 0:
        yield f"{at}.impact_exponent = 0 makes the impact of every flow the same; give a number above 0, such as 1"
    if row.impact_max_bps and row.impact_max_bps < max(row.open_bps or 0, row.close_bps):
        yield (
            f"{at}.impact_max_bps = {row.impact_max_bps} is below the base fee; it caps the whole fee, raise it "
            "(or 0: no cap)"
        )
