-- composition: per sample and custody, its share of the value of all tokens that the pool owns.
SELECT
    run,
    custody AS series,
    timestamp,
    CAST(value_usd AS DOUBLE) / nullif(sum(CAST(value_usd AS DOUBLE)) OVER (PARTITION BY run, timestamp), 0) AS value
FROM pool
