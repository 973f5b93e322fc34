-- hedge: the last row of `hedged`: returns since the first rebalancing with and without the hedge, its gain before cost,
-- what it traded and what that cost.
SELECT
    run,
    arg_min(timestamp, number) AS from_at,
    max(timestamp) AS until_at,
    arg_max(unhedged, number) - 1 AS unhedged_return,
    arg_max(hedged, number) - 1 AS hedged_return,
    arg_max(gain_usd, number) AS gain_usd,
    arg_max(turnover_usd, number) AS turnover_usd,
    arg_max(cost_usd, number) AS cost_usd,
    count(*) AS rebalancings
FROM ({hedged})
GROUP BY run
