-- metrics: one row per run, the figures of `perpool metrics` but for the markouts; backtest.metrics_text says what each
-- one means. Null where it is not defined. Returns and drawdowns are signed: a loss is negative.
CREATE OR REPLACE VIEW metrics AS
WITH known AS (
    FROM daily_returns QUALIFY bool_and(lp_return IS NOT NULL) OVER (PARTITION BY run)
),
moments AS (
    SELECT
        run,
        avg(lp_return) AS mean,
        nullif(stddev_samp(lp_return), 0) AS deviation,
        nullif(sqrt(avg(pow(least(lp_return, 0), 2))), 0) AS downside
    FROM known
    GROUP BY run
),
windows AS (
    SELECT k.run, h.horizon, product(1 + k.lp_return) OVER w - 1 AS value, count(*) OVER w AS days
    FROM known AS k
    CROSS JOIN (VALUES (1), (7), (30)) AS h (horizon)
    WINDOW w AS (PARTITION BY k.run, h.horizon ORDER BY k.day ROWS BETWEEN h.horizon - 1 PRECEDING AND CURRENT ROW)
),
ranked AS (
    SELECT
        run,
        horizon,
        value,
        row_number() OVER (PARTITION BY run, horizon ORDER BY value) AS rank,
        count(*) OVER (PARTITION BY run, horizon) AS windows
    FROM windows
    WHERE days = horizon
),
tails AS (
    SELECT
        run,
        quantile_cont(value, 0.05) FILTER (horizon = 1) AS var_1d,
        quantile_cont(value, 0.05) FILTER (horizon = 7) AS var_7d,
        quantile_cont(value, 0.05) FILTER (horizon = 30) AS var_30d,
        avg(value) FILTER (horizon = 1 AND rank <= (windows - 1) // 20 + 1) AS expected_shortfall_1d,
        avg(value) FILTER (horizon = 7 AND rank <= (windows - 1) // 20 + 1) AS expected_shortfall_7d,
        avg(value) FILTER (horizon = 30 AND rank <= (windows - 1) // 20 + 1) AS expected_shortfall_30d
    FROM ranked
    WHERE windows >= 20
    GROUP BY run
),
span AS (
    SELECT run, (epoch_us(max(timestamp)) - epoch_us(min(timestamp))) / 86400e6 AS days FROM lp GROUP BY run
),
deepest AS (
    SELECT run, min(depth) AS depth, arg_min(days, depth) AS days FROM drawdowns GROUP BY run
),
exposed AS (
    SELECT c.run, c.closing_at, sum(e.delta_usd) FILTER (NOT e.stable) / nullif(CAST(l.aum_usd AS DOUBLE), 0) AS delta
    FROM closing_samples('1 day') AS c
    JOIN lp AS l ON l.run = c.run AND l.timestamp = c.closing_at
    JOIN exposure('1 day') AS e ON e.run = c.run AND e.period_start = c.period_start
    GROUP BY c.run, c.closing_at, l.aum_usd
),
delta AS (
    SELECT run, avg(CAST(delta AS DECIMAL(18, 9))) AS mean, arg_max(delta, closing_at) AS last FROM exposed GROUP BY run
),
used AS (
    SELECT
        run,
        timestamp,
        CAST(sum(locked_tokens * price_usd) AS DOUBLE) / nullif(CAST(sum(owned_tokens * price_usd) AS DOUBLE), 0) AS used
    FROM pool
    GROUP BY run, timestamp
),
utilised AS (
    SELECT run, avg(CAST(used AS DECIMAL(18, 9))) AS mean, max(used) AS highest FROM used GROUP BY run
),
ended AS (
    SELECT
        run,
        count(*) FILTER (
            pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - funding_usd + bad_debt_usd - confiscated_usd > 0
        ) / count(*) AS won
    FROM positions
    WHERE closed_at IS NOT NULL
    GROUP BY run
),
annual AS (
    SELECT
        h.run,
        s.days,
        h.lp_return_with_rewards AS total,
        CASE WHEN s.days >= 7 THEN pow(1 + h.lp_return_with_rewards, 365 / s.days) - 1 END AS annualised
    FROM headlines AS h
    JOIN span AS s ON s.run = h.run
),
figures AS (
    SELECT
        h.run,
        a.days,
        a.total AS total_return,
        a.annualised AS annualised_return,
        m.deviation * sqrt(365) AS volatility,
        m.mean / m.deviation * sqrt(365) AS sharpe,
        m.mean / m.downside * sqrt(365) AS sortino,
        a.annualised / -d.depth AS calmar,
        coalesce(d.depth, 0) AS max_drawdown,
        coalesce(d.days, 0) AS max_drawdown_days,
        t.* EXCLUDE (run),
        h.fee_apr,
        x.mean AS delta_mean,
        x.last AS delta_end,
        u.mean AS utilisation_mean,
        u.highest AS utilisation_max,
        h.fees_per_volume_bps,
        e.won AS win_rate
    FROM headlines AS h
    JOIN annual AS a ON a.run = h.run
    LEFT JOIN deepest AS d ON d.run = h.run
    LEFT JOIN moments AS m ON m.run = h.run
    LEFT JOIN tails AS t ON t.run = h.run
    LEFT JOIN delta AS x ON x.run = h.run
    LEFT JOIN utilised AS u ON u.run = h.run
    LEFT JOIN ended AS e ON e.run = h.run
)
SELECT run, CASE WHEN isfinite(COLUMNS(* EXCLUDE (run))) THEN COLUMNS(* EXCLUDE (run)) END
FROM figures
ORDER BY run;
