-- balance: per custody, its share of the pool's value at the first and the last sample, the lowest and the highest, and
-- the target of the rules in force at the end.
WITH shares AS (
    {composition}
),
aimed AS (
    SELECT run, series AS custody, arg_max(value, timestamp) AS target FROM ({targets}) GROUP BY ALL
)
SELECT
    s.run,
    s.series AS custody,
    arg_min(s.value, s.timestamp) AS first_share,
    arg_max(s.value, s.timestamp) AS last_share,
    min(s.value) AS lowest_share,
    max(s.value) AS highest_share,
    any_value(a.target) AS target_share,
    arg_max(s.value, s.timestamp) - any_value(a.target) AS off_target
FROM shares AS s
LEFT JOIN aimed AS a ON a.run = s.run AND a.custody = s.series
GROUP BY s.run, s.series
ORDER BY last_share DESC NULLS LAST, custody
