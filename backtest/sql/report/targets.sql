-- targets: per custody and rule change, the share that the venue aims at: its ratio, or its weight among all weights.
-- A venue that states neither has no rows. `from_at` is when the rule came into force.
WITH rules AS (
    SELECT run, CAST(manifest ->> '$.span.start' AS TIMESTAMPTZ) AS from_at, manifest -> '$.protocol.custody[*]' AS rows
    FROM manifests
    UNION ALL
    SELECT run, CAST(change ->> '$.time' AS TIMESTAMPTZ), change -> '$.protocol.custody[*]'
    FROM (SELECT run, unnest(manifest -> '$.changes[*]') AS change FROM manifests)
),
stated AS (
    SELECT
        run,
        from_at,
        row ->> '$.symbol' AS custody,
        CAST(row ->> '$.weight' AS DOUBLE) AS weight,
        CAST(row ->> '$.ratio_target_bps' AS DOUBLE) / 1e4 AS ratio
    FROM (SELECT run, from_at, unnest(rows) AS row FROM rules)
),
shares AS (
    SELECT *, coalesce(weight / nullif(sum(weight) OVER w, 0), nullif(ratio, 0)) AS target
    FROM stated
    WINDOW w AS (PARTITION BY run, from_at)
)
SELECT run, custody AS series, from_at AS timestamp, target AS value
FROM shares
WHERE target IS NOT NULL
QUALIFY target IS DISTINCT FROM lag(target) OVER (PARTITION BY run, custody ORDER BY from_at)
ORDER BY ALL
