-- at every sample, the LPs' unrealised trader PnL = the sum over markets and sides (where the pool's value counts it)
SELECT l.timestamp, l.unrealised_pnl_usd, coalesce(sum(k.long_pnl_usd + k.short_pnl_usd), 0) AS pnl_of_markets_usd
FROM lp AS l
JOIN stages AS s ON l.timestamp >= s.from_at AND (s.until_at IS NULL OR l.timestamp < s.until_at)
LEFT JOIN markets AS k ON k.timestamp = l.timestamp
GROUP BY l.timestamp, l.unrealised_pnl_usd, s.unrealised_in_aum
HAVING l.unrealised_pnl_usd
    <> CASE WHEN s.unrealised_in_aum THEN coalesce(sum(k.long_pnl_usd + k.short_pnl_usd), 0) ELSE 0 END
ORDER BY l.timestamp
