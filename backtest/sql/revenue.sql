-- revenue(period): dollars earned, by source and beneficiary.
-- Sources: the kinds of `fees`, for the LPs funding (- the pool paid traders), and confiscated margin, of which the
-- liquidator's reward goes off; a reward that the margin did not yield is the LPs' loss.
-- Trader PnL, price changes and bad debt are not revenue: see attribution.
CREATE OR REPLACE MACRO revenue(period) AS TABLE
WITH earned AS (
    SELECT run, timestamp, kind AS source, beneficiary, amount_usd FROM fees
    UNION ALL
    SELECT run, timestamp, 'funding', 'lp', funding_usd FROM events WHERE funding_usd <> 0
    UNION ALL
    SELECT run, timestamp, 'confiscated', 'lp', confiscated_usd - liquidator_usd
    FROM events
    WHERE confiscated_usd <> liquidator_usd
    UNION ALL
    SELECT run, timestamp, 'confiscated', 'liquidator', liquidator_usd FROM events WHERE liquidator_usd <> 0
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
