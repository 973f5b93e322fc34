-- fees: what was settled by source and who it went to (funding and confiscated margin with them), sums in exact decimals.
SELECT
    run,
    CASE r.source
        WHEN 'open' THEN 'Open fees'
        WHEN 'exit' THEN 'Close fees'
        WHEN 'liquidation' THEN 'Liquidation fees'
        WHEN 'borrow' THEN 'Borrow fees'
        WHEN 'add_liquidity' THEN 'Mint fees'
        WHEN 'remove_liquidity' THEN 'Redeem fees'
        WHEN 'issue_dollars' THEN 'Fees on issued dollars'
        WHEN 'redeem_dollars' THEN 'Fees on redeemed dollars'
        WHEN 'swap' THEN 'Swap fees'
        WHEN 'funding' THEN 'Funding'
        WHEN 'confiscated' THEN 'Confiscated margin'
        ELSE r.source
    END AS source,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'lp'), 0) AS lp_usd,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'protocol'), 0) AS protocol_usd,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'referrer'), 0) AS referrer_usd,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'liquidator'), 0) AS liquidator_usd,
    sum(amount_usd) AS all_usd
FROM revenue('1 year') AS r
GROUP BY r.run, r.source
ORDER BY run, abs(all_usd) DESC, source
