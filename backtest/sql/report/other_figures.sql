-- other_figures: refused orders by reason, and mean and highest utilisation per custody, each with the change from the
-- first run given. A custody that a run does not have has no row.
WITH reasons AS (
    SELECT DISTINCT reason FROM rejections
),
counted AS (
    SELECT m.run, r.reason, count(x.reason) AS orders
    FROM manifests AS m
    CROSS JOIN reasons AS r
    LEFT JOIN rejections AS x ON x.run = m.run AND x.reason = r.reason
    GROUP BY ALL
),
found AS (
    SELECT run, 'rejected.' || reason AS figure, CAST(orders AS DOUBLE) AS value FROM counted
    UNION ALL
    SELECT run, 'utilisation.' || custody || '.mean', avg(CAST(utilisation AS DECIMAL(18, 9))) FROM pool GROUP BY ALL
    UNION ALL
    SELECT run, 'utilisation.' || custody || '.max', max(utilisation) FROM pool GROUP BY ALL
)
SELECT v.run, v.figure, v.value, v.value - f.value AS change
FROM found AS v
LEFT JOIN found AS f ON f.figure = v.figure AND f.run = {first}
ORDER BY v.figure, v.run
