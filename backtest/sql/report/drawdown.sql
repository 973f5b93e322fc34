-- drawdown: per sample, the LP price below its highest so far.
SELECT
    run,
    'Drawdown' AS series,
    timestamp,
    lp_price_usd / nullif(max(lp_price_usd) OVER (PARTITION BY run ORDER BY timestamp), 0) - 1 AS value
FROM lp
