-- What were my ten worst hours?
-- The LP token's return, rewards included, and what the change of AUM was made of; from_traders_usd is negative
-- where traders won.
SELECT
    r.run,
    r.period_start AS hour,
    round(r.return_with_rewards * 100, 3) AS lp_return_percent,
    a.change_usd - a.lp_flow_usd AS change_usd,
    a.asset_drift_usd,
    a.open_fee_usd + a.exit_fee_usd + a.borrow_fee_usd + a.lp_fee_usd + a.funding_usd - a.to_others_usd
        AS fees_kept_usd,
    -a.trader_pnl_usd AS from_traders_usd,
    -a.bad_debt_usd AS bad_debt_usd
FROM lp_returns('1 hour') AS r
JOIN attribution('1 hour') AS a ON a.run = r.run AND a.period_start = r.period_start
QUALIFY row_number() OVER (PARTITION BY r.run ORDER BY r.return_with_rewards, r.period_start) <= 10
ORDER BY r.run, r.return_with_rewards, r.period_start
