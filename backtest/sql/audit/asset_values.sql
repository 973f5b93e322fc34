-- at every sample, value = owned x low price of each custody, rounded down, and their sum is the LPs' assets
-- The low price itself is the oracle's less its band where the venue trades at the oracle's price, else at most that.
WITH valued AS (
    SELECT
        p.timestamp,
        p.custody,
        p.owned_units,
        p.price_usd,
        p.low_price_usd,
        p.value_usd,
        CAST(CAST(p.price_usd AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT) AS price,
        CAST(CAST(p.low_price_usd AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT) AS low_price,
        s.trade_price,
        r.conf_bps,
        -- a stable that is taken for a dollar at least, where the pool's value does so
        CASE WHEN r.peg = 'floored' AND s.valuation <> 'collective' THEN 10000000000 ELSE 0 END AS lowest,
        c.unit
    FROM pool AS p
    JOIN custodies AS c ON c.custody = p.custody
    JOIN stages AS s ON p.timestamp >= s.from_at AND (s.until_at IS NULL OR p.timestamp < s.until_at)
    JOIN rules_custodies AS r ON r.change = s.change AND r.custody = p.custody
),
expected AS (
    SELECT
        *,
        owned_units * low_price // (unit * 10000::HUGEINT) AS micro_usd,
        greatest(price - price * conf_bps // 10000, lowest) AS oracle_low
    FROM valued
)
SELECT
    timestamp,
    custody,
    price_usd,
    low_price_usd,
    value_usd AS found_usd,
    of_micro(micro_usd) AS expected_usd
FROM expected
WHERE micro_usd(value_usd) <> micro_usd
    OR CASE WHEN trade_price = 'oracle' THEN low_price <> oracle_low ELSE low_price > greatest(price, lowest) END
UNION ALL
SELECT l.timestamp, NULL, NULL, NULL, l.assets_usd, sum(p.value_usd)
FROM lp AS l
LEFT JOIN pool AS p ON p.timestamp = l.timestamp
GROUP BY l.timestamp, l.assets_usd
HAVING l.assets_usd IS DISTINCT FROM sum(p.value_usd)
ORDER BY 1, 2
