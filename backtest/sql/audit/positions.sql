-- every row of positions = the sum of its events: sizes, margin, payouts, PnL, fees, lock, times and how it ended
WITH history AS (
    SELECT
        *,
        kind IN ('open', 'limit_open') AS opens,
        kind IN ('open', 'limit_open', 'increase', 'deposit_collateral') AS enters,
        kind IN ('close', 'stop_loss', 'take_profit', 'liquidation') AS ends,
        sum(locked_units) OVER (PARTITION BY position_no ORDER BY seq) AS held_units
    FROM events AS e
    JOIN stages AS s ON e.timestamp >= s.from_at AND (s.until_at IS NULL OR e.timestamp < s.until_at)
    WHERE position_no IS NOT NULL
),
sums AS (
    SELECT
        position_no,
        -- one opening and at most one end, see position_lives: max() only picks them
        max(position_id) FILTER (opens) AS position_id,
        max(market) FILTER (opens) AS market,
        max(side) FILTER (opens) AS side,
        max(custody) FILTER (opens) AS custody,
        max(order_id) FILTER (opens) AS open_order_id,
        max(timestamp) FILTER (opens) AS opened_at,
        max(price_usd) FILTER (opens) AS open_price_usd,
        coalesce(max(kind) FILTER (ends), 'open') AS outcome,
        max(timestamp) FILTER (ends) AS closed_at,
        max(price_usd) FILTER (ends) AS close_price_usd,
        coalesce(sum(size_usd) FILTER (size_usd > 0), 0) AS opened_size_usd,
        coalesce(-sum(size_usd) FILTER (size_usd < 0), 0) AS closed_size_usd,
        sum(size_usd) AS size_usd,
        -- what was paid in: of pooled margin the fees go off at once, a separate one is paid in beside them
        coalesce(sum(
            collateral_usd + CASE WHEN margin = 'pooled' THEN
                open_fee_usd + borrow_fee_usd + prepaid_borrow_usd + funding_usd
            ELSE 0 END
        ) FILTER (enters), 0) AS deposited_usd,
        -- of pooled margin a withdrawal is a decrease by nothing
        coalesce(-sum(collateral_usd) FILTER (kind = 'withdraw_collateral' AND margin = 'separate'), 0)
            AS withdrawn_usd,
        sum(collateral_usd) AS collateral_usd,
        sum(payout_usd) AS payout_usd,
        sum(pnl_usd) AS pnl_usd,
        sum(exit_fee_usd) AS exit_fee_usd,
        sum(borrow_fee_usd + prepaid_borrow_usd) AS borrow_fee_usd,
        sum(funding_usd) AS funding_usd,
        sum(bad_debt_usd) AS bad_debt_usd,
        max(held_units) AS max_locked_units,
        sum(open_fee_usd) AS open_fee_usd,
        sum(confiscated_usd) AS confiscated_usd
    FROM history
    GROUP BY position_no
),
-- what events alone do not say: taken as it is
stated AS (
    SELECT * EXCLUDE (run, entry_price_usd, initial_leverage_bps) FROM positions
),
-- EXCEPT goes by place, so the sums take the order of the file's columns
summed AS (
    FROM stated WHERE false
    UNION ALL BY NAME
    FROM sums
),
-- a row that only one side has, or has otherwise, or has twice
differing AS (
    SELECT 'positions' AS found_in, * FROM (FROM stated EXCEPT ALL FROM summed)
    UNION ALL
    SELECT 'events' AS found_in, * FROM (FROM summed EXCEPT ALL FROM stated)
)
SELECT * FROM differing ORDER BY position_no, found_in
