-- liquidations: per period and market, how many positions were liquidated, their notional, and the bad debt.
SELECT
    run,
    period_start,
    market_symbol AS market,
    sum(liquidations) AS liquidations,
    sum(size_usd) AS size_usd,
    sum(bad_debt_usd) AS bad_debt_usd
FROM liquidations_by('{period}')
GROUP BY ALL
ORDER BY ALL
