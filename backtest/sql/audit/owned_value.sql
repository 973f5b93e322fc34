-- on every event, the change of the pool's tokens in dollars is explained to the micro-dollar (identity A)
SELECT
    seq, kind, owned_value_usd, lp_flow_usd, lp_fee_usd, pnl_usd, open_fee_usd, exit_fee_usd, borrow_fee_usd,
    prepaid_borrow_usd, funding_usd, bad_debt_usd, confiscated_usd, drift_usd, spread_usd, debt_paid_usd,
    reserved_fee_usd, liquidator_usd, margin_usd
FROM events
WHERE owned_value_usd <> lp_flow_usd + lp_fee_usd - pnl_usd + open_fee_usd + exit_fee_usd + borrow_fee_usd
        + prepaid_borrow_usd + funding_usd - bad_debt_usd + confiscated_usd + drift_usd + spread_usd - debt_paid_usd
        - reserved_fee_usd - liquidator_usd + margin_usd
    OR sign(owned_value_usd) * sign(owned_units) < 0
ORDER BY seq
