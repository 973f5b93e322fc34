-- pool_use: per sample, the locked share of all that the pool owns, in dollars.
SELECT
    run,
    'Utilisation' AS series,
    timestamp,
    sum(locked_tokens * price_usd) / nullif(sum(owned_tokens * price_usd), 0) AS value
FROM pool
GROUP BY run, timestamp
