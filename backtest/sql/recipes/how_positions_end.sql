-- How do positions end?
-- Open ones have closed nothing yet. net_pnl_usd is the traders' money out over money in, of what was settled.
SELECT
    run,
    outcome,
    count(*) AS positions,
    round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY run), 1) AS of_positions_percent,
    sum(opened_size_usd) AS opened_usd,
    round(avg(epoch(closed_at - opened_at)) / 3600, 1) AS mean_hours,
    sum(pnl_usd) AS pnl_usd,
    sum(open_fee_usd + exit_fee_usd + borrow_fee_usd + funding_usd) AS paid_usd,
    sum(bad_debt_usd) AS bad_debt_usd,
    sum(pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - funding_usd + bad_debt_usd - confiscated_usd)
        AS net_pnl_usd
FROM positions
GROUP BY run, outcome
ORDER BY run, positions DESC, outcome
