-- at every sample, open interest, locks and counts per market and side = all events so far; at the end = open positions
WITH sampled AS (
    SELECT timestamp, market, 'long' AS side, long_oi_usd AS size_usd, long_locked_units AS locked_units,
        long_positions AS positions
    FROM markets
    UNION ALL
    SELECT timestamp, market, 'short', short_oi_usd, short_locked_units, short_positions
    FROM markets
),
ended AS (
    SELECT market, side, sum(size_usd) AS size_usd, count(*) AS positions
    FROM positions
    WHERE outcome = 'open'
    GROUP BY ALL
)
SELECT
    coalesce(k.timestamp, s.timestamp) AS timestamp,
    coalesce(k.market, s.market) AS market,
    coalesce(k.side, s.side) AS side,
    k.size_usd AS open_interest_usd,
    s.size_usd AS expected_usd,
    k.locked_units,
    s.locked_units AS expected_units,
    k.positions,
    s.positions AS expected_positions
FROM sampled AS k
FULL JOIN market_sums AS s ON s.timestamp = k.timestamp AND s.market = k.market AND s.side = k.side
WHERE k.size_usd IS DISTINCT FROM s.size_usd
    OR k.locked_units IS DISTINCT FROM s.locked_units
    OR k.positions IS DISTINCT FROM s.positions
UNION ALL
SELECT
    k.timestamp, k.market, k.side, k.size_usd, coalesce(e.size_usd, 0), NULL, NULL,
    k.positions, coalesce(e.positions, 0)
FROM sampled AS k
LEFT JOIN ended AS e ON e.market = k.market AND e.side = k.side
WHERE k.timestamp = (SELECT max(timestamp) FROM lp)
    AND (k.size_usd <> coalesce(e.size_usd, 0) OR k.positions <> coalesce(e.positions, 0))
ORDER BY 1, 2, 3
