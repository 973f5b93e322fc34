-- at every sample, the sources of AUM sum to AUM, to the micro-dollar
SELECT timestamp, aum_usd, explained_usd
FROM (
    SELECT
        timestamp,
        aum_usd,
        lp_flow_usd + open_fee_usd + exit_fee_usd + borrow_fee_usd + lp_fee_usd + funding_usd - to_others_usd
            - trader_pnl_usd + asset_drift_usd - bad_debt_usd + confiscated_usd - liquidator_usd + spread_usd
            + rounding_usd AS explained_usd
    FROM lp
)
WHERE aum_usd <> explained_usd
ORDER BY timestamp
