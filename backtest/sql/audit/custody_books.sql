-- at every sample, owned, locked, collateral, fee reserve and stranded of each custody = all events so far, from zero
SELECT
    coalesce(p.timestamp, s.timestamp) AS timestamp,
    coalesce(p.custody, s.custody) AS custody,
    p.owned_units,
    s.owned_units AS owned_of_events,
    p.locked_units,
    s.locked_units AS locked_of_events,
    p.collateral_units,
    s.collateral_units AS collateral_of_events,
    p.fee_units,
    s.fee_units AS fee_of_events,
    p.stranded_units,
    s.stranded_units AS stranded_of_events
FROM pool AS p
FULL JOIN custody_sums AS s ON s.timestamp = p.timestamp AND s.custody = p.custody
WHERE p.owned_units IS DISTINCT FROM s.owned_units
    OR p.locked_units IS DISTINCT FROM s.locked_units
    OR p.collateral_units IS DISTINCT FROM s.collateral_units
    OR p.fee_units IS DISTINCT FROM s.fee_units
    OR p.stranded_units IS DISTINCT FROM s.stranded_units
ORDER BY 1, 2
