-- trades: one row per change of a position, in the shape that vendors of on-chain perpetuals data use.
-- size_usd and collateral_usd are unsigned, `action` gives the direction; margin moved alone has size 0.
-- borrow_fee_usd is what the position paid, borrow resolved earlier included; funding_usd + the trader pays.
-- fee_usd = open + exit + borrow fee; net_pnl_usd = pnl - fee - funding + bad debt - confiscated: what the trader gains
-- over what was paid in, or loses of it.
CREATE OR REPLACE VIEW trades AS
SELECT
    run,
    timestamp,
    seq,
    order_id,
    position_id,
    position_no,
    market AS market_symbol,
    side,
    CASE
        WHEN kind = 'liquidation' THEN 'liquidation'
        WHEN kind IN ('open', 'limit_open', 'increase', 'deposit_collateral') THEN 'increase'
        ELSE 'decrease'
    END AS action,
    kind,
    custody AS collateral_symbol,
    price_usd,
    abs(size_usd) AS size_usd,
    abs(collateral_usd) AS collateral_usd,
    pnl_usd,
    open_fee_usd,
    exit_fee_usd,
    borrow_fee_usd + prepaid_borrow_usd AS borrow_fee_usd,
    open_fee_usd + exit_fee_usd + borrow_fee_usd + prepaid_borrow_usd AS fee_usd,
    funding_usd,
    pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - prepaid_borrow_usd - funding_usd + bad_debt_usd
        - confiscated_usd AS net_pnl_usd,
    payout_usd,
    bad_debt_usd,
    confiscated_usd
FROM events
WHERE kind IN (
    'open', 'limit_open', 'increase', 'decrease', 'close', 'stop_loss', 'take_profit', 'liquidation',
    'deposit_collateral', 'withdraw_collateral'
);
