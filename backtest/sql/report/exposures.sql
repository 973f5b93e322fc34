-- exposures: per asset, the LPs' delta at the end of the run, what 1 % of the asset moves, and the lowest, mean and
-- highest share of AUM over the periods.
SELECT
    run,
    asset,
    arg_max(delta_tokens, timestamp) AS delta_tokens,
    arg_max(delta_usd, timestamp) AS delta_usd,
    arg_max(delta_usd, timestamp) / 100 AS gain_per_percent_usd,
    arg_max(share_of_aum, timestamp) AS last_share,
    avg(share_of_aum) AS mean_share,
    min(share_of_aum) AS lowest_share,
    max(share_of_aum) AS highest_share
FROM ({delta})
GROUP BY run, asset
ORDER BY abs(gain_per_percent_usd) DESC, asset
