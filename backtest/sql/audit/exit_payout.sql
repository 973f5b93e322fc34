-- whenever a position gives back, payout = margin + PnL - fees - funding + bad debt - confiscated (identity D)
SELECT
    seq, kind, payout_usd, collateral_usd, pnl_usd, open_fee_usd, exit_fee_usd, borrow_fee_usd, prepaid_borrow_usd,
    funding_usd, bad_debt_usd, confiscated_usd
FROM events
WHERE kind IN ('decrease', 'close', 'stop_loss', 'take_profit', 'liquidation', 'withdraw_collateral')
    AND (
        payout_usd <> -collateral_usd + pnl_usd - exit_fee_usd - borrow_fee_usd - prepaid_borrow_usd - funding_usd
            + bad_debt_usd - confiscated_usd
        OR open_fee_usd <> 0
        OR payout_usd < 0
    )
ORDER BY seq
