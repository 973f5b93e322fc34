-- hedged: per rebalancing, what one dollar in LP tokens (rewards included) became since the first one, and what it became
-- with the exposure hedged: at the end of every period the LPs short the tokens of `delta`, hold that for a period, pay
-- the stated cost on every dollar traded, and at the end buy all of it back. Funding of the hedge is not counted.
WITH held AS (
    {delta}
),
moves AS (
    SELECT
        *,
        lead(price_usd) OVER w - price_usd AS move_usd,
        coalesce(lag(delta_tokens) OVER w, 0) AS before_tokens
    FROM held
    WINDOW w AS (PARTITION BY run, asset ORDER BY timestamp)
),
moments AS (
    SELECT
        run,
        closing_at AS timestamp,
        closing_aum_usd AS aum_usd,
        return_with_rewards AS lp_return,
        lead(closing_at) OVER (PARTITION BY run ORDER BY closing_at) IS NULL AS is_last
    FROM lp_returns('{every}')
),
steps AS (
    SELECT
        t.run,
        t.timestamp,
        any_value(t.aum_usd) AS aum_usd,
        any_value(t.lp_return) AS lp_return,
        coalesce(sum(-m.delta_tokens * m.move_usd), 0) AS gain_usd,
        coalesce(sum(m.price_usd * abs(CASE WHEN t.is_last THEN 0 ELSE m.delta_tokens END - m.before_tokens)), 0)
            AS turnover_usd
    FROM moments AS t
    LEFT JOIN moves AS m ON m.run = t.run AND m.timestamp = t.timestamp
    GROUP BY ALL
),
periods AS (
    SELECT
        run,
        timestamp,
        lp_return,
        turnover_usd,
        turnover_usd * {cost_bps} / 1e4 AS cost_usd,
        lag(gain_usd) OVER w AS gain_usd,
        lag(aum_usd) OVER w AS opening_aum_usd,
        lag(turnover_usd) OVER w * {cost_bps} / 1e4
            + CASE WHEN lead(timestamp) OVER w IS NULL THEN turnover_usd * {cost_bps} / 1e4 ELSE 0 END AS charged_usd,
        row_number() OVER w AS number
    FROM steps
    WINDOW w AS (PARTITION BY run ORDER BY timestamp)
)
SELECT
    run,
    timestamp,
    product(CASE WHEN number > 1 THEN 1 + lp_return ELSE 1 END) OVER w AS unhedged,
    product(
        CASE WHEN number > 1 THEN 1 + lp_return + (gain_usd - charged_usd) / nullif(opening_aum_usd, 0) ELSE 1 END
    ) OVER w AS hedged,
    sum(gain_usd) OVER w AS gain_usd,
    sum(turnover_usd) OVER w AS turnover_usd,
    sum(cost_usd) OVER w AS cost_usd,
    number
FROM periods
WINDOW w AS (PARTITION BY run ORDER BY timestamp)
ORDER BY run, timestamp
