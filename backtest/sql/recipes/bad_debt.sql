-- Where does bad debt come from?
-- By market, side and leverage at the opening; gaps are liquidations that came too late to cover the loss.
SELECT
    run,
    market_symbol AS market,
    side,
    CASE
        WHEN initial_leverage < 10 THEN 'below 10x'
        WHEN initial_leverage < 50 THEN '10x to 50x'
        ELSE '50x and more'
    END AS leverage,
    count(*) AS liquidations,
    count(*) FILTER (bad_debt_usd > 0) AS gaps,
    sum(bad_debt_usd) AS bad_debt_usd,
    max(bad_debt_usd) AS largest_usd,
    arg_max(timestamp, bad_debt_usd) AS largest_at
FROM liquidations
GROUP BY ALL
HAVING sum(bad_debt_usd) > 0
ORDER BY run, bad_debt_usd DESC, market, side, leverage
