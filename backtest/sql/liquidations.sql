-- liquidations: one row per liquidated position, with what became of its margin.
-- collateral_usd = margin before; payout_usd to the trader, confiscated_usd kept from the trader, bad_debt_usd lost by the
-- pool, deficit_fee_usd fees that the margin could not cover, liquidator_usd what the pool paid the liquidator.
CREATE OR REPLACE VIEW liquidations AS
SELECT
    e.run,
    e.timestamp,
    e.seq,
    e.position_id,
    e.position_no,
    e.market AS market_symbol,
    e.side,
    e.custody AS collateral_symbol,
    p.opened_at,
    p.entry_price_usd,
    e.price_usd,
    p.initial_leverage_bps / 1e4 AS initial_leverage,
    -e.size_usd AS size_usd,
    -e.collateral_usd AS collateral_usd,
    e.pnl_usd,
    e.exit_fee_usd AS liquidation_fee_usd,
    e.borrow_fee_usd + e.prepaid_borrow_usd AS borrow_fee_usd,
    e.funding_usd,
    e.deficit_fee_usd,
    e.payout_usd,
    e.confiscated_usd,
    e.bad_debt_usd,
    e.liquidator_usd
FROM events AS e
JOIN positions AS p ON p.run = e.run AND p.position_no = e.position_no
WHERE e.kind = 'liquidation'
ORDER BY e.run, e.seq;
