-- How many positions die by borrow fees alone?
-- price_not_against: liquidated although the price was at the entry or better; fees_larger: borrow and funding took
-- more than the price did. What the margin could not pay is not in the fees.
SELECT
    p.run,
    p.market,
    p.side,
    count(*) AS liquidations,
    count(*) FILTER (p.pnl_usd >= 0) AS price_not_against,
    count(*) FILTER (p.borrow_fee_usd + p.funding_usd > -p.pnl_usd) AS fees_larger,
    round(100.0 * fees_larger / liquidations, 1) AS fees_larger_percent,
    round(avg(epoch(p.closed_at - p.opened_at)) / 3600, 1) AS mean_hours,
    sum(p.borrow_fee_usd + p.funding_usd) AS borrow_and_funding_usd
FROM positions AS p
WHERE p.outcome = 'liquidation'
GROUP BY ALL
ORDER BY ALL
