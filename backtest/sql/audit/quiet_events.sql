-- set_triggers, cancel_limit, accrue and parameters move no money; changes of parameters are numbered 1, 2, ... in order
SELECT seq, kind, change, * EXCLUDE (run, seq, kind, change)
FROM events
WHERE kind <> 'parameters' AND change IS NOT NULL
    OR kind = 'parameters' AND (change IS NULL OR (seq, change) NOT IN (
        SELECT (seq, row_number() OVER (ORDER BY seq)) FROM events WHERE kind = 'parameters'
    ))
    OR kind IN ('set_triggers', 'cancel_limit', 'accrue', 'parameters')
    AND (
        abs(trader_in_units) + abs(trader_out_units) + abs(fees_out_units) + abs(owned_units) + abs(collateral_units)
            + abs(locked_units) + abs(lp_units) + abs(fee_units) + abs(stranded_units) <> 0
        OR abs(size_usd) + abs(collateral_usd) + abs(pnl_usd) + abs(exit_fee_usd) + abs(borrow_fee_usd)
            + abs(prepaid_borrow_usd) + abs(funding_usd) + abs(lp_fee_usd) + abs(lp_share_usd)
            + abs(protocol_share_usd) + abs(referrer_share_usd) + abs(bad_debt_usd) + abs(deficit_fee_usd)
            + abs(confiscated_usd) + abs(payout_usd) + abs(spread_usd) + abs(drift_usd) + abs(owned_value_usd)
            + abs(lp_flow_usd) + abs(debt_paid_usd) + abs(open_fee_usd) + abs(liquidator_usd) + abs(margin_usd)
            + abs(reserved_fee_usd) <> 0
    )
ORDER BY seq
