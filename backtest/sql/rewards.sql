-- rewards: fees of the LPs that are paid to them beside the pool: the LPs' part of fees booked in a reserve from which it
-- never joins the pool. One row per event; lp_supply (1e-6 LP tokens) is the supply after it, and reward_per_token the
-- dollars that one LP token of then earns.
CREATE OR REPLACE VIEW rewards AS
WITH outside AS (
    SELECT e.run, e.timestamp, e.seq, e.kind, e.lp_share_usd AS reward_usd
    FROM events AS e
    JOIN stages AS s
        ON s.run = e.run AND e.timestamp >= s.from_at AND (s.until_at IS NULL OR e.timestamp < s.until_at)
    WHERE e.lp_share_usd <> 0 AND s.fee_booking = 'reserve' AND NOT s.lp_share_joins
),
supplies AS (
    SELECT run, seq, CAST(sum(lp_units) OVER (PARTITION BY run ORDER BY seq) AS BIGINT) AS lp_supply
    FROM events
    WHERE lp_units <> 0
)
SELECT
    o.*,
    coalesce(s.lp_supply, 0) AS lp_supply,
    o.reward_usd * 1e6 / nullif(s.lp_supply, 0) AS reward_per_token
FROM outside AS o
ASOF LEFT JOIN supplies AS s ON s.run = o.run AND o.seq >= s.seq;
