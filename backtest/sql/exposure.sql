-- exposure(period): what the LPs are exposed to at the end of each period, per asset (price symbol).
-- delta_tokens = owned + collateral - long + short:
--   owned       tokens of the custodies priced by the asset; all of them are the pool's
--   collateral  volatile tokens held as the margin of longs: their booked value is fixed in dollars at the deposit and
--               the tokens stay in the vault, so the pool bears their price (stable margin is a wash, so left out)
--   long        sum of size / entry over open longs  = (long_oi + long_pnl) / price: the upside owed to traders
--   short       sum of size / entry over open shorts = (short_oi - short_pnl) / price: owed by traders to the pool
-- A lock covers the size of its position, so profits are not cut; where one is, its tokens follow the cut profit.
-- delta_usd = delta_tokens * price; for each +1 % of the asset the LPs gain gain_per_percent_usd = delta_usd / 100.
CREATE OR REPLACE MACRO exposure(period) AS TABLE
WITH moments AS (
    SELECT run, period_start, closing_at FROM closing_samples(period)
),
held AS (
    SELECT
        m.run,
        m.period_start,
        c.price_symbol AS asset,
        p.price_usd,
        c.stable,
        CAST(p.owned_tokens AS DECIMAL(28, 9)) AS owned,
        CAST(CASE WHEN c.stable THEN 0 ELSE p.collateral_tokens END AS DECIMAL(28, 9)) AS collateral,
        CAST(0 AS DECIMAL(28, 9)) AS longs,
        CAST(0 AS DECIMAL(28, 9)) AS shorts
    FROM moments AS m
    JOIN pool AS p ON p.run = m.run AND p.timestamp = m.closing_at
    JOIN custodies AS c ON c.run = p.run AND c.custody = p.custody
    UNION ALL
    SELECT
        m.run,
        m.period_start,
        s.price_symbol,
        k.price_usd,
        false,
        0,
        0,
        CAST((k.long_oi_usd + k.long_pnl_usd) / k.price_usd AS DECIMAL(28, 9)),
        CAST((k.short_oi_usd - k.short_pnl_usd) / k.price_usd AS DECIMAL(28, 9))
    FROM moments AS m
    JOIN markets AS k ON k.run = m.run AND k.timestamp = m.closing_at
    JOIN market_custodies AS s ON s.run = k.run AND s.market = k.market
    WHERE k.price_usd > 0
),
summed AS (
    SELECT
        run, period_start, asset, max(price_usd) AS price_usd, bool_or(stable) AS stable,
        sum(owned) AS owned, sum(collateral) AS collateral, sum(longs) AS longs, sum(shorts) AS shorts
    FROM held
    GROUP BY run, period_start, asset
),
delta AS (
    SELECT *, CAST(owned + collateral - longs + shorts AS DOUBLE) AS delta_tokens FROM summed
)
SELECT
    run,
    period_start,
    asset,
    stable,
    price_usd,
    CAST(owned AS DOUBLE) AS owned_tokens,
    CAST(collateral AS DOUBLE) AS collateral_tokens,
    CAST(longs AS DOUBLE) AS long_tokens,
    CAST(shorts AS DOUBLE) AS short_tokens,
    delta_tokens,
    delta_tokens * price_usd AS delta_usd,
    delta_tokens * price_usd / 100 AS gain_per_percent_usd
FROM delta
ORDER BY run, period_start, asset;
