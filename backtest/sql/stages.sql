-- stages: the mechanisms in force from `from_at` until `until_at` (null: to the end of the run): one row per run, and one
-- more for every dated change of parameters (`change`, from 1; 0 is how the run began). A stage that was replaced at the
-- very tick it began has no row.
CREATE OR REPLACE VIEW stages AS
WITH begun AS (
    SELECT run, 0 AS change, min(timestamp) AS from_at FROM lp GROUP BY run
    UNION ALL
    SELECT run, change, timestamp FROM events WHERE kind = 'parameters'
),
kept AS (
    SELECT * FROM begun QUALIFY row_number() OVER (PARTITION BY run, from_at ORDER BY change DESC) = 1
)
SELECT
    k.run,
    k.change,
    k.from_at,
    lead(k.from_at) OVER (PARTITION BY k.run ORDER BY k.change) AS until_at,
    r.* EXCLUDE (run, change)
FROM kept AS k
JOIN rules AS r ON r.run = k.run AND r.change = k.change
ORDER BY k.run, k.change;
