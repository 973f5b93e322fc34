-- at every sample, 0 <= locked <= owned and 0 <= collateral
SELECT timestamp, custody, owned_units, locked_units, collateral_units
FROM pool
WHERE locked_units < 0 OR locked_units > owned_units OR collateral_units < 0
ORDER BY timestamp, custody
