-- earned: per sample, what the pool has gained since the first sample apart from LP flows and the prices of its assets.
-- Fees are those the pool keeps, funding among them; the rest is confiscated margin, liquidators, oracle bounds, rounding.
WITH gained AS (
    SELECT
        run,
        timestamp,
        open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd + funding_usd - to_others_usd AS fees_usd,
        -trader_pnl_usd AS traders_usd,
        -bad_debt_usd AS bad_debt_usd,
        confiscated_usd - liquidator_usd + spread_usd + rounding_usd AS rest_usd
    FROM lp
),
since AS (
    SELECT
        run,
        timestamp,
        fees_usd - first_value(fees_usd) OVER w AS fees_usd,
        traders_usd - first_value(traders_usd) OVER w AS traders_usd,
        bad_debt_usd - first_value(bad_debt_usd) OVER w AS bad_debt_usd,
        rest_usd - first_value(rest_usd) OVER w AS rest_usd
    FROM gained
    WINDOW w AS (PARTITION BY run ORDER BY timestamp)
)
SELECT run, series, timestamp, value
FROM (SELECT *, fees_usd + traders_usd + bad_debt_usd + rest_usd AS all_usd FROM since)
UNPIVOT (value FOR series IN (
    all_usd AS 'All of it',
    fees_usd AS 'Fees kept',
    traders_usd AS 'Price losses of traders',
    bad_debt_usd AS 'Bad debt',
    rest_usd AS 'The rest'
))
