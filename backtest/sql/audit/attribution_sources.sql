-- at every sample, each source of AUM = its events so far + what open positions have accrued
WITH expected AS (
    SELECT
        l.timestamp,
        s.lp_flow_usd,
        s.open_fee_usd,
        s.exit_fee_usd + l.accrued_exit_fee_usd AS exit_fee_usd,
        s.borrow_fee_usd + l.accrued_borrow_usd AS borrow_fee_usd,
        s.lp_fee_usd,
        s.funding_usd + l.accrued_funding_usd AS funding_usd,
        s.owed_usd + s.reserved_fee_usd AS to_others_usd,
        s.pnl_usd + l.unrealised_pnl_usd AS trader_pnl_usd,
        l.assets_usd - s.owned_value_usd + s.drift_usd + l.collateral_drift_usd AS asset_drift_usd,
        s.bad_debt_usd,
        s.confiscated_usd,
        s.liquidator_usd,
        s.margin_usd,
        s.spread_usd,
        l.aum_usd - (
            l.assets_usd - l.fees_debt_usd + l.accrued_borrow_usd + l.accrued_exit_fee_usd + l.accrued_funding_usd
            - l.unrealised_pnl_usd + l.collateral_drift_usd - l.margin_usd
        ) AS rounding_usd
    FROM lp AS l
    JOIN pool_sums AS s ON s.timestamp = l.timestamp
),
wanted AS (
    UNPIVOT (SELECT timestamp, CAST(COLUMNS(* EXCLUDE (timestamp)) AS DECIMAL(38, 6)) FROM expected)
    ON * EXCLUDE (timestamp) INTO NAME source VALUE expected_usd
),
found AS (
    UNPIVOT (
        SELECT
            timestamp, lp_flow_usd, open_fee_usd, exit_fee_usd, borrow_fee_usd, lp_fee_usd, funding_usd, to_others_usd,
            trader_pnl_usd, asset_drift_usd, bad_debt_usd, confiscated_usd, liquidator_usd, margin_usd, spread_usd,
            rounding_usd
        FROM lp
    ) ON * EXCLUDE (timestamp) INTO NAME source VALUE found_usd
)
SELECT w.timestamp, w.source, f.found_usd, w.expected_usd
FROM wanted AS w
JOIN found AS f ON f.timestamp = w.timestamp AND f.source = w.source
WHERE f.found_usd <> w.expected_usd
ORDER BY w.timestamp, w.source
