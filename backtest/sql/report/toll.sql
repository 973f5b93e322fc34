-- toll: per sample, positions liquidated since the start and the bad debt so far.
WITH counted AS (
    SELECT run, timestamp, sum(count(*)) OVER (PARTITION BY run ORDER BY timestamp) AS liquidations
    FROM events
    WHERE kind = 'liquidation'
    GROUP BY run, timestamp
)
SELECT l.run, 'Liquidations' AS series, l.timestamp, CAST(coalesce(c.liquidations, 0) AS DOUBLE) AS value
FROM lp AS l
ASOF LEFT JOIN counted AS c ON c.run = l.run AND l.timestamp >= c.timestamp
