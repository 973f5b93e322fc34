-- closing_samples(period): per run and period the samples that open and close it.
-- A level at a boundary is the last sample at or before it, so a sample at midnight closes the day that ends there;
-- the first sample of a run opens its first period. Periods without a sample have no row: their change is in the next.
CREATE OR REPLACE MACRO closing_samples(period) AS TABLE
WITH placed AS (
    SELECT
        run,
        timestamp,
        greatest(
            period_start(period, timestamp - INTERVAL 1 MICROSECOND),
            period_start(period, min(timestamp) OVER (PARTITION BY run))
        ) AS period_start
    FROM lp
),
closing AS (
    SELECT run, period_start, max(timestamp) AS closing_at FROM placed GROUP BY ALL
)
SELECT
    run,
    period_start,
    closing_at,
    lag(closing_at) OVER (PARTITION BY run ORDER BY period_start) AS opening_at
FROM closing
ORDER BY run, period_start;
