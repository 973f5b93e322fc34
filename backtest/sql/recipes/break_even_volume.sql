-- How much volume a day did the LPs need to break even against the traders?
-- What traders won on prices (open positions included) and bad debt, per day, over the LPs' part of trading fees per
-- dollar of volume. Where traders lost it is negative: no volume was needed.
WITH earned AS (
    SELECT run, sum(amount_usd) AS fees_usd
    FROM fees
    WHERE beneficiary = 'lp' AND kind IN ('open', 'exit', 'liquidation', 'borrow')
    GROUP BY run
),
totals AS (
    SELECT
        m.run,
        nullif(m.days, 0) AS days,
        CAST(h.volume_usd AS DOUBLE) AS volume_usd,
        CAST(coalesce(e.fees_usd, 0) AS DOUBLE) / nullif(CAST(h.volume_usd AS DOUBLE), 0) AS fee,
        CAST(h.trader_pnl_usd + h.trader_unrealised_usd + h.bad_debt_usd AS DOUBLE) AS lost_usd
    FROM metrics AS m
    JOIN headlines AS h ON h.run = m.run
    LEFT JOIN earned AS e ON e.run = m.run
)
SELECT
    run,
    round(volume_usd / days, 2) AS volume_per_day_usd,
    round(fee * 1e4, 2) AS fees_of_lps_bps,
    round(lost_usd / days, 2) AS lost_per_day_usd,
    round(lost_usd / days / nullif(fee, 0), 2) AS break_even_per_day_usd
FROM totals
ORDER BY run
