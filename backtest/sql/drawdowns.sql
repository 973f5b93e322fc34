-- drawdowns: one row per fall of the LP price below its highest so far, over all samples: depth is negative, recovered_at
-- null where the old price is not back. Rewards paid beside the pool are not in it, as in lp_returns.
CREATE OR REPLACE VIEW drawdowns AS
WITH priced AS (
    SELECT run, timestamp, lp_price_usd, max(lp_price_usd) OVER (PARTITION BY run ORDER BY timestamp) AS peak_usd
    FROM lp
),
numbered AS (
    -- CASE, not FILTER: a filtered running count is quadratic in DuckDB 2.0
    SELECT
        *,
        count(CASE WHEN lp_price_usd = peak_usd THEN 1 END) OVER (PARTITION BY run ORDER BY timestamp) AS episode
    FROM priced
),
episodes AS (
    SELECT
        run,
        min(timestamp) AS peak_at,
        arg_min(timestamp, lp_price_usd) AS trough_at,
        lead(min(timestamp)) OVER (PARTITION BY run ORDER BY episode) AS recovered_at,
        max(timestamp) AS last_at,
        min(lp_price_usd / nullif(peak_usd, 0) - 1) AS depth
    FROM numbered
    GROUP BY run, episode
)
SELECT
    run,
    peak_at,
    trough_at,
    recovered_at,
    depth,
    (epoch_us(coalesce(recovered_at, last_at)) - epoch_us(peak_at)) / 86400e6 AS days
FROM episodes
WHERE depth < 0
ORDER BY run, peak_at;
