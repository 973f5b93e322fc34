-- where margin is pooled, a long's margin is inside the pool's tokens and in no book of its own; else none is
SELECT e.seq, e.kind, s.margin, e.side, e.collateral_usd, e.margin_usd, e.collateral_units
FROM events AS e
JOIN stages AS s ON e.timestamp >= s.from_at AND (s.until_at IS NULL OR e.timestamp < s.until_at)
WHERE e.margin_usd <> CASE WHEN s.margin = 'pooled' AND e.side = 'long' THEN e.collateral_usd ELSE 0 END
    OR s.margin = 'pooled' AND e.side = 'long' AND e.collateral_units <> 0
ORDER BY e.seq
