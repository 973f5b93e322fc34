-- refused: orders that were refused, by reason.
SELECT run, reason, count(*) AS orders FROM rejections GROUP BY ALL ORDER BY run, orders DESC, reason
