-- benchmark: per sample, what one dollar became: in the LP token, in it with the rewards paid beside the pool (where the
-- venue has such), in the pool's first basket of tokens bought and held, and in dollars.
-- Rewards are those per LP token so far, held and not put back in; the basket is what the pool owned at the first sample.
WITH opening AS (
    SELECT run, custody, owned_tokens FROM pool
    WHERE (run, timestamp) IN (SELECT (run, min(timestamp)) FROM lp GROUP BY run)
),
basket AS (
    SELECT p.run, p.timestamp, sum(o.owned_tokens * p.price_usd) AS usd
    FROM pool AS p
    JOIN opening AS o ON o.run = p.run AND o.custody = p.custody
    GROUP BY ALL
),
rewarded AS MATERIALIZED (
    SELECT run, timestamp, sum(sum(reward_per_token)) OVER (PARTITION BY run ORDER BY timestamp) AS per_token
    FROM rewards
    GROUP BY run, timestamp
),
level AS (
    SELECT
        l.run,
        l.timestamp,
        l.lp_price_usd,
        l.lp_price_usd + coalesce(r.per_token, 0) AS rewarded_usd,
        b.usd AS basket_usd,
        first_value(l.lp_price_usd) OVER w AS first_price_usd,
        first_value(b.usd) OVER w AS first_basket_usd
    FROM lp AS l
    JOIN basket AS b ON b.run = l.run AND b.timestamp = l.timestamp
    ASOF LEFT JOIN rewarded AS r ON r.run = l.run AND l.timestamp >= r.timestamp
    WINDOW w AS (PARTITION BY l.run ORDER BY l.timestamp)
)
SELECT run, 'LP token' AS series, timestamp, lp_price_usd / nullif(first_price_usd, 0) AS value FROM level
UNION ALL
SELECT run, 'LP token with rewards', timestamp, rewarded_usd / nullif(first_price_usd, 0)
FROM level
WHERE run IN (SELECT run FROM rewarded)
UNION ALL
SELECT run, 'Basket held', timestamp, basket_usd / nullif(first_basket_usd, 0) FROM level
UNION ALL
SELECT run, 'Dollars', timestamp, 1.0 FROM level
