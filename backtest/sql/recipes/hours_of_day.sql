-- At which hour of the day do volume, fees and liquidations come?
-- Hours are UTC, summed over all days of the run.
SELECT
    run,
    hour(timestamp AT TIME ZONE 'UTC') AS hour_utc,
    count(*) FILTER (size_usd <> 0) AS trades,
    sum(abs(size_usd)) AS volume_usd,
    sum(open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd) AS fees_usd,
    sum(pnl_usd) AS trader_pnl_usd,
    count(*) FILTER (kind = 'liquidation') AS liquidations
FROM events
GROUP BY run, hour_utc
ORDER BY run, hour_utc
