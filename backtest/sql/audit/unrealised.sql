-- at every sample, the LPs' unrealised trader PnL = the sum over markets and sides
SELECT l.timestamp, l.unrealised_pnl_usd, coalesce(sum(k.long_pnl_usd + k.short_pnl_usd), 0) AS pnl_of_markets_usd
FROM lp AS l
LEFT JOIN markets AS k ON k.timestamp = l.timestamp
GROUP BY l.timestamp, l.unrealised_pnl_usd
HAVING l.unrealised_pnl_usd <> coalesce(sum(k.long_pnl_usd + k.short_pnl_usd), 0)
ORDER BY l.timestamp
