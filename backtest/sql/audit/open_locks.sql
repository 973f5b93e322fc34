-- tokens locked in each custody at the end = locks of the positions still open
WITH last AS (
    SELECT custody, locked_units FROM pool WHERE timestamp = (SELECT max(timestamp) FROM lp)
),
held AS (
    SELECT e.custody, sum(e.locked_units) AS locked_units
    FROM events AS e
    JOIN positions AS p ON p.position_no = e.position_no
    WHERE p.outcome = 'open'
    GROUP BY e.custody
)
SELECT
    coalesce(l.custody, h.custody) AS custody,
    l.locked_units,
    coalesce(h.locked_units, 0) AS locked_of_open_positions
FROM last AS l
FULL JOIN held AS h ON h.custody = l.custody
WHERE l.locked_units IS DISTINCT FROM coalesce(h.locked_units, 0)
ORDER BY 1
