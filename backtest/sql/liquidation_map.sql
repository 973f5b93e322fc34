-- liquidation_map(step_percent): dollars of open positions that a move of the price would liquidate, per snapshot.
-- A position lies at the first multiple of the step that reaches its liquidation price, all else as it is; one that is
-- liquidatable already lies at 0, one that no price liquidates nowhere. cumulative_usd: all that lie up to there.
CREATE OR REPLACE MACRO liquidation_map(step_percent) AS TABLE
WITH placed AS (
    SELECT
        run,
        snapshot_at,
        market,
        side,
        price_usd,
        size_usd,
        CASE side WHEN 'long' THEN -1 ELSE 1 END * CAST(step_percent AS DOUBLE) * greatest(0, ceil(
            round(CASE side WHEN 'long' THEN price_usd - liquidation_price_usd
                ELSE liquidation_price_usd - price_usd END / price_usd * 100 / step_percent, 9)
        )) AS move_percent
    FROM book
    WHERE liquidation_price_usd IS NOT NULL AND price_usd > 0
),
summed AS (
    SELECT
        run, snapshot_at, market, side, move_percent, max(price_usd) AS price_usd,
        count(*) AS positions, sum(size_usd) AS size_usd
    FROM placed
    GROUP BY run, snapshot_at, market, side, move_percent
)
SELECT
    run,
    snapshot_at,
    market,
    side,
    move_percent,
    round(price_usd * (1 + move_percent / 100), 10) AS level_usd,
    positions,
    size_usd,
    sum(size_usd) OVER (
        PARTITION BY run, snapshot_at, market, side ORDER BY abs(move_percent)
    ) AS cumulative_usd
FROM summed
ORDER BY run, snapshot_at, market, side, abs(move_percent);
