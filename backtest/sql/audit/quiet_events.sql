-- set_triggers and cancel_limit move no money
SELECT seq, kind, * EXCLUDE (run, seq, kind)
FROM events
WHERE kind IN ('set_triggers', 'cancel_limit')
    AND (
        abs(trader_in_units) + abs(trader_out_units) + abs(fees_out_units) + abs(owned_units) + abs(collateral_units)
            + abs(locked_units) + abs(lp_units) <> 0
        OR abs(size_usd) + abs(collateral_usd) + abs(pnl_usd) + abs(exit_fee_usd) + abs(borrow_fee_usd)
            + abs(prepaid_borrow_usd) + abs(funding_usd) + abs(lp_fee_usd) + abs(lp_share_usd)
            + abs(protocol_share_usd) + abs(referrer_share_usd) + abs(bad_debt_usd) + abs(deficit_fee_usd)
            + abs(confiscated_usd) + abs(payout_usd) + abs(spread_usd) + abs(drift_usd) + abs(owned_value_usd)
            + abs(lp_flow_usd) + abs(debt_paid_usd) <> 0
    )
ORDER BY seq
