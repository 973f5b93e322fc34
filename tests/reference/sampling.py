"""Samples of the pool: custodies, markets, and the exact attribution of AUM."""

from kernels import codes
from tests.reference import rates, valuation
from tests.reference.venue import Venue


def sample(venue: Venue) -> None:
    """One row per custody, per market, and one for the liquidity providers."""
    found = valuation.value(venue)
    for number in range(len(venue.custodies)):
        venue.pool_samples.append(_custody_row(venue, number, found))
    for market in range(len(venue.market_params)):
        venue.market_samples.append(_market_row(venue, market, found))
    venue.lp_samples.append(_lp_row(venue, found))
    interval = venue.params["sample_interval_us"]
    venue.pool.next_sample_us = (venue.now_us // interval + 1) * interval


def _custody_row(venue: Venue, number: int, found: valuation.Valuation) -> dict[str, int]:
    custody = venue.custodies[number]
    return {
        "timestamp": venue.now_us,
        "custody": number,
        "price": venue.mid(number),
        "owned_units": custody.owned,
        "locked_units": custody.locked,
        "collateral_units": custody.collateral,
        "value_usd": found.values[number],
        "borrow_rate": custody.rate,
        "borrow_index": rates.borrow_index(venue, number),
        "fee_units": custody.fees,
        "stranded_units": custody.stranded,
        "dollars_usd": custody.dollars_usd,
        "low_price": found.prices[number],
    }


def _market_row(venue: Venue, market: int, found: valuation.Valuation) -> dict[str, int]:
    longs, shorts = venue.sides[market, codes.LONG], venue.sides[market, codes.SHORT]
    return {
        "timestamp": venue.now_us,
        "market": market,
        "price": venue.trade_price(market),
        "long_oi_usd": longs.size_usd,
        "short_oi_usd": shorts.size_usd,
        "long_positions": longs.open_positions,
        "short_positions": shorts.open_positions,
        "long_locked_units": longs.locked,
        "short_locked_units": shorts.locked,
        "long_pnl_usd": found.sides[market, codes.LONG].trader_pnl,
        "short_pnl_usd": found.sides[market, codes.SHORT].trader_pnl,
        "funding_rate": venue.funding[market].rate,
        "funding_index": rates.funding_index(venue, market),
    }


def _lp_row(venue: Venue, found: valuation.Valuation) -> dict[str, int]:
    """AUM and its terms: levels where something is still open, sums since the start where it is realised.

    aum = lp_flow + open_fee + exit_fee + borrow_fee + lp_fee + funding - to_others - trader_pnl + asset_drift
    - bad_debt + confiscated + spread - liquidator + rounding, exactly. Traders' margin inside the assets came in and
    goes out as margin of the events, so it needs no term.
    """
    pool, sides = venue.pool, found.sides.values() if found.sides_count else ()
    exit_fees = sum(side.exit_fee for side in sides)
    funding = sum(side.funding for side in sides)
    unrealised = sum(side.trader_pnl for side in sides)
    row = {
        "timestamp": venue.now_us,
        "aum_usd": found.aum,
        "lp_supply": pool.lp_supply,
        "lp_price": found.aum * 10**10 // pool.lp_supply if pool.lp_supply else 0,
        "assets_usd": found.assets,
        "fees_debt_usd": pool.fees_debt_usd + pool.referrers_debt_usd,
        "accrued_borrow_usd": found.interest,
        "accrued_exit_fee_usd": exit_fees,
        "accrued_funding_usd": funding,
        "unrealised_pnl_usd": unrealised,
        "collateral_drift_usd": found.drift,
        "lp_flow_usd": pool.lp_flow_usd,
        "exit_fee_usd": pool.exit_fee_usd + exit_fees,
        "borrow_fee_usd": pool.borrow_fee_usd + found.interest,
        "lp_fee_usd": pool.lp_fee_usd,
        "funding_usd": pool.funding_usd + funding,
        "to_others_usd": pool.to_others_usd,
        "trader_pnl_usd": pool.pnl_usd + unrealised,
        "asset_drift_usd": found.assets - pool.owned_value_usd + pool.drift_usd + found.drift,
        "bad_debt_usd": pool.bad_debt_usd,
        "confiscated_usd": pool.confiscated_usd,
        "spread_usd": pool.spread_usd,
        "open_fee_usd": pool.open_fee_usd,
        "liquidator_usd": pool.liquidator_usd,
        "margin_usd": found.margin,
    }
    gains = (
        "lp_flow",
        "open_fee",
        "exit_fee",
        "borrow_fee",
        "lp_fee",
        "funding",
        "asset_drift",
        "confiscated",
        "spread",
    )
    costs = ("to_others", "trader_pnl", "bad_debt", "liquidator")
    known = sum(row[f"{name}_usd"] for name in gains) - sum(row[f"{name}_usd"] for name in costs)
    return row | {"rounding_usd": found.aum - known}
