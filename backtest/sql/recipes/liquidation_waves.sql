-- When did the ten largest waves of liquidations come?
-- By market, side and 15 minutes of UTC time; price_move_percent is from the first liquidation of the wave to the
-- last.
SELECT
    run,
    period_start('15 minutes', timestamp) AS wave,
    market_symbol AS market,
    side,
    count(*) AS liquidations,
    sum(size_usd) AS size_usd,
    sum(bad_debt_usd) AS bad_debt_usd,
    round((arg_max(price_usd, seq) / arg_min(price_usd, seq) - 1) * 100, 2) AS price_move_percent
FROM liquidations
GROUP BY run, wave, market, side
QUALIFY row_number() OVER (PARTITION BY run ORDER BY sum(size_usd) DESC, wave, market, side) <= 10
ORDER BY run, size_usd DESC, wave, market, side
