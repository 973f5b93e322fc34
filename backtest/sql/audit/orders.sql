-- every order ends exactly once: executed, rejected or pending; together they are all orders of the manifest
WITH executed AS (
    SELECT
        order_id,
        count(*) AS events,
        -- a distribution empties the reserve of every custody, one event each
        CASE
            WHEN bool_and(kind IN ('swap_in', 'swap_out')) THEN 2
            WHEN bool_and(kind = 'distribute_fees') THEN greatest(count(DISTINCT custody), 1)
            ELSE 1
        END AS events_due
    FROM events
    WHERE order_id IS NOT NULL
    GROUP BY order_id
),
refused AS (
    SELECT order_id, count(*) AS rejections FROM raw.rejections GROUP BY order_id
),
ended AS (
    SELECT
        coalesce(e.order_id, r.order_id) AS order_id,
        coalesce(e.events, 0) AS events,
        coalesce(r.rejections, 0) AS rejections,
        e.events_due
    FROM executed AS e
    FULL JOIN refused AS r ON r.order_id = e.order_id
),
total AS (
    SELECT (SELECT count(*) FROM ended) AS ended, CAST(manifest ->> '$.counts.orders_total' AS BIGINT) AS given
    FROM manifests
)
SELECT order_id, events, rejections, NULL AS orders_ended, NULL AS orders_given
FROM ended
WHERE NOT coalesce(events = events_due AND rejections = 0 OR events = 0 AND rejections = 1, false)
UNION ALL
SELECT NULL, NULL, NULL, ended, given
FROM total
WHERE ended IS DISTINCT FROM given
ORDER BY 1
