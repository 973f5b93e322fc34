-- attribution(period): where the change of AUM came from, in exact decimals:
-- change_usd = lp_flow + open_fee + exit_fee + borrow_fee + lp_fee + funding - to_others - trader_pnl + asset_drift
--              - bad_debt + confiscated - liquidator + spread + rounding.
-- to_others are fees that are not the pool's: owed to protocol and referrers, or put into a reserve (then the LPs' part
-- too, which is paid beside the pool: see lp_returns).
-- trader_pnl_usd + traders win, as everywhere; it and the fees include what open positions have accrued. AUM is 0
-- before the first sample, so the first period holds the genesis.
CREATE OR REPLACE MACRO attribution(period) AS TABLE
WITH closing AS (
    SELECT c.period_start, l.*
    FROM closing_samples(period) AS c
    JOIN lp AS l ON l.run = c.run AND l.timestamp = c.closing_at
)
SELECT
    run,
    period_start,
    coalesce(lag(aum_usd) OVER periods, 0) AS opening_aum_usd,
    aum_usd AS closing_aum_usd,
    aum_usd - coalesce(lag(aum_usd) OVER periods, 0) AS change_usd,
    lp_flow_usd - coalesce(lag(lp_flow_usd) OVER periods, 0) AS lp_flow_usd,
    open_fee_usd - coalesce(lag(open_fee_usd) OVER periods, 0) AS open_fee_usd,
    exit_fee_usd - coalesce(lag(exit_fee_usd) OVER periods, 0) AS exit_fee_usd,
    borrow_fee_usd - coalesce(lag(borrow_fee_usd) OVER periods, 0) AS borrow_fee_usd,
    lp_fee_usd - coalesce(lag(lp_fee_usd) OVER periods, 0) AS lp_fee_usd,
    funding_usd - coalesce(lag(funding_usd) OVER periods, 0) AS funding_usd,
    to_others_usd - coalesce(lag(to_others_usd) OVER periods, 0) AS to_others_usd,
    trader_pnl_usd - coalesce(lag(trader_pnl_usd) OVER periods, 0) AS trader_pnl_usd,
    asset_drift_usd - coalesce(lag(asset_drift_usd) OVER periods, 0) AS asset_drift_usd,
    bad_debt_usd - coalesce(lag(bad_debt_usd) OVER periods, 0) AS bad_debt_usd,
    confiscated_usd - coalesce(lag(confiscated_usd) OVER periods, 0) AS confiscated_usd,
    liquidator_usd - coalesce(lag(liquidator_usd) OVER periods, 0) AS liquidator_usd,
    spread_usd - coalesce(lag(spread_usd) OVER periods, 0) AS spread_usd,
    rounding_usd - coalesce(lag(rounding_usd) OVER periods, 0) AS rounding_usd
FROM closing
WINDOW periods AS (PARTITION BY run ORDER BY period_start)
ORDER BY run, period_start;
