-- revenue(period): dollars earned, by source and beneficiary.
-- Sources: the kinds of `fees`, and for the LPs funding (- the pool paid traders) and confiscated margin.
-- Trader PnL, price changes and bad debt are not revenue: see attribution.
CREATE OR REPLACE MACRO revenue(period) AS TABLE
WITH earned AS (
    SELECT run, timestamp, kind AS source, beneficiary, amount_usd FROM fees
    UNION ALL
    SELECT run, timestamp, 'funding', 'lp', funding_usd FROM events WHERE funding_usd <> 0
    UNION ALL
    SELECT run, timestamp, 'confiscated', 'lp', confiscated_usd FROM events WHERE confiscated_usd <> 0
)
SELECT
    run,
    period_start(period, timestamp) AS period_start,
    source,
    beneficiary,
    sum(amount_usd) AS amount_usd
FROM earned
GROUP BY ALL
ORDER BY run, period_start, source, beneficiary;
