-- waterfall: where the change of AUM came from, between the first sample and the last, in exact decimals: one row per
-- source, signed as the pool's gain, in the order in which they are shown. The sum is the change of AUM.
WITH ends AS (
    SELECT l.*, row_number() OVER (PARTITION BY run ORDER BY timestamp DESC) = 1 AS is_last
    FROM lp AS l
    WHERE (run, timestamp) IN (SELECT (run, min(timestamp)) FROM lp GROUP BY run)
        OR (run, timestamp) IN (SELECT (run, max(timestamp)) FROM lp GROUP BY run)
),
change AS (
    SELECT
        z.run,
        z.lp_flow_usd - a.lp_flow_usd AS lp_flow_usd,
        z.asset_drift_usd - a.asset_drift_usd AS asset_drift_usd,
        z.open_fee_usd - a.open_fee_usd AS open_fee_usd,
        z.exit_fee_usd - a.exit_fee_usd AS exit_fee_usd,
        z.borrow_fee_usd - a.borrow_fee_usd AS borrow_fee_usd,
        z.lp_fee_usd - a.lp_fee_usd AS lp_fee_usd,
        z.funding_usd - a.funding_usd AS funding_usd,
        a.to_others_usd - z.to_others_usd AS to_others_usd,
        a.trader_pnl_usd - z.trader_pnl_usd AS trader_pnl_usd,
        a.bad_debt_usd - z.bad_debt_usd AS bad_debt_usd,
        z.confiscated_usd - a.confiscated_usd AS confiscated_usd,
        a.liquidator_usd - z.liquidator_usd AS liquidator_usd,
        z.spread_usd - a.spread_usd AS spread_usd,
        z.rounding_usd - a.rounding_usd AS rounding_usd
    FROM ends AS z
    JOIN (SELECT * FROM lp WHERE (run, timestamp) IN (SELECT (run, min(timestamp)) FROM lp GROUP BY run)) AS a
        ON a.run = z.run
    WHERE z.is_last
)
SELECT run, source, amount_usd
FROM change
UNPIVOT (amount_usd FOR source IN (
    lp_flow_usd AS 'LP deposits less withdrawals',
    asset_drift_usd AS 'Prices of the pool''s assets',
    open_fee_usd AS 'Open fees',
    exit_fee_usd AS 'Close and liquidation fees',
    borrow_fee_usd AS 'Borrow fees',
    lp_fee_usd AS 'Mint, redeem and swap fees',
    funding_usd AS 'Funding',
    to_others_usd AS 'Fees that are not the pool''s',
    trader_pnl_usd AS 'Price losses of traders',
    bad_debt_usd AS 'Bad debt',
    confiscated_usd AS 'Confiscated margin',
    liquidator_usd AS 'Rewards of liquidators',
    spread_usd AS 'Oracle bounds and rounding',
    rounding_usd AS 'Remainder'
))
