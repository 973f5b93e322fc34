-- daily_returns: one row per UTC day of a run: what the LP token returned from one day's close to the next, with the
-- rewards that a venue pays beside the pool: return_with_rewards of lp_returns('1 day').
-- A day's close is the last sample at or before midnight; a day without a sample returned 0, and its change is in the
-- next one. The first and the last day are as long as the run makes them.
CREATE OR REPLACE VIEW daily_returns AS
WITH found AS (
    SELECT
        run, CAST(period_start AT TIME ZONE 'UTC' AS DATE) AS day, closing_price_usd, rewards_usd, return_with_rewards
    FROM lp_returns('1 day')
),
days AS (
    SELECT run, CAST(unnest(generate_series(min(day), max(day), INTERVAL 1 DAY)) AS DATE) AS day
    FROM found
    GROUP BY run
)
SELECT
    d.run,
    d.day,
    last_value(f.closing_price_usd IGNORE NULLS) OVER (PARTITION BY d.run ORDER BY d.day) AS lp_price_usd,
    coalesce(f.rewards_usd, 0) AS rewards_usd,
    CASE WHEN f.day IS NULL THEN 0 ELSE f.return_with_rewards END AS lp_return
FROM days AS d
LEFT JOIN found AS f ON f.run = d.run AND f.day = d.day
ORDER BY d.run, d.day;
