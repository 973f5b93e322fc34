-- worst_days: the seven days with the lowest return of the LP token (rewards included), and what they were made of.
SELECT
    r.run,
    CAST(r.period_start AT TIME ZONE 'UTC' AS DATE) AS day,
    r.return_with_rewards AS day_return,
    a.change_usd - a.lp_flow_usd AS change_usd,
    a.asset_drift_usd,
    a.open_fee_usd + a.exit_fee_usd + a.borrow_fee_usd + a.lp_fee_usd + a.funding_usd - a.to_others_usd AS fees_kept_usd,
    -a.trader_pnl_usd AS from_traders_usd,
    -a.bad_debt_usd AS bad_debt_usd
FROM lp_returns('1 day') AS r
JOIN attribution('1 day') AS a ON a.run = r.run AND a.period_start = r.period_start
WHERE r.return_with_rewards < 0
QUALIFY row_number() OVER (PARTITION BY r.run ORDER BY r.return_with_rewards, r.period_start) <= 7
ORDER BY r.run, r.return_with_rewards, r.period_start
