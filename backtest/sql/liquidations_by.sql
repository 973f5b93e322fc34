-- liquidations_by(period): liquidations by market and side, and where the margin went:
-- collateral + pnl + bad_debt = fees + borrow + funding + payout + confiscated. Liquidators are paid by the pool.
CREATE OR REPLACE MACRO liquidations_by(period) AS TABLE
SELECT
    run,
    period_start(period, timestamp) AS period_start,
    market_symbol,
    side,
    count(*) AS liquidations,
    sum(size_usd) AS size_usd,
    sum(collateral_usd) AS collateral_usd,
    sum(pnl_usd) AS pnl_usd,
    sum(liquidation_fee_usd) AS liquidation_fee_usd,
    sum(borrow_fee_usd) AS borrow_fee_usd,
    sum(funding_usd) AS funding_usd,
    sum(deficit_fee_usd) AS deficit_fee_usd,
    sum(payout_usd) AS payout_usd,
    sum(confiscated_usd) AS confiscated_usd,
    sum(bad_debt_usd) AS bad_debt_usd,
    sum(liquidator_usd) AS liquidator_usd
FROM liquidations
GROUP BY ALL
ORDER BY run, period_start, market_symbol, side;
