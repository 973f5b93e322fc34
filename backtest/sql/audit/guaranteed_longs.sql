-- where the pool counts what longs guarantee, their PnL = the tokens locked for them x low price - their size
-- Per custody; each market may be rounded down once.
SELECT
    k.timestamp,
    p.custody,
    sum(k.long_pnl_usd) AS found_usd,
    of_micro(sum(k.long_locked_units) * any_value(p.low_price) // (any_value(p.unit) * 10000::HUGEINT))
        - sum(k.long_oi_usd) AS expected_usd
FROM markets AS k
JOIN market_custodies AS m ON m.market = k.market
JOIN (
    SELECT
        p.timestamp,
        p.custody,
        c.unit,
        CAST(CAST(p.low_price_usd AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT) AS low_price
    FROM pool AS p
    JOIN custodies AS c ON c.custody = p.custody
    WHERE NOT c.stable
) AS p ON p.timestamp = k.timestamp AND p.custody = m.long_custody
JOIN stages AS s ON k.timestamp >= s.from_at AND (s.until_at IS NULL OR k.timestamp < s.until_at)
WHERE s.valuation = 'guaranteed'
GROUP BY k.timestamp, p.custody
HAVING abs(found_usd - expected_usd) > of_micro(count(*))
ORDER BY k.timestamp, p.custody
