-- Which ten positions cost the LPs the most?
-- net_pnl_usd is what the trader took out over what was put in, all fees paid; bad_debt_usd is the LPs' loss on top
-- of the trader's margin.
SELECT
    run,
    position_no,
    market,
    side,
    opened_at,
    closed_at,
    outcome,
    initial_leverage_bps / 1e4 AS leverage,
    opened_size_usd,
    pnl_usd,
    bad_debt_usd,
    pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - funding_usd + bad_debt_usd - confiscated_usd AS net_pnl_usd
FROM positions
QUALIFY row_number() OVER (PARTITION BY run ORDER BY net_pnl_usd + bad_debt_usd DESC, position_no) <= 10
ORDER BY run, net_pnl_usd + bad_debt_usd DESC, position_no
