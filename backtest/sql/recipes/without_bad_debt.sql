-- What would LPs have earned without bad debt?
-- Bad debt is put back into the last AUM and shared by the LP tokens of then; that it would have earned meanwhile is
-- left out.
WITH ends AS (
    SELECT
        run,
        arg_min(lp_price_usd, timestamp) AS first_price_usd,
        arg_max(lp_price_usd, timestamp) AS last_price_usd,
        arg_max(lp_supply, timestamp) AS supply,
        arg_max(bad_debt_usd, timestamp) AS bad_debt_usd
    FROM lp
    GROUP BY run
)
SELECT
    run,
    bad_debt_usd,
    round((last_price_usd / nullif(first_price_usd, 0) - 1) * 100, 4) AS lp_return_percent,
    round(
        ((last_price_usd + bad_debt_usd * 1e6 / nullif(supply, 0)) / nullif(first_price_usd, 0) - 1) * 100, 4
    ) AS without_bad_debt_percent
FROM ends
ORDER BY run
