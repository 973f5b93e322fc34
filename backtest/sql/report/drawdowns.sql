-- drawdowns: the five deepest falls of the LP price below its highest so far; one that has not ended has no recovery.
SELECT *
FROM drawdowns
QUALIFY row_number() OVER (PARTITION BY run ORDER BY depth, peak_at) <= 5
ORDER BY run, depth, peak_at
