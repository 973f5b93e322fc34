-- leverage: per range of the leverage at the opening, how many positions, how many of them were liquidated and how many
-- lost more than their margin, and that bad debt.
WITH placed AS (
    SELECT
        run,
        initial_leverage_bps / 1e4 AS leverage,
        outcome = 'liquidation' AS liquidated,
        bad_debt_usd,
        opened_size_usd
    FROM positions
)
SELECT
    run,
    CASE
        WHEN leverage < 2 THEN 'below 2x'
        WHEN leverage < 5 THEN '2x to 5x'
        WHEN leverage < 10 THEN '5x to 10x'
        WHEN leverage < 20 THEN '10x to 20x'
        WHEN leverage < 50 THEN '20x to 50x'
        WHEN leverage < 100 THEN '50x to 100x'
        ELSE '100x and more'
    END AS leverage_range,
    count(*) AS positions,
    sum(opened_size_usd) AS size_usd,
    count(*) FILTER (liquidated) AS liquidations,
    count(*) FILTER (liquidated) / count(*) AS share_liquidated,
    count(*) FILTER (liquidated AND bad_debt_usd > 0) AS gaps,
    sum(bad_debt_usd) AS bad_debt_usd
FROM placed
GROUP BY ALL
ORDER BY run, min(leverage)
