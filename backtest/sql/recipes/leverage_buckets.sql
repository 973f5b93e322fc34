-- Which leverage pays for the pool?
-- By the leverage at the opening; venue_gain_bps is what traders lost, all fees included, per dollar that they
-- opened.
SELECT
    run,
    CASE
        WHEN initial_leverage_bps < 20000 THEN 'below 2x'
        WHEN initial_leverage_bps < 50000 THEN '2x to 5x'
        WHEN initial_leverage_bps < 100000 THEN '5x to 10x'
        WHEN initial_leverage_bps < 200000 THEN '10x to 20x'
        WHEN initial_leverage_bps < 500000 THEN '20x to 50x'
        ELSE '50x and more'
    END AS leverage,
    count(*) AS positions,
    sum(opened_size_usd) AS opened_usd,
    sum(open_fee_usd + exit_fee_usd + borrow_fee_usd + funding_usd) AS fees_usd,
    -sum(pnl_usd) AS lost_on_prices_usd,
    sum(bad_debt_usd) AS bad_debt_usd,
    sum(
        open_fee_usd + exit_fee_usd + borrow_fee_usd + funding_usd + confiscated_usd - pnl_usd - bad_debt_usd
    ) AS venue_gain_usd,
    round(venue_gain_usd / nullif(sum(opened_size_usd), 0) * 1e4, 2) AS venue_gain_bps
FROM positions
GROUP BY run, leverage
ORDER BY run, min(initial_leverage_bps)
