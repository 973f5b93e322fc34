-- headline: the view `headlines` with the return of the pool's first basket of tokens, held, and how far the LP token is
-- from it; and how much of the change of AUM each group of sources made.
WITH ends AS (
    SELECT
        run,
        arg_max(value, timestamp) FILTER (series = 'Basket held') - 1 AS basket_return,
        min(timestamp) AS from_at,
        max(timestamp) AS until_at,
        count(*) FILTER (series = 'Dollars') AS samples
    FROM ({benchmark})
    GROUP BY run
),
earned AS (
    SELECT
        run,
        sum(amount_usd) AS change_usd,
        sum(amount_usd) FILTER (source = 'LP deposits less withdrawals') AS lp_flow_usd,
        sum(amount_usd) FILTER (source = 'Prices of the pool''s assets') AS asset_drift_usd,
        sum(amount_usd) FILTER (source ILIKE '%fees%' OR source = 'Funding') AS fees_kept_usd,
        sum(amount_usd) FILTER (source = 'Price losses of traders') AS from_traders_usd,
        sum(amount_usd) FILTER (source = 'Bad debt') AS bad_debt_change_usd,
        sum(amount_usd) FILTER (source NOT IN ('LP deposits less withdrawals', 'Prices of the pool''s assets'))
            AS earned_usd
    FROM ({waterfall})
    GROUP BY run
),
falls AS (
    SELECT run, min(value) AS deepest FROM ({drawdown}) GROUP BY run
)
SELECT
    h.*,
    b.basket_return,
    h.lp_return_with_rewards - b.basket_return AS against_basket,
    b.from_at,
    b.until_at,
    epoch(b.until_at - b.from_at) / 86400 AS days,
    b.samples,
    e.* EXCLUDE (run),
    f.deepest AS deepest_drawdown
FROM headlines AS h
JOIN ends AS b ON b.run = h.run
JOIN earned AS e ON e.run = h.run
JOIN falls AS f ON f.run = h.run
ORDER BY h.run
