-- traders: per sample, the result of all traders since the start, open positions included: price PnL before fees, and
-- what is left of it after fees, funding and confiscated margin, with the losses that bad debt spared them.
SELECT run, series, timestamp, value
FROM (
    SELECT
        run,
        timestamp,
        CAST(trader_pnl_usd AS DOUBLE) AS gross,
        CAST(
            trader_pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - funding_usd - confiscated_usd + bad_debt_usd
            AS DOUBLE
        ) AS net
    FROM lp
)
UNPIVOT (value FOR series IN (gross AS 'Before fees', net AS 'After fees'))
