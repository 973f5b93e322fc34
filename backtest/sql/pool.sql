-- pool: one row per sample and custody, with tokens, utilisation = locked / owned, and borrow rates.
-- Owned tokens back the LPs; collateral, the fee reserve and stranded tokens lie beside them.
CREATE OR REPLACE VIEW pool AS
SELECT
    p.* EXCLUDE (borrow_rate, borrow_index),
    p.owned_units / c.unit AS owned_tokens,
    p.locked_units / c.unit AS locked_tokens,
    p.collateral_units / c.unit AS collateral_tokens,
    p.fee_units / c.unit AS fee_tokens,
    p.stranded_units / c.unit AS stranded_tokens,
    CASE WHEN p.owned_units = 0 THEN 0.0 ELSE p.locked_units / p.owned_units END AS utilisation,
    p.borrow_rate / 1e9 AS borrow_rate_per_hour,
    p.borrow_rate / 1e9 * 24 * 365 AS borrow_rate_per_year,
    p.borrow_rate,
    p.borrow_index
FROM raw.pool AS p
JOIN custodies AS c ON c.run = p.run AND c.custody = p.custody
ORDER BY p.run, p.timestamp, p.custody;
