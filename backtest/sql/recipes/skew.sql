-- How lopsided was open interest?
-- Skew is longs less shorts over the samples; worst_move_usd is what a move of 10 % against the LPs would have cost
-- at the widest skew.
SELECT
    run,
    market_symbol AS market,
    round(avg(open_interest_usd), 2) AS mean_oi_usd,
    round(avg(net_oi_usd), 2) AS mean_skew_usd,
    round(100.0 * count(*) FILTER (net_oi_usd > 0) / count(*), 1) AS long_heavy_percent,
    arg_max(net_oi_usd, abs(net_oi_usd)) AS widest_skew_usd,
    arg_max(timestamp, abs(net_oi_usd)) AS widest_at,
    CAST(max(abs(net_oi_usd)) * 0.1 AS DECIMAL(18, 2)) AS worst_move_usd
FROM open_interest
GROUP BY run, market_symbol
ORDER BY run, mean_oi_usd DESC, market
