-- How long do positions live, and who wins?
-- Of positions that ended; net_pnl_usd is what traders took out over what they put in.
WITH ended AS (
    SELECT
        run,
        epoch(closed_at - opened_at) / 3600 AS hours,
        opened_size_usd,
        pnl_usd - open_fee_usd - exit_fee_usd - borrow_fee_usd - funding_usd + bad_debt_usd - confiscated_usd
            AS net_pnl_usd
    FROM positions
    WHERE closed_at IS NOT NULL
)
SELECT
    run,
    CASE
        WHEN hours < 0.25 THEN 'under 15 min'
        WHEN hours < 1 THEN '15 min to 1 h'
        WHEN hours < 6 THEN '1 h to 6 h'
        WHEN hours < 24 THEN '6 h to 1 day'
        WHEN hours < 168 THEN '1 day to 1 week'
        ELSE '1 week and more'
    END AS held,
    count(*) AS positions,
    sum(opened_size_usd) AS opened_usd,
    round(100.0 * count(*) FILTER (net_pnl_usd > 0) / count(*), 1) AS win_rate_percent,
    sum(net_pnl_usd) AS net_pnl_usd
FROM ended
GROUP BY run, held
ORDER BY run, min(hours)
