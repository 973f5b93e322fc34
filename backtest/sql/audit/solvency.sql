-- at every sample, 0 <= locked <= owned, and collateral, fee reserve and internal dollars are not negative
SELECT timestamp, custody, owned_units, locked_units, collateral_units, fee_units, stranded_units, dollars_usd
FROM pool
WHERE locked_units < 0 OR locked_units > owned_units
    OR least(collateral_units, fee_units, dollars_usd) < 0
    OR owned_units + collateral_units + fee_units + stranded_units < 0
ORDER BY timestamp, custody
