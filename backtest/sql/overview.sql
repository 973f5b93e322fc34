-- overview: one row per UTC day: what a data vendor's page of the venue would show.
-- tvl_usd, LP price and open interest are levels at the end of the day (last sample at or before midnight);
-- fees_usd = all fees that users paid; of them revenue_usd went to the protocol, lp_revenue_usd to the LPs and the rest
-- to referrers. Funding and trader PnL are no fees. trades counts changes of notional, liquidations included.
CREATE OR REPLACE VIEW overview AS
WITH flows AS (
    SELECT
        run,
        period_start('1 day', timestamp) AS day,
        sum(abs(size_usd)) AS volume_usd,
        sum(open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd) AS fees_usd,
        sum(protocol_share_usd) AS revenue_usd,
        sum(lp_share_usd) AS lp_revenue_usd,
        sum(pnl_usd) AS trader_pnl_usd,
        count(*) FILTER (size_usd <> 0) AS trades,
        count(*) FILTER (kind = 'liquidation') AS liquidations
    FROM events
    GROUP BY ALL
),
oi AS (
    SELECT run, timestamp, sum(long_oi_usd) AS long_oi_usd, sum(short_oi_usd) AS short_oi_usd FROM markets GROUP BY ALL
),
levels AS (
    SELECT c.run, c.period_start AS day, l.aum_usd, l.lp_price_usd, oi.long_oi_usd, oi.short_oi_usd
    FROM closing_samples('1 day') AS c
    JOIN lp AS l ON l.run = c.run AND l.timestamp = c.closing_at
    LEFT JOIN oi ON oi.run = c.run AND oi.timestamp = c.closing_at
),
days AS (
    SELECT run, day FROM flows
    UNION
    SELECT run, day FROM levels
)
SELECT
    d.run,
    CAST(d.day AT TIME ZONE 'UTC' AS DATE) AS day,
    l.aum_usd AS tvl_usd,
    l.lp_price_usd,
    coalesce(f.volume_usd, 0) AS volume_usd,
    coalesce(l.long_oi_usd, 0) AS long_oi_usd,
    coalesce(l.short_oi_usd, 0) AS short_oi_usd,
    coalesce(f.fees_usd, 0) AS fees_usd,
    coalesce(f.revenue_usd, 0) AS revenue_usd,
    coalesce(f.lp_revenue_usd, 0) AS lp_revenue_usd,
    coalesce(f.trader_pnl_usd, 0) AS trader_pnl_usd,
    coalesce(f.trades, 0) AS trades,
    coalesce(f.liquidations, 0) AS liquidations
FROM days AS d
LEFT JOIN flows AS f ON f.run = d.run AND f.day = d.day
ASOF LEFT JOIN levels AS l ON l.run = d.run AND d.day >= l.day
ORDER BY d.run, d.day;
