-- Which orders were refused, and why?
-- worst_day is the UTC day with the most of them.
WITH daily AS (
    SELECT run, action, reason, CAST(timestamp AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS refused
    FROM rejections
    GROUP BY ALL
)
SELECT
    run,
    action,
    reason,
    CAST(sum(refused) AS BIGINT) AS refused,
    round(100 * sum(refused) / sum(sum(refused)) OVER (PARTITION BY run), 1) AS of_refused_percent,
    count(*) AS days,
    arg_max(day, (refused, -epoch(day))) AS worst_day,
    max(refused) AS on_worst_day
FROM daily
GROUP BY run, action, reason
ORDER BY run, refused DESC, action, reason
