-- borrow_rate: per sample and custody, the borrow rate in force, per year of 365 days. A stepwise curve states it per
-- interval of its own (`borrow_interval_s` of the rules that the run began with), every other curve per hour.
WITH pace AS (
    SELECT
        run,
        365 * 86400 / CASE
            WHEN manifest ->> '$.protocol.mechanisms.borrow' = 'stepwise'
            THEN coalesce(CAST(manifest ->> '$.protocol.pool.borrow_interval_s' AS DOUBLE), 3600)
            ELSE 3600
        END AS per_year
    FROM manifests
)
SELECT p.run, p.custody AS series, p.timestamp, p.borrow_rate / 1e9 * y.per_year AS value
FROM pool AS p
JOIN pace AS y ON y.run = p.run
