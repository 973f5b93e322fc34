-- at every sample, value = owned x low price of each custody, rounded down, and their sum is the LPs' assets
WITH valued AS (
    SELECT
        p.timestamp,
        p.custody,
        p.owned_units,
        p.price_usd,
        p.value_usd,
        CAST(CAST(p.price_usd AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT) AS price,
        c.conf_bps,
        c.unit
    FROM pool AS p
    JOIN custodies AS c ON c.custody = p.custody
),
expected AS (
    SELECT *, owned_units * (price - price * conf_bps // 10000) // (unit * 10000::HUGEINT) AS micro_usd FROM valued
)
SELECT
    timestamp,
    custody,
    price_usd,
    value_usd AS found_usd,
    CAST(micro_usd AS DECIMAL(30, 0)) * CAST(0.000001 AS DECIMAL(6, 6)) AS expected_usd
FROM expected
WHERE CAST(CAST(value_usd AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) <> micro_usd
UNION ALL
SELECT l.timestamp, NULL, NULL, l.assets_usd, sum(p.value_usd)
FROM lp AS l
LEFT JOIN pool AS p ON p.timestamp = l.timestamp
GROUP BY l.timestamp, l.assets_usd
HAVING l.assets_usd IS DISTINCT FROM sum(p.value_usd)
ORDER BY 1, 2
