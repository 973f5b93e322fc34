-- How often was the pool full?
-- Per custody, the share of samples in which more than so much of what it owns was locked; refused_orders: orders
-- refused for want of liquidity, of all custodies.
WITH refused AS (
    SELECT run, count(*) AS refused
    FROM rejections
    WHERE reason IN ('insufficient_liquidity', 'max_utilisation')
    GROUP BY run
)
SELECT
    p.run,
    p.custody,
    round(avg(CAST(p.utilisation AS DECIMAL(18, 9))) * 100, 2) AS mean_percent,
    round(max(p.utilisation) * 100, 2) AS highest_percent,
    round(100.0 * count(*) FILTER (p.utilisation > 0.8) / count(*), 2) AS above_80_percent,
    round(100.0 * count(*) FILTER (p.utilisation > 0.9) / count(*), 2) AS above_90_percent,
    round(100.0 * count(*) FILTER (p.utilisation > 0.95) / count(*), 2) AS above_95_percent,
    coalesce(any_value(r.refused), 0) AS refused_orders
FROM pool AS p
LEFT JOIN refused AS r ON r.run = p.run
GROUP BY p.run, p.custody
ORDER BY p.run, mean_percent DESC, p.custody
