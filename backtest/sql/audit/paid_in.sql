-- on every entry, margin (with the fees that pooled margin pays) = tokens paid in x low price, rounded down
-- Where a venue trades at the oracle's price; fees that are paid beside separate margin are not told apart in tokens.
WITH entries AS (
    SELECT
        e.seq,
        e.kind,
        e.custody,
        e.trader_in_units,
        e.custody_price_usd,
        e.collateral_usd + CASE WHEN s.margin = 'pooled' THEN
            e.open_fee_usd + e.borrow_fee_usd + e.prepaid_borrow_usd + e.funding_usd
        ELSE 0 END AS paid_usd,
        CAST(CAST(e.custody_price_usd AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT) AS price,
        r.conf_bps,
        r.peg,
        c.unit
    FROM events AS e
    JOIN stages AS s ON e.timestamp >= s.from_at AND (s.until_at IS NULL OR e.timestamp < s.until_at)
    JOIN rules_custodies AS r ON r.change = s.change AND r.custody = e.custody
    JOIN custodies AS c ON c.custody = e.custody
    WHERE e.kind IN ('open', 'limit_open', 'increase', 'deposit_collateral')
        AND s.trade_price = 'oracle'
        AND (s.margin = 'pooled' OR e.open_fee_usd = 0)
),
expected AS (
    SELECT
        *,
        -- a stable may be taken for a dollar at most
        trader_in_units * least(
            price - price * conf_bps // 10000, CASE WHEN peg = 'capped' THEN 10000000000 ELSE price END
        ) // (unit * 10000::HUGEINT) AS micro_usd
    FROM entries
)
SELECT seq, kind, custody, trader_in_units, custody_price_usd, paid_usd, of_micro(micro_usd) AS expected_usd
FROM expected
WHERE micro_usd(paid_usd) <> micro_usd
ORDER BY seq
