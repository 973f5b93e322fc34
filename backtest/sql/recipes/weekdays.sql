-- Do weekends pay?
-- Means per UTC day of each weekday; the run's first and last day may be parts of one.
SELECT
    run,
    strftime(day, '%A') AS weekday,
    count(*) AS days,
    round(avg(volume_usd), 2) AS volume_per_day_usd,
    round(avg(fees_usd), 2) AS fees_per_day_usd,
    round(avg(lp_revenue_usd), 2) AS of_lps_per_day_usd,
    round(avg(trader_pnl_usd), 2) AS trader_pnl_per_day_usd,
    round(avg(liquidations), 2) AS liquidations_per_day
FROM overview
GROUP BY run, weekday, isodow(day)
ORDER BY run, isodow(day)
