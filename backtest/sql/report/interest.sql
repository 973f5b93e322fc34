-- interest: per sample and market, open interest of longs (up) and of shorts (down), and the skew: longs less shorts.
SELECT run, market || ' long' AS series, timestamp, CAST(long_oi_usd AS DOUBLE) AS value FROM markets
UNION ALL
SELECT run, market || ' short', timestamp, -CAST(short_oi_usd AS DOUBLE) FROM markets
UNION ALL
SELECT run, 'Skew', timestamp, CAST(sum(long_oi_usd - short_oi_usd) AS DOUBLE) FROM markets GROUP BY run, timestamp
