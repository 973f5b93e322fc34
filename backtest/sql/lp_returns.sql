-- lp_returns(period): return of the LP token from sample to sample, closing price / opening price - 1.
-- rewards_usd: fees paid to LPs beside the pool; return_with_rewards = (closing price + rewards per LP token) / opening
-- price - 1: each reward divided by the LP supply of its time, held until the end and not put back in.
-- annualised_return compounds over 365 days from the time between the two samples; drawdown is the worst fall below
-- the highest price so far, over all samples of the period.
CREATE OR REPLACE MACRO lp_returns(period) AS TABLE
WITH priced AS (
    SELECT
        run,
        timestamp,
        lp_price_usd,
        aum_usd,
        lp_price_usd / nullif(max(lp_price_usd) OVER so_far, 0) - 1 AS drawdown,
        first_value(timestamp) OVER so_far AS started_at,
        first_value(lp_price_usd) OVER so_far AS started_usd
    FROM lp
    WINDOW so_far AS (PARTITION BY run ORDER BY timestamp)
),
paid AS (
    SELECT c.run, c.period_start, sum(r.reward_usd) AS rewards_usd, sum(r.reward_per_token) AS per_token
    FROM rewards AS r
    ASOF JOIN (SELECT * FROM closing_samples(period)) AS c ON c.run = r.run AND r.timestamp <= c.closing_at
    GROUP BY ALL
),
placed AS (
    SELECT c.run, c.period_start, c.opening_at, c.closing_at, min(p.drawdown) AS drawdown
    FROM priced AS p
    ASOF JOIN (SELECT * FROM closing_samples(period)) AS c ON c.run = p.run AND p.timestamp <= c.closing_at
    GROUP BY ALL
),
spans AS (
    SELECT
        s.run,
        s.period_start,
        coalesce(s.opening_at, z.started_at) AS opening_at,
        s.closing_at,
        coalesce(a.lp_price_usd, z.started_usd) AS opening_price_usd,
        z.lp_price_usd AS closing_price_usd,
        z.aum_usd AS closing_aum_usd,
        z.lp_price_usd / nullif(z.started_usd, 0) - 1 AS cumulative_return,
        s.drawdown,
        coalesce(p.rewards_usd, 0) AS rewards_usd,
        coalesce(p.per_token, 0) AS per_token
    FROM placed AS s
    JOIN priced AS z ON z.run = s.run AND z.timestamp = s.closing_at
    LEFT JOIN priced AS a ON a.run = s.run AND a.timestamp = s.opening_at
    LEFT JOIN paid AS p ON p.run = s.run AND p.period_start = s.period_start
)
SELECT
    run,
    period_start,
    opening_at,
    closing_at,
    opening_price_usd,
    closing_price_usd,
    closing_price_usd / nullif(opening_price_usd, 0) - 1 AS period_return,
    cumulative_return,
    CASE WHEN closing_at > opening_at AND opening_price_usd > 0 THEN
        pow(closing_price_usd / opening_price_usd, 365 * 86400e6 / (epoch_us(closing_at) - epoch_us(opening_at))) - 1
    END AS annualised_return,
    drawdown,
    closing_aum_usd,
    rewards_usd,
    (closing_price_usd + per_token) / nullif(opening_price_usd, 0) - 1 AS return_with_rewards
FROM spans
ORDER BY run, period_start;
