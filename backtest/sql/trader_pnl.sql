-- trader_pnl(period): realised result of the traders, by market and side; + traders win.
-- pnl_usd is price PnL before fees; net_pnl_usd = pnl - open - exit - borrow - funding + bad debt - confiscated, the
-- change of the traders' money. wins and losses count exits by the sign of pnl_usd.
CREATE OR REPLACE MACRO trader_pnl(period) AS TABLE
SELECT
    run,
    period_start(period, timestamp) AS period_start,
    market AS market_symbol,
    side,
    sum(pnl_usd) AS pnl_usd,
    sum(open_fee_usd) AS open_fee_usd,
    sum(exit_fee_usd) AS exit_fee_usd,
    sum(borrow_fee_usd + prepaid_borrow_usd) AS borrow_fee_usd,
    sum(funding_usd) AS funding_usd,
    sum(bad_debt_usd) AS bad_debt_usd,
    sum(confiscated_usd) AS confiscated_usd,
    sum(
        pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - prepaid_borrow_usd - funding_usd + bad_debt_usd
        - confiscated_usd
    ) AS net_pnl_usd,
    count(*) FILTER (size_usd < 0) AS exits,
    count(*) FILTER (pnl_usd > 0) AS wins,
    count(*) FILTER (pnl_usd < 0) AS losses,
    sum(abs(size_usd)) AS volume_usd
FROM events
WHERE position_no IS NOT NULL
GROUP BY ALL
ORDER BY run, period_start, market_symbol, side;
