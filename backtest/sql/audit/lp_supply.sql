-- at every sample, LP supply = tokens minted - burnt by events, and LP price = AUM / supply, rounded down
SELECT l.timestamp, l.lp_supply, s.lp_units AS supply_of_events, l.aum_usd, l.lp_price_usd
FROM lp AS l
JOIN pool_sums AS s ON s.timestamp = l.timestamp
WHERE l.lp_supply <> s.lp_units
    OR CAST(CAST(l.lp_price_usd AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT) <> CASE WHEN l.lp_supply = 0 THEN 0 ELSE
        CAST(CAST(l.aum_usd AS DECIMAL(38, 6)) * 1000000 AS HUGEINT) * 10000000000 // l.lp_supply END
ORDER BY l.timestamp
