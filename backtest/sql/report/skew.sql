-- skew: open interest over the samples: mean of both sides, highest sum, mean and widest skew (longs less shorts), and in
-- how many of the samples longs outweigh shorts.
WITH levels AS (
    SELECT run, timestamp, sum(long_oi_usd) AS long_usd, sum(short_oi_usd) AS short_usd FROM markets GROUP BY ALL
)
SELECT
    run,
    avg(long_usd) AS mean_long_usd,
    avg(short_usd) AS mean_short_usd,
    max(long_usd + short_usd) AS highest_usd,
    avg(long_usd - short_usd) AS mean_skew_usd,
    arg_max(long_usd - short_usd, abs(long_usd - short_usd)) AS widest_skew_usd,
    count(*) FILTER (long_usd > short_usd) / count(*) AS long_heavy
FROM levels
GROUP BY run
