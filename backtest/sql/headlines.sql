-- headlines: one row per run, the figures of `perpool compare`; backtest.comparison.FIGURES says what each one means.
-- Fees, PnL and volume are settled (from events); returns, APR and AUM are of the samples, what open positions owe included.
CREATE OR REPLACE VIEW headlines AS
WITH settled AS (
    SELECT
        run,
        coalesce(sum(open_fee_usd), 0) AS open_fees_usd,
        coalesce(sum(exit_fee_usd) FILTER (kind <> 'liquidation'), 0) AS close_fees_usd,
        coalesce(sum(exit_fee_usd) FILTER (kind = 'liquidation'), 0) AS liquidation_fees_usd,
        coalesce(sum(borrow_fee_usd), 0) AS borrow_fees_usd,
        coalesce(sum(lp_fee_usd), 0) AS lp_fees_usd,
        coalesce(sum(open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd), 0) AS fees_usd,
        coalesce(sum(lp_share_usd), 0) AS fees_of_lps_usd,
        coalesce(sum(protocol_share_usd), 0) AS fees_of_protocol_usd,
        coalesce(sum(referrer_share_usd), 0) AS fees_of_referrers_usd,
        coalesce(sum(funding_usd), 0) AS funding_usd,
        coalesce(sum(confiscated_usd), 0) AS confiscated_usd,
        coalesce(sum(liquidator_usd), 0) AS liquidators_usd,
        coalesce(sum(bad_debt_usd), 0) AS bad_debt_usd,
        coalesce(sum(pnl_usd), 0) AS trader_pnl_usd,
        coalesce(sum(
            pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - prepaid_borrow_usd - funding_usd + bad_debt_usd
            - confiscated_usd
        ) FILTER (position_no IS NOT NULL), 0) AS trader_net_usd,
        coalesce(sum(abs(size_usd)), 0) AS volume_usd,
        count(*) FILTER (kind IN ('open', 'limit_open')) AS positions_opened,
        count(*) FILTER (kind = 'liquidation') AS liquidations,
        coalesce(-sum(size_usd) FILTER (kind = 'liquidation'), 0) AS liquidated_usd
    FROM events
    GROUP BY run
),
timed AS (
    SELECT
        *,
        open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd - to_others_usd + funding_usd + confiscated_usd
            - liquidator_usd AS kept_usd,
        epoch_us(lead(timestamp) OVER (PARTITION BY run ORDER BY timestamp)) - epoch_us(timestamp) AS held_us
    FROM lp
),
sampled AS (
    SELECT
        run,
        arg_min(aum_usd, timestamp) AS aum_start_usd,
        arg_max(aum_usd, timestamp) AS aum_end_usd,
        coalesce(sum(CAST(aum_usd AS DOUBLE) * held_us) / sum(held_us), arg_max(aum_usd, timestamp)) AS aum_mean,
        arg_min(lp_price_usd, timestamp) AS lp_price_start_usd,
        arg_max(lp_price_usd, timestamp) AS lp_price_end_usd,
        arg_max(unrealised_pnl_usd, timestamp) AS trader_unrealised_usd,
        arg_max(accrued_borrow_usd + accrued_exit_fee_usd + accrued_funding_usd, timestamp) AS accrued_usd,
        arg_max(kept_usd, timestamp) - arg_min(kept_usd, timestamp) AS kept_usd,
        epoch_us(max(timestamp)) - epoch_us(min(timestamp)) AS span_us
    FROM timed
    GROUP BY run
),
paid AS (
    SELECT run, sum(reward_usd) AS rewards_usd, coalesce(sum(reward_per_token), 0) AS per_token FROM rewards GROUP BY run
)
SELECT
    s.run,
    e.open_fees_usd,
    e.close_fees_usd,
    e.liquidation_fees_usd,
    e.borrow_fees_usd,
    e.lp_fees_usd,
    e.fees_usd,
    e.fees_of_lps_usd,
    e.fees_of_protocol_usd,
    e.fees_of_referrers_usd,
    e.funding_usd,
    e.confiscated_usd,
    e.liquidators_usd,
    e.bad_debt_usd,
    s.accrued_usd,
    s.aum_start_usd,
    s.aum_end_usd,
    s.lp_price_start_usd,
    s.lp_price_end_usd,
    s.lp_price_end_usd / nullif(s.lp_price_start_usd, 0) - 1 AS lp_return,
    coalesce(p.rewards_usd, 0) AS rewards_usd,
    (s.lp_price_end_usd + coalesce(p.per_token, 0)) / nullif(s.lp_price_start_usd, 0) - 1 AS lp_return_with_rewards,
    CAST(s.kept_usd + coalesce(p.rewards_usd, 0) AS DOUBLE) / nullif(s.aum_mean, 0) * 365 * 86400e6
        / nullif(s.span_us, 0) AS fee_apr,
    e.trader_pnl_usd,
    e.trader_net_usd,
    s.trader_unrealised_usd,
    e.volume_usd,
    CAST(e.fees_usd - e.lp_fees_usd AS DOUBLE) / nullif(CAST(e.volume_usd AS DOUBLE), 0) * 1e4 AS fees_per_volume_bps,
    e.positions_opened,
    e.liquidations,
    e.liquidated_usd
FROM sampled AS s
LEFT JOIN settled AS e ON e.run = s.run
LEFT JOIN paid AS p ON p.run = s.run
ORDER BY s.run;
