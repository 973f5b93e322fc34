-- on every exit, payout = margin + PnL - fees - funding + bad debt - confiscated (identity D)
SELECT
    seq, kind, payout_usd, collateral_usd, pnl_usd, exit_fee_usd, borrow_fee_usd, prepaid_borrow_usd, funding_usd,
    bad_debt_usd, confiscated_usd
FROM events
WHERE kind IN ('decrease', 'close', 'stop_loss', 'take_profit', 'liquidation')
    AND payout_usd <> -collateral_usd + pnl_usd - exit_fee_usd - borrow_fee_usd - prepaid_borrow_usd - funding_usd
        + bad_debt_usd - confiscated_usd
ORDER BY seq
