-- on every event, tokens in - tokens out = change of owned + collateral + fee reserve + stranded (identity B)
SELECT
    seq, kind, custody, trader_in_units, trader_out_units, fees_out_units, owned_units, collateral_units, fee_units,
    stranded_units
FROM events
WHERE trader_in_units - trader_out_units - fees_out_units
        <> owned_units + collateral_units + fee_units + stranded_units
    OR least(trader_in_units, trader_out_units, fees_out_units) < 0
ORDER BY seq
