-- against: per sample, the LP token (with rewards, where it has such) less the pool's first basket held; per dollar.
SELECT
    run,
    'LP token less basket' AS series,
    timestamp,
    coalesce(
        max(value) FILTER (series = 'LP token with rewards'), max(value) FILTER (series = 'LP token')
    ) - max(value) FILTER (series = 'Basket held') AS value
FROM ({benchmark})
GROUP BY run, timestamp
