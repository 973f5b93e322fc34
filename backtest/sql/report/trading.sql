-- trading: per market and side (a last row for all), what traders settled: price PnL, what they paid, what was left, and
-- how many of the positions that ended had won before and after fees. Fee shares: per dollar of volume and of margin.
WITH money AS (
    SELECT
        run, market_symbol AS market, side,
        sum(pnl_usd) AS pnl_usd,
        sum(open_fee_usd + exit_fee_usd + borrow_fee_usd) AS fees_usd,
        sum(funding_usd) AS funding_usd,
        sum(net_pnl_usd) AS net_pnl_usd,
        sum(volume_usd) AS volume_usd
    FROM trader_pnl('1 year')
    GROUP BY ALL
),
lives AS (
    SELECT
        run, market, side,
        sum(deposited_usd) AS deposited_usd,
        count(*) AS positions,
        count(*) FILTER (closed_at IS NOT NULL) AS ended,
        count(*) FILTER (closed_at IS NOT NULL AND pnl_usd > 0) AS won_gross,
        count(*) FILTER (
            closed_at IS NOT NULL
            AND pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - funding_usd + bad_debt_usd - confiscated_usd > 0
        ) AS won_net
    FROM positions
    GROUP BY ALL
)
SELECT
    l.run,
    coalesce(l.market, 'all') AS market,
    coalesce(l.side, '') AS side,
    sum(l.positions) AS positions,
    sum(m.volume_usd) AS volume_usd,
    sum(m.pnl_usd) AS pnl_usd,
    sum(m.fees_usd) AS fees_usd,
    sum(m.funding_usd) AS funding_usd,
    sum(m.net_pnl_usd) AS net_pnl_usd,
    sum(l.won_gross) / nullif(sum(l.ended), 0) AS win_rate_gross,
    sum(l.won_net) / nullif(sum(l.ended), 0) AS win_rate_net,
    CAST(sum(m.fees_usd) AS DOUBLE) / nullif(CAST(sum(m.volume_usd) AS DOUBLE), 0) * 1e4 AS fees_per_volume_bps,
    CAST(sum(m.fees_usd) AS DOUBLE) / nullif(CAST(sum(l.deposited_usd) AS DOUBLE), 0) AS fees_per_margin
FROM lives AS l
JOIN money AS m ON m.run = l.run AND m.market = l.market AND m.side = l.side
GROUP BY GROUPING SETS ((l.run, l.market, l.side), (l.run))
ORDER BY l.run, grouping(l.market), l.market, l.side
