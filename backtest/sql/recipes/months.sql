-- How did each month go for the LPs?
-- lp_return has the rewards paid beside the pool in it. change_usd less lp_flow_usd is what the pool earned, the
-- prices of its assets included.
SELECT
    r.run,
    strftime(r.period_start AT TIME ZONE 'UTC', '%Y-%m') AS month,
    round(r.return_with_rewards * 100, 2) AS lp_return_percent,
    round(r.drawdown * 100, 2) AS deepest_drawdown_percent,
    r.closing_aum_usd AS aum_usd,
    a.change_usd,
    a.lp_flow_usd,
    a.asset_drift_usd,
    a.open_fee_usd + a.exit_fee_usd + a.borrow_fee_usd + a.lp_fee_usd + a.funding_usd - a.to_others_usd
        AS fees_kept_usd,
    -a.trader_pnl_usd AS from_traders_usd,
    -a.bad_debt_usd AS bad_debt_usd,
    r.rewards_usd
FROM lp_returns('1 month') AS r
JOIN attribution('1 month') AS a ON a.run = r.run AND a.period_start = r.period_start
ORDER BY r.run, r.period_start
