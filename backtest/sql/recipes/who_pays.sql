-- Who pays the fees?
-- Positions by what they paid (open, close and borrow fees), the dearest first: the share of all fees that the top
-- of them paid.
WITH ranked AS (
    SELECT
        run,
        open_fee_usd + exit_fee_usd + borrow_fee_usd AS fees_usd,
        row_number() OVER w AS rank,
        count(*) OVER (PARTITION BY run) AS positions
    FROM positions
    WINDOW w AS (PARTITION BY run ORDER BY open_fee_usd + exit_fee_usd + borrow_fee_usd DESC, position_no)
),
tops AS (
    FROM (VALUES (0.01), (0.05), (0.10), (0.25), (0.50), (1.00)) AS t (share)
)
SELECT
    r.run,
    CAST(t.share * 100 AS INTEGER) AS top_percent,
    count(*) FILTER (r.rank <= ceil(t.share * r.positions)) AS positions,
    sum(r.fees_usd) FILTER (r.rank <= ceil(t.share * r.positions)) AS fees_usd,
    round(100 * CAST(sum(r.fees_usd) FILTER (r.rank <= ceil(t.share * r.positions)) AS DOUBLE)
        / nullif(CAST(sum(r.fees_usd) AS DOUBLE), 0), 1) AS of_fees_percent
FROM ranked AS r
CROSS JOIN tops AS t
GROUP BY r.run, t.share
ORDER BY r.run, t.share
