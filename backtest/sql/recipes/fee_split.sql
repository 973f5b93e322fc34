-- Where does each dollar of fees go?
-- Fees settled by source and beneficiary; of_fees_percent is the share of all fees of the run.
SELECT
    run,
    kind AS source,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'lp'), 0) AS lp_usd,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'protocol'), 0) AS protocol_usd,
    coalesce(sum(amount_usd) FILTER (beneficiary = 'referrer'), 0) AS referrer_usd,
    sum(amount_usd) AS fees_usd,
    round(100 * CAST(sum(amount_usd) AS DOUBLE) / sum(CAST(sum(amount_usd) AS DOUBLE)) OVER (PARTITION BY run), 1)
        AS of_fees_percent
FROM fees
GROUP BY run, kind
ORDER BY run, fees_usd DESC, source
