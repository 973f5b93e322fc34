-- every order ends exactly once: executed, rejected or pending; together they are all orders of the manifest
WITH executed AS (
    SELECT order_id, count(*) AS events, bool_and(kind IN ('swap_in', 'swap_out')) AS is_swap
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
        coalesce(e.is_swap, false) AS is_swap
    FROM executed AS e
    FULL JOIN refused AS r ON r.order_id = e.order_id
),
total AS (
    SELECT (SELECT count(*) FROM ended) AS ended, CAST(manifest ->> '$.counts.orders_total' AS BIGINT) AS given
    FROM manifests
)
SELECT order_id, events, rejections, NULL AS orders_ended, NULL AS orders_given
FROM ended
WHERE NOT (events = CASE WHEN is_swap THEN 2 ELSE 1 END AND rejections = 0 OR events = 0 AND rejections = 1)
UNION ALL
SELECT NULL, NULL, NULL, ended, given
FROM total
WHERE ended IS DISTINCT FROM given
ORDER BY 1
