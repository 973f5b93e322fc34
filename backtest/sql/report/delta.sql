-- delta: at the end of each period and per asset that moves, the LPs' exposure in tokens and dollars and as a share of
-- AUM. Assets whose prices come from one source are one asset (WBTC and BTC, say); dollars have no delta here.
WITH sources AS (
    SELECT run, symbol, CASE WHEN try_cast(source AS DOUBLE) IS NULL THEN source END AS asset
    FROM (
        SELECT run, symbol, manifest ->> ('$.symbols."' || symbol || '"') AS source
        FROM (SELECT run, manifest, unnest(json_keys(manifest, '$.symbols')) AS symbol FROM manifests)
    )
),
moments AS (
    SELECT c.run, c.period_start, c.closing_at, l.aum_usd
    FROM closing_samples('{every}') AS c
    JOIN lp AS l ON l.run = c.run AND l.timestamp = c.closing_at
)
SELECT
    e.run,
    coalesce(s.asset, e.asset) AS asset,
    m.closing_at AS timestamp,
    max(e.price_usd) AS price_usd,
    sum(e.delta_tokens) AS delta_tokens,
    sum(e.delta_usd) AS delta_usd,
    sum(e.delta_usd) / nullif(any_value(m.aum_usd), 0) AS share_of_aum
FROM exposure('{every}') AS e
JOIN moments AS m ON m.run = e.run AND m.period_start = e.period_start
LEFT JOIN sources AS s ON s.run = e.run AND s.symbol = e.asset
WHERE NOT e.stable
GROUP BY ALL
ORDER BY ALL
